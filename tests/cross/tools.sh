# Sourced by the scripts beside it: the tools a test needs, or status 77, which ctest shows as skipped.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
        ! declare -F "need_$tool" >/dev/null || "need_$tool"
    done
}

# WebAssembly as one more machine: a compiler, and an emulator that is asked for a CPU as qemu is.
wasm32-wasi-clang() { clang-19 --target=wasm32-wasi -msimd128 -Wno-unused-command-line-argument "$@"; }
need_wasm32-wasi-clang() {
    need clang-19 wasm-ld-19
    [[ -e /usr/include/wasm32-wasi/stdio.h ]] || { echo "skipped: wasi-libc is not installed"; exit 77; }
}
wasm32-node() { # -cpu CPU PROGRAM ARGUMENT…
    node --no-warnings --experimental-wasi-unstable-preview1 "$(dirname "${BASH_SOURCE[0]}")/wasi.js" "${@:3}"
}
need_wasm32-node() { need node; }

fail() { echo "$1" >&2; exit 1; }

# Code for Cortex-M runs on a Cortex-A too; what says that it is not meant to is taken from the object, and nothing else.
permit() { # TARGET COMPILER OBJECT
    [[ $1 == thumb* ]] || return 0
    need "${2%-gcc}-objcopy"
    "${2%-gcc}-objcopy" --remove-section .ARM.attributes "$3"
}

# A program for another machine: link COMPILER OUTPUT SOURCES, with the runtime compiled for that machine.
link_program() {
    "$1" -std=gnu11 -O2 -Wall -Wextra -Werror -static -I"$scratch" -I"$root/runtime/include" -o "$2" "${@:3}" \
        "$root"/runtime/src/*.c -lm
}
