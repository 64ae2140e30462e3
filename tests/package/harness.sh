# Sourced by the scripts beside it: named cases, each run in an empty folder of its own, counted. ROOT is convoke's.
# `skip` ends a case that lacks something, which is named.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
edges=$'  0  30  30   0\n  0  30  30   0\n  0  30  30   0\n  0  30  30   0'
export CONVOKE_CACHE=off PYTHONDONTWRITEBYTECODE=1 CMAKE_GENERATOR=Ninja
unset LD_LIBRARY_PATH CONVOKE_LIBRARY CONVOKE_PEERS PYTHONPATH

fail() { echo "    $1"; touch ../failed; }
skip() { echo "$1" >../skipped; exit; }
needs() { local tool; for tool in "$@"; do command -v "$tool" >/dev/null || skip "there is no $tool"; done; }
# Runs a command; where it fails, shows what it said.
must() { "$@" >../log 2>&1 || { fail "$* failed"; tail -n 15 ../log; exit; }; }
mustnt() { ! "$@" >../log 2>&1 || fail "$* did not fail"; }
prints() { local got; got=$("${@:2}" 2>&1); [[ $got == *"$1"* ]] || fail "${*:2} printed: $got"; }
configure() { must cmake -S "$here/$1" -B "$1" -DEXAMPLES="$root/examples" -DBINDINGS="$root/bindings" "${@:2}"; }

# Cases whose names match a regular expression, or all.
run_cases() {
    local name passed=0 failed=0 skipped=0
    for name in $(declare -F | awk '$3 ~ /^case_/ {print $3}'); do
        [[ $name =~ ${1:-.} ]] || continue
        rm -rf "$scratch"/{case,failed,skipped} && mkdir "$scratch/case"
        (cd "$scratch/case" && "$name")
        if [[ -e $scratch/failed ]]; then
            echo "FAILED  $name"
            failed=$((failed + 1))
        elif [[ -e $scratch/skipped ]]; then
            echo "skipped $name: $(<"$scratch/skipped")"
            skipped=$((skipped + 1))
        else
            passed=$((passed + 1))
        fi
    done
    echo "$passed passed, $failed failed, $skipped skipped"
    ((passed > 0 && failed == 0))
}
