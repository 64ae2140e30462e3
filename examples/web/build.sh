#!/usr/bin/env bash
# build.sh [FOLDER]: FOLDER/index.html, one page with its kernels in it, which needs no server and no network.
# CONVOKE and WASM_LD in the environment name other commands than the ones on PATH.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-.}
mkdir -p "$to"
"${CONVOKE:-convoke}" compile "$here/picture.yaml" -o "$to" --target wasm32-simd128
"${WASM_LD:-wasm-ld-19}" --no-entry --export-all --no-gc-sections --export-table "$to/picture.o" -o "$to/picture.wasm"
python3 - "$here" "$to" <<'EOF'
import base64, pathlib, re, sys
here, to = map(pathlib.Path, sys.argv[1:])
def coded(path): return base64.b64encode(path.read_bytes()).decode()
parts = {
    "weights.json": (here / "weights.json").read_text(), "page.js": (here / "page.js").read_text(),
    "picture.wasm": coded(to / "picture.wasm"), "plain.js": coded(here / "plain.js"),
    "convoke.js": coded(here.parents[1] / "bindings/javascript/convoke.js"),
}
(to / "index.html").write_text(re.sub("@([a-z]+[.][a-z]+)@", lambda m: parts[m[1]], (here / "page.html").read_text()))
EOF
