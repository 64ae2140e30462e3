#!/usr/bin/env bash
# Does a linker take of an object what a program uses, and no more? Is the object content where every branch is guarded?
# ROOT CONVOKE RUNTIME
root=$1 convoke=$2 runtime=$3
source "$(dirname "${BASH_SOURCE[0]}")/../cross/tools.sh"

# A program of `one` alone, of two layers whose weights are in the object; and of both.
printf 'version: 1\nname: net\ndefaults: {out_channels: 64, kernel_size: 3, post_ops: [%s]}\nlayers:\n' gelu >"$scratch/layers.yaml"
printf '  - {name: %s, input: [1, 64, 8, 8]}\n' one two >>"$scratch/layers.yaml"
mkdir "$scratch/w"
for layer in one two; do python3 "$root/tests/cli/npy.py" write "$scratch/w/$layer.weights.npy" 64x64x3x3 1 2 3; done
printf '#include "layers.h"\nint main(void) { return net_one.phases + %s == 0; }\n' 0 >"$scratch/one.c"
printf '#include "layers.h"\nint main(void) { return net_one.phases + %s == 0; }\n' net_two.phases >"$scratch/both.c"

size() { command size "$1" | awk 'NR == 2 {print $4}'; } # in memory
holds() { nm "$1" | grep -q " $2\$"; }

dropped() { # TARGETS TYPE WEIGHTS...
    local field=phases program object one both
    [[ $2 == set ]] && field=count
    "$convoke" compile "$scratch/layers.yaml" -o "$scratch" --target "$1" "${@:3}"
    for program in one both; do
        sed "s/phases/$field/g" "$scratch/$program.c" >"$scratch/$program.$field.c"
        cc -Wall -Werror -ffunction-sections -I"$scratch" -I"$root/runtime/include" "$scratch/$program.$field.c" "$scratch/layers.o" \
            "$runtime" -Wl,--gc-sections -o "$scratch/$program" || fail "$1: $program does not link"
    done
    holds "$scratch/one" net_one || fail "$1: what is used is gone"
    ! nm "$scratch/one" | grep -q net_two || fail "$1: still there: $(nm "$scratch/one" | grep net_two)"
    ! grep -q 'two' <(strings "$scratch/one") || fail "$1: words of the unused layer"
    nm "$scratch/both" | grep -q 'net_two.*run' || fail "$1: the code of two is gone"
    object=$(size "$scratch/layers.o") one=$(size "$scratch/one") both=$(size "$scratch/both")
    ((10 * (both - one) > 4 * object)) || fail "$1: $one bytes with one, $both with both, of $object"
}
dropped x86-64-v3 one
dropped x86-64-v3 one --weights "$scratch/w"
dropped x86-64-v3,x86-64 set --weights "$scratch/w"

# Every function begins with endbr64, and the note says so.
"$convoke" compile "$scratch/layers.yaml" -o "$scratch" --target x86-64-v3,x86-64
readelf -n "$scratch/layers.o" | grep -q 'IBT, SHSTK' || fail "no note: $(readelf -n "$scratch/layers.o")"
content() { # LINKER OPTION...
    command -v "$1" >/dev/null || { echo "skipped: $1 is not installed"; return; }
    "$@" -shared -z shstk --fatal-warnings "$scratch/layers.o" -o "$scratch/kernels.so" || fail "$1 is not content"
    readelf -n "$scratch/kernels.so" | grep -q 'IBT, SHSTK' || fail "$1: no note in what is linked"
}
content ld -z ibt -z cet-report=error
content ld.lld-19 -z force-ibt
unguarded=$(objdump -d "$scratch/layers.o" | awk '/^[0-9a-f]+ <net.*(run|pack)>:/ {getline next_line; if (next_line !~ /endbr64/) print}')
[[ -z $unguarded ]] || fail "no endbr64: $unguarded"
# Every function has an entry in the unwind tables.
functions=$(readelf -sW "$scratch/layers.o" | awk '$4 == "FUNC"' | wc -l)
entries=$(readelf --debug-dump=frames "$scratch/layers.o" | grep -c ' FDE ')
((functions > 4 && functions == entries)) || fail "$functions functions, $entries entries in .eh_frame"
