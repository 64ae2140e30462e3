#!/usr/bin/env bash
# subproject.sh COMMAND [CASES]: convoke as a folder of another project. COMMAND, of the build under test, is what
# projects find that take the runtime alone.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
export PATH=$(dirname "$1"):$PATH

parent() { # what a user's project holds
    mkdir "$1"
    cp "$here/parent/CMakeLists.txt" "$root/examples/layers.yaml" "$root/examples/aot.c" "$1"
}

# One build of all of convoke serves several questions; by make, since everything else here is built by Ninja.
case_a_folder_of_the_project() {
    needs make
    export MAKEFLAGS=-j2
    parent "a project"
    must cmake -S "a project" -B build -G "Unix Makefiles" -DCONVOKE="$root" -DCMAKE_INSTALL_PREFIX="$PWD/installed"
    diff build/before build/after >difference || fail "what the parent sees has changed: $(head -n 20 difference)"
    prints "Total Tests: 0" ctest --test-dir build -N
    ! grep -qi 'criterion\|dnnl' build/CMakeCache.txt || fail "packages of the tests are asked for"
    ! grep -rq --include=flags.make Werror build || fail "warnings are errors in somebody else's build"
    must cmake --build build
    prints "$edges" build/programs/aot
    prints "$edges" build/programs/shared
    ! ldd build/programs/aot | grep convoke || fail "STATIC_RUNTIME links a library of ours"
    prints libconvoke_rt.so ldd build/programs/shared
    touch stamp
    must cmake --build build
    [[ ! build/kernels.convoke/layers.o -nt stamp ]] || fail "work is done where nothing has changed"
    must cmake --install build
    prints "$edges" installed/bin/aot
    must cmake -S "$here/third" -B third -DEXAMPLES="$root/examples" -DCMAKE_PREFIX_PATH="$PWD/installed"
    must cmake --build third
    prints "$edges" third/aot
}

case_the_runtime_alone_as_a_folder() {
    parent project
    must cmake -S project -B build -DCONVOKE="$root" -DCVK_RUNTIME_ONLY=ON -G "Ninja Multi-Config"
    diff build/before build/after >difference || fail "what the parent sees has changed: $(head -n 20 difference)"
    must cmake --build build --config Debug
    prints "$edges" build/programs/Debug/aot
}

case_fetch_content_of_a_folder() {
    parent project
    must cmake -S project -B build "-DFETCH=SOURCE_DIR;$root" -DCVK_RUNTIME_ONLY=ON
    must cmake --build build
    prints "$edges" build/programs/aot
}

case_fetch_content_of_an_archive() {
    parent project
    must tar -C "$root" -czf convoke.tar.gz CMakeLists.txt LICENSE cmake packaging runtime
    must cmake -S project -B build "-DFETCH=URL;file://$PWD/convoke.tar.gz" -DCVK_RUNTIME_ONLY=ON
    must cmake --build build
    prints "$edges" build/programs/aot
}

run_cases "${2:-}"
