#!/usr/bin/env bash
# Builds the page target/playground/play.html: the engine as WebAssembly, the scenarios, and the scripts of playground/page,
# in one file. Takes the target wasm32-unknown-unknown of the installed Rust or of rustup; on Debian otherwise Debian's own
# compiler with that target, which is unpacked into target/playground/debian and not installed. Exit status 3: neither is
# to be had. With --program it then builds the program with the page inside.
set -euo pipefail
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown
out=target/playground
page=playground/page
wasm=$out/$target/release/outgrow_playground.wasm
first=01-single-server
mkdir -p "$out"

build() {
  cargo build --locked --release --target "$target" --manifest-path playground/Cargo.toml --target-dir "$out" "$@"
}

has_target() {
  [ -n "$(find "$(rustc --print sysroot)/lib/rustlib/$target/lib" -name 'libcore-*.rlib' -print -quit 2>/dev/null)" ]
}

# The only package with such a name that another one depends on.
needed() {
  apt-cache depends "$1" | sed -n "s/.*Depends: \\($2[0-9.]*\\)\$/\\1/p"
}

# Debian's rustc knows the target and builds the standard library from its source; the ordinary cargo drives it.
debian() {
  local root linker library
  mkdir -p "$out/debian/packages"
  root=$(cd "$out/debian" && pwd)
  linker=$(find "$(rustc --print sysroot)" -name rust-lld -print -quit)
  if [ ! -x "$root/usr/bin/rustc" ]; then
    (
      cd "$root/packages"
      library=$(needed libstd-rust-web-dev libstd-rust-web-)
      apt-get download rustc-web rust-web-src libstd-rust-web-dev "$library" "$(needed "$library" libllvm)"
      for package in *.deb; do dpkg -x "$package" "$root"; done
    )
  fi
  # The linker is that of the ordinary toolchain. `gcc-ld/wasm-ld` does not understand how rustc calls a linker.
  RUSTC="$root/usr/bin/rustc" LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu" RUSTC_BOOTSTRAP=1 \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$linker" build -Zbuild-std=std,panic_abort
}

if has_target || { command -v rustup >/dev/null && rustup target add "$target" >&2; }; then
  build
elif command -v apt-get >/dev/null && apt-cache show rustc-web >/dev/null 2>&1; then
  debian
else
  echo "there is no Rust with the target $target here: rustup target add $target" >&2
  exit 3
fi

# Text of a file in a script element that does not run.
text() {
  printf '<script type="text/plain" %s>' "$1"
  cat
  printf '</script>\n'
}

{
  cat "$page/head.html"
  printf '<style>\n%s\n</style>\n</head>\n' "$(cat "$page/style.css")"
  cat "$page/body.html"
  for scenario in scenarios/[0-9]*.toml; do
    text "data-scenario=\"$(basename "$scenario" .toml)\"" <"$scenario"
  done
  # `outgrow play` writes the scenarios of its command line here.
  printf '<script type="application/json" id="opened">{}</script>\n'
  text 'id="worker"' <"$page/worker.js"
  gzip -9nc "$wasm" | base64 | tr -d '\n' | text 'id="engine"'
  # What is seen before the engine is ready; without node the page opens a second later.
  if command -v node >/dev/null; then
    node playground/record.mjs "$wasm" "$first" <"scenarios/$first.toml" | gzip -9nc | base64 | tr -d '\n' | text 'id="record"'
  fi
  printf '<script>\n(() => {\n"use strict";\n'
  for script in strings dom engine scenario record layout diagram dots charts log knee knobs chapter trials cures app compare sweep lesson begin; do
    # Comments and indentation are for readers of the source.
    sed -E '/^ *\/\//d; /^ *\/\*\*.*\*\/$/d; s/^ +//' "$page/$script.js"
  done
  printf '})();\n</script>\n</body>\n</html>\n'
} >"$out/play.html"
ls -l "$out/play.html" >&2

if [ "${1:-}" = --program ]; then
  OUTGROW_PLAYGROUND="$PWD/$out/play.html" cargo build --locked --release --features playground
fi
