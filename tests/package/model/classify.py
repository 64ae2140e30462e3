"""classify.py LIBRARY SPEC TUNED FOLDER: the model compiled ahead of time, from a library, and just in time, from its spec and arrays,
on FOLDER/0.in.f32; both give FOLDER/c.f32, which the program of C put out, to the last bit, and FOLDER/0.out.f32, which is
onnxruntime's, to TOLERANCE of its largest number."""
import ctypes
import pathlib
import sys

import numpy

import convoke

library, spec, tuned, folder = ctypes.CDLL(sys.argv[1]), *map(pathlib.Path, sys.argv[2:5])
TOLERANCE = 1e-4
x, expected, of_c = (numpy.fromfile(folder / f"{name}.f32", numpy.float32) for name in ("0.in", "0.out", "c"))

floats = ctypes.POINTER(ctypes.c_float)
library.model_outputs.restype = ctypes.c_size_t
ahead = numpy.empty(library.model_outputs(), numpy.float32)
assert library.model_run(x.ctypes.data_as(floats), ahead.ctypes.data_as(floats)) == 0

net = convoke.Network(spec, tuned=tuned, cache="off")
net.load({name: numpy.load(spec.parent / f"{name}.npy") for name in net.weights})
(shape,) = net.inputs.values()
just_in_time = net(x.reshape(shape)).ravel()

for name, y in (("C", of_c), ("ahead of time", ahead), ("just in time", just_in_time)):
    error = numpy.abs(y - expected).max() / numpy.abs(expected).max()
    assert error < TOLERANCE, f"{name}: {error:.2g} from onnxruntime"
assert (of_c == ahead).all() and (of_c == just_in_time).all(), "other bits"
print(f"right to {numpy.abs(ahead - expected).max() / numpy.abs(expected).max():.2g} of the largest number")
