#!/usr/bin/env bash
# bench and explain --measure: figures for people, JSON, CSV and SVG for programs, and what the options change.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

case_bench_ends_with_means_and_compile_times() {
    spec
    convoke bench spec.yaml --threads 1
    status 0; silent; has "gflops"; has "geometric means of 1 layers"; has "LLVM's start included"; has "compile "
}

case_bench_writes_csv_and_json() {
    spec
    convoke bench spec.yaml --threads 1 --format json --csv rows.csv
    status 0; is_json "all(abs(r['gflops'] * r['us'] * 1e3 / r['operations'] - 1) < 1e-6 and abs(r['of_peak'] * r['peak_gflops'] / r['gflops'] - 1) < 1e-6 for r in d['rows'])"
    is_json "d['suites'][0]['figures']['gflops']['worst_layer'] == 'one' and d['conditions']['threads'] == 1"
    [[ $(wc -l <rows.csv) == 2 ]] || fail "rows.csv: $(<rows.csv)"
    convoke bench spec.yaml --threads 1 --json all.json
    status 0; has "geometric means"; cp all.json ../out
    is_json "len(d['rows']) == 1 and d['suites'] and d['compiling'] and d['conditions']"
}

case_bench_draws_a_roofline() {
    spec
    convoke bench spec.yaml --threads 1 --format json --svg roofline.svg
    status 0; is_json "d['roofs']['l2_gigabytes_a_second'] > 0 and d['roofs']['memory_gigabytes_a_second'] > 0"
    python3 -c "
import xml.etree.ElementTree as tree
texts = [t.text for t in tree.parse('roofline.svg').iter('{http://www.w3.org/2000/svg}text')]
assert 'convoke' in texts and any('FMA peak' in t for t in texts) and any('GFLOP/s' in t for t in texts)" ||
        fail "roofline.svg: $(<roofline.svg)"
}

case_bench_on_two_threads_tells_the_gain_over_one() {
    spec
    convoke bench spec.yaml --threads 2 --format json
    status 0; is_json "abs(d['suites'][0]['figures']['small_speedup']['mean'] / d['rows'][0]['speedup'] - 1) < 1e-6"
    convoke bench spec.yaml --threads 1 --format json
    status 0; is_json "d['rows'][0]['speedup'] is None"
}

case_bench_overrides_the_accuracy_of_every_layer() {
    printf 'version: 1\nlayers:\n  - {name: one, input: [1, 64, 28, 28], out_channels: 64, kernel_size: 3, padding: 1}\n' >spec.yaml
    convoke bench spec.yaml --threads 1 --format json --accuracy fast
    status 0; is_json "d['rows'][0]['plan'].startswith('winograd')"
    convoke bench spec.yaml --threads 1 --format json --accuracy strict
    status 0; is_json "d['rows'][0]['plan'].startswith('direct')"
    convoke bench spec.yaml --accuracy exact
    status 2; says "strict, default or fast"
}

case_bench_goes_on_after_a_layer_that_cannot_be_compiled() {
    printf 'version: 1\nlayers:\n' >spec.yaml
    printf '  - {name: %s, algorithm: %s, input: [1, 16, 8, 8], out_channels: 16, kernel_size: 3}\n' \
        first winograd second auto >>spec.yaml
    convoke bench spec.yaml --threads 1 --format json --accuracy strict
    status 4; is_json "[r['layer'] for r in d['rows']] == ['second']"
    [[ $(grep -c 'error' ../err) == 1 ]] || fail "not one message: $(<../err)"
}

case_bench_takes_plain_tensors_and_cold_caches() {
    spec "layout: channels_last"
    convoke bench spec.yaml --threads 1 --format json --plain --cold
    status 0; is_json "d['rows'][0]['us'] > 0 and d['conditions']['plain'] and d['conditions']['cold']"
    convoke bench spec.yaml --threads 2 --cold
    status 2; says "--threads 1"
}

case_bench_compares_with_a_peer() {
    spec
    convoke bench spec.yaml --threads 1 --format json --peer onednn
    ! grep -q "the peer \`onednn\` is not installed" ../err || skip "the peer onednn is not installed"
    status 0; is_json "d['rows'][0]['direct_us'] > 0 and d['rows'][0]['direct_by'] and d['rows'][0]['over_direct'] > 0"
    convoke bench spec.yaml --threads 1 --format json --peer onednn --plain
    status 0; is_json "d['rows'][0]['direct_us'] > 0"
}

case_regret_is_at_least_one() {
    spec
    convoke bench spec.yaml --threads 1 --format json --regret 3
    status 0; is_json "d['rows'][0]['plans'] == 4 and d['rows'][0]['ratio'] >= 1 and d['rows'][0]['best_us'] <= d['rows'][0]['us']"
    convoke bench spec.yaml --regret 64
    status 2; says "--regret"
    convoke bench spec.yaml --regret 3 --svg roofline.svg
    status 2; says "goes without --svg"
}

case_explain_measures_if_asked() {
    spec
    convoke explain spec.yaml --measure
    status 0; silent; has "predicted   measured"
    convoke explain spec.yaml --measure --format json
    status 0; is_json "all(r['measured_us'] > 0 and r['predicted_us'] > 0 for r in d['rows'])"
    convoke explain spec.yaml --format json
    status 0; is_json "all(r['measured_us'] is None for r in d['rows'])"
}

run_cases
