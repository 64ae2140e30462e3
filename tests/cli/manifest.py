"""Does a manifest say what the object's header says? `manifest.py MANIFEST HEADER`, of the spec in compile.sh."""
import json
import re
import sys

manifest = json.load(open(sys.argv[1]))
header = open(sys.argv[2]).read()
assert list(manifest) == ["version", "convoke", "abi", "network", "prefix", "files", "targets", "layers"], list(manifest)
assert manifest["version"] == 1 and manifest["network"] == "net" and manifest["prefix"] == "p_"
assert sorted(manifest["files"]) == ["spec.h", "spec.json", "spec.o"], manifest["files"]
assert [t["name"] for t in manifest["targets"]] == ["x86-64-v3", "x86-64"]
assert manifest["targets"][0]["triple"] == "x86_64-unknown-linux-gnu" and "avx2" in manifest["targets"][0]["cpu_features"]

(layer,) = manifest["layers"]
assert (layer["name"], layer["symbol"], layer["type"]) == ("one", "p_net_one", "cvk_kernel_set")
assert layer["dtypes"] == {"input": "f32", "weights": "f32", "output": "f32"}, layer["dtypes"]
assert f"extern const {layer['type']} {layer['symbol']};" in header
assert layer["shapes"] == {"input": [1, 3, 8, 8], "weights": [4, 3, 3, 3], "output": [1, 4, 6, 6]}, layer["shapes"]
assert layer["layouts"] == {"input": "channels_first", "output": "channels_first"}
assert layer["post_ops"] == ["add", {"leaky_relu": 0.1}, {"clamp": [-1, 6]}, {"scale": "per_channel"}], layer["post_ops"]
assert "out_channels: 4" in layer["spec"]

macros = {name: int(value) for name, value in re.findall(rf"#define {layer['symbol']}_(\w+) (\d+)", header)}
assert len(macros) == 18, macros
# Of gradients of weights, maxima, gates and integers alone: the manifest's, and no macros.
for name in ("gradient", "indices", "gate", "shift"):
    buffer = layer["buffers"].pop(name)
    assert buffer["bytes"] == 0 and f"{name.upper()}_BYTES" not in macros, name
for name, buffer in layer["buffers"].items():
    assert macros[f"{name.upper()}_BYTES"] == buffer["bytes"], name
    assert macros[f"{name.upper()}_ALIGNMENT"] == buffer["alignment"], name
    variants = [v["buffers"][name] for v in layer["variants"]]
    assert buffer["bytes"] == max(v["bytes"] for v in variants), name
    assert buffer["alignment"] == max(v["alignment"] for v in variants), name
assert layer["buffers"]["input"]["bytes"] == 4 * 3 * 8 * 8 and layer["buffers"]["scale"]["bytes"] == 4 * 4

for variant in layer["variants"]:
    assert f" * for {variant['target']}\n" in header and f" *   plan {variant['plan']}" in header, variant
    assert f" *   {', then '.join(map(str, variant['tasks']))} tasks\n" in header and variant["kilocycles"] > 0
