#!/usr/bin/env bash
# agrees.sh CONVOKE ROOT PEER: layers of every kind, put to a peer that is there. `bench` compares what it computes with our
# own output, and fails where they differ; here, it must also have the layers that it is for.
source "$(dirname "${BASH_SOURCE[0]}")/../cli/harness.sh"
peer=$3

# The layers of layers.yaml that the peer has by some way.
had() { python3 -c "import json; print(*(r['layer'] for r in json.load(open('../out'))['rows'] if r['best_by']))"; }
bench() { convoke bench layers.yaml --threads 1 --format json --peer "$peer" "$@"; status 0; silent; }
has_layers() {
    local got; got=$(had)
    [[ $got == "$*" ]] || fail "$peer has $got, not $*"
}

write_layers() {
    cat >layers.yaml <<'END'
version: 1
defaults: {layout: channels_last, bias: true}
layers:
  - {name: dense, input: [2, 19, 12, 13], out_channels: 33, kernel_size: 3, padding: 1, post_ops: [relu]}
  - {name: skewed, input: [1, 16, 9, 14], out_channels: 16, kernel_size: [2, 5], padding: [[1, 0], [3, 2]], stride: [2, 1], dilation: [1, 2], bias: false}
  - {name: grouped, input: [1, 24, 10, 10], out_channels: 36, kernel_size: 3, groups: 6, padding: 1, post_ops: [relu6]}
  - {name: depthwise, input: [1, 20, 11, 12], out_channels: 20, kernel_size: 3, groups: depthwise, padding: 1, stride: 2, post_ops: [{clamp: [-0.5, 1.5]}]}
  - {name: pointwise, input: [3, 40, 6, 7], out_channels: 21, kernel_size: 1}
  - {name: line, input: [1, 12, 50], out_channels: 8, kernel_size: 5, padding: causal, layout: channels_first}
  - {name: flipped, input: [1, 8, 9, 9], out_channels: 8, kernel_size: 3, flip_kernel: true}
  - {name: volume, input: [1, 6, 5, 7, 8], out_channels: 10, kernel_size: [3, 1, 3], padding: [1, 0, 1]}
  - {name: added, input: [1, 16, 9, 9], out_channels: 16, kernel_size: 3, padding: 1, post_ops: [add, relu]}
  - {name: gated, input: [1, 16, 9, 9], out_channels: 16, kernel_size: 1, post_ops: [silu]}
  - {name: swished, input: [1, 16, 9, 9], out_channels: 16, kernel_size: 1, post_ops: [hard_swish]}
  - {name: transformed, input: [1, 64, 28, 28], out_channels: 64, kernel_size: 3, padding: 1}
  - {name: filter, input: [2, 1, 40, 41], out_channels: 1, kernel_size: [5, 3], padding: same}
  - {name: mirrored, input: [1, 1, 40, 41], out_channels: 1, kernel_size: 3, padding: same, padding_mode: reflect}
  - {name: wrapped, input: [1, 1, 40, 41], out_channels: 1, kernel_size: 3, padding: same, padding_mode: circular}
  - {name: greatest, kind: max_pool, input: [2, 19, 12, 13], kernel_size: 3, stride: 2, padding: 1}
  - {name: rounded_up, kind: max_pool, input: [1, 32, 12, 12], kernel_size: [3, 2], stride: 2, dilation: [2, 1], ceil_mode: true, post_ops: [relu]}
  - {name: mean, kind: average_pool, input: [1, 20, 9, 14], kernel_size: 3, padding: [[1, 0], [0, 1]]}
  - {name: over_padding, kind: average_pool, input: [1, 16, 5, 6, 7], kernel_size: 2, stride: 2, padding: 1, count_include_pad: true}
  - {name: all_of_it, kind: average_pool, input: [1, 33, 40], kernel_size: global}
  - {name: with_places, kind: max_pool, input: [1, 16, 9, 9], kernel_size: 3, indices: true}
  - {name: doubles, input: [1, 1, 40, 41], out_channels: 1, kernel_size: 3, padding: same, dtype: f64}
  - {name: up, input: [2, 19, 7, 6], out_channels: 33, kernel_size: 4, stride: 2, padding: 1, transposed: true, post_ops: [relu]}
  - {name: up_far, input: [1, 24, 7, 6], out_channels: 12, kernel_size: 3, groups: 3, stride: [3, 2], output_padding: [1, 0], dilation: [1, 2], transposed: true, bias: false}
  - {name: up_line, input: [1, 6, 20], out_channels: 10, kernel_size: 5, stride: 2, transposed: true, layout: channels_first}
  - {name: up_flipped, input: [1, 8, 9, 9], out_channels: 8, kernel_size: 3, transposed: true, flip_kernel: true}
  - {name: dense_data, of: dense, direction: backward_data, post_ops: []}
  - {name: skewed_data, of: skewed, direction: backward_data}
  - {name: up_data, of: up, direction: backward_data, post_ops: []}
  - {name: dense_weights, of: dense, direction: backward_weights, post_ops: []}
  - {name: skewed_weights, of: skewed, direction: backward_weights}
  - {name: grouped_weights, of: grouped, direction: backward_weights, post_ops: []}
  - {name: volume_weights, of: volume, direction: backward_weights}
  - {name: up_weights, of: up, direction: backward_weights, post_ops: []}
  - {name: up_far_weights, of: up_far, direction: backward_weights}
  - {name: added_to, of: dense, direction: backward_weights, post_ops: [], accumulate: true}
END
}
pools=(greatest rounded_up mean over_padding all_of_it)
tensors=(dense skewed grouped depthwise pointwise line flipped)
back=(up up_far up_line up_flipped dense_data skewed_data up_data dense_weights skewed_weights grouped_weights volume_weights up_weights up_far_weights)

case_it_computes_what_we_do() {
    write_layers
    bench
    case $peer in
    onednn) has_layers "${tensors[@]}" volume added gated swished transformed filter "${pools[@]}" "${back[@]}" ;;
    xnnpack) has_layers "${tensors[@]}" transformed filter up_data ;;
    opencv) has_layers filter mirrored ;;
    esac
}

case_it_computes_the_same_in_plain_layouts() {
    write_layers
    bench --plain
    case $peer in
    onednn) has_layers "${tensors[@]}" volume added gated swished transformed filter "${pools[@]}" "${back[@]}" ;;
    xnnpack) has_layers ;;
    opencv) has_layers filter mirrored ;;
    esac
}

# Of bytes it has what VNNI sums up.
case_it_computes_bytes_as_we_do() {
    [[ $peer != opencv ]] || skip "$peer is of f32"
    convoke print targets
    grep -qE '^# host, native: .*(vnni|bf16)' ../out || skip "this machine has no VNNI"
    cat >layers.yaml <<'END'
version: 1
defaults: {layout: channels_last, dtype: {input: u8, weights: s8, output: u8}}
layers:
  - {name: dense, input: [2, 19, 12, 13], bias: true, out_channels: 33, kernel_size: 3, padding: 1, post_ops: [relu], quantization: {input_zero_point: 7, output_zero_point: 3}}
  - {name: added, input: [1, 16, 9, 9], bias: true, out_channels: 16, kernel_size: 3, padding: 1, post_ops: [add, relu], quantization: {addend_zero_point: 128}}
  - {name: by_one, input: [1, 16, 9, 9], out_channels: 16, kernel_size: 1, post_ops: [add], dtype: s8, quantization: {output_zero_point: -5, multipliers: per_tensor}}
  - {name: summed, input: [1, 16, 9, 9], bias: true, out_channels: 16, kernel_size: 1, dtype: {input: s8, weights: s8, output: s32}}
  - {name: to_floats, input: [1, 16, 9, 9], out_channels: 16, kernel_size: 1, dtype: {input: u8, weights: s8, output: f32}}
  - {name: depthwise, input: [1, 20, 11, 12], bias: true, out_channels: 20, kernel_size: 3, groups: depthwise, padding: 1, stride: 2, dtype: s8}
  - {name: grouped, input: [1, 24, 10, 10], out_channels: 36, kernel_size: 3, groups: 6, padding: 1}
  - {name: volume, input: [1, 6, 5, 7, 8], out_channels: 10, kernel_size: [3, 1, 3], padding: [1, 0, 1]}
  - {name: up, input: [2, 19, 7, 6], bias: true, out_channels: 33, kernel_size: 4, stride: 2, padding: 1, transposed: true}
  - {name: doubled, input: [1, 16, 9, 9], out_channels: 16, kernel_size: 1, dtype: s8, quantization: {rounding: double}}
  - {name: greatest, kind: max_pool, input: [2, 19, 12, 13], kernel_size: 3, stride: 2, padding: 1, dtype: u8}
END
    bench
    case $peer in
    onednn) has_layers dense added by_one summed to_floats depthwise grouped volume up greatest ;;
    xnnpack) has_layers dense depthwise grouped ;;
    esac
    bench --target x86-64-v3 --layer '^dense$'
    has_layers # it would saturate in between
}

case_it_computes_halves_as_we_do() {
    [[ $peer == onednn ]] || skip "$peer is of f32"
    convoke print targets
    grep -q '^# host, native: x86-64-v4' ../out || skip "this machine has no AVX-512"
    cat >layers.yaml <<'END'
version: 1
defaults: {layout: channels_last, dtype: bf16}
layers:
  - {name: dense, input: [2, 19, 12, 13], bias: true, out_channels: 33, kernel_size: 3, padding: 1, post_ops: [relu]}
  - {name: to_floats, input: [1, 20, 11, 12], out_channels: 20, kernel_size: 3, groups: depthwise, padding: 1, dtype: {input: bf16, weights: bf16, output: f32}}
  - {name: mean, kind: average_pool, input: [1, 20, 9, 14], kernel_size: 3, padding: [[1, 0], [0, 1]]}
END
    bench
    has_layers dense to_floats mean
}

case_it_takes_threads() {
    write_layers
    convoke bench layers.yaml --threads 2 --format json --peer "$peer" --layer '^(dense|filter)$'
    status 0; silent
}

# A peer that takes whatever the machine has is no rival of a kernel for less.
case_it_keeps_to_the_instructions_of_the_target() {
    convoke print targets
    grep -qE '^# host, native: x86-64-v[34]' ../out || skip "this machine has no more than x86-64-v2, or is none"
    write_layers
    bench --target x86-64-v2 --layer '^(dense|filter)$'
    case $peer in
    onednn) has_layers dense filter; is_json "all('avx' not in r['best_by'] for r in d['rows'])" ;;
    *) has_layers ;;
    esac
}

run_cases
