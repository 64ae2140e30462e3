#!/usr/bin/env bash
# Are the kernels for another CPU right on that CPU? ROOT CONVOKE MAKE_CASES TARGET COMPILER EMULATOR CPU...
# CVK_SEED and CVK_CASES in the environment choose other layers. Each CPU runs the same program.
root=$1 convoke=$2 make_cases=$3 target=$4 compiler=$5 emulator=$6 cpus=("${@:7}")
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
need "$compiler" "$emulator"

seed=${CVK_SEED:-1} count=${CVK_CASES:-${CASES:-160}}
echo "again: CVK_SEED=$seed CVK_CASES=$count $0 $*"
"$make_cases" "$seed" "$count" "$target" "$scratch"
"$convoke" compile "$scratch/layers.yaml" -o "$scratch" --target "$target"
permit "$target" "$compiler" "$scratch/layers.o"
link_program "$compiler" "$scratch/driver" "$(dirname "$0")/driver.c" "$scratch/layers.o"
for cpu in "${cpus[@]}"; do
    echo "$target on $cpu:"
    "$emulator" -cpu "$cpu" "$scratch/driver" "$scratch/cases.bin" || fail "wrong on $cpu"
done
