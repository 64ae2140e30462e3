#!/usr/bin/env bash
# package.sh BUILD [CASES]: installs BUILD, moves it elsewhere, and builds other projects against it.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
build=$1
prefix=$scratch/moved
export PATH=$prefix/bin:$PATH PKG_CONFIG_PATH=$prefix/lib/pkgconfig CMAKE_PREFIX_PATH=$prefix

case_programs_find_the_package_and_compile_kernels_into_themselves() {
    configure consumer
    must cmake --build consumer
    prints "$edges" consumer/aot
}

case_a_program_of_compiled_kernels_needs_the_runtime_alone() {
    configure consumer
    must cmake --build consumer
    ldd consumer/aot >libraries
    grep -q 'libconvoke_rt\.so' libraries || fail "it does not link the runtime"
    ! grep -E 'LLVM|libconvoke\.so|libconvoke_llvm|yaml|libstdc' libraries || fail "it links more than the runtime"
}

rebuilds_when_the_spec_changes() { # generator
    configure consumer -G "$1"
    must cmake --build consumer
    local object=consumer/kernels.convoke/layers.o
    touch stamp
    must cmake --build consumer
    [[ ! $object -nt stamp && ! consumer/aot -nt stamp ]] || fail "$1: work is done where nothing has changed"
    touch consumer/kernels.convoke/other.yaml
    must cmake --build consumer
    [[ ! $object -nt stamp ]] || fail "$1: another file makes it compile anew"
    sleep 1
    touch consumer/layers.yaml
    must cmake --build consumer
    [[ $object -nt stamp && consumer/aot -nt stamp ]] || fail "$1: a change of the spec goes unseen"
}
case_ninja_rebuilds_when_the_spec_changes() { needs ninja; rebuilds_when_the_spec_changes Ninja; }
case_make_rebuilds_when_the_spec_changes() { needs make; rebuilds_when_the_spec_changes "Unix Makefiles"; }

case_options_of_convoke_add_library() {
    [[ $(uname -m) == x86_64 ]] || skip "the targets named are x86-64"
    mkdir weights
    cp "$root/examples/layers.yaml" .
    must python3 "$root/tests/cli/npy.py" write weights/edges.weights.npy 1x1x3x3 1 0 -1
    configure options -G Ninja -DSPEC="$PWD/layers.yaml" -DWEIGHTS="$PWD/weights"
    must cmake --build options
    must options/program
    must options/of_archive
    ! ldd options/of_archive | grep convoke || fail "the archive links a library of ours"
    local made=options/kernels.convoke
    [[ -s $made/layers.s && -s $made/layers.explain ]] || fail "EMIT: $(ls $made)"
    grep -q 'chosen for: 64 threads' $made/layers.explain || fail "THREADS: $(grep -h 'chosen for' $made/layers.explain)"
    nm -g --defined-only $made/layers.o >symbols
    grep -q ' p_example_edges$' symbols || fail "PREFIX: $(<symbols)"
    ! grep block symbols || fail "LAYERS leaves a layer in"
    prints "no work to do" cmake --build options
    must python3 "$root/tests/cli/npy.py" write weights/edges.weights.npy 1x1x3x3 2 0 -2
    touch stamp
    must cmake --build options
    [[ $made/layers.o -nt stamp ]] || fail "a change of the weights goes unseen"
}

case_projects_in_cpp_alone_and_folders_with_spaces() {
    local generator
    needs ninja make
    mkdir "a project"
    cp "$here/cpp/CMakeLists.txt" "$root/examples/layers.yaml" "a project"
    mkdir "a project/the weights"
    must python3 "$root/tests/cli/npy.py" write "a project/the weights/edges.weights.npy" 1x1x3x3 1 0 -1
    for generator in Ninja "Unix Makefiles" "Ninja Multi-Config"; do
        must cmake -S "a project" -B "cpp $generator" -G "$generator"
        must cmake --build "cpp $generator"
        must find "cpp $generator" -name program -type f -exec {} \;
        touch stamp
        must cmake --build "cpp $generator"
        [[ -z $(find "cpp $generator" -name program -newer stamp) ]] || fail "$generator: work is done where nothing has changed"
        sleep 1
        touch "a project/the weights/edges.weights.npy"
        must cmake --build "cpp $generator"
        [[ -n $(find "cpp $generator" -name program -newer stamp) ]] || fail "$generator: a change of the weights goes unseen"
    done
}

case_every_configuration_of_ninja_multi_config_has_the_kernels() {
    needs ninja
    configure consumer -G "Ninja Multi-Config" -DCMAKE_CROSS_CONFIGS=all
    for config in Debug Release; do
        must cmake --build consumer --config $config
        prints "$edges" consumer/$config/aot
    done
    must ninja -C consumer -f build-Debug.ninja aot:RelWithDebInfo
    prints "$edges" consumer/RelWithDebInfo/aot
}

case_libraries_of_kernels_are_installed_and_exported() {
    local runtime
    for runtime in "" STATIC_RUNTIME; do
        must cmake -S "$here/exporter" -B exporter -DEXAMPLES="$root/examples" -DRUNTIME=$runtime
        must cmake --build exporter
        must cmake --install exporter --prefix "$PWD/installed"
        must cmake --install exporter --prefix "$PWD/installed"
        mv installed "mine$runtime"
        rm -r exporter
        ! grep -rl "$PWD" "mine$runtime" || fail "the folders of the build are named in what is installed"
        must cmake -S "$here/third" -B "third$runtime" -DEXAMPLES="$root/examples" -DCMAKE_PREFIX_PATH="$PWD/mine$runtime;$prefix"
        must cmake --build "third$runtime"
        prints "$edges" "third$runtime/aot"
    done
    prints libconvoke_rt.so ldd third/aot
    ! ldd thirdSTATIC_RUNTIME/aot | grep convoke || fail "STATIC_RUNTIME is forgotten when exported"
}

case_convoke_is_found_twice_and_installed_twice() {
    must cmake --install "$build" --prefix "$PWD/again"
    must cmake --install "$build" --prefix "$PWD/again"
    printf 'cmake_minimum_required(VERSION 3.20)\nproject(p C)\n%s\n' "find_package(convoke REQUIRED)
find_package(convoke REQUIRED COMPONENTS compiler)
convoke_add_library(here SPEC $root/examples/layers.yaml)
add_subdirectory(below)" >CMakeLists.txt
    mkdir below
    printf '%s\n' "find_package(convoke REQUIRED COMPONENTS runtime)" \
        "convoke_add_library(there SPEC $root/examples/layers.yaml STATIC_RUNTIME)" >below/CMakeLists.txt
    must cmake -B b -DCMAKE_PREFIX_PATH="$PWD/again"
    must cmake --build b
    [[ -s b/here.convoke/layers.o && -s b/below/there.convoke/layers.o ]] || fail "there are no kernels"
}

case_another_command_can_be_named() {
    printf '#!/bin/sh\ntouch "%s/used"\nexec convoke "$@"\n' "$PWD" >wrapper
    chmod +x wrapper
    configure consumer -DCONVOKE_EXECUTABLE="$PWD/wrapper"
    must cmake --build consumer
    [[ -e used ]] || fail "CONVOKE_EXECUTABLE is not what compiles"
}

case_plans_of_a_database_are_used_and_its_changes_are_seen() {
    needs ninja
    cp "$root/examples/layers.yaml" .; mkdir db
    must "$build/tests/records/make_match" layers.yaml "$PWD/db"
    printf '%s\n' "cmake_minimum_required(VERSION 3.20)" "project(p C)" "find_package(convoke REQUIRED)" \
        "convoke_add_library(k SPEC layers.yaml TUNED db EMIT explain)" >CMakeLists.txt
    must cmake -B b
    must cmake --build b
    grep -q "the plan is that of $PWD/db" b/k.convoke/layers.explain || fail "$(grep -h 'plan is' b/k.convoke/layers.explain)"
    prints "no work to do" cmake --build b
    sleep 1
    sed -i 's/"crowned":true/"crowned":false/' db/*.jsonl
    must cmake --build b
    grep -q "the plan is the model's, which stayed" b/k.convoke/layers.explain || fail "a change of the database goes unseen"
}

case_mistakes_are_explained_when_configuring() {
    project() { printf 'cmake_minimum_required(VERSION 3.20)\nproject(p C)\n%s\n' "$1" >CMakeLists.txt; rm -rf b; }
    mistake() { # arguments of convoke_add_library, words
        project "find_package(convoke REQUIRED)
convoke_add_library($1)"
        mustnt cmake -B b
        tr -s '\n ' ' ' <../log | grep -qF -- "$2" || fail "convoke_add_library($1) says: $(tail -n 8 ../log)"
    }
    project 'find_package(convoke 0.2 REQUIRED)'; mustnt cmake -B b
    project 'find_package(convoke REQUIRED COMPONENTS tuner)'; mustnt cmake -B b
    mistake "k" "the file is missing"
    mistake "k SPEC x.yaml LAYER y" "cannot make sense of LAYER"
    mistake "k SPEC x.yaml EMIT obj" "EMIT obj: the object and the header are always written"
    mistake "k SPEC x.yaml EMIT asm header" "EMIT header: the object and the header are always written"
    mistake "k SPEC x.yaml EMIT asm,llvm" "EMIT takes asm, llvm and explain, not asm,llvm"
    mistake "k SPEC x.yaml THREADS many" "THREADS is a number, not many"
    mistake "k SPEC x.yaml THREADS" "THREADS is given without a value"
    mistake "k SPEC x.yaml TUNED" "TUNED is given without a value"
    mistake "k SPEC x.yaml TARGETS" "TARGETS is given without a value"
    mistake "k SPEC x.yaml TARGETS \"\"" "TARGETS is given without a value"
    mistake "k SPEC x.yaml TARGETS PREFIX p_" "TARGETS is given without a value"
    mistake 'k SPEC x.yaml TARGETS ${nothing}' "TARGETS is given without a value"
    mistake 'k SPEC x.yaml TARGETS "${nothing}" EMIT asm' "TARGETS is given without a value"
    mistake 'k SPEC x.yaml EMIT' "EMIT is given without a value"
    mistake 'k SPEC x.yaml WEIGHTS "${nothing}"' "WEIGHTS is given without a value"
}

case_targets_named_again_are_one_target() {
    [[ $(uname -m) == x86_64 ]] || skip "the targets named are x86-64"
    cp "$root/examples/layers.yaml" .
    printf '%s\n' "cmake_minimum_required(VERSION 3.20)" "project(p C)" "find_package(convoke REQUIRED)" \
        "convoke_add_library(k SPEC layers.yaml TARGETS x86-64-v3 x86-64 TARGETS x86-64-v3 EMIT asm asm EMIT llvm)" \
        "convoke_add_library(l SPEC layers.yaml TARGETS x86-64,x86-64-v3 TARGETS x86-64)" >CMakeLists.txt
    must cmake -B b
    must cmake --build b
    must cmp b/k.convoke/layers.o b/l.convoke/layers.o
    [[ -s b/k.convoke/layers.s && -s b/k.convoke/layers.ll ]] || fail "EMIT: $(ls b/k.convoke)"
}

case_headers_compile_in_c_and_cpp_without_warnings() {
    printf '#include <convoke/convoke.h>\nint main(void) { return 0; }\n' >c.c
    printf '#include <convoke.hpp>\n#include <convoke/runtime.h>\nint main() { return 0; }\n' >cpp.cpp
    local strict=(-Wall -Wextra -Werror -pedantic -Wconversion -Wshadow "-I$prefix/include" -fsyntax-only)
    must cc -std=c11 "${strict[@]}" c.c
    must c++ -std=c++17 "${strict[@]}" -Wold-style-cast -Wsign-conversion cpp.cpp
    must convoke compile "$root/examples/layers.yaml" -o . --emit header
    echo '#include "layers.h"' >kernels.c
    must cc -std=c11 "${strict[@]}" kernels.c
    must c++ -std=c++17 -x c++ "${strict[@]}" kernels.c
}

case_programs_compile_just_in_time() {
    configure jit
    must cmake --build jit
    prints "first output" jit/jit "$root/examples/layers.yaml"
    prints " 1.0  1.0  4.0  7.0" jit/blur
}

case_pkg_config_builds_programs() {
    needs pkg-config
    local flags
    read -ra flags < <(pkg-config --cflags --libs convoke)
    must cc "$root/examples/jit.c" "${flags[@]}" "-Wl,-rpath,$prefix/lib" -lpthread -o jit
    prints "first output" ./jit "$root/examples/layers.yaml"
    must convoke compile "$root/examples/layers.yaml" -o .
    read -ra flags < <(pkg-config --cflags --libs convoke-rt)
    must cc "$root/examples/aot.c" layers.o -I. "${flags[@]}" "-Wl,-rpath,$prefix/lib" -o aot
    prints "$edges" ./aot
}

case_python_finds_the_library() {
    /usr/bin/python3 -c 'import numpy' 2>/dev/null || skip "there is no numpy"
    export PYTHONPATH=$prefix/lib/python3/dist-packages
    prints "  1.0  1.0  4.0  7.0 10.0 10.0" /usr/bin/python3 "$root/bindings/python/examples/blur.py"
}

case_the_runtime_alone_has_no_compiler() {
    must cmake -S "$root" -B runtime -DCVK_RUNTIME_ONLY=ON
    must cmake --build runtime
    must cmake --install runtime --prefix "$PWD/target"
    unset CMAKE_PREFIX_PATH
    printf 'cmake_minimum_required(VERSION 3.20)\nproject(p C)\nfind_package(convoke REQUIRED COMPONENTS compiler)\n' >CMakeLists.txt
    mustnt cmake -B b -DCMAKE_PREFIX_PATH="$PWD/target"
    grep -q 'compiler' ../log || fail "the missing component is not named"
}

verbs() { sed -n 's/^VERB(\([a-z]*\),.*/\1/p' "$root/src/cli/verbs.def"; }

case_every_verb_has_a_manual_page() {
    needs man
    local verb pages=$prefix/share/man/man1
    prints "a compiler for convolutions" man -l "$pages/convoke.1"
    for verb in $(verbs); do
        prints "EXIT STATUS" man -l "$pages/convoke-$verb.1"
        [[ -z $(man --warnings -l "$pages/convoke-$verb.1" 2>&1 >/dev/null) ]] || fail "convoke-$verb.1 is not sound"
        grep -qF "convoke\\-$verb" "$pages/convoke.1" || fail "convoke.1 does not mention $verb"
    done
}

# What bash offers after the words given, the last of which is being typed.
bash_offers() {
    local COMP_WORDS=(convoke "$@") COMPREPLY COMP_CWORD=$#
    compopt() { :; }
    source "$prefix/share/bash-completion/completions/convoke"
    _convoke
    echo " ${COMPREPLY[*]} "
}

case_bash_completes() {
    touch file.yaml
    prints " check " bash_offers ch
    prints " --layer " bash_offers compile --la
    prints " x86-64-v4 " bash_offers check --target x
    prints " json " bash_offers bench --format j
    prints " file.yaml " bash_offers check f
    prints " schema " bash_offers print sch
}
case_zsh_takes_its_completions() { needs zsh; must zsh -n "$prefix/share/zsh/vendor-completions/_convoke"; }
case_fish_completes() {
    needs fish
    local file=$prefix/share/fish/vendor_completions.d/convoke.fish
    prints "--layer" fish -N -c "source $file; complete -C 'convoke compile --l'"
    prints "x86-64-v3" fish -N -c "source $file; complete -C 'convoke check --target x86'"
}

case_every_kind_of_argument_can_be_completed() {
    local words
    words=$(sed -n 's/^ARGUMENT("\([^"]*\)".*/\1/p' "$root/src/cli/arguments.def")
    sed -n 's/^OPTION([^"]*"[^"]*", [A-Z]*, "\([^"]*\)".*/\1/p' "$root/src/cli/options.def" | sort -u >used
    [[ $(wc -l <used) -gt 5 ]] || fail "only $(wc -l <used) kinds found"
    while read -r word; do grep -qxF -- "$word" <<<"$words" || fail "arguments.def has no row for $word"; done <used
}

cmake --install "$build" --prefix "$scratch/installed" >/dev/null || exit 1
mv "$scratch/installed" "$prefix"
run_cases "${2:-}"
