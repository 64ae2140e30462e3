#!/usr/bin/env bash
# Does npm take the JavaScript package, and does a program that installed it run kernels? CONVOKE ROOT
convoke=$1 root=$2
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../cross/tools.sh"
need node wasm-ld-19 npm

cd "$scratch"
npm pack --silent "$root/bindings/javascript" >packed
tar tzf convoke-*.tgz | sort >files
printf 'package/%s\n' README.md convoke.js package.json | sort | cmp - files || fail "packed: $(<files)"
version=$(sed -n 's/^project(convoke VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
[[ -e convoke-$version.tgz ]] || fail "the package is not of version $version: $(<packed)"
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --offline --no-audit --no-fund "./convoke-$version.tgz"

cp "$root/examples/layers.yaml" .
printf '  - {name: many, input: [any, 2, 4, 4], out_channels: 2, kernel_size: 1, bias: true, post_ops: [add], dtype: f64}\n' >>layers.yaml
printf '  - {name: halves, input: [1, 1, 4], out_channels: 1, kernel_size: 1, bias: true, dtype: f16}\n' >>layers.yaml
printf '  - {name: pool, kind: max_pool, input: [any, 1, 4], kernel_size: 2, stride: 2, indices: true}\n' >>layers.yaml
printf '  - {name: learn, input: [any, 1, 2], out_channels: 1, kernel_size: 1, direction: backward_weights}\n' >>layers.yaml
"$convoke" compile layers.yaml -o . --target wasm32-simd128
wasm-ld-19 --no-entry --export-all --no-gc-sections --export-table layers.o -o layers.wasm
cp "$here/kernels.mjs" "$here/network.mjs" . && node kernels.mjs

cp "$here/network.yaml" .
"$convoke" compile network.yaml -o . --target wasm32-simd128
wasm-ld-19 --no-entry --export-all --no-gc-sections --export-table network.o -o network.wasm
node network.mjs
