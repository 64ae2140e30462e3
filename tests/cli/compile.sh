#!/usr/bin/env bash
# compile: what is written, where, and that the same spec gives the same bytes.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

case_an_object_and_a_header_a_file() {
    spec; cp spec.yaml other.yaml
    convoke compile spec.yaml other.yaml -o made
    status 0; silent; files made "other.h other.o spec.h spec.o"
    grep -q '^extern const cvk_kernel_info net_one;' made/spec.h || fail "no declaration"
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
    for target in x86-64-v4 x86-64-v3 x86-64-v2 x86-64; do
        convoke compile spec.yaml -o $target --target $target
        status 0; files $target "spec.h spec.o"
    done
}

case_a_bad_spec_leaves_nothing() { spec "stride: 0"; convoke compile spec.yaml -o made; status 3; [[ ! -e made ]] || fail "made"; }
case_a_folder_that_cannot_be_made() { spec; convoke compile spec.yaml -o /dev/null/x; status 6; says "/dev/null/x"; }
case_the_folder_is_asked_for() { spec; convoke compile spec.yaml; status 2; says "-o DIR"; }
case_an_unknown_kind_is_named() { spec; convoke compile spec.yaml -o . --emit obj,elf; status 2; says "not \`elf\`"; }
case_several_targets_are_not_supported_yet() { spec; convoke compile spec.yaml -o . --target x86-64,x86-64-v3; status 4; }

run_cases
