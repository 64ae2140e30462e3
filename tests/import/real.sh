#!/usr/bin/env bash
# Do the layers imported from real models, of reading text in pictures, give what onnxruntime has between its nodes? CONVOKE
convoke=$1
here=$(cd "$(dirname "$0")" && pwd)
source "$here/models.sh"

compare() { # MODEL SHAPE
    local model=$models/$1.onnx to=$scratch/$1
    mkdir "$to"
    "$convoke" import "$model" -o "$to/made" --input "$2" --format json >"$to/table.json"
    node "$here/tensors.js" "$model" "$to/table.json" "$to" "$2"
    "$python" "$here/compare.py" "$convoke" "$to/made/$1.yaml" "$to/table.json" "$to" || fail "$1: layers differ"
}
compare ch_PP-OCRv4_det_infer 1x3x64x64
compare ch_ppocr_mobile_v2.0_cls_infer 1x3x48x96
compare ch_PP-OCRv4_rec_infer 1x3x48x64
