#!/usr/bin/env bash
# Is an object for any target complete, and free of memory to write to and of code that runs first? Do two link together?
# Is every byte the same, wherever and whenever it is made? ROOT CONVOKE
root=$1 convoke=$2
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
need llvm-nm-19 llvm-readobj-19 clang-19
spec=$root/tests/cross/layers.yaml

# What WebAssembly's linker provides in every module.
readonly PROVIDED='__stack_pointer|__indirect_function_table|__linear_memory'

complete() { # OBJECT
    local undefined writable
    undefined=$(llvm-nm-19 -u "$1" | awk '{print $NF}' | grep -Evx "$PROVIDED" || true)
    [[ -z $undefined ]] || fail "$1: undefined symbols: $undefined"
    writable=$(llvm-readobj-19 -S "$1" | grep -oE 'Name: \.(data|bss|tdata|tbss|init|fini|ctors|dtors)[^ ]*' | grep -v 'data\.rel\.ro' || true)
    [[ -z $writable ]] || fail "$1: $writable"
    grep -qF "$scratch" "$1" && fail "$1 holds a path"
    return 0
}

# TARGETS: two objects of the same layers, of which one has the weights in it.
make() {
    "$convoke" compile "$spec" -o "$scratch/plain" --prefix a_ --target "$1"
    "$convoke" compile "$spec" -o "$scratch/baked" --prefix b_ --target "$1" --weights "$scratch/weights"
    complete "$scratch/plain/layers.o"
    complete "$scratch/baked/layers.o"
    [[ $(llvm-nm-19 -g --defined-only "$scratch/plain/layers.o" | grep -c ' a_cross_') == 12 ]] || fail "$1: symbols"
}

# The same later, from another folder, by another path.
make_again() { # TARGETS
    (cd "$scratch/elsewhere" && cp "$spec" . && TZ=Asia/Tokyo "$convoke" compile layers.yaml -o . --prefix a_ --target "$1")
    cmp "$scratch/plain/layers.o" "$scratch/elsewhere/layers.o" || fail "$1: other bytes from another folder"
    cmp "$scratch/plain/layers.h" "$scratch/elsewhere/layers.h" || fail "$1: another header from another folder"
}

# TARGET CLANG_TARGET [OPTION]: do descriptions have the size that a C compiler gives them?
described() {
    local ours theirs
    "$convoke" compile "$spec" -o "$scratch/described" --emit asm --target "$1"
    ours=$(awk '/^cross_edges:/ {getline; print $2}' "$scratch/described/layers.s")
    theirs=$(clang-19 "--target=$2" "${@:3}" -ffreestanding -S -x c -I"$root/runtime/include" -o - - \
        <<<'#include <convoke/runtime.h>
            const unsigned size = sizeof(cvk_kernel_info);' | awk '/^size:/ {getline; print $2}')
    [[ -n $ours && $ours == "$theirs" ]] || fail "$1: descriptions of $ours bytes, not $theirs"
}

# LINKER [OPTION...]: both objects in one file.
together() {
    need "$1"
    "$@" "$scratch/plain/layers.o" "$scratch/baked/layers.o" -o "$scratch/together" || fail "$1: they do not link together"
    complete "$scratch/together"
}

mkdir "$scratch/weights" "$scratch/elsewhere"
python3 "$root/tests/cross/weights.py" "$scratch/weights"
for targets in x86-64-v4 x86-64-v3 x86-64-v4,x86-64-v3,x86-64-v2,x86-64; do make $targets; make_again $targets; together ld.lld-19 -r; done
for targets in aarch64-sve256 aarch64-neon aarch64-sve256,aarch64-neon; do make $targets; make_again $targets; together ld.lld-19 -r; done
for targets in armv7-vfp4 armv7-vfp4,armv7-vfp3 thumbv7em; do make $targets; make_again $targets; together ld.lld-19 -r; done
for targets in riscv64,riscv64-v128,riscv64-v riscv64-v; do make $targets; make_again $targets; together ld.lld-19 -r; done
llvm-readobj-19 -h "$scratch/together" | grep -q EF_RISCV_FLOAT_ABI_DOUBLE || fail "riscv64-v: not of the usual ABI"
# Of other systems: TARGET TRIPLE.
while read -r target triple; do
    "$convoke" compile "$spec" -o "$scratch/other" --target "$target" --triple "$triple" --weights "$scratch/weights"
    complete "$scratch/other/layers.o"
done <<'END'
apple-m1 arm64-apple-darwin
x86-64-v4,x86-64 x86_64-apple-macos11
znver4 x86_64-unknown-freebsd
aarch64-sve256,aarch64-neon aarch64-linux-android
aarch64-neon aarch64-none-elf
riscv64-v riscv64-linux-musl
armv7-vfp4 arm-linux-gnueabihf
cortex-a9 armv7a-none-eabihf
cortex-m7 thumbv7em-none-eabihf
wasm32-simd128 wasm32-wasi
END
make wasm32-simd128; make_again wasm32-simd128; together wasm-ld-19 -r
wasm-ld-19 --no-entry --export-all --no-gc-sections "$scratch/together" -o "$scratch/module.wasm" || fail "wasm: no module"
described x86-64 x86_64-linux-gnu; described aarch64-neon aarch64-linux-gnu; described riscv64-v riscv64-linux-gnu
described wasm32-simd128 wasm32
described armv7-vfp4 armv7-linux-gnueabihf; described thumbv7em thumbv7em-none-eabihf; described thumbv7em thumbv7em-none-eabihf -fshort-enums
