#!/usr/bin/env bash
# Databases of records: listed, shown, merged and pruned, whole or not at all.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

# A record a line: layer's name, trial, ratio, and the version of convoke.
version=$("$command" --version | cut -d' ' -f2)
record() {
    printf '{"kind":"%s","layer":"{name: layer, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3}","target":"x86-64-v3","cpu":"Some CPU","llvm":"19.1.7","convoke":"%s","name":"%s","plan":"{tile: %s}","outcome":"correct","seconds":0.001,"ratio":%s,"trial":%s}\n' \
        "${5:-trial}" "${4:-$version}" "$1" "$2" "$3" "$2"
}
lines() { cat "$1"/*.jsonl | sort; }

case_list_has_a_row_a_layer_and_machine() {
    mkdir db; { record one 1 1.5; record one 2 0.9; record one 2 0.9 "$version" match; } >db/a.jsonl
    record one 1 1.0 9.9.9 >db/b.jsonl
    convoke db list db
    status 0; silent; has "Some CPU"; has "no match"
    convoke db list db --format json
    status 0; is_json "[(r['trials'], r['match']) for r in d['rows']] == [(2, 0.9), (1, None)] and d['torn'] == 0"
}

case_show_has_a_row_a_record() {
    mkdir db; { record one 1 1.5; record two 2 0.9; printf '{"layer":"cut sh'; } >db/a.jsonl
    convoke db show db --format json
    status 0; is_json "[(r['layer'], r['trial'], r['ratio']) for r in d['rows']] == [('one', 1, 1.5), ('two', 2, 0.9)]"
    convoke db show db --layer '^two$' --format csv
    status 0; [[ $(wc -l <../out) == 2 ]] || fail "$(<../out)"
    convoke db list db --format json
    is_json "d['torn'] == 1"
}

case_merge_has_each_record_once() {
    mkdir a b; { record one 1 1.5; record one 2 0.9; } >a/x.jsonl; { record one 2 0.9; record one 3 1.1; } >b/y.jsonl
    convoke db merge a b -o all
    status 0; has "3 records, 3 of them new"
    same <(lines all) <(cat a/* b/* | sort -u)
    convoke db merge b a -o all
    status 0; has "3 records, 0 of them new"
    same <(lines all) <(cat a/* b/* | sort -u)
    record one 4 1.2 >b/z.jsonl
    convoke db merge b -o all
    status 0; has "4 records, 1 of them new"
    same <(lines all) <(cat a/* b/* | sort -u)
}

case_prune_leaves_what_this_version_recorded_in_one_file() {
    local llvm
    mkdir db; { record one 1 1.5; record one 2 1.5 9.9.9; printf 'torn'; } >db/a.jsonl; record one 3 2.0 >db/b.jsonl
    llvm=$(llvm-config-19 --version); sed -i "s/19.1.7/$llvm/" db/*.jsonl
    { record one 1 1.5; record one 3 2.0; } | sed "s/19.1.7/$llvm/" >wanted
    convoke db prune db
    status 0; silent; has "2 records kept, 1 of other versions removed, 1 lines that were none"
    [[ $(ls db | wc -l) == 1 ]] || fail "$(ls db)"
    same <(lines db) wanted
    convoke db prune db
    status 0; same <(lines db) wanted
}

# A database of a trial, a failure and a match of a real plan, texts with everything in them that a form could trip over.
real_database() {
    spec
    mkdir db
    "$command" explain spec.yaml --all --format json --target x86-64-v3 >explained.json
    python3 - <<'END'
import json
plans = [row["plan"] for row in json.load(open("explained.json"))["rows"]]
key = {"layer": "{name: layer, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3}", "target": "x86-64-v3", "llvm": "19.1.7",
       "convoke": "0.1.0", "cpu": 'A "CPU", of\nétude'}
with open("db/a.jsonl", "w") as f:
    for i, plan in enumerate(plans[:6]):
        f.write(json.dumps({"kind": "trial", **key, "name": "one", "plan": plan, "outcome": "correct", "seconds": 0.001 / (i + 3),
            "ratio": 1.1, "compile_seconds": 0.0312345678, "trial": i, "time": 1795916454123 + i}) + "\n")
    for i, outcome in enumerate(["timeout", "compile", "runtime", "correctness", "constraints"]):
        f.write(json.dumps({"kind": "trial", **key, "name": "one", "plan": plans[i], "outcome": outcome, "why": 'it, "said"',
            "trial": 10 + i, "threads": 2, "time": 5}) + "\n")
    f.write(json.dumps({"kind": "match", **key, "name": "one", "plan": plans[1], "pick": plans[0], "outcome": "correct",
        "seconds": 1e-4, "crowned": True, "chance": 1e-9, "time": 7}) + "\n")
END
}

case_what_is_exported_is_imported_as_it_was() {
    local form
    real_database
    convoke db merge db -o own # with as many digits as convoke writes
    for form in t4 kernel-tuner csv; do
        convoke db export own --format $form -o $form
        status 0; silent
        [[ $form == t4 ]] && rm t4/metadata.json
        convoke db import $form/* --format $form -o back-$form
        status 0; silent
        same <(lines own) <(lines back-$form)
        convoke db merge back-$form -o own
        status 0; has "12 records, 0 of them new"
    done
}

case_exports_have_the_form_that_others_read() {
    real_database
    convoke db export db --format t4 -o t4; status 0
    cp t4/results.json ../out
    is_json "d['schema_version'] == '1.0.0' and len(d['results']) == 12"
    is_json "all(set(r) >= {'timestamp', 'configuration', 'objectives', 'times', 'invalidity', 'correctness', 'measurements'} for r in d['results'])"
    is_json "[r['invalidity'] for r in d['results']][6:11] == ['timeout', 'compile', 'runtime', 'correctness', 'constraints']"
    is_json "abs(d['results'][0]['measurements'][0]['value'] - 1 / 3) < 1e-6 and d['results'][0]['measurements'][0]['unit'] == 'ms'"
    is_json "d['results'][0]['times']['compilation_time'] == d['results'][0]['times']['compilation'] > 31 and d['results'][0]['timestamp'] == '2026-11-29T01:40:54.123+00:00'"
    is_json "isinstance(d['results'][0]['configuration']['tile_oc'], int)"
    cp t4/metadata.json ../out
    is_json "d['schema_version'] == '1.0.0' and d['metadata']['hardware']['hardware_description'][0]['cpu'].startswith('A')"
    convoke db export db --format kernel-tuner -o kt; status 0
    [[ $(ls kt | wc -l) == 2 ]] || fail "a file a key: $(ls kt)"
    for file in kt/*; do
        cp "$file" ../out
        is_json "set(d) == {'schema_version', 'device_name', 'kernel_name', 'problem_size', 'tune_params_keys', 'tune_params', 'objective', 'cache'} and d['schema_version'] == '1.1.0'"
        is_json "all(','.join(str(e[k]) for k in d['tune_params_keys']) == name for name, e in d['cache'].items())"
        is_json "all(e[k] in d['tune_params'][k] for e in d['cache'].values() for k in d['tune_params_keys'])"
        is_json "all(set(e) >= {'time', 'times', 'compile_time', 'verification_time', 'benchmark_time', 'strategy_time', 'framework_time', 'timestamp'} for e in d['cache'].values())"
        is_json "all(isinstance(e['time'], float) or e['time'] in ('InvalidConfig', 'CompilationFailedConfig', 'RuntimeFailedConfig') for e in d['cache'].values())"
    done
    convoke db export db --format csv -o csv; status 0
    python3 -c "
import csv
rows = list(csv.DictReader(open('csv/records.csv')))
assert len(rows) == 12 and rows[6]['why'] == 'it, \"said\"' and rows[0]['cpu'].startswith('A \"CPU\", of\n')" || fail "csv"
}

case_what_is_no_export_is_refused() {
    real_database
    echo '{"results": [{}]}' >x; convoke db import x --format t4 -o back; status 3; says "x is no t4 file that convoke wrote"
    echo '{"cache": 3}' >x; convoke db import x --format kernel-tuner -o back; status 3
    printf 'layer,plan\n"a,b\n' >x; convoke db import x --format csv -o back; status 3
    convoke db export db --format text -o y; status 2; says "--format is t4, kernel-tuner or csv"
    convoke db export db --format t4; status 2; says "-o says where"
    convoke db import nowhere --format t4 -o y; status 6; says "nowhere: cannot be read"
    convoke db list db --format t4; status 2
}

case_what_is_wrong_is_said() {
    convoke db lits x; status 2; says 'did you mean `list`?'
    convoke db list; status 2; says "a database is missing"
    convoke db list nowhere; status 6; says "nowhere: error[E0100]: the database cannot be opened"
    convoke db merge "$root"; status 2; says "-o says where"
    convoke db; status 2; says 'missing is `ACTION`'
}

run_cases
