#!/usr/bin/env bash
# Holds the libraries against packaging/abi, which has the binary interface of the version named there. ROOT
# Functions may be added; whatever else changes for a program takes another SONAME. With CVK_GOLDEN=1, the interface is
# written anew, where no release keeps it from changing.
root=$1
source "$(dirname "${BASH_SOURCE[0]}")/../cross/tools.sh"
need abidw abidiff cmake ninja llvm-config-19
[[ $(uname -m) == x86_64 ]] || { echo "skipped: the interface kept is that of x86-64"; exit 77; }
kept=$root/packaging/abi
libraries=(runtime/libconvoke_rt src/libconvoke)

# What programs see: types of the public headers, as debug information has them.
cmake -S "$root" -B "$scratch/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DBUILD_TESTING=OFF \
    "-DCMAKE_C_FLAGS=-ffile-prefix-map=$root=." >/dev/null
cmake --build "$scratch/build" --target libconvoke libconvoke_rt >"$scratch/log" || fail "$(tail "$scratch/log")"
for library in "${libraries[@]}"; do
    abidw --exported-interfaces-only --no-show-locs --short-locs --no-comp-dir-path --no-corpus-path --no-elf-needed --drop-private-types \
        --headers-dir "$root/runtime/include" --headers-dir "$root/src/include" --out-file "$scratch/${library##*/}.abi" \
        "$scratch/build/$library.so"
done

soname() { sed -n "s/.* soname='\([^']*\)'.*/\1/p" "$1"; }
released() { git -C "$root" tag 2>/dev/null | grep -xF "v$(<"$kept/version")" >/dev/null; }

broken=()
for library in "${libraries[@]##*/}"; do
    [[ -e $kept/$library.abi && $(soname "$kept/$library.abi") == "$(soname "$scratch/$library.abi")" ]] || continue
    abidiff --no-added-syms "$kept/$library.abi" "$scratch/$library.abi" >"$scratch/$library.diff" || broken+=("$library")
done
if [[ ${CVK_GOLDEN-} == 1 ]] && { ((!${#broken[@]})) || ! released; }; then
    cp "$scratch"/*.abi "$kept"
    sed -n 's/^project(convoke VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt" >"$kept/version"
    exit
fi
for library in "${broken[@]}"; do cat "$scratch/$library.diff"; done
((!${#broken[@]})) || fail "programs linked with $(<"$kept/version") would not run with: ${broken[*]}; CONTRIBUTING.md says what to do"
for library in "${libraries[@]##*/}"; do [[ -e $kept/$library.abi ]] || fail "packaging/abi has no $library.abi"; done
