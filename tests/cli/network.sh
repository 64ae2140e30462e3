#!/usr/bin/env bash
# Files that say what feeds what, by the verbs that take them as a whole.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

net() {
    cat >net.yaml <<'END'
version: 1
inputs: {x: [1, 3, 8, 8]}
outputs: [y]
layers:
  - {name: a, input: x, out_channels: 4, kernel_size: 3, padding: 1, bias: true}
  - {name: act, kind: identity, input: a, post_ops: [{scale: per_channel}, relu]}
  - {name: p, kind: max_pool, input: act, kernel_size: 2, stride: 2}
  - {name: y, input: p, out_channels: 2, kernel_size: 1, post_ops: [relu]}
END
}

case_bench_times_a_network_and_its_steps() {
    net
    convoke bench net.yaml --threads 1 --csv rows.csv --json all.json --svg steps.svg
    status 0; silent; has "step "; has "###"; has "ms a run"; has "in steps without weights"
    [[ $(head -n 1 rows.csv) == file,step,us,share,gflops,begin_us,operations,layers ]] || fail "$(head -n 1 rows.csv)"
    cp all.json ../out
    is_json "[r['step'] for r in d['rows']] == ['a', 'p', 'y'] and d['rows'][0]['layers'] == 'a act'"
    is_json "abs(sum(r['share'] for r in d['rows']) - 1) < 1e-9 and d['rows'][1]['gflops'] is None"
    is_json "d['rows'][2]['begin_us'] >= d['rows'][0]['us'] and d['networks'][0]['ms'] > 0 and d['networks'][0]['peer_ms'] is None"
    python3 -c "
import xml.etree.ElementTree as tree
words = [t.text for t in tree.parse('steps.svg').iter('{http://www.w3.org/2000/svg}text')]
assert all(any(w.startswith(name + ' ') for w in words) for name in 'apy') and 'milliseconds' in words" || fail "steps.svg: $(<steps.svg)"
    convoke bench net.yaml --threads 1 --format json
    status 0; is_json "len(d['rows']) == 3 and d['networks'][0]['gflops'] > 0"
}

case_explain_says_which_layers_are_not_chained_and_what_that_would_take() {
    net
    convoke explain net.yaml
    status 0; silent; has "not chained, for what lies between is near"; has "p, y: 0.2 KiB between them"
    [[ $(grep -c 'million cycles in bands' ../out) == 1 ]] || fail "one chain, not $(<../out)"
    sed -i 's/8, 8/2000, 2000/' net.yaml
    convoke explain net.yaml
    status 0; has "     with y"; has "million cycles in bands"; ! grep -q "not chained" ../out || fail "it is chained"
}

case_bench_names_the_rival_of_networks_that_is_missing() {
    net
    PATH=/nowhere convoke bench net.yaml --peer onnxruntime --model net.onnx
    status 4; says 'the peer `onnxruntime` is not installed'; says "npm install onnxruntime-node"
    convoke bench net.yaml --peer onnxruntime
    status 2; says "--model FILE"
    convoke bench net.yaml --model net.onnx
    status 2; says "--peer onnxruntime"
    convoke bench net.yaml --peer onednn
    status 2; says "of networks the one peer is onnxruntime"
    convoke bench net.yaml --cold --threads 1
    status 2; says "are for layers"
}

# Another program in the place of node, which says what it was asked.
case_bench_times_the_rival_in_turns() {
    net
    mkdir bin
    cat >bin/node <<'END'
#!/bin/bash
echo "$3 $4 $5" >asked
echo "ready 9.9.9"
while read -r line; do echo 1000; done
END
    chmod +x bin/node
    PATH=$PWD/bin:$PATH convoke bench net.yaml --threads 1 --peer onnxruntime --model net.onnx
    status 0; silent; has "onnxruntime-node 9.9.9: 1000.000 ms a run"
    [[ $(<asked) == "net.onnx 1 float32:1x3x8x8" ]] || fail "asked for $(<asked)"
    sed -i 's/^echo "ready.*/echo "failed no such file"/' bin/node
    PATH=$PWD/bin:$PATH convoke bench net.yaml --threads 1 --peer onnxruntime --model net.onnx
    status 3; says "net.onnx: onnxruntime says: no such file"
    sed -i 's/^echo "failed.*/echo "ready 1"; exit/' bin/node
    PATH=$PWD/bin:$PATH convoke bench net.yaml --threads 1 --peer onnxruntime --model net.onnx
    status 4; says "onnxruntime ended"
}

case_tune_goes_through_a_network_by_its_shares_and_bench_and_compile_take_what_won() {
    net
    convoke tune net.yaml --budget 2 --db db --format json
    status 0; is_json "sorted(r['layer'] for r in d['rows']) == ['a', 'p', 'y'] and abs(sum(r['share'] for r in d['rows']) - 1) < 1e-9"
    is_json "[r['share'] for r in d['rows']] == sorted((r['share'] for r in d['rows']), reverse=True)"
    for verb in bench check explain; do
        convoke $verb net.yaml --tuned db $([[ $verb == explain ]] || echo --threads 1)
        status 0; silent
    done
    convoke compile net.yaml --tuned db --threads 1 -o out
    status 0; says "nothing is known of 3 of 6"   # of layers by themselves, in their own layouts
    convoke tune net.yaml --budget 1 --db one --layer '^a$' --format json
    status 0; is_json "[r['layer'] for r in d['rows']] == ['a'] and d['rows'][0]['share'] is None"
}

# Sums of threes by a scale of two, the greatest of each four, by weights of one.
case_run_takes_a_network_as_a_whole() {
    net
    mkdir w
    npy write x.npy 1x3x8x8 $(yes 1 | head -n 192)
    npy write w/a.weights.npy 4x3x3x3 $(yes 1 | head -n 108)
    npy write w/a.bias.npy 4 0 0 1 -100
    npy write w/act.scale.npy 4 2 1 1 1
    npy write w/y.weights.npy 2x4x1x1 1 1 1 1 0 0 0 1
    convoke run net.yaml --input x.npy --weights w --output y.npy
    status 0; silent
    [[ $(npy read y.npy | tr '\n' ' ') == "1x2x4x4 $(yes 109 | head -n 16 | tr '\n' ' ')$(yes 0 | head -n 16 | tr '\n' ' ')" ]] || fail "$(npy read y.npy)"
    mv y.npy one.npy
    convoke run net.yaml --input x=x.npy --weights w --output y=y.npy --threads 2
    status 0; same y.npy one.npy
    convoke run net.yaml --input z=x.npy --weights w --output y.npy
    status 6; says "z=x.npy"                                  # the one file is taken as it is said
    convoke run net.yaml --input x.npy --output y.npy
    status 2; says "--weights DIR"
    convoke run net.yaml --input x.npy --weights w --output y.npy --bias w/a.bias.npy
    status 2; says "--weights DIR has the bias"
    rm w/act.scale.npy
    convoke run net.yaml --input x.npy --weights w --output y.npy
    status 6; says "act.scale.npy"
    convoke run net.yaml --layer p --input x.npy --output y.npy
    status 3                                                  # by itself, it takes what it takes
}

case_run_of_any_batch_has_several_inputs_and_outputs() {
    cat >net.yaml <<'END'
version: 1
inputs: {x: [any, 1, 2, 2], s: [any, 1, 2, 2]}
outputs: {sum: {layout: channels_last}, both: {layout: channels_first}}
layers:
  - {name: sum, kind: identity, input: x, post_ops: [{add: s}]}
  - {name: both, kind: concat, input: [x, sum]}
END
    npy write x.npy 2x1x2x2 1 2 3 4 5 6 7 8
    npy write s.npy 2x1x2x2 10 20 30 40 50 60 70 80
    convoke run net.yaml --input s=s.npy --input x=x.npy --output sum=sum.npy --output both=both.npy
    status 0; silent
    [[ $(npy read both.npy | tr '\n' ' ') == "2x2x2x2 1 2 3 4 11 22 33 44 5 6 7 8 55 66 77 88 " ]] || fail "$(npy read both.npy)"
    [[ $(npy read sum.npy | tr '\n' ' ') == "2x1x2x2 11 22 33 44 55 66 77 88 " ]] || fail "$(npy read sum.npy)"
    convoke run net.yaml --input s=s.npy --input x=x.npy --output sum=sum.npy
    status 2; says "--output both=FILE"
    npy write s.npy 1x1x2x2 1 1 1 1
    convoke run net.yaml --input s=s.npy --input x=x.npy --output sum=sum.npy --output both=both.npy
    status 3; says "it has 1 images, and the input before it 2"
}

run_cases
