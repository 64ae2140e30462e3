#!/usr/bin/env bash
# Does a program take the best variant that its CPU can run, and say so where there is none? ROOT CONVOKE COMPILER
root=$1 convoke=$2 compiler=$3
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

printf 'version: 1\nname: cross\nlayers:\n  - {name: twice, input: [1, 1, 9, 9], out_channels: 1, kernel_size: 3, padding: 1}\n' \
    >"$scratch/layers.yaml"

# The program `dispatch` with variants for TARGETS.
build() {
    "$convoke" compile "$scratch/layers.yaml" -o "$scratch" --target "$1"
    link_program "$compiler" "$scratch/dispatch" "$(dirname "$0")/dispatch.c" "$scratch/layers.o"
}

on() { # CPU, and what dispatch.c is to find
    "$emulator" -cpu "$1" "$scratch/dispatch" "${@:2}" 2>"$scratch/messages" || fail "$emulator -cpu $1: not ${*:2}; $(<"$scratch/messages")"
}

case $compiler in
x86_64-*)
    emulator=qemu-x86_64
    need "$compiler" "$emulator"
    build x86-64,x86-64-v4,x86-64-v3
    on max x86-64-v3
    on Nehalem x86-64
    build x86-64-v4,x86-64-v3
    on max x86-64-v3
    on Nehalem none avx2
    ;;
aarch64-*)
    emulator=qemu-aarch64
    need "$compiler" "$emulator"
    build aarch64-neon,aarch64-sve256
    on max,sve512=on aarch64-sve256
    on max,sve128=on,sve256=off,sve512=off aarch64-neon
    on cortex-a72 aarch64-neon
    ;;
riscv64-*)
    emulator=qemu-riscv64
    need "$compiler" "$emulator"
    build riscv64,riscv64-v128,riscv64-v
    on rv64,v=true,vext_spec=v1.0,vlen=512 riscv64-v
    on rv64,v=true,vext_spec=v1.0,vlen=128 riscv64-v128
    on rv64,v=false riscv64
    build riscv64-v,riscv64-v128
    on rv64,v=false none v
    ;;
arm-*)
    emulator=qemu-arm
    need "$compiler" "$emulator"
    build armv7-vfp3,armv7-vfp4
    on cortex-a7 armv7-vfp4
    on cortex-a9 armv7-vfp3
    ;;
esac
