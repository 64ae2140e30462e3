# Sourced by the scripts beside it: a spec, what one process tries of it, and what many tried.
set -uo pipefail
command=$1
scratch=$(mktemp -d)
export CONVOKE_CACHE=off
tune=("$command" tune "$scratch/spec.yaml" --strategy random --seed 5 --budget 36)
skip() { echo "skipped: $1"; exit 77; }
fail() { echo "FAILED: $1"; exit 1; }
needs() { local tool; for tool in "$@"; do command -v "$tool" >/dev/null || skip "there is no $tool"; done; }

printf 'version: 1\nlayers: [{name: one, input: [1, 32, 20, 20], out_channels: 64, kernel_size: 3}]\n' >"$scratch/spec.yaml"

# The plans that were tried, in no order.
plans() {
    "$command" db show "$@" --format json | python3 -c '
import json, sys
print(*sorted(row["schedule"] for row in json.load(sys.stdin)["rows"] if row["kind"] == "trial"), sep="\n")'
}
# Kills the process that writes the newest of a folder's files, whose names end with its number.
kill_writer() {
    local newest
    newest=$(ls "$1" | tail -n 1)
    newest=${newest%.jsonl}
    kill -KILL "${newest##*-}"
}
records() { cat "$1"/*.jsonl 2>/dev/null | wc -l; }
# Waits, so many seconds at most.
until_true() {
    local i
    for ((i = 0; i < 10 * ${seconds:-120}; i++)); do
        "$@" && return
        sleep 0.1
    done
    return 1
}
one_process() { "${tune[@]}" --db "$scratch/whole" >/dev/null || fail "one process"; }
# All shards together, merged, are the trials of one process, each once but for the pick, which every shard needs; and a
# further run finds nothing left to try but the match.
expect_the_same() { # databases
    "$command" db merge "$@" -o "$scratch/merged" || fail "merge"
    diff <(plans "$scratch/whole") <(plans "$scratch/merged" | sort -u) || fail "other trials than those of one process"
    [[ $(plans "$scratch/merged" | sort | uniq -d | wc -l) -le 1 ]] || fail "a plan was tried by two shards"
    "${tune[@]}" --db "$scratch/merged" --format json | python3 -c '
import json, sys
row = json.load(sys.stdin)["rows"][0]
assert row["tried"] == 0 and row["trials"] == 36 and row["winner"] != "no match", row' || fail "the merged database is not complete"
    echo "passed"
}
