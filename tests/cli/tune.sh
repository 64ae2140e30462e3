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
    status 0; silent; is_json "(d['rows'][0]['layer'], d['rows'][0]['trials'], d['rows'][0]['tried'], d['strategy'], d['seed']) == ('one', 6, 6, 'surrogate', 1)"
    is_json "d['rows'][0]['winner'] and d['rows'][0]['plan'].startswith('{algorithm')"
    convoke db list db --format json
    is_json "d['rows'][0]['trials'] == 6 and d['rows'][0]['crowned'] != 'no match'"
    convoke db show db --format json
    is_json "[r['trial'] for r in d['rows']] == [0, 1, 2, 3, 4, 5, None]"
}

case_kernels_of_several_threads_are_tried_on_them() {
    spec
    convoke tune spec.yaml --budget 3 --threads 2 --db db --format json
    status 0; silent; is_json "d['rows'][0]['trials'] == 3"
    convoke db list db --format json; is_json "d['rows'][0]['threads'] == 2 and d['rows'][0]['failed'] == 0"
}

case_layers_that_cannot_be_are_told_and_the_others_tuned() {
    printf 'version: 1\nlayers:\n  - {name: none, input: [1, 4, 9, 9], out_channels: 4, kernel_size: 3, stride: 2, algorithm: winograd}\n  - {name: one, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3}\n' >spec.yaml
    convoke tune spec.yaml --budget 3 --db db --format csv
    status 4; says "algorithm winograd cannot do this layer"; grep -q '^one,,3,' ../out || fail "$(<../out)"
}

# A transposed layer is a problem for each phase of its strides, each with a plan of its own.
case_layers_of_several_problems_are_tuned_and_their_plans_used() {
    printf 'version: 1\nlayers:\n  - {name: up, input: [1, 8, 9, 9], out_channels: 8, kernel_size: 3, stride: 2, padding: 1, transposed: true}\n  - {name: gradient, input: [2, 16, 64, 64], out_channels: 16, kernel_size: 1, direction: backward_weights}\n' >spec.yaml
    convoke tune spec.yaml --budget 12 --db db --format json
    status 0; silent; is_json "[(r['layer'], r['trials'], r['failed']) for r in d['rows']] == [('up', 12, 0), ('gradient', 12, 0)]"
    is_json "all(r['winner'] for r in d['rows'])"
    python3 - <<'END' || fail "db"
import glob, json
lines = [json.loads(l) for l in open(glob.glob("db/*.jsonl")[0])]
trials = [l for l in lines if l["kind"] == "trial" and l["name"] == "up"]
assert len({t["plan"] for t in trials}) == 12 and any(t["plan"].startswith("[{") for t in trials)
# as if the last trial had been crowned
m = next(l for l in lines if l["kind"] == "match" and l["name"] == "up")
wanted = [t["plan"] for t in trials if t["plan"].startswith("[{")][-1]
json.dump(dict(m, plan=wanted, crowned=True, ratio=0.75, turns=50, time=m["time"] + 1000), open("db/z.jsonl", "w"))
open("db/z.jsonl", "a").write("\n")
open("plan", "w").write(wanted)
END
    convoke explain spec.yaml --layer up --tuned db --format json
    status 0; silent; is_json "d['layers'][0]['plan'] == open('plan').read() and 'took 0.750 of the time' in d['layers'][0]['plan_from']"
    convoke compile spec.yaml --layer up -o out --emit json,obj --tuned db
    status 0; silent; grep -qF "$(<plan)" out/spec.json || fail "compile --tuned"
    convoke check spec.yaml --tuned db; status 0
    convoke report db -o page.html
    status 0; ! grep -q "cannot compile it any more" page.html || fail "report"
    convoke tune --simulate db --strategy exhaustive,local,surrogate --repeat 2 --budget 12 --format json
    status 0; is_json "d['rows'][0]['layers'] == 2 and all(r['median'][-1] == 1 for r in d['curves'].values())"
    convoke db export db --format kernel-tuner -o exported; status 0
    cp exported/up-*.json ../out
    is_json "all(set(d['tune_params_keys']) <= set(e) for e in d['cache'].values()) and {'tile_oc', 'tile_oc_1', 'tile_oc_3'} <= set(d['tune_params_keys'])"
    convoke tune spec.yaml --budget 12 --db db --format json
    status 0; is_json "all(r['tried'] == 0 for r in d['rows'])"
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

# A database in which the model's second pick is the best of twenty, and every other plan a little slower than the pick.
recorded_space() {
    "$command" explain spec.yaml --all --format json --target x86-64-v3 >explained.json
    python3 - "$version" <<'END'
import json, os, sys
d = json.load(open("explained.json"))
os.mkdir("space")
with open("space/a.jsonl", "w") as f:
    for i, row in enumerate(d["rows"]):
        relative = [1.0, 0.5][i] if i < 2 else 1 + i / 100
        f.write(json.dumps({"kind": "trial", "layer": "{name: layer, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3}",
            "target": "x86-64-v3", "cpu": "c", "llvm": "1", "convoke": sys.argv[1], "name": "one", "plan": row["plan"],
            "outcome": "correct", "seconds": relative * 1e-3, "relative": relative, "trial": i}) + "\n")
print(len(d["rows"]))
END
}

case_strategies_are_replayed_on_a_recorded_space() {
    spec
    version=$("$command" --version | cut -d' ' -f2)
    local plans; plans=$(recorded_space)
    convoke tune --simulate space --strategy model,random --repeat 20 --budget 200 --svg plot.svg --format json
    status 0; silent
    is_json "[r['strategy'] for r in d['rows']] == ['model', 'random'] and d['rows'][0]['trials_to_98'] == 2"
    is_json "len(d['curves']['model']['median']) == 200 and d['curves']['model']['median'][:2] == [0.5, 1.0]"
    is_json "d['curves']['random']['median'][$plans - 1] == 1.0 and all(a <= b for a, b in zip(d['curves']['random']['low'], d['curves']['random']['low'][1:]))"
    python3 -c "
import xml.etree.ElementTree as tree
texts = [t.text for t in tree.parse('plot.svg').iter('{http://www.w3.org/2000/svg}text')]
assert 'model' in texts and 'random' in texts and 'trials' in texts" || fail "plot.svg"
    convoke tune --simulate space --strategy exhaustive,random,model,local,tabu,surrogate --repeat 3 --budget 30
    status 0; has "surrogate"
    mkdir none; convoke tune --simulate none; status 3; says "there is no layer with trials to replay"
    convoke tune --simulate space --repeat 0; status 2
    convoke tune --simulate space --strategy model,lcoal; status 2; says 'did you mean `local`?'
}

case_a_fit_wants_layers_of_this_machine() {
    spec
    version=$("$command" --version | cut -d' ' -f2)
    recorded_space >/dev/null
    convoke tune --fit space; status 3; says "trials of other machines"; says "two layers at least"
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

run_cases "${3:-.}"
