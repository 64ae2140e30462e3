#!/usr/bin/env bash
# bench and explain --measure: figures for people, JSON, CSV and SVG for programs, and what the options change.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

case_bench_ends_with_means_and_compile_times() {
    spec
    convoke bench spec.yaml --threads 1
    status 0; silent; has "gflops"; has "of_roof"; has "share of the roof"; has "geometric means of 1 layers"; has "LLVM's start included"; has "compile "
}

case_bench_writes_csv_and_json() {
    spec
    convoke bench spec.yaml --threads 1 --format json --csv rows.csv
    status 0; is_json "all(abs(r['gflops'] * r['us'] * 1e3 / r['operations'] - 1) < 1e-6 and abs(r['of_peak'] * r['peak_gflops'] / r['gflops'] - 1) < 1e-6 for r in d['rows'])"
    is_json "d['suites'][0]['figures']['gflops']['worst_layer'] == 'one' and d['conditions']['threads'] == 1"
    is_json "all(0 < r['of_roof'] and 0 < r['strict_of_roof'] < 1.1 and abs(r['strict_of_roof'] * r['strict_us'] * r['roof_gflops'] * 1e3 / r['operations_of_input'] - 1) < 1e-6 for r in d['rows'])"
    head -n 1 rows.csv | grep -q ',of_peak,of_roof,predicted,' || fail "$(head -n 1 rows.csv)"
    [[ $(wc -l <rows.csv) == 2 ]] || fail "rows.csv: $(<rows.csv)"
    convoke bench spec.yaml --threads 1 --json all.json
    status 0; has "geometric means"; cp all.json ../out
    is_json "len(d['rows']) == 1 and d['suites'] and d['compiling'] and d['conditions']"
}

case_bench_draws_a_roofline() {
    spec
    convoke bench spec.yaml --threads 1 --format json --svg roofline.svg
    status 0; is_json "all(d['roofs'][level + '_gigabytes_a_second'] > 0 for level in ('l1', 'l2', 'memory'))"
    python3 -c "
import xml.etree.ElementTree as tree
texts = [t.text for t in tree.parse('roofline.svg').iter('{http://www.w3.org/2000/svg}text')]
assert 'convoke, strict' in texts and 'convoke, default' not in texts and any('FMA peak' in t for t in texts) and any('GFLOP/s' in t for t in texts)" ||
        fail "roofline.svg: $(<roofline.svg)"
}

# The roof is of the operations that there are: 8 x 8 by 3 x 3 with a border of 1 has 22 x 22 of 24 x 24 taps within.
case_bench_counts_no_padding_under_the_roof() {
    spec "padding: 1"
    convoke bench spec.yaml --threads 1 --format json
    status 0; is_json "d['rows'][0]['operations'] == 2 * 24 * 24 * 12 and d['rows'][0]['operations_of_input'] == 2 * 22 * 22 * 12"
    convoke bench spec.yaml --threads 1 --format json --cold
    status 0; is_json "d['roofs']['memory_gigabytes_a_second'] > 0 and d['roofs']['l1_gigabytes_a_second'] is None"
    is_json "abs(d['rows'][0]['roof_gflops'] / min(d['rows'][0]['peak_gflops'], d['roofs']['memory_gigabytes_a_second'] * d['rows'][0]['operations_of_input'] / d['rows'][0]['bytes']) - 1) < 1e-6"
}

case_bench_measures_direct_sums_beside_what_it_chose() {
    printf 'version: 1\nlayers:\n  - {name: one, input: [1, 64, 28, 28], out_channels: 64, kernel_size: 3, padding: 1}\n' >spec.yaml
    convoke bench spec.yaml --threads 1 --format json --svg roofline.svg
    status 0; is_json "d['rows'][0]['plan'].startswith('winograd') and d['rows'][0]['strict_us'] != d['rows'][0]['us']"
    convoke bench spec.yaml --threads 1 --format json --accuracy strict
    status 0; is_json "d['rows'][0]['strict_us'] == d['rows'][0]['us'] and d['rows'][0]['strict_of_roof'] == d['rows'][0]['of_roof']"
}

case_a_cold_roofline_has_no_caches() {
    spec
    convoke bench spec.yaml --threads 1 --format json --cold --svg roofline.svg
    status 0; silent
    ! grep -qE 'nan|inf|>L[123] ' roofline.svg || fail "$(<roofline.svg)"
    grep -q '>memory ' roofline.svg || fail "no memory: $(<roofline.svg)"
}

case_bench_on_two_threads_tells_the_gain_over_one() {
    spec
    convoke bench spec.yaml --threads 2 --format json
    status 0; is_json "abs(d['suites'][0]['figures']['small_speedup']['mean'] / d['rows'][0]['speedup'] - 1) < 1e-6"
    convoke bench spec.yaml --threads 1 --format json
    status 0; is_json "d['rows'][0]['speedup'] is None"
}

case_bench_foretells_the_speed_up_of_cores_that_are_not_here() {
    printf 'version: 1\nlayers:\n  - {name: one, input: [1, 64, 28, 28], out_channels: 64, kernel_size: 3, padding: 1}\n  - {name: tiny, input: [1, 3, 4, 4], out_channels: 4, kernel_size: 1}\n' >spec.yaml
    convoke bench spec.yaml --threads 1 --format json --accuracy strict --cores 1,2,64 --csv rows.csv
    status 0; silent
    is_json "all(r['expected_1'] == 1 for r in d['rows'])"
    is_json "1 < d['rows'][0]['expected_2'] < 3 and 1 < d['rows'][0]['expected_64'] < 80"
    is_json "d['rows'][1]['expected_64'] == 1" # too small for threads
    is_json "d['suites'][0]['figures']['expected_64']['worst_layer'] == 'tiny' and d['suites'][0]['figures']['expected_1']['mean'] == 1"
    head -n 1 rows.csv | grep -q ',speedup,expected_1,expected_2,expected_64,direct_us,' || fail "$(head -n 1 rows.csv)"
    convoke bench spec.yaml --cores 64 --layer one --format json # the plan for 64 has work for them
    status 0; is_json "d['rows'][0]['expected_64'] > 1"
    convoke bench spec.yaml --cores 16
    status 0; has "expected_16"; has "times one core, to be expected of 16"
    convoke bench spec.yaml --threads 1 --format json
    status 0; is_json "not any(key.startswith('expected') for key in d['rows'][0])"
    local list
    for list in 0 2,x 2,,3 2, '' 1025 -1 1,2,3,4,5,6,7,8,9; do
        convoke bench spec.yaml --cores "$list"; status 2; says "--cores takes a few numbers"
    done
    convoke bench spec.yaml --cores 2 --threads 1 --cold; status 2; says "without --cold"
    convoke bench spec.yaml --cores 2 --regret 2; status 2; says "without --cores"
}

case_bench_gives_layers_for_any_batch_so_many_images() {
    printf 'version: 1\nlayers:\n  - {name: one, input: [any, 16, 8, 8], out_channels: 16, kernel_size: 3}\n  - {name: two, input: [2, 16, 8, 8], out_channels: 16, kernel_size: 3}\n' >spec.yaml
    convoke bench spec.yaml --threads 1 --format json; cp ../out alone
    status 0; is_json "d['conditions']['batch'] == 1"
    convoke bench spec.yaml --threads 1 --format json --batch 5 --cores 2
    status 0; silent; is_json "d['conditions']['batch'] == 5"
    python3 -c "
import json
one, five = (json.load(open(path))['rows'] for path in ('alone', '../out'))
assert five[0]['operations'] == 5 * one[0]['operations'] and one[0]['bytes'] < five[0]['bytes'] < 5 * one[0]['bytes']
assert five[1]['operations'] == one[1]['operations'] and five[1]['bytes'] == one[1]['bytes']" || fail "other figures"
    convoke bench spec.yaml --batch 5 --layer two
    status 2; says "there is none among these"
    local batch
    for batch in 0 x 1,2 '' 99999999999; do
        convoke bench spec.yaml --batch "$batch"; status 2; says "--batch takes a number"
    done
    convoke bench spec.yaml --batch 2000000000
    status 4; says "error"
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
