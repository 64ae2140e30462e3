#!/usr/bin/env bash
# Does the page of examples/web/classifier tell which way a line of text stands, as the same network does here? CONVOKE ROOT
convoke=$1 root=$2
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../import/models.sh"
need wasm-ld-19
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "skipped: chromium is not installed"; exit 77; }

CONVOKE=$convoke "$root/examples/web/classifier/build.sh" "$models/ch_ppocr_mobile_v2.0_cls_infer.onnx" "$scratch" >"$scratch/log" 2>&1 ||
    fail "$(tail -n 5 "$scratch/log")"
! grep -oE '(src|href)=|https?:|url\(' "$scratch/index.html" || fail "the page wants something from elsewhere"
node "$here/browse.js" "$browser" "$scratch/index.html" "$scratch" || exit
PYTHONPATH=$root/bindings/python CONVOKE_CACHE=off CONVOKE_LIBRARY=${CONVOKE_LIBRARY:-$(dirname "$convoke")/libconvoke.so} \
    "$python" "$here/lines.py" "$scratch"
