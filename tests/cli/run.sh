#!/usr/bin/env bash
# run: arrays in, arrays out.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

edges() { convoke run "$root/examples/layers.yaml" --layer edges --input x.npy --weights w.npy --output y.npy "$@"; }
picture() {
    npy write x.npy 1x1x6x6 10 10 10 0 0 0
    npy write w.npy 1x1x3x3 1 0 -1
}
output_is() { [[ $(npy read y.npy | tr '\n' ' ') == "$1 " ]] || fail "y.npy: $(npy read y.npy)"; }

case_a_filter_on_a_picture() {
    picture; edges
    status 0; silent; output_is "1x1x4x4 0 30 30 0 0 30 30 0 0 30 30 0 0 30 30 0"
}

# Two by two spread by a kernel of two by two, as in the textbooks: side by side, and with a stride of 2.
case_a_transposed_layer_spreads_its_input() {
    printf 'version: 1\nlayers:\n  - {name: up, input: [1, 1, 2, 2], out_channels: 1, kernel_size: 2, transposed: true}\n' >up.yaml
    npy write x.npy 1x1x2x2 0 1 2 3; npy write w.npy 1x1x2x2 0 1 2 3
    convoke run up.yaml --input x.npy --weights w.npy --output y.npy; status 0; silent
    output_is "1x1x3x3 0 0 1 0 4 6 4 12 9"
    sed -i 's/transposed/stride: 2, transposed/' up.yaml
    convoke run up.yaml --input x.npy --weights w.npy --output y.npy; status 0; silent
    output_is "1x1x4x4 0 0 0 1 0 0 2 3 0 2 0 3 4 6 6 9"
    convoke run up.yaml --reference --input x.npy --weights w.npy --output y.npy; status 0
    output_is "1x1x4x4 0 0 0 1 0 0 2 3 0 2 0 3 4 6 6 9"
}

# Of the textbooks' layer: each weight gets the input it met, times the gradient of what it went into.
case_gradients_of_weights_and_of_the_bias() {
    printf 'version: 1\nlayers:\n  - {name: f, input: [1, 1, 3, 3], out_channels: 1, kernel_size: 2, bias: true}\n  - {name: g, of: f, direction: backward_weights}\n  - {name: b, of: f, direction: backward_data}\n' >g.yaml
    npy write x.npy 1x1x3x3 1 2 3 4 5 6 7 8 9; npy write d.npy 1x1x2x2 1 0 0 10; npy write w.npy 1x1x2x2 1 2 3 4
    local way
    for way in "" --reference; do
        convoke run g.yaml --layer g --input x.npy --gradient d.npy --output y.npy --bias-output b.npy $way; status 0; silent
        output_is "1x1x2x2 51 62 84 95"
        [[ $(npy read b.npy | tr '\n' ' ') == "1 11 " ]] || fail "b.npy: $(npy read b.npy)"
    done
    convoke run g.yaml --layer b --input d.npy --weights w.npy --output y.npy; status 0
    output_is "1x1x3x3 1 2 0 3 14 20 0 30 40"
    convoke run g.yaml --layer g --input x.npy --gradient d.npy --output y.npy; status 2; says "--bias-output"
    convoke run g.yaml --layer g --input x.npy --weights w.npy --output y.npy; status 2; says "--gradient, not --weights"
}

# The greatest of two by two, and where they stand; NaN wins, and the first of equals.
case_a_pool_needs_no_weights_and_may_give_indices() {
    printf 'version: 1\nlayers:\n  - {name: m, kind: max_pool, input: [1, 1, 2, 4], kernel_size: 2, stride: 2, indices: true}\n  - {name: a, kind: average_pool, input: [1, 1, 2, 4], kernel_size: global}\n' >pool.yaml
    npy write x.npy 1x1x2x4 1 7 nan 5 7 2 4 6; npy write z.npy 1x1x2x4 1 2 3 4 5 6 7 8; npy write w.npy 1x1x2x2 1
    local way
    for way in "" --reference; do
        convoke run pool.yaml --layer m --input x.npy --output y.npy --indices i.npy $way; status 0; silent
        output_is "1x1x1x2 7 nan"
        [[ $(npy read i.npy | tr '\n' ' ') == "1x1x1x2 1 2 " ]] || fail "i.npy: $(npy read i.npy)"
        convoke run pool.yaml --layer a --input z.npy --output y.npy $way; status 0; output_is "1x1x1x1 4.5"
    done
    convoke run pool.yaml --layer m --input x.npy --output y.npy; status 2; says "--indices"
    convoke run pool.yaml --layer a --input x.npy --output y.npy --indices i.npy; status 2; says "no indices"
    convoke run pool.yaml --layer a --input x.npy --weights w.npy --output y.npy; status 2; says "the layer has no weights"
}

# What is added to stands in the files that the sums go to.
case_gradients_are_added_to_what_the_output_holds() {
    printf 'version: 1\nlayers:\n  - {name: f, input: [1, 1, 3, 3], out_channels: 1, kernel_size: 2, bias: true}\n  - {name: g, of: f, direction: backward_weights, accumulate: true}\n  - {name: b, of: f, direction: backward_data, accumulate: true}\n' >g.yaml
    npy write x.npy 1x1x3x3 1 2 3 4 5 6 7 8 9; npy write d.npy 1x1x2x2 1 0 0 10; npy write w.npy 1x1x2x2 1 2 3 4
    local way
    for way in "" --reference; do
        npy write y.npy 1x1x2x2 100 0 0 5; npy write b.npy 1 1000
        convoke run g.yaml --layer g --input x.npy --gradient d.npy --output y.npy --bias-output b.npy $way; status 0; silent
        output_is "1x1x2x2 151 62 84 100"
        [[ $(npy read b.npy | tr '\n' ' ') == "1 1011 " ]] || fail "b.npy: $(npy read b.npy)"
        npy write y.npy 1x1x3x3 100 0 0 0 0 0 0 0 5
        convoke run g.yaml --layer b --input d.npy --weights w.npy --output y.npy $way; status 0; silent
        output_is "1x1x3x3 101 2 0 3 14 20 0 30 45"
    done
    rm y.npy
    convoke run g.yaml --layer b --input d.npy --weights w.npy --output y.npy; status 6; says "y.npy"
}

case_weights_of_a_transposed_layer_are_inputs_first() {
    printf 'version: 1\nlayers:\n  - {name: up, input: [1, 4, 3], out_channels: 6, groups: 2, kernel_size: 5, transposed: true}\n' >up.yaml
    npy write x.npy 1x4x3 1; npy write w.npy 6x2x5 1
    convoke run up.yaml --input x.npy --weights w.npy --output y.npy; status 3
    says "--weights has the shape [6, 2, 5], but the layer takes [4, 3, 5]"
}

case_the_interpreter_gives_the_same() {
    picture; edges --reference
    status 0; output_is "1x1x4x4 0 30 30 0 0 30 30 0 0 30 30 0 0 30 30 0"
}

case_arrays_of_other_types_are_taken_if_exact() {
    local kind
    for kind in f2 f8 i8; do
        picture; npy write x.npy $kind:1x1x6x6 10 10 10 0 0 0; edges
        status 0; silent; output_is "1x1x4x4 0 30 30 0 0 30 30 0 0 30 30 0 0 30 30 0"
    done
}

case_numbers_are_rounded_only_when_asked() {
    picture; npy write x.npy f8:1x1x6x6 10 0.1 10 0 0 0; edges
    status 3; says "x.npy: error[E0100]: element [0, 0, 0, 1] is 0.10000000000000001, to which no f32 is equal"
    says "hint: --convert rounds"; [[ ! -e y.npy ]] || fail "y.npy"
    edges --convert; status 0; silent
    npy write x.npy f8:1x1x6x6 10 1e39; edges --convert
    status 3; says "x.npy: error[E0100]: element [0, 0, 0, 1] is 9.9999999999999994e+38, beyond the largest f32"
    npy write x.npy i8:1x1x6x6 16777217; edges
    status 3; says "element [0, 0, 0, 0] is 16777217, to which no f32 is equal"
}

case_an_f64_layer_reads_and_writes_f8() {
    spec "dtype: f64"
    npy write w.npy f8:4x3x3x3 1 0 -1 2 1; npy write x.npy f8:1x3x8x8 0.1 1e300 0.3 -1e-300
    convoke run spec.yaml --input x.npy --weights w.npy --output y.npy --reference; status 0; silent
    [[ $(head -c 40 y.npy) == *"'<f8'"* ]] || fail "y.npy is not of f8"
    npy write x.npy i8:1x3x8x8 9007199254740993
    convoke run spec.yaml --input x.npy --weights w.npy --output y.npy
    status 3; says "is 9007199254740993, to which no f64 is equal"; says "astype('<f8')"
    convoke run spec.yaml --input x.npy --weights w.npy --output y.npy --convert; status 0; silent
}

case_any_batch_is_that_of_the_input() {
    printf 'version: 1\nlayers:\n  - {name: twice, input: [any, 1, 3], out_channels: 1, kernel_size: 1, post_ops: [add, add]}\n' >any.yaml
    npy write w.npy 1x1x1 2; npy write x.npy 2x1x3 1 2 3 4 5 6; npy write a.npy 2x1x3 10 20 30 40 50 60
    convoke run any.yaml --input x.npy --weights w.npy --addend a.npy --addend x.npy --output y.npy; status 0
    output_is "2x1x3 13 26 39 52 65 78"
    rm y.npy; convoke run any.yaml --reference --input x.npy --weights w.npy --addend a.npy --addend x.npy --output y.npy
    status 0; output_is "2x1x3 13 26 39 52 65 78"
    npy write a.npy 1x1x3 10 20 30
    convoke run any.yaml --input x.npy --weights w.npy --addend a.npy --addend x.npy --output y.npy
    status 3; says "a.npy: --addend has the shape [1, 1, 3], but the layer takes [2, 1, 3]"
    npy write x.npy 2x2x3 1
    convoke run any.yaml --input x.npy --weights w.npy --addend a.npy --addend x.npy --output y.npy
    status 3; says "x.npy: --input has the shape [2, 2, 3], but the layer takes [any, 1, 3]"
}

case_an_array_without_dimensions_is_of_the_wrong_shape() {
    picture; python3 -c "
header = b\"{'descr': '<f4', 'fortran_order': False, 'shape': (), }\\n\"
open('x.npy', 'wb').write(b'\\x93NUMPY\\x01\\x00' + bytes([len(header), 0]) + header + bytes(4))"
    edges; status 3; says "x.npy: --input has the shape [], but the layer takes [1, 1, 6, 6]"
}

case_layouts_are_converted() {
    local layout
    npy write x.npy 1x3x8x8 1 2 3 4 5 6 7; npy write w.npy 4x3x3x3 1 0 -1 2 1
    spec; convoke run spec.yaml --input x.npy --weights w.npy --output first.npy
    for layout in channels_last blocked; do
        spec "layout: $layout"
        convoke run spec.yaml --input x.npy --weights w.npy --output y.npy --threads 1
        status 0; same first.npy y.npy
    done
}

case_bias_scale_and_addends_in_their_order() {
    printf 'version: 1\nlayers:\n  - {name: one, input: [1, 1, 2], out_channels: 2, kernel_size: 1, bias: true,
     post_ops: [add, {scale: per_channel}, {scale: per_channel}, add]}\n' >spec.yaml
    npy write x.npy 1x1x2 1 2; npy write w.npy 2x1x1 1 10; npy write b.npy 2 100 200
    npy write s.npy 2 2 3; npy write t.npy 2 1 -1; npy write a.npy 1x2x2 1000; npy write c.npy 1x2x2 5 6 7 8
    convoke run spec.yaml --input x.npy --weights w.npy --bias b.npy --addend a.npy --scale s.npy --scale t.npy \
        --addend c.npy --output y.npy
    status 0; output_is "1x2x2 2207 2210 -3623 -3652"
}

case_a_wrong_shape_is_named() {
    picture; npy write x.npy 1x1x6x7 1; edges
    status 3; says "x.npy: --input has the shape [1, 1, 6, 7], but the layer takes [1, 1, 6, 6]"; [[ ! -e y.npy ]] || fail "y.npy"
}

case_a_file_that_is_no_array_is_bad_input() { picture; echo hello >x.npy; edges; status 3; says "not a .npy file"; }
case_a_file_that_is_not_there_cannot_be_read() { picture; rm x.npy; edges; status 6; says "x.npy"; }
case_a_missing_array_is_asked_for() { convoke run "$root/examples/layers.yaml" --layer edges --output y.npy; status 2; says "--input"; }
case_an_array_too_many_is_refused() { picture; npy write b.npy 1 1; edges --bias b.npy; status 2; says "no bias"; }
case_a_post_op_without_its_array_is_refused() {
    spec "post_ops: [add]"; npy write x.npy 1x3x8x8 1; npy write w.npy 4x3x3x3 1
    convoke run spec.yaml --input x.npy --weights w.npy --output y.npy
    status 2; says "--addend 1 times, not 0"
}
case_an_unknown_layer_has_a_hint() {
    picture; convoke run "$root/examples/layers.yaml" --layer egdes --input x.npy --weights w.npy --output y.npy
    status 2; says "did you mean \`edges\`?"
}
case_an_output_that_cannot_be_written() { picture; edges --output /dev/null/y.npy; status 6; says "/dev/null/y.npy"; }

run_cases
