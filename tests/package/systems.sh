#!/usr/bin/env bash
# systems.sh COMMAND [CASES]: other systems than the one that builds, as docs/embedding.md and docs/targets.md print it
# and as CMake knows them. COMMAND is convoke's, of this machine.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
command=$1
export PATH=$(dirname "$command"):$PATH

# The first block in a language after a line of a page that holds some words.
printed() { # page, language, words
    awk -v fence='```'"$2" -v words="$3" '
        index($0, words) {found = 1}
        inside && /^```/ {exit}
        inside {print}
        found && $0 == fence {inside = 1}' "$root/docs/$1.md" >block
    [[ -s block ]] || fail "docs/$1.md prints no $2 after \"$3\""
    cat block
}
# Runs what a page prints, in a shell of its own whose home is here.
follow() { printed "$@" >script; HOME=$PWD must bash -euo pipefail script; }

sources() { # what the pages take for granted to lie in the folder
    ln -s "$root" convoke
    mkdir consumer
    cp "$root/examples/layers.yaml" "$root/examples/aot.c" consumer
    cp consumer/* .
}

case_the_cross_recipe_of_the_embedding_page() {
    needs aarch64-linux-gnu-gcc qemu-aarch64
    sources
    printed embedding cmake "## Kernels compiled with the program" >consumer/CMakeLists.txt
    local line
    line=$(sed -n 's/^with `\(convoke_add_library(.*)\)`.*/\1/p' "$root/docs/embedding.md")
    [[ -n $line ]] || fail "the page does not say what TARGETS are"
    sed -i "s/^convoke_add_library(.*/$line/" consumer/CMakeLists.txt
    printed embedding cmake "**For another system**" >aarch64.cmake
    follow embedding sh "**For another system**"
    prints "ARM aarch64" file build/aot
    prints "$edges" qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$PWD/convoke-aarch64/lib" build/aot
}

case_the_cross_recipes_of_the_targets_page() {
    sources
    follow targets sh "in LLVM's words"
    prints "Mach-O" file kernels/layers.o
    needs aarch64-linux-gnu-gcc qemu-aarch64
    follow targets sh "with its own compiler"
    prints "$edges" qemu-aarch64 -L /usr/aarch64-linux-gnu aot
}

case_a_program_for_another_system_names_its_cpus() {
    needs aarch64-linux-gnu-gcc
    must cmake -S "$root" -B runtime -DCVK_RUNTIME_ONLY=ON -DCMAKE_TOOLCHAIN_FILE="$here/aarch64.cmake"
    must cmake --build runtime
    must cmake --install runtime --prefix "$PWD/target"
    mustnt cmake -S "$here/consumer" -B none -DCMAKE_TOOLCHAIN_FILE="$here/aarch64.cmake" \
        -DCMAKE_PREFIX_PATH="$PWD/target" -DEXAMPLES="$root/examples"
    grep -q 'TARGETS' ../log || fail "missing TARGETS are not explained"
}

# A system that CMake knows nothing of, played by this machine: no shared libraries.
case_a_system_without_shared_libraries() {
    [[ $(uname -m) == x86_64 ]] || skip "the target named is x86-64"
    cat >bare.cmake <<'END'
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
END
    must cmake -S "$root" -B runtime -G Ninja -DCVK_RUNTIME_ONLY=ON -DCMAKE_TOOLCHAIN_FILE="$PWD/bare.cmake"
    ! grep -i warning ../log || fail "configuring warns"
    must cmake --build runtime
    must cmake --install runtime --prefix "$PWD/target"
    [[ -e target/lib/libconvoke_rt.a ]] || fail "there is no archive: $(find target)"
    configure consumer -DCMAKE_TOOLCHAIN_FILE="$PWD/bare.cmake" -DCMAKE_PREFIX_PATH="$PWD/target" "-DTARGETS=TARGETS;x86-64"
    must cmake --build consumer
    prints "$edges" consumer/aot
}

# macOS's linker is one: played by a compiler that refuses what such a linker refuses.
case_a_linker_without_version_scripts() {
    printf '#!/bin/sh\ncase " $* " in *version-script*) echo "ld: unknown option: --version-script" >&2; exit 1;; esac\nexec cc "$@"\n' >cc
    chmod +x cc
    must cmake -S "$root" -B runtime -DCVK_RUNTIME_ONLY=ON -DCMAKE_C_COMPILER="$PWD/cc"
    must cmake --build runtime
    nm -D --defined-only runtime/runtime/libconvoke_rt.so | awk '{print $3}' >exported
    grep -q '^cvk_run$' exported || fail "cvk_run is not exported"
    ! grep -vE '^(cvk_|_init$|_fini$)' exported || fail "more is exported than is public"
}

run_cases "${2:-}"
