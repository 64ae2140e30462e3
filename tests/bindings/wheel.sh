#!/usr/bin/env bash
# wheel.sh ROOT PYTHON: makes the wheel as docs/embedding.md says, from a copy of the sources, and uses it in a fresh virtual
# environment: no environment variable, no network, no clone.
set -euo pipefail
root=$1 python=$2
for module in pip setuptools wheel venv ensurepip numpy; do
    "$python" -c "import $module" 2>/dev/null || { echo "skipped: there is no Python module $module"; exit 77; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset CONVOKE_LIBRARY PYTHONPATH LD_LIBRARY_PATH
export CONVOKE_CACHE=off PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
fail() { echo "$1"; exit 1; }

mkdir "$scratch/clone"
tar -C "$root" --exclude='./build*' --exclude=./out --exclude=./.git -c . | tar -C "$scratch/clone" -x
cd "$scratch/clone"
find . -type f -not -path './build/*' | sort >"$scratch/before"
"$python" -m pip wheel bindings/python --no-build-isolation --no-deps -w "$scratch/wheels" >"$scratch/log" 2>&1 ||
    { tail -n 40 "$scratch/log"; fail "pip wheel failed"; }
find . -type f -not -path './build/*' | sort | diff "$scratch/before" - || fail "the sources are not as they were"
cd "$scratch"
rm -rf clone

wheel=(wheels/*.whl)
[[ ${wheel[0]} == wheels/convoke-*-py3-none-linux_*.whl && ${#wheel[@]} == 1 ]] || fail "the wheel is ${wheel[*]}"
"$python" -m venv --system-site-packages venv
venv/bin/pip install --no-deps "${wheel[0]}" >log 2>&1 || { cat log; fail "pip install failed"; }
venv/bin/pip show -f convoke >shown
grep -q 'Requires: numpy' shown && grep -q 'py.typed' shown || fail "the wheel shows: $(<shown)"
venv/bin/python - "$scratch/venv" <<'PROGRAM'
import sys
import convoke
assert convoke.__file__.startswith(sys.argv[1]), convoke.__file__
PROGRAM
blurred=$(venv/bin/python "$root/bindings/python/examples/blur.py")
[[ $blurred == "  1.0  1.0  4.0  7.0 10.0 10.0"* ]] || fail "blur.py printed: $blurred"
# Every library of ours that is loaded lies in the environment.
venv/bin/python -c 'import convoke
convoke.compile({"name": "a", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 1})
print(*{line.split()[-1] for line in open("/proc/self/maps") if "libconvoke" in line}, sep="\n")' >loaded
[[ $(grep -c "^$scratch/venv/.*/convoke/libconvoke" loaded) == 3 && $(wc -l <loaded) == 3 ]] || fail "loaded: $(<loaded)"
venv/bin/pip uninstall -y convoke >log 2>&1
! find venv -path '*convoke*' | grep . || fail "something is left behind"
