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

run_cases
