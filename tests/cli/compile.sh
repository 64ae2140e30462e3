#!/usr/bin/env bash
# compile: what is written, where, and that the same spec gives the same bytes.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

case_an_object_and_a_header_a_file() {
    spec; sed 's/net/other/' spec.yaml >other.yaml
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

case_a_machine_gives_the_same_bytes_each_time() {
    export CONVOKE_CACHE=$PWD/cache
    spec "post_ops: [gelu]"
    convoke compile spec.yaml -o once; convoke compile spec.yaml -o twice
    status 0; silent; same once/spec.o twice/spec.o; same once/spec.h twice/spec.h
    rm cache/*.figures && chmod 777 cache # where nothing is kept
    convoke compile spec.yaml -o unkept --target host; convoke compile spec.yaml -o again
    status 0; silent; same unkept/spec.o again/spec.o
}

case_everything_else_on_demand() {
    spec
    convoke compile spec.yaml -o made --emit asm,llvm,explain
    status 0; files made "spec.explain spec.ll spec.s"
    grep -q 'vfmadd\|mulps' made/spec.s || fail "no arithmetic in the assembly"
    grep -q 'define' made/spec.ll || fail "no function in the IR"
    grep -q 'proof' made/spec.explain || fail "no proof in the explanation"
}

case_halves_are_converted_and_multiplied_by_the_instructions_for_them() {
    printf 'version: 1\nname: net\nlayers:\n  - {name: one, input: [1, 32, 14, 14], out_channels: 32, kernel_size: 3, padding: 1, dtype: f16, accuracy: strict}\n' >spec.yaml
    local row target words word
    for row in "x86-64-v4-fp16 vcvtph2psx vcvtps2phx" "x86-64-v4 vcvtph2ps vcvtps2ph" "aarch64-neon-fp16fml fmlal fcvtn" "aarch64-neon fcvtl fcvtn"; do
        read -r target words <<<"$row"
        convoke compile spec.yaml -o $target --target $target --emit asm; status 0
        for word in $words; do grep -q "\b$word\b" $target/spec.s || fail "no $word for $target"; done
    done
}

case_the_same_bytes_from_two_folders() {
    mkdir a b; (cd a && spec); (cd b && spec)
    local all=obj,header,asm,llvm,explain
    (cd a && "$command" compile spec.yaml -o made --emit $all --target x86-64-v3) || fail "the first compile"
    (cd b && "$command" compile "$PWD/spec.yaml" -o "$PWD/made" --emit $all --target x86-64-v3) || fail "the second compile"
    diff -r a/made b/made >/dev/null || fail "$(diff -rq a/made b/made)"
    grep -qF "$PWD" a/made/* b/made/* && fail "a path is in the output"
}

case_plans_for_the_threads_that_will_run_them() {
    printf 'version: 1\nname: net\nlayers:\n  - {name: one, input: [1, 128, 28, 28], out_channels: 128, kernel_size: 3, padding: 1, layout: channels_last}\n' >spec.yaml
    local n
    for n in 1 64; do
        convoke compile spec.yaml -o for$n --target x86-64-v3 --emit obj,explain,json --threads $n
        status 0; silent
        grep -q "chosen for: $n threads" for$n/spec.explain || fail "the explanation is for others than $n threads"
    done
    python3 -c "
import json
one, many = (json.load(open(f'for{n}/spec.json'))['layers'][0]['variants'][0] for n in (1, 64))
assert one['plan'] != many['plan'] and one['kilocycles'] <= many['kilocycles'] and one['tasks'][-1] < many['tasks'][-1]" ||
        fail "the same plan for one thread and for 64"
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
    [[ $(tr -d '\n' <out.d) == 'out/spec.o \ out/spec.h: \ a\ b/spec.yamla\ b/spec.yaml:' ]] || fail "$(<out.d)"
}

# What a build has to do after the spec at PATH was left alone, touched, and removed, by make and by ninja.
rule_is_followed() {
    local path=$1
    spec; mkdir -p "$(dirname "$path")"; mv spec.yaml "$path"
    convoke compile "$path" -o out -MD out.d
    status 0; silent
    printf 'include out.d\nout/spec.o:\n\t@echo made >>made; touch $@\n' >Makefile
    make -q out/spec.o 2>../why || fail "make: $path is not up to date: $(<../why)"
    touch -d '2100-01-01' "$path"
    make -q out/spec.o 2>/dev/null && fail "make: $path was touched and nothing is to be done"
    touch -d '2001-01-01' "$path"; mv "$path" kept
    make out/spec.o >/dev/null 2>../why || fail "make: $path is gone, and the build stops: $(<../why)"
    [[ -e made ]] || fail "make: $path is gone, and nothing is made"
    rm -rf out made Makefile; mv kept "$path"
}

ninja_follows() {
    local path=$1
    spec; mkdir -p "$(dirname "$path")"; mv spec.yaml "$path"
    printf "rule c\n  command = '%s' compile '%s' -o out -MD out.d\n  depfile = out.d\nbuild out/spec.o | out/spec.h: c\n" \
        "$command" "$(sed 's/\$/$$/g' <<<"$path")" >build.ninja
    ninja >../why 2>&1 || fail "ninja: $(<../why)"
    ninja -n | grep -q 'no work' || fail "ninja: $path makes work every time: $(ninja -n -d explain 2>&1)"
    touch -d '2100-01-01' "$path"
    ninja -n 2>&1 | grep -q 'no work' && fail "ninja: $path was touched and nothing is to be done"
    touch -d '2001-01-01' "$path"; mv "$path" kept
    ninja -n >../why 2>&1 || fail "ninja: $path is gone, and the build stops: $(<../why)"
    rm -rf out build.ninja; mv kept "$path"
}

case_make_follows_the_rule_whatever_the_path() {
    needs make
    local path
    for path in plain/spec.yaml 'a b#c$d:e/spec.yaml' 'a\b/spec.yaml' 'a\ b/spec.yaml'; do
        rule_is_followed "$path"
    done
}

case_ninja_follows_the_rule_whatever_the_path() {
    needs ninja
    ninja_follows 'a b#c$d:e/spec.yaml'
    ninja_follows plain/spec.yaml
}

case_the_rule_goes_to_a_file_of_its_own() { spec; convoke compile spec.yaml -o made -MD made/spec.o; status 2; says "written already"; [[ ! -e made ]] || fail "made"; }
case_folders_above_are_made() { spec; convoke compile spec.yaml -o a//b/c/; status 0; silent; files a/b/c "spec.h spec.o"; }

case_two_files_of_one_name_are_refused() {
    mkdir a b; (cd a && spec); (cd b && spec && sed -i 's/net/other/' spec.yaml)
    convoke compile a/spec.yaml b/spec.yaml -o made
    status 2; says "a/spec.yaml and b/spec.yaml would both be written as spec.*"; [[ ! -e made ]] || fail "made"
}

case_two_layers_of_one_symbol_are_refused() {
    spec; cp spec.yaml other.yaml
    convoke compile spec.yaml other.yaml -o made
    status 3; says 'the layer `one` of spec.yaml would both be the symbol `net_one`'; [[ ! -e made ]] || fail "made"
    printf 'version: 1\nlayers:\n  - {name: %s, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3}\n' b_c >a.yaml
    sed 's/b_c/c/' a.yaml >a-b.yaml
    convoke compile a.yaml a-b.yaml -o made
    status 3; says 'a-b.yaml: the layer `c` and the layer `b_c` of a.yaml would both be the symbol `a_b_c`'; [[ ! -e made ]] || fail "made"
    convoke compile a.yaml a-b.yaml -o made --layer b_c; status 0
}

case_every_target_can_be_compiled_for() {
    spec
    local target
    for target in $("$command" print targets | awk '$2 ~ /-/ && !/^#/ {print $1}'); do
        convoke compile spec.yaml -o $target --target $target
        status 0; files $target "spec.h spec.o"
    done
}

case_a_layer_that_is_too_large_for_32_bits() {
    printf 'version: 1\nname: net\nlayers:\n  - {name: one, input: [1, 1, 30000, 20000], out_channels: 1, kernel_size: 1}\n' >spec.yaml
    local target
    for target in armv7-vfp4 thumbv7em wasm32-simd128; do
        convoke compile spec.yaml -o made --target $target
        status 4; says "one: too large for the 32-bit addresses of $target"; [[ ! -e made ]] || fail "made"
    done
    convoke compile spec.yaml -o made --target riscv64; status 0
    sed -i 's/30000, 20000/20000, 20000/' spec.yaml
    convoke compile spec.yaml -o small --target thumbv7em; status 0
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

case_a_target_that_is_repeated_counts_once() {
    spec
    convoke compile spec.yaml -o once --target x86-64-v3; convoke compile spec.yaml -o twice --target x86-64-v3,haswell,x86-64-v3
    status 0; silent; same once/spec.o twice/spec.o; same once/spec.h twice/spec.h
    convoke compile spec.yaml -o twice --target x86-64,x86-64-v3,haswell,x86-64
    [[ $(grep -c '^ \* for ' twice/spec.h) == 2 ]] || fail "$(<twice/spec.h)"
}

case_a_target_that_is_missing_is_told() {
    spec
    local words
    for words in '' , x86-64,,x86-64-v3 x86-64, ,x86-64; do
        convoke compile spec.yaml -o made --target "$words"; status 2; says "--target: a name is missing in \`$words\`"
    done
    [[ ! -e made ]] || fail "made"
    convoke check spec.yaml --target ''; status 2; says 'there is no target ``'
}

case_native_is_host() {
    spec
    convoke compile spec.yaml -o a --target host; convoke compile spec.yaml -o b --target native
    status 0; silent; same a/spec.o b/spec.o
}

case_a_target_that_is_no_target_gets_a_hint() {
    spec
    local word hint
    while read -r word hint; do
        convoke check spec.yaml --target "$word"
        status 2; says "there is no target \`$word\`; $hint"
    done <<'END'
haswel did you mean `haswell`?
x86_64-v3 did you mean `x86-64-v3`?
avx512f did you mean `x86-64-v4`?
AVX2 did you mean `x86-64-v3`?
arm64 did you mean `aarch64-neon`?
nativ did you mean `native`?
aarch64 did you mean `aarch64-sve256` or `aarch64-neon-fp16fml` or `aarch64-neon-dotprod` or `aarch64-neon`?
power9 no row is for PowerPC
mips64 no row is for MIPS
i686 no row is for x86 of 32 bits
zzz `convoke print targets` and `convoke print cpus` list those there are
END
}

case_headers_with_two_prefixes_go_together() {
    spec
    convoke compile spec.yaml -o a --prefix a_; convoke compile spec.yaml -o b --prefix b_
    printf '#include "a/spec.h"\n#include "b/spec.h"\nconst cvk_kernel_info *const both[] = {&a_net_one, &b_net_one};\n' >both.c
    cc -fsyntax-only -Wall -Werror -I"$root/runtime/include" both.c 2>../why || fail "$(<../why)"
}

case_a_manifest() {
    mkdir sub; (cd sub && spec "bias: true, post_ops: [add, {leaky_relu: 0.1}, {clamp: [-1, 6]}, {scale: per_channel}]")
    convoke compile sub/spec.yaml -o made --prefix p_ --target x86-64-v3,x86-64 --emit obj,header,json -MD out.d
    status 0; silent; files made "spec.h spec.json spec.o"
    grep -q '^ made/spec.json:' out.d || fail "the rule does not make it: $(<out.d)"
    python3 "$here/manifest.py" made/spec.json made/spec.h >../why 2>&1 || fail "$(tail -n 3 ../why)"
    mkdir again; cp sub/spec.yaml again; (cd again && "$command" compile spec.yaml -o . --prefix p_ --target x86-64-v3,x86-64 --emit obj,header,json)
    same made/spec.json again/spec.json
}

case_several_targets_are_of_one_architecture() {
    spec
    convoke compile spec.yaml -o . --target haswell,cortex-a72; status 2; says "different architectures"
    convoke check spec.yaml --target x86-64-v3,x86-64; status 2; says "one target here"
}

case_a_triple_of_the_targets_architecture() {
    spec
    convoke compile spec.yaml -o made --target cortex-a72 --triple arm64-apple-darwin; status 0
    [[ $(od -An -tx4 -N4 made/spec.o) == " feedfacf" ]] || fail "not an object as macOS has them"
    convoke compile spec.yaml -o . --target haswell --triple riscv64-linux-gnu; status 2; says "another architecture"
    local triple
    for triple in x86_64-pc-windows-msvc x86_64-unknown-windows-gnu x86_64-w64-mingw32; do
        convoke compile spec.yaml -o . --target haswell --triple $triple; status 4; says "functions of its system"
    done
    convoke compile spec.yaml -o . --target haswell --triple "$(printf '%0200d' 1)"; status 2; says "no triple is as long"
}

case_a_triple_is_known_in_short() {
    spec
    local target short long
    while read -r target short long; do
        convoke compile spec.yaml -o short --target $target --triple $short --emit obj,llvm; status 0; silent
        convoke compile spec.yaml -o long --target $target --triple $long --emit obj,llvm; status 0; silent
        same short/spec.o long/spec.o; same short/spec.ll long/spec.ll
        grep -q "^target triple = \"$long\"" short/spec.ll || fail "$(grep triple short/spec.ll)"
    done <<'END'
wasm32-simd128 wasm32-wasi wasm32-unknown-wasi
x86-64 x86_64-linux-gnu x86_64-unknown-linux-gnu
x86-64 amd64-freebsd14 amd64-unknown-freebsd14
riscv64-v riscv64-linux-musl riscv64-unknown-linux-musl
END
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
    [[ $(tr -d '\\\n' <made.d) == *'spec.yaml  w/one.weights.npy  w/one.bias.npy  w/one.scale.npy'* ]] || fail "$(<made.d)"
}

case_multipliers_and_shifts_in_the_object() {
    spec "dtype: {input: u8, weights: s8, output: u8}, bias: true, quantization: {rounding: half_up}"
    mkdir w
    npy write w/one.weights.npy i1:4x3x3x3 1 2; npy write w/one.bias.npy i4:4 1
    npy write w/one.scale.npy i4:4 1073741824; npy write w/one.shift.npy i4:4 31 33
    convoke compile spec.yaml -o made --weights w
    status 0; silent
    grep -Eq '^ \*   (weights|packed|bias|scale|shift) ' made/spec.h && fail "the header still asks for weights"
    convoke check spec.yaml --weights w; status 0
}

case_a_models_own_weights_are_checked_timed_and_tuned() {
    weighted
    convoke check spec.yaml --weights w; status 0; has reals
    convoke bench spec.yaml --weights w --threads 1; status 0
    convoke tune spec.yaml --weights w --budget 2 --db tuned; status 0
    npy write w/one.scale.npy 2x4 0
    convoke check spec.yaml --weights w; status 1; says "are zeros, which proves nothing"
    for verb in check "bench --threads 1" "tune --budget 1 --db other"; do
        rm -f w/one.bias.npy; convoke $verb spec.yaml --weights w; status 6; says "w/one.bias.npy"
    done
}

case_weights_become_code_where_the_layer_says_so() {
    spec "specialise: true"
    mkdir w
    npy write w/one.weights.npy 4x3x3x3 0 0 0 0 1 0 0 0 0
    convoke explain spec.yaml --weights w; status 0; has "weights: 12 of 108 taps, 0 products"
    convoke check spec.yaml --weights w; status 0
    convoke compile spec.yaml -o made --weights w; status 0; silent
    convoke explain spec.yaml; status 0; ! grep -q ^weights: ../out || fail "known"
    spec; convoke explain spec.yaml --weights w; status 0; ! grep -q ^weights: ../out || fail "known"
    spec "specialise: true"; rm w/one.weights.npy; convoke explain spec.yaml --weights w; status 6; says "w/one.weights.npy"
}

case_weights_become_code_in_a_network_too() {
    cat > net.yaml <<'END'
version: 1
name: two
inputs: {picture: [1, 1, 8, 20]}
outputs: [edges]
defaults: {out_channels: 1, kernel_size: 3, padding: 1}
layers:
  - {name: smooth, input: picture, specialise: true}
  - {name: edges, input: smooth, bias: true}
END
    mkdir w
    npy write w/smooth.weights.npy 1x1x3x3 1 2 1 2 4 2 1 2 1
    npy write w/edges.weights.npy 1x1x3x3 0 1 0 1 -4 1 0 1 0
    npy write w/edges.bias.npy 1 1
    convoke explain net.yaml --weights w; status 0; grep -Eq "separable|constants" ../out || fail "they are none"
    convoke check net.yaml --weights w; status 0
    convoke compile net.yaml -o made --weights w; status 0; silent
    convoke explain net.yaml; status 0; ! grep -Eq "separable|constants" ../out || fail "known"
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
