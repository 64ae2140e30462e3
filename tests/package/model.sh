#!/usr/bin/env bash
# model.sh BUILD: installs BUILD, and takes a real model from its file to programs of C and Python with nothing but what is
# installed: imported, tuned briefly, checked against the interpreter, compiled ahead of time with its weights, and run beside onnxruntime.
build=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/import
source "$here/models.sh"
need cmake
project=$root/tests/package/model prefix=$scratch/prefix to=$scratch/work
unset LD_LIBRARY_PATH CONVOKE_LIBRARY
cmake --install "$build" --prefix "$prefix" >/dev/null
export PATH=$prefix/bin:$PATH CMAKE_PREFIX_PATH=$prefix PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$(dirname "$(dirname "$(find "$prefix" -path '*/convoke/__init__.py')")")
export PYTHONPATH
mkdir "$to" && cd "$to"

step() { "$@" >log 2>&1 || fail "$* failed: $(tail -n 15 log)"; } # COMMAND...

cp "$models/ch_ppocr_mobile_v2.0_cls_infer.onnx" classifier.onnx
step convoke import classifier.onnx -o model --input x=1x3x48x192
step convoke tune model/classifier.yaml --weights model --layer '^p2o_Conv_([05]|4[0-9])$' --budget 3 --db tuned
step convoke check model/classifier.yaml --weights model --tuned tuned
grep -q '^classifier .* ok ' log || fail "the network is not what the interpreter makes of its layers: $(grep '^classifier ' log)"
step cmake -S "$project" -B program -G Ninja -DMODEL="$to/model" -DTUNED="$to/tuned"
step cmake --build program
node "$here/whole.js" classifier.onnx "$to" x=1x3x48x192
program/classify 0.in.f32 c.f32 || fail "the program of C failed"
"$python" "$project/classify.py" program/libmodel.so model/classifier.yaml tuned "$to" || fail "the program of Python failed"
ldd program/libmodel.so >libraries
! grep -E 'LLVM|libconvoke\.so|yaml' libraries || fail "what was compiled ahead of time links more than the runtime"
