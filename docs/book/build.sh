#!/usr/bin/env bash
# Builds the documentation as a book, target/book/html, and checks every link in it. mdBook is installed below target/ if it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=0.4.52
tools=$PWD/target/tools
if ! command -v mdbook >/dev/null && [ ! -x "$tools/bin/mdbook" ]; then
  cargo install --locked --version "$version" --no-default-features --features search --root "$tools" mdbook
fi
PATH=$tools/bin:$PATH

# Pages link to scenarios and sources, so that the book has a copy of these beside its pages.
book=target/book
rm -rf "$book"
mkdir -p "$book/src"
cp docs/book/book.toml "$book"
cp docs/book/SUMMARY.md README.md CONTRIBUTING.md CHANGELOG.md "$book/src"
cp -r docs scenarios data lab "$book/src"
rm -r "$book/src/docs/book"
for linked in LICENSE-* src/components/cache examples benches; do
  mkdir -p "$book/src/$(dirname "$linked")"
  cp -r "$linked" "$book/src/$linked"
done
# mdBook makes index.html of a README.md, and leaves links to README.html.
find "$book/src" -name README.md -execdir mv README.md index.md \;
find "$book/src" -name '*.md' -exec sed -i 's/\bREADME\.md\b/index.md/g' {} +
mdbook build --dest-dir html "$book"
OUTGROW_BOOK=$PWD/$book/html cargo test --locked --test it -- book::
