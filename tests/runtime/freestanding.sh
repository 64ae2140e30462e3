#!/usr/bin/env bash
# freestanding.sh ROOT COMPILER…: the runtime compiles where there is no C library: in strict C11, with the compiler's own
# headers and no others, and asks the linker for nothing but what compilers call by themselves: four functions, and their
# own library of arithmetic. With clang, for CPUs of all kinds. Where there is a C library, it has a clock.
set -uo pipefail
root=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0 tried=0

own='^(mem(cpy|move|set|cmp)|__(aeabi|aarch64)_.*|__(mul|u?div|u?mod)[dt]i[34]|__(stack_pointer|linear_memory|indirect_function_table))$'

compile() { # compiler and its options
    local source name=$* headers
    tried=$((tried + 1))
    headers=$("$1" -print-file-name=include)
    [[ $headers == /* ]] || headers=$("$1" -print-resource-dir)/include
    rm -f "$scratch"/*.o
    for source in "$root"/runtime/src/*.c; do
        "$@" -std=c11 -O2 -ffreestanding -nostdinc -isystem "$headers" -I "$root/runtime/include" -Wall -Wextra -Werror \
            -c "$source" -o "$scratch/$(basename "$source" .c).o" || { bad=1; echo "$name: ${source##*/} wants a C library; __STDC_HOSTED__ says where there is one"; }
    done
    $nm -g "$scratch"/*.o | awk '$1 != "U" && NF == 3 {has[$3] = 1} $1 == "U" {wants[$2] = 1}
        END {for (w in wants) if (!(w in has)) print w}' | grep -vE "$own" >"$scratch/wants" &&
        { bad=1; echo "$name: undefined: $(<"$scratch/wants")"; }
}

for compiler in "${@:2}"; do
    case $compiler in
    *clang*)
        nm=$(command -v llvm-nm-19) || { echo "there is no llvm-nm-19 (llvm-19): clang is left out"; continue; }
        for target in x86_64-none-elf aarch64-none-elf riscv64-none-elf thumbv7m-none-eabi wasm32; do
            compile "$compiler" --target=$target
        done
        ;;
    *)
        nm=nm; compile "$compiler"
        "$compiler" -std=c11 -I "$root/runtime/include" -c "$root/runtime/src/observe.c" -o "$scratch/observe.o" &&
            nm "$scratch/observe.o" | grep -q clock_gettime || { bad=1; echo "$compiler: strict C11 leaves the runtime without a clock"; }
        ;;
    esac
done
echo "$tried compilers and targets tried"
((bad == 0 && tried > 0))
