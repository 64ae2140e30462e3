#!/usr/bin/env bash
# Do networks that were imported, of reading text in pictures and of seeing, give what onnxruntime gives? CONVOKE
# Those of seeing are written by networks.py, with Debian's python3-onnx; without it, they are left out.
convoke=$1
here=$(cd "$(dirname "$0")" && pwd)
source "$here/models.sh"

whole() { # MODEL INPUT=SHAPE
    local name to
    name=$(basename "$1" .onnx) to=$scratch/$name
    mkdir -p "$to/t"
    "$convoke" import "$1" -o "$to" --input "$2" >"$to/table" || fail "$name: it cannot be imported"
    grep -q '^one network' "$to/table" || fail "$name: $(tail -n 1 "$to/table")"
    node "$here/whole.js" "$1" "$to/t" "$2"
    "$python" "$here/whole.py" "$to/$name.yaml" "$to/t" || fail "$name: the network differs"
}

whole "$models/ch_PP-OCRv4_det_infer.onnx" x=1x3x64x64
whole "$models/ch_ppocr_mobile_v2.0_cls_infer.onnx" x=1x3x48x192

"$python" -c 'import onnx' 2>/dev/null || { echo "python3-onnx is not installed: networks of seeing are not tried"; exit 0; }
"$python" -B "$here/networks.py" "$scratch"
for name in resnet50 mobilenet_v2 mobilenet_v3 convnext style ssd shufflenet_v2; do whole "$scratch/$name.onnx" x=1x3x64x64; done
whole "$scratch/unet.onnx" x=1x1x64x64
whole "$scratch/yolov8n.onnx" images=1x3x64x64
