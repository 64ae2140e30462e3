"""Blurs a small picture with a 3 x 3 mean, and prints it."""

import numpy

import convoke

blur = convoke.compile({"name": "blur", "input": [1, 1, 4, 6], "out_channels": 1, "kernel_size": 3, "padding": 1,
                        "padding_mode": "replicate", "bias": True})
picture = numpy.zeros(blur.input_shape, numpy.float32)
picture[..., 3:] = 9
blurred = blur(picture, numpy.full(blur.weights_shape, 1 / 9, numpy.float32), bias=[1])
for row in blurred[0, 0]:
    print("".join(f"{value:5.1f}" for value in row))
