#!/usr/bin/env bash
# check and explain on small layers: text for people, JSON and CSV for programs.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

case_check_says_ok_a_row_a_layer() {
    spec "bias: true, post_ops: [relu]"
    convoke check spec.yaml --seed 7 --threads 2
    status 0; silent; has "one"; has " ok "; has "1 layers"; has "seed 7"
}

case_check_takes_several_files_and_a_regular_expression() {
    convoke check "$root/specs/tutorial.yaml" "$root/specs/lenet.yaml" --layer '^(same_1d|flipped.*)$' --format csv
    status 0
    [[ $(grep -c ',ok,' ../out) == 2 && $(wc -l <../out) == 3 ]] || fail "not two rows: $(<../out)"
}

case_check_judges_every_plan() {
    spec
    convoke check spec.yaml --all-plans --format json
    status 0; is_json "len(d['rows']) > 1 and all(r['verdict'] == 'ok' for r in d['rows'])"
}

case_check_says_whether_the_nest_is_exactly_the_formula() {
    spec "bias: true, post_ops: [relu]"
    convoke check spec.yaml --format json --all-plans
    status 0; is_json "all(r['identity'] == 'ok' and r['stored_once'] == 'ok' for r in d['rows'])"
    echo '{version: 1, layers: [{name: a, input: [1, 600, 30, 30], out_channels: 600, kernel_size: 1}]}' >large.yaml
    convoke check large.yaml
    status 0; has "too large"; has "identity was not judged where a layer has over 3e+08 multiply-adds: 1 of them"
}

case_explain_says_that_each_output_is_stored_once() {
    spec
    convoke explain spec.yaml
    status 0; has "each output is stored once, and none is read before"
    convoke explain spec.yaml --format json
    status 0; is_json "d['layers'][0]['proof']['stored_once'] == True"
}

case_explain_says_how_far_a_result_may_be_rounded() {
    printf 'version: 1\nlayers:\n' >spec.yaml
    printf '  - {name: %s, algorithm: %s, accuracy: fast, input: [1, 16, 12, 12], out_channels: 16, kernel_size: 3, bias: true}\n' \
        plain direct quick winograd >>spec.yaml
    convoke explain spec.yaml --layer plain
    status 0; has "rounding: |error| <= 147 u S, S the sum of a result's 145 terms' magnitudes, u = 2^-24"
    convoke explain spec.yaml --layer quick
    status 0; has "u |A'| [(|G| |g|) . (|B'| |d|)], summed over input channels, u = 2^-24; F("
}

case_check_in_json_has_seed_rows_and_diagnostics() {
    spec
    convoke check spec.yaml --format json
    status 0; is_json "d['seed'] == 1 and d['rows'][0]['layer'] == 'one' and d['diagnostics'] == []"
}

case_messages_are_in_the_json_too() {
    local verb
    spec "strid: 2"
    for verb in check bench explain; do
        convoke $verb spec.yaml --format json
        status 3; says "spec.yaml:4:"; is_json "d['rows'] == [] and d['diagnostics'][0]['line'] == 4 and d['verb'] == '$verb'"
    done
}

case_check_gives_the_same_figures_for_the_same_seed() {
    spec "post_ops: [sigmoid]"
    convoke check spec.yaml --seed 5 --threads 1; cp ../out first
    convoke check spec.yaml --seed 5 --threads 1
    same first ../out
}

case_check_takes_every_layout() {
    local layout
    for layout in channels_first channels_last blocked "{input: blocked, output: channels_first}"; do
        spec "layout: $layout, post_ops: [add, {scale: per_channel}]"
        convoke check spec.yaml
        status 0; has " ok "
    done
}

case_check_takes_every_target_that_runs_here() {
    spec
    local target
    for target in x86-64 x86-64-v2 generic; do
        convoke check spec.yaml --target "$target"
        status 0; has "target $target"
    done
}

case_the_host_alone_is_planned_for_as_it_was_measured() {
    local host target
    spec
    host=$("$command" print targets | sed -n 's/^# host, native: //p')
    export CONVOKE_CACHE=$PWD/cache
    for target in host native "$host"; do
        convoke explain spec.yaml --target "$target" --format csv
        status 0; cp ../out "$target.before"
    done
    files cache ".measuring $(cd cache && echo ./*.figures | cut -c 3-)"
    sed -i 's/^fma_a_cycle .*/fma_a_cycle 0.125/' cache/*.figures
    for target in host native "$host"; do
        convoke explain spec.yaml --target "$target" --format csv
        status 0; cp ../out "$target.after"
    done
    same host.before native.before; same host.after native.after; same "$host.before" "$host.after"
    cmp -s host.before host.after && fail "a core of an eighth of an FMA gets the same plans in the same time"
    export CONVOKE_CACHE=off
    convoke explain spec.yaml --format csv
    same "$host.before" ../out
}

case_an_empty_batch_is_a_layer_that_does_nothing() {
    printf 'version: 1\nlayers:\n  - {name: none, input: [0, 3, 8, 8], out_channels: 4, kernel_size: 3}\n' >spec.yaml
    convoke check spec.yaml
    status 0; has " ok "
}

case_explain_shows_plan_nest_proof_and_counts() {
    spec
    convoke explain spec.yaml --layer one
    status 0; silent
    has "plan: {algorithm: "; has "of the FMA peak"; has "runners-up"; has "nest, "; has "proof, "; has "loads per fma"
}

case_explain_says_for_how_many_threads_a_plan_is_chosen() {
    printf 'version: 1\nlayers:\n  - {name: one, input: [1, 128, 28, 28], out_channels: 128, kernel_size: 3, padding: 1, layout: channels_last}\n' >spec.yaml
    convoke explain spec.yaml --target x86-64-v3
    status 0; has "chosen for: any number of threads"
    convoke explain spec.yaml --target x86-64-v3 --threads 64
    status 0; has "chosen for: 64 threads, which take"
    convoke explain spec.yaml --target x86-64-v3 --threads 64 --format json; cp ../out many
    status 0; is_json "d['layers'][0]['threads'] == 64 and all(r['threads'] == 64 and r['judged_cycles'] < r['cycles'] for r in d['rows'])"
    convoke explain spec.yaml --target x86-64-v3 --threads 1 --format json
    status 0; is_json "json.load(open('many'))['layers'][0]['plan'] != d['layers'][0]['plan']"
    is_json "json.load(open('many'))['rows'][0]['judged_cycles'] < d['rows'][0]['judged_cycles'] / 10"
    convoke explain spec.yaml --threads 1025
    status 2; says "at most 1024"
}

case_explain_lists_every_plan_if_asked() {
    convoke explain "$root/specs/lenet.yaml" --format csv; cp ../out few
    convoke explain "$root/specs/lenet.yaml" --format csv --all
    status 0
    (($(wc -l <../out) >= $(wc -l <few))) || fail "--all lists fewer"
}

case_explain_in_json_gives_a_schedule_that_reads_back() {
    spec
    convoke explain spec.yaml --format json
    is_json "d['layers'][0]['proof']['output']['last_byte'] < d['layers'][0]['proof']['output']['bytes']"
    local plan
    plan=$(python3 -c "import json; print(json.load(open('../out'))['rows'][-1]['plan'])")
    spec "schedule: $plan"
    convoke explain spec.yaml
    status 0; has "plan: $plan"
}

run_cases
