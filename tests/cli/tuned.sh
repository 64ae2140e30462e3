#!/usr/bin/env bash
# --tuned: the plan that a database knows is used by every verb that takes it; what it does not know is said.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
make_match=$3

tuned() { mkdir -p db; "$make_match" spec.yaml db >plan || fail "make_match"; }
explained() { convoke explain spec.yaml "$@" --format json; status 0; }

case_every_verb_uses_the_plan() {
    spec; tuned
    explained --tuned db; silent
    is_json "d['layers'][0]['plan'] == open('plan').read().strip() and 'took 0.750 of the time' in d['layers'][0]['plan_from']"
    explained; is_json "d['layers'][0]['plan'] != open('plan').read().strip() and d['layers'][0]['plan_from'] is None"
    convoke explain spec.yaml --tuned db; status 0; silent; has "the plan is that of db"
    convoke compile spec.yaml -o out --emit obj,json,explain --tuned db
    status 0; silent; grep -qF "$(<plan)" out/spec.json || fail "compile"
    grep -qF "the plan is that of db" out/spec.explain || fail "explain of compile"
    convoke check spec.yaml --tuned db --format json; status 0; silent; cp ../out checked
    convoke bench spec.yaml --tuned db --threads 1 --format json; status 0; silent
    is_json "d['rows'][0]['plan'] == json.load(open('checked'))['rows'][0]['plan']"
    convoke bench spec.yaml --threads 1 --format json
    is_json "d['rows'][0]['plan'] != json.load(open('checked'))['rows'][0]['plan']"
}

case_a_database_of_another_cpu_is_not_used_and_that_is_said() {
    spec; tuned
    sed -i 's/"cpu":"[^"]*"/"cpu":"Another CPU"/' db/*.jsonl
    explained --tuned db; says "nothing is known of 1 of 1 layers; of the first, one: the plan is the model's: db has this layer of another CPU: Another CPU"
    is_json "d['layers'][0]['plan'] != open('plan').read().strip()"
    convoke compile spec.yaml -o out --tuned db; status 0; says "another CPU"
    convoke bench spec.yaml --threads 1 --tuned db; status 0; says "another CPU"
}

case_other_layers_threads_and_versions_are_said() {
    spec; tuned
    explained --tuned db --threads 2; says "0 threads"
    sed -i 's/"convoke":"[^"]*"/"convoke":"9.9.9"/' db/*.jsonl
    explained --tuned db; says "convoke 9.9.9"
    spec "bias: true"; explained --tuned db; says "has no match of this layer"
    mkdir empty; explained --tuned empty; says "has no match of this layer"
    convoke explain spec.yaml --tuned nowhere; status 6; says "nowhere: error[E0100]: the database cannot be opened"
}

case_an_override_of_bench_is_of_another_layer() {
    spec; tuned
    convoke bench spec.yaml --threads 1 --plain --tuned db; status 0; silent
    convoke bench spec.yaml --threads 1 --accuracy strict --tuned db; status 0; says "has no match of this layer"
}

case_compile_for_several_targets_uses_what_is_known_of_each() {
    [[ $(uname -m) == x86_64 ]] || skip "the targets named are x86-64"
    spec; tuned
    local host; host=$("$command" print targets | sed -n 's/^# host, native: //p')
    [[ $host != x86-64 ]] || skip "the host is the least of the targets"
    convoke compile spec.yaml -o out --target "$host,x86-64" --emit json,obj --tuned db
    status 0; says "nothing is known of 1 of 2 layers"; says "for the target $host"
    grep -qF "$(<plan)" out/spec.json || fail "the plan of $host"
}

case_the_depfile_names_the_database() {
    spec; tuned
    convoke compile spec.yaml -o out --tuned db -MD out.d
    status 0; grep -qE '^ db \\$' out.d && grep -qE '^ db/.*\.jsonl' out.d || fail "$(<out.d)"
}

run_cases
