# Sourced by the scripts beside it: named cases, as tests/cases.sh runs them. ROOT is convoke's.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
edges=$'  0  30  30   0\n  0  30  30   0\n  0  30  30   0\n  0  30  30   0'
export CONVOKE_CACHE=off PYTHONDONTWRITEBYTECODE=1 CMAKE_GENERATOR=Ninja
unset LD_LIBRARY_PATH CONVOKE_LIBRARY CONVOKE_PEERS PYTHONPATH

source "$here/../cases.sh"
# Runs a command; where it fails, shows what it said.
must() { "$@" >../log 2>&1 || { fail "$* failed"; tail -n 15 ../log; exit; }; }
mustnt() { ! "$@" >../log 2>&1 || fail "$* did not fail"; }
prints() { local got; got=$("${@:2}" 2>&1); [[ $got == *"$1"* ]] || fail "${*:2} printed: $got"; }
configure() { must cmake -S "$here/$1" -B "$1" -DEXAMPLES="$root/examples" -DBINDINGS="$root/bindings" "${@:2}"; }
