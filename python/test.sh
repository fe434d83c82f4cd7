#!/usr/bin/env bash
# Builds the wheel, installs it into a clean environment, and runs there the README's command, the page about Python, and what can
# go wrong. Needs Python 3.10 or later with pip and venv, and Rust. `--release` builds the wheel that is published, and looks at its
# size; without it the build is a quick one. `--config KEY=VALUE` builds a release with this change of the profile, which takes what such a build
# of the program has left, and does not look at the size. `--wheel FILE` takes one that is built already. Exit status 3: there is no such Python, or
# maturin cannot be installed.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=() page=() wheel= is_published=
while [ $# -gt 0 ]; do
  case $1 in
    --release) profile=(--release) is_published=1 ;;
    --config) profile=(--release --config "$2"); shift ;;
    --wheel) wheel=$2; shift ;;
    *) echo "usage: python/test.sh [--release] [--config KEY=VALUE] [--wheel FILE]" >&2; exit 2 ;;
  esac
  shift
done

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
python=${PYTHON:-python3}

if ! "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
  echo "$python is not a Python 3.10 or later with pip and venv" >&2
  exit 3
fi

# The page of `outgrow play`, where playground/build.sh has built it.
[ -z "${OUTGROW_PLAYGROUND:-}" ] || page=(--features playground)

if [ -z "$wheel" ]; then
  "$python" -m venv "$stage/build"
  "$stage/build/bin/pip" install --quiet 'maturin>=1.7,<2' || exit 3
  (cd python && "$stage/build/bin/maturin" build "${profile[@]}" "${page[@]}" --out "$stage/dist")
  wheel=$(ls "$stage"/dist/outgrow-*.whl)
fi

size=$(wc -c <"$wheel")
echo "the wheel has $((size / 1000)) kB" >&2
if [ -n "$is_published" ] && [ "$size" -gt 8000000 ]; then
  echo "a wheel has at most 8 MB: what made it grow?" >&2
  exit 1
fi

"$python" -m venv "$stage/clean"
export PATH="$stage/clean/bin:$PATH"
unset OUTGROW
pip install --quiet --no-index "$wheel"

# Without any other package.
python python/test.py
# With those that use what is there: frames, and a validator of schemas that this project has not written.
pip install --quiet pandas jsonschema
python -m doctest -o ELLIPSIS -o NORMALIZE_WHITESPACE docs/python.md
echo "what the page about Python shows: ok"
python python/test.py --schema docs/result.schema.json
echo "results are as the published schema says: ok"
