#!/usr/bin/env bash
# Do both programs of examples/detector find the words that were drawn into a picture, and the same ones? CONVOKE ROOT RUNTIME CC
convoke=$1 root=$2 runtime=$3 cc=$4
here=$(cd "$(dirname "$0")" && pwd)
source "$here/models.sh"
export CONVOKE_CACHE=off LD_LIBRARY_PATH=$(dirname "$runtime")

cd "$scratch"
CONVOKE=$convoke CC=$cc CFLAGS="-std=c11 -Wall -Wextra -Werror -I$root/runtime/include" LDFLAGS="-L$(dirname "$runtime")" \
    "$root/examples/detector/build.sh" "$models/ch_PP-OCRv4_det_infer.onnx" . >log 2>&1 || fail "$(tail -n 5 log)"
"$python" "$here/words.py" draw words.ppm
./detector words.ppm c.pgm || fail "detector.c failed"
PYTHONPATH=$root/bindings/python CONVOKE_LIBRARY=${CONVOKE_LIBRARY:-$(dirname "$convoke")/libconvoke.so} \
    "$python" "$root/examples/detector/detector.py" model words.ppm python.pgm || fail "detector.py failed"
"$python" "$here/words.py" judge c.pgm python.pgm || fail "the heat maps are wrong"
for wrong in "nowhere.ppm c.pgm" "c.pgm c2.pgm" "words.ppm /no/such/folder/c.pgm"; do
    ! ./detector $wrong 2>errors || fail "detector $wrong succeeded"
    [[ $(<errors) == detector:* ]] || fail "detector $wrong says: $(<errors)"
done
