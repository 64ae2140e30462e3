"""Writes the arrays that the layers of layers.yaml take: `weights.py DIR`. Values are small integers."""
import pathlib
import subprocess
import sys

SHAPES = {
    "dense.weights": "33x19x3x3", "dense.bias": "33", "dense.scale": "33", "strided.weights": "64x32x3x3",
    "depthwise.weights": "32x1x3x3", "reflected.weights": "33x1x5x5", "winograd.weights": "64x64x3x3",
    "blocked.weights": "40x20x2x2x2", "edges.weights": "1x1x3x3", "batches.weights": "20x16x3x3",
    "transposed.weights": "20x33x5x5", "transposed.bias": "33", "halves.weights": "20x16x3x3", "brains.weights": "16x1x3x3",
}
npy = pathlib.Path(__file__).parent.parent / "cli" / "npy.py"
for name, shape in SHAPES.items():
    values = ["1", "0", "-1"] if name.startswith("edges") else ["1", "-2", "3", "0", "-1"]
    if name.endswith(".scale"):
        values = values[1:] + values[:1]
    subprocess.run([sys.executable, npy, "write", f"{sys.argv[1]}/{name}.npy", shape, *values], check=True)
