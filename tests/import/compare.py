"""Each layer of an imported model on the tensors that onnxruntime has before it, against the one it has after it:

    compare.py CONVOKE SPEC TABLE FOLDER

By the interpreter all of them, every eighth also compiled. FOLDER is where tensors.js wrote to."""
import json
import pathlib
import subprocess
import sys

import numpy

convoke, spec, table, folder = sys.argv[1], *map(pathlib.Path, sys.argv[2:5])
names = json.loads((folder / "names.json").read_text())
TOLERANCE = 1e-4  # of the largest number there is: sums of floats in another order


def tensor(name):
    return numpy.fromfile(folder / names[name]["file"], numpy.float32).reshape(names[name]["dims"])


def logical(array, axis, shape):
    """N C and sizes: channels are moved to their place, and the shape is what the layer says."""
    if axis != -1 and axis == array.ndim - 1:
        array = numpy.moveaxis(array.reshape(shape[0], -1, array.shape[-1]), -1, 1)
    return array.reshape(shape)


def run(row, how):
    arguments = []
    shapes = {like: [int(size) for size in row[f"{like}_shape"].split("x")] for like in ("input", "output")}
    arrays = [("--input", row["input"], "input")] + [("--addend", a, "output") for a in row["addends"].split()]
    for i, (option, name, like) in enumerate(arrays):
        numpy.save(folder / f"in{i}.npy", logical(tensor(name), row[f"{like}_axis"], shapes[like]))
        arguments += [option, folder / f"in{i}.npy"]
    for i, name in enumerate(row["gates"].split()):
        numpy.save(folder / f"gate{i}.npy", tensor(name).reshape(shapes["output"][:2]))
        arguments += ["--gate", folder / f"gate{i}.npy"]
    for what in ("weights", "bias", "scale"):
        path = spec.parent / f"{row['layer']}.{what}.npy"
        several = numpy.load(path) if what == "scale" and path.exists() else numpy.zeros(0)
        for i, one in enumerate(several if several.ndim == 2 else []):
            numpy.save(folder / f"scale{i}.npy", one)
            arguments += ["--scale", folder / f"scale{i}.npy"]
        arguments += [f"--{what}", path] if path.exists() and several.ndim == 1 else []
    subprocess.run([convoke, "run", spec, "--layer", row["layer"], *arguments, *how, "--output", folder / "out.npy"], check=True)
    got = numpy.load(folder / "out.npy")
    expected = logical(tensor(row["output"]), row["output_axis"], got.shape)
    return numpy.abs(got - expected).max() / max(1.0, numpy.abs(expected).max())


rows = [row for row in json.loads(table.read_text())["rows"] if row["fate"] == "layer" and row["op"] != "Concat" and -2 not in (row["input_axis"], row["output_axis"])]
worst, wrong = 0, []
for i, row in enumerate(rows):
    for how in [["--reference"]] + ([[]] if i % 8 == 0 else []):
        error = run(row, how)
        worst = max(worst, error)
        if not error < TOLERANCE:
            wrong.append(f"{row['layer']} {how}: {error:.3g}")
assert rows and not wrong, "\n".join(wrong)
print(f"{len(rows)} layers right, to {worst:.2g} of their largest number")
