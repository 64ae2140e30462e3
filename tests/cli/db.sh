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

case_what_is_wrong_is_said() {
    convoke db lits x; status 2; says 'did you mean `list`?'
    convoke db list; status 2; says "a database is missing"
    convoke db list nowhere; status 6; says "nowhere: error[E0100]: the database cannot be opened"
    convoke db merge "$root"; status 2; says "-o says where"
    convoke db; status 2; says 'missing is `ACTION`'
}

run_cases
