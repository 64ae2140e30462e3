"""A network that was imported gives what onnxruntime gives for the model that it was: whole.py SPEC FOLDER

FOLDER is where whole.js wrote to; weights lie beside SPEC, as imports write them."""
import json
import pathlib
import sys

import numpy

import convoke

spec, folder = map(pathlib.Path, sys.argv[1:3])
shapes = json.loads((folder / "shapes.json").read_text())
TOLERANCE = 1e-4  # of the largest number there is: sums of floats in other orders, some hundred layers one after another


def read(name, shape):
    return numpy.fromfile(folder / f"{name}.f32", numpy.float32).reshape(shape)


net = convoke.Network(spec, cache="off")
net.load({name: numpy.load(spec.parent / f"{name}.npy") for name in net.weights})
given = [read(f"{i}.in", shape) for i, shape in enumerate(net.inputs.values())]
results = net(*given)
results = results if isinstance(results, tuple) else (results,)
last = [f"{name}: {{layout: channels_last}}" in spec.read_text() for name in net.outputs]
results = [numpy.moveaxis(a, 1, -1) if turned else a for a, turned in zip(results, last)]
assert len(results) == len(shapes["outputs"]), f"{len(results)} outputs, not {len(shapes['outputs'])}"
for i, (got, shape) in enumerate(zip(results, shapes["outputs"])):
    expected = read(f"{i}.out", shape)
    assert got.size == expected.size, f"output {i} is {got.shape}, not {expected.shape}"
    error = numpy.abs(got.reshape(shape) - expected).max() / numpy.abs(expected).max()
    print(f"{spec.stem}: output {i}, {'x'.join(map(str, shape))}, is right to {error:.2g} of its largest number, {numpy.abs(expected).max():.3g}")
    assert error < TOLERANCE, "that is not enough"
