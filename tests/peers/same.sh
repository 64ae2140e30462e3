#!/usr/bin/env bash
# same.sh ROOT: is the command built by the same compiler and linker lines whether a peer is built beside it or not? The
# rival need not be there: only configuring looks at it.
set -euo pipefail
root=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/opencv2"
touch "$scratch"/{dnnl.h,libdnnl.so,xnnpack.h,libXNNPACK.so,opencv2/imgproc.hpp,libopencv_core.so,libopencv_imgproc.so}

lines() { # name, the folder of the rivals, or OFF
    local has=$2 find=()
    local build=$scratch/$1 library
    for library in DNNL:dnnl XNNPACK:XNNPACK OPENCV_CORE:opencv_core OPENCV_IMGPROC:opencv_imgproc; do
        find+=("-DCONVOKE_${library%:*}=$([[ $has == OFF ]] && echo OFF || echo "$has/lib${library#*:}.so")")
    done
    for library in DNNL XNNPACK OPENCV; do find+=("-DCONVOKE_${library}_INCLUDE=$has"); done
    cmake -S "$root" -B "$build" -G Ninja -DBUILD_TESTING=OFF "${find[@]}" >"$build.log" 2>&1 ||
        { tail -n 20 "$build.log"; exit 1; }
    ninja -C "$build" -t commands src/convoke | sed "s|$build|BUILD|g" >"$build.commands"
    ninja -C "$build" -t targets all >"$build.targets" # a file: grep -q would leave a pipe before ninja has ended
}
lines without OFF # not NOTFOUND, which CMake would look for again
lines with "$scratch"
grep -q 'onednn\.so' "$scratch/with.targets" || { echo "skipped: there is no OpenMP to build the peer with"; exit 77; }
for peer in xnnpack opencv; do
    grep -q "$peer\.so" "$scratch/with.targets" || { echo "$peer is not built where its library is"; exit 1; }
done
! grep -qE '(onednn|opencv|xnnpack)\.so' "$scratch/without.targets" || { echo "a peer is built without its library"; exit 1; }
diff "$scratch/without.commands" "$scratch/with.commands"
! grep -E 'dnnl|openmp|gomp|XNNPACK|opencv' "$scratch/with.commands"
(($(grep -c 'src/cli/' "$scratch/with.commands") > 20))
