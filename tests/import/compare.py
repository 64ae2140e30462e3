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


def logical(array, products):
    """N C W of rows whose last axis are channels, as products have it."""
    return numpy.moveaxis(array.reshape(-1, *array.shape[-2:]), -1, 1) if products else array


def run(row, how):
    products, arguments = row["op"] in ("MatMul", "Gemm"), []
    arrays = [("--input", row["input"])] + [("--addend", a) for a in row["addends"].split()]
    for i, (option, name) in enumerate(arrays):
        numpy.save(folder / f"in{i}.npy", logical(tensor(name), products))
        arguments += [option, folder / f"in{i}.npy"]
    for what in ("weights", "bias", "scale"):
        path = spec.parent / f"{row['layer']}.{what}.npy"
        arguments += [f"--{what}", path] if path.exists() else []
    subprocess.run([convoke, "run", spec, "--layer", row["layer"], *arguments, *how, "--output", folder / "out.npy"], check=True)
    expected = logical(tensor(row["output"]), products)
    got = numpy.load(folder / "out.npy")
    assert got.shape == expected.shape, f"{row['layer']}: {got.shape}, not {expected.shape}"
    return numpy.abs(got - expected).max() / max(1.0, numpy.abs(expected).max())


rows = [row for row in json.loads(table.read_text())["rows"] if row["fate"] == "layer"]
worst, wrong = 0, []
for i, row in enumerate(rows):
    for how in [["--reference"]] + ([[]] if i % 8 == 0 else []):
        error = run(row, how)
        worst = max(worst, error)
        if not error < TOLERANCE:
            wrong.append(f"{row['layer']} {how}: {error:.3g}")
assert rows and not wrong, "\n".join(wrong)
print(f"{len(rows)} layers right, to {worst:.2g} of their largest number")
