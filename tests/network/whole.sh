#!/usr/bin/env bash
# COMMAND FOLDER SOURCE RUNTIME CC: a small network checked, explained, compiled, linked and run.
set -euo pipefail
command=$1 folder=$2 source=$3 runtime=$4 cc=$5
rm -rf "$folder" && mkdir -p "$folder"
"$command" check "$source/tests/network/small.yaml" --threads 2 >"$folder/check.txt"
grep -q '^small .* ok ' "$folder/check.txt" || { cat "$folder/check.txt"; exit 1; }
for other in integers elementwise views; do
    "$command" check "$source/tests/network/$other.yaml" >"$folder/$other.txt" || { cat "$folder/$other.txt"; exit 1; }
done
! grep -qE 'WRONG|OTHER BITS|FAILED|wrote' "$folder/check.txt"
"$command" explain "$source/tests/network/small.yaml" >"$folder/explain.txt"
grep -q 'of what lives at once' "$folder/explain.txt"
"$command" compile "$source/tests/network/small.yaml" -o "$folder"
"$cc" -std=c11 -Wall -Wextra -Werror "$source/tests/network/aot.c" "$folder/small.o" "-I$folder" \
    "-I$source/runtime/include" "$runtime" -o "$folder/aot"
[[ $("$folder/aot") == $'done\ny: the same\nboth: the same\nz: the same' ]] || { "$folder/aot"; exit 1; }
