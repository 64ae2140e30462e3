#!/usr/bin/env bash
# The object FILE asks nothing of the program that links it: no symbols, no memory to write to, no code that runs first.
set -euo pipefail
object=$1
fail() { echo "$object: $1" >&2; exit 1; }

[[ -z $(nm -u "$object") ]] || fail "undefined symbols: $(nm -u "$object")"
writable=$(readelf -SW "$object" | sed 's/^ *\[ *[0-9]*\] *//' | awk '$7 ~ /W/ && $5 !~ /^0+$/ && $1 !~ /^\.data\.rel\.ro/ {print $1}')
[[ -z $writable ]] || fail "writable data: $writable"
readelf -SW "$object" | grep -Eq '\.(init|fini|ctors|dtors)' && fail "constructors"
readelf -SW "$object" | grep -q '\.note\.GNU-stack' || fail "asks for an executable stack"
strings "$object" | grep -q "$PWD" && fail "holds a path"
exported=$(nm -g --defined-only "$object" | awk '{print $3}' | sort | tr '\n' ' ')
[[ $exported == "example_block example_edges " ]] || fail "exports $exported"
