#!/usr/bin/env bash
# tune: trials are recorded, nothing is tried twice, and what is wrong is said.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

plans() { "$command" db show "$@" --format json | python3 -c '
import json, sys
for row in json.load(sys.stdin)["rows"]:
    if row["kind"] == "trial": print(row["schedule"])'; }

case_tune_tries_records_and_holds_a_match() {
    spec
    convoke tune spec.yaml --budget 6 --db db --format json
    status 0; silent; is_json "(d['rows'][0]['layer'], d['rows'][0]['trials'], d['rows'][0]['tried'], d['strategy'], d['seed']) == ('one', 6, 6, 'local', 1)"
    is_json "d['rows'][0]['winner'] and d['rows'][0]['plan'].startswith('{algorithm')"
    convoke db list db --format json
    is_json "d['rows'][0]['trials'] == 6 and d['rows'][0]['crowned'] != 'no match'"
    convoke db show db --format json
    is_json "[r['trial'] for r in d['rows']] == [0, 1, 2, 3, 4, 5, None]"
}

case_the_same_command_tries_nothing_again() {
    spec
    convoke tune spec.yaml --budget 5 --db db
    local before; before=$(cat db/*.jsonl | wc -l)
    convoke tune spec.yaml --budget 5 --db db --format json
    status 0; is_json "(d['rows'][0]['trials'], d['rows'][0]['tried']) == (5, 0)"
    [[ $(cat db/*.jsonl | wc -l) == "$before" ]] || fail "more records"
}

case_every_strategy_and_kind_of_budget_works() {
    local strategy budget
    spec
    for strategy in exhaustive random model local tabu surrogate; do
        convoke tune spec.yaml --budget 4 --strategy $strategy --db $strategy --format json
        status 0; is_json "d['rows'][0]['trials'] == 4 and d['strategy'] == '$strategy'"
    done
    convoke tune spec.yaml --budget 1s --db time --format json
    status 0; is_json "d['rows'][0]['trials'] > 0"
    printf 'version: 1\nlayers: [{name: tiny, input: [1, 1, 2, 2], out_channels: 1, kernel_size: 1}]\n' >tiny.yaml
    convoke tune tiny.yaml --budget all --strategy model --db all --format json
    status 0; is_json "d['rows'][0]['trials'] > 1"
}

case_an_interrupt_leaves_whole_records_and_the_same_trials() {
    spec
    "$command" tune spec.yaml --budget 12 --strategy random --seed 3 --db once >/dev/null || fail "tune"
    for _ in 1 2 3; do timeout --foreground -s INT 0.4 "$command" tune spec.yaml --budget 12 --strategy random --seed 3 --db often >/dev/null 2>err; done
    convoke tune spec.yaml --budget 12 --strategy random --seed 3 --db often
    status 0; same <(plans once) <(plans often)
    convoke db list often --format json; is_json "d['torn'] == 0 and d['repeats'] == 0"
}

case_shards_make_the_trials_of_one_process() {
    spec
    "$command" tune spec.yaml --budget 12 --strategy random --db whole >/dev/null || fail "tune"
    for i in 0 1 2; do
        convoke tune spec.yaml --budget 12 --strategy random --db part$i --shard $i/3
        status 0
    done
    convoke db merge part0 part1 part2 -o merged
    status 0; same <(plans whole | sort) <(plans merged | sort -u)
    convoke tune spec.yaml --budget 12 --strategy random --db merged --format json
    status 0; is_json "d['rows'][0]['tried'] == 0 and d['rows'][0]['trials'] == 12 and d['rows'][0]['winner'] != 'no match'"
}

case_what_is_wrong_is_said() {
    spec
    convoke tune spec.yaml --strategy lcoal; status 2; says 'did you mean `local`?'
    convoke tune spec.yaml --budget 5x; status 2; says "--budget is a number of trials"
    convoke tune spec.yaml --shard 3/3; status 2; says "--shard is I/N"
    convoke tune spec.yaml --shard auto; status 2; says "--shard is I/N"
    touch file; convoke tune spec.yaml --db file/db; status 6; says "cannot be made"
    convoke tune nowhere.yaml; status 6
}

run_cases
