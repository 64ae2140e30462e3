#!/usr/bin/env bash
# Are weights that were packed at compile time, for whatever CPU, the weights? ROOT CONVOKE TARGET COMPILER [EMULATOR…]
root=$1 convoke=$2 target=$3 compiler=$4 emulator=("${@:5}")
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
need "$compiler" "${emulator[@]:0:1}" python3

mkdir "$scratch/weights"
python3 "$root/tests/cross/weights.py" "$scratch/weights"
for prefix in a_ b_; do
    cp "$root/tests/cross/layers.yaml" "$scratch/${prefix}layers.yaml"
    baked=()
    [[ $prefix == a_ ]] || baked=(--weights "$scratch/weights")
    "$convoke" compile "$scratch/${prefix}layers.yaml" -o "$scratch" --prefix $prefix --target "$target" "${baked[@]}"
done
link_program "$compiler" "$scratch/baked" "$root/tests/cross/baked.c" "$scratch"/{a,b}_layers.o
"${emulator[@]}" "$scratch/baked"
