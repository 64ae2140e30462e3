#!/usr/bin/env bash
# Are operations of every type right on a target, and objects of them complete? ROOT MAKE_NESTS TARGET COMPILER [EMULATOR…]
# Without an emulator they run here, where this CPU can; WebAssembly runs in node.
root=$1 make_nests=$2 target=$3 compiler=$4 emulator=("${@:5}")
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
need "$compiler" "${emulator[@]:0:1}" llvm-nm-19
here=$(dirname "$0")

cp "$root/src/nest/math.def" "$scratch"
"$make_nests" "$target" "$scratch"
undefined=$(llvm-nm-19 -u "$scratch/nests.o" | grep -vE "__(stack_pointer|linear_memory|indirect_function_table)$" || true)
[[ -z $undefined ]] || fail "$target: undefined symbols: $undefined"

if [[ $target == wasm32-* ]]; then
    need wasm-ld-19
    "$compiler" --target=wasm32 -msimd128 -ffreestanding -O2 -Wall -Wextra -Werror -I"$scratch" -I"$root/runtime/include" \
        -c "$here/nests.c" -o "$scratch/check.o"
    wasm-ld-19 --no-entry "$scratch/check.o" "$scratch/nests.o" -o "$scratch/nests.wasm"
    "${emulator[@]}" -e 'const fs = require("fs");
        WebAssembly.instantiate(fs.readFileSync(process.argv[1])).then(({instance}) => {
            const wrong = instance.exports.first_wrong();
            console.log(wrong ? `nest ${wrong} is wrong` : "all nests right");
            process.exit(wrong ? 1 : 0);
        })' "$scratch/nests.wasm" || fail "the nest is $(sed -n "$(("$?"))p" "$scratch/nests.inc")"
    exit
fi
permit "$target" "$compiler" "$scratch/nests.o"
link_program "$compiler" "$scratch/nests" "$here/nests.c" "$scratch/nests.o" -ffp-contract=off
"${emulator[@]}" "$scratch/nests"
