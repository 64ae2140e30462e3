# Sourced by the scripts beside it: named cases, each run in an empty folder of its own, counted.
#
#     case_it_does_something() { convoke check x.yaml; status 0; has "ok"; }
#     run_cases
#
# `convoke` runs the command and keeps its status, output and errors in files; the functions after it look at those.
set -uo pipefail
command=$1 root=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CONVOKE_CACHE=off # plans are by the table, whatever the machine
source "$here/../cases.sh"

convoke() { "$command" "$@" >../out 2>../err </dev/null; echo $? >../status; }

status() { [[ $(<../status) == "$1" ]] || fail "exit status $(<../status), not $1; stderr: $(<../err)"; }
has() { grep -qF -- "$1" ../out || fail "the output has no \"$1\""; }
says() { grep -qF -- "$1" ../err || fail "stderr has no \"$1\" but: $(<../err)"; }
silent() { [[ ! -s ../err ]] || fail "stderr: $(<../err)"; }
is_json() { python3 -c "import json, sys; d = json.load(open('../out')); assert $1, d" 2>../why || fail "JSON: $(tail -n 1 ../why)"; }
same() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }
files() { local got; got=$(ls -A "$1" | tr '\n' ' '); [[ $got == "${2:+$2 }" ]] || fail "$1 holds $got"; }

# A spec of one small layer with what is given added; and arrays.
spec() {
    printf 'version: 1\nname: net\nlayers:\n  - {name: one, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3%s}\n' \
        "${1:+, $1}" >spec.yaml
}
npy() { python3 "$here/npy.py" "$@"; }
