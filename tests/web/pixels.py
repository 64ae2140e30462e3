"""What the canvases show against the interpreter: pixels.py CONVOKE EXAMPLE FOLDER, where FOLDER has seen.json of browse.js."""
import json
import subprocess
import sys
from pathlib import Path

import numpy

convoke, example, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
seen = json.loads((folder / "seen.json").read_text())
weights = json.loads((example / "weights.json").read_text())
CANVAS = (240, 320, 4)
SHAPES = {"blur": (4, 1, 5, 5), "sharpen": (4, 1, 3, 3), "emboss": (4, 1, 3, 3), "cnn_edges": (8, 4, 3, 3),
          "cnn_around": (8, 1, 5, 5), "cnn_corners": (4, 8, 1, 1)}


def save(name, values, shape):
    numpy.save(folder / name, numpy.asarray(values, numpy.float32).reshape(shape))
    return folder / name


def interpret(layer, x):
    arguments = ["--input", save("x.npy", x, x.shape), "--weights", save("w.npy", weights[layer]["weights"], SHAPES[layer])]
    if "bias" in weights[layer]:
        arguments += ["--bias", save("b.npy", weights[layer]["bias"], -1)]
    subprocess.run([convoke, "run", example / "picture.yaml", "--layer", layer, *arguments, "--reference", "--output",
                    folder / "y.npy"], check=True)
    return numpy.load(folder / "y.npy")


def shown(y):
    """As a canvas rounds: the nearest byte, of two the even one."""
    pixels = numpy.full(CANVAS, 255)
    pixels[..., :3] = numpy.clip(numpy.rint(y[0, :3].transpose(1, 2, 0)), 0, 255)
    return pixels


picture = numpy.array(seen["canvases"]["source"], numpy.float32).reshape(CANVAS).transpose(2, 0, 1)[None]
x = picture
assert len(numpy.unique(picture)) > 50, "the picture is blank"
for layer in SHAPES:
    y = interpret(layer, x if layer.startswith("cnn") else picture)
    if layer.startswith("cnn"):
        x = y
    got = numpy.array(seen["canvases"][layer]).reshape(CANVAS)
    wrong = numpy.argwhere(got != shown(y))
    assert not len(wrong), f"{layer}: {len(wrong)} values differ, first at {wrong[0]}: {got[tuple(wrong[0])]}, not {shown(y)[tuple(wrong[0])]}"
    assert len(numpy.unique(got)) > 10, f"{layer}: blank"
differences = [float(row["difference"]) for row in seen["rows"]]
assert len(differences) == len(SHAPES) and max(differences) < 1e-3, differences
print(f"{len(SHAPES)} layers right")
