#!/usr/bin/env bash
# same.sh ROOT: is the command built by the same compiler and linker lines whether a peer is built beside it or not? The
# rival need not be there: only configuring looks at it.
set -euo pipefail
root=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
touch "$scratch/dnnl.h" "$scratch/libdnnl.so"

lines() { # name, what dnnl is
    local build=$scratch/$1
    cmake -S "$root" -B "$build" -G Ninja -DBUILD_TESTING=OFF "-DCONVOKE_DNNL_INCLUDE=$2" "-DCONVOKE_DNNL=$3" >"$build.log" 2>&1 ||
        { tail -n 20 "$build.log"; exit 1; }
    ninja -C "$build" -t commands src/convoke | sed "s|$build|BUILD|g" >"$build.commands"
}
lines without OFF OFF # not NOTFOUND, which CMake would look for again
lines with "$scratch" "$scratch/libdnnl.so"
ninja -C "$scratch/with" -t targets all | grep -q 'onednn\.so' || { echo "skipped: there is no OpenMP to build the peer with"; exit 77; }
! ninja -C "$scratch/without" -t targets all | grep -q 'onednn\.so' || { echo "a peer is built without its library"; exit 1; }
diff "$scratch/without.commands" "$scratch/with.commands"
! grep -E 'dnnl|openmp|gomp' "$scratch/with.commands"
(($(grep -c 'src/cli/' "$scratch/with.commands") > 20))
