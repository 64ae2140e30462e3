#!/usr/bin/env bash
# compile: what is written, where, and that the same spec gives the same bytes.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

case_an_object_and_a_header_a_file() {
    spec; cp spec.yaml other.yaml
    convoke compile spec.yaml other.yaml -o made
    status 0; silent; files made "other.h other.o spec.h spec.o"
    grep -q '^extern const cvk_kernel_info net_one;' made/spec.h || fail "no declaration"
}

case_only_layers_that_match() {
    printf 'version: 1\nname: net\ndefaults: {out_channels: 4, kernel_size: 3}\nlayers:\n' >spec.yaml
    printf '  - {name: %s, input: [1, 3, 8, 8]}\n' first second >>spec.yaml
    sed 's/second/third/; s/net/other/' spec.yaml >other.yaml
    convoke compile spec.yaml other.yaml -o made --layer 'second|none'
    status 0; silent; files made "spec.h spec.o"
    [[ $(nm -g --defined-only made/spec.o | awk '{print $3}') == net_second ]] || fail "$(nm -g made/spec.o)"
    ! grep -q net_first made/spec.h || fail "a layer that does not match is declared"
    convoke compile spec.yaml -o none --layer fourth
    status 2; says "no layer's name matches"; [[ ! -e none ]] || fail "something is written"
}

case_everything_else_on_demand() {
    spec
    convoke compile spec.yaml -o made --emit asm,llvm,explain
    status 0; files made "spec.explain spec.ll spec.s"
    grep -q 'vfmadd\|mulps' made/spec.s || fail "no arithmetic in the assembly"
    grep -q 'define' made/spec.ll || fail "no function in the IR"
    grep -q 'proof' made/spec.explain || fail "no proof in the explanation"
}

case_the_same_bytes_from_two_folders() {
    mkdir a b; (cd a && spec); (cd b && spec)
    local all=obj,header,asm,llvm,explain
    (cd a && "$command" compile spec.yaml -o made --emit $all --target x86-64-v3) || fail "the first compile"
    (cd b && "$command" compile "$PWD/spec.yaml" -o "$PWD/made" --emit $all --target x86-64-v3) || fail "the second compile"
    diff -r a/made b/made >/dev/null || fail "$(diff -rq a/made b/made)"
    grep -qF "$PWD" a/made/* b/made/* && fail "a path is in the output"
}

case_a_prefix_and_names_that_are_no_identifiers() {
    printf 'version: 1\nlayers:\n  - {name: one, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3}\n' >2-net.x.yaml
    convoke compile 2-net.x.yaml -o . --prefix my_
    status 0
    nm -g 2-net.x.o | grep -q ' my_2_net_x_one$' || fail "$(nm -g 2-net.x.o)"
    convoke compile 2-net.x.yaml -o .
    nm -g 2-net.x.o | grep -q ' _2_net_x_one$' || fail "$(nm -g 2-net.x.o)"
}

case_a_rule_for_make() {
    mkdir 'a b'; (cd 'a b' && spec)
    convoke compile 'a b/spec.yaml' -o out -MD out.d
    status 0
    [[ $(tr -d '\n' <out.d) == 'out/spec.o \ out/spec.h: a\ b/spec.yaml' ]] || fail "$(<out.d)"
}

case_every_target_can_be_compiled_for() {
    spec
    local target
    for target in x86-64-v4 x86-64-v3 x86-64-v2 x86-64 aarch64-sve256 aarch64-neon riscv64-v wasm32-simd128; do
        convoke compile spec.yaml -o $target --target $target
        status 0; files $target "spec.h spec.o"
    done
}

case_a_bad_spec_leaves_nothing() { spec "stride: 0"; convoke compile spec.yaml -o made; status 3; [[ ! -e made ]] || fail "made"; }
case_a_folder_that_cannot_be_made() { spec; convoke compile spec.yaml -o /dev/null/x; status 6; says "/dev/null/x"; }
case_the_folder_is_asked_for() { spec; convoke compile spec.yaml; status 2; says "-o DIR"; }
case_an_unknown_kind_is_named() { spec; convoke compile spec.yaml -o . --emit obj,elf; status 2; says "not \`elf\`"; }
case_unknown_targets_are_told_with_a_hint() { spec; convoke compile spec.yaml -o . --target haswel; status 2; says "did you mean \`haswell\`"; }

case_several_targets_in_one_object() {
    spec
    convoke compile spec.yaml -o made --target x86-64,skylake-avx512,x86-64-v3
    status 0; silent
    grep -q '^extern const cvk_kernel_set net_one;' made/spec.h || fail "no declaration"
    [[ $(nm -g --defined-only made/spec.o | awk '{print $3}') == net_one ]] || fail "$(nm -g made/spec.o)"
    [[ $(grep -o '^ \* for .*' made/spec.h | tr -d '\n') == ' * for x86-64-v4 * for x86-64-v3 * for x86-64' ]] || fail "not best first"
}

case_several_targets_are_different_and_of_one_architecture() {
    spec
    convoke compile spec.yaml -o . --target haswell,x86-64-v3; status 2; says "there already"
    convoke compile spec.yaml -o . --target haswell,cortex-a72; status 2; says "different architectures"
    convoke check spec.yaml --target x86-64-v3,x86-64; status 2; says "one target here"
}

case_a_triple_of_the_targets_architecture() {
    spec
    convoke compile spec.yaml -o made --target cortex-a72 --triple arm64-apple-darwin; status 0
    [[ $(od -An -tx4 -N4 made/spec.o) == " feedfacf" ]] || fail "not an object as macOS has them"
    convoke compile spec.yaml -o . --target haswell --triple riscv64-linux-gnu; status 2; says "another architecture"
    convoke compile spec.yaml -o . --target haswell --triple x86_64-pc-windows-msvc; status 4; says "functions of its system"
}

# A layer with a bias and two scales, and its arrays in w.
weighted() {
    spec "bias: true, post_ops: [{scale: per_channel}, relu, {scale: per_channel}]"
    mkdir w
    npy write w/one.weights.npy 4x3x3x3 1 2; npy write w/one.bias.npy 4 1; npy write w/one.scale.npy 2x4 3
}

case_weights_in_the_object() {
    weighted
    convoke compile spec.yaml -o made --weights w -MD made.d
    status 0; silent
    grep -Eq '^ \*   (weights|packed|bias|scale) ' made/spec.h && fail "the header still asks for weights"
    [[ -z $(nm -u made/spec.o) ]] || fail "undefined: $(nm -u made/spec.o)"
    grep -q 'spec.yaml w/one.weights.npy w/one.bias.npy w/one.scale.npy$' made.d || fail "$(<made.d)"
}

case_weights_that_are_missing_or_do_not_fit() {
    weighted
    mv w/one.bias.npy kept; convoke compile spec.yaml -o made --weights w; status 6; says "w/one.bias.npy"
    npy write w/one.bias.npy 5 1; convoke compile spec.yaml -o made --weights w
    status 3; says "w/one.bias.npy: bias has the shape [5], but the layer takes [4]"
    spec; convoke compile spec.yaml -o made --weights w; status 3; says "w/one.bias.npy: the layer one has no bias"
    [[ ! -e made ]] || fail "made"
}

run_cases
