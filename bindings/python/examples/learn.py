"""Two layers learn, by gradient descent, what a filter for edges does to pictures of noise."""

from typing import Any

import numpy
from numpy.typing import NDArray

import convoke

SPEC = """
version: 1
defaults: {kernel_size: 3, padding: same, bias: true}
layers:
  - {name: hidden, input: [16, 1, 12, 12], out_channels: 8, post_ops: [relu]}
  - {name: shown, input: [16, 8, 12, 12], out_channels: 1}
  - {name: hidden_weights, of: hidden, direction: backward_weights}
  - {name: shown_weights, of: shown, direction: backward_weights}
  - {name: shown_data, of: shown, direction: backward_data}
"""
EDGES = numpy.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], numpy.float32)[None, None]
RATE, STEPS = numpy.float32(0.05), 300

net = convoke.compile_network(SPEC)
noise = numpy.random.default_rng(1)


def drawn(kernel: convoke.Kernel) -> tuple[NDArray[Any], NDArray[Any]]:
    weights = noise.normal(0, 0.3, kernel.weights_shape).astype(numpy.float32)
    return weights, numpy.zeros(kernel.output_shape[1], numpy.float32)


pictures = noise.normal(size=net["hidden"].input_shape).astype(numpy.float32)
edges = convoke.compile({"name": "edges", "input": pictures.shape, "out_channels": 1, "kernel_size": 3, "padding": "same"})
wanted = edges(pictures, EDGES)
(w1, b1), (w2, b2) = drawn(net["hidden"]), drawn(net["shown"])
losses: list[float] = []
for step in range(STEPS):
    hidden = net["hidden"](pictures, w1, b1)
    off = net["shown"](hidden, w2, b2) - wanted
    losses.append(float((off ** 2).mean()))
    back = off * numpy.float32(2 / off.size)  # of the mean square
    d2, e2 = net["shown_weights"].gradients(hidden, back)
    through = net["shown_data"](back, w2) * (hidden > 0)  # the derivative of relu
    d1, e1 = net["hidden_weights"].gradients(pictures, through)
    assert e1 is not None and e2 is not None  # both layers have a bias
    w1, b1, w2, b2 = w1 - RATE * d1, b1 - RATE * e1, w2 - RATE * d2, b2 - RATE * e2
print(f"the loss fell from {losses[0]:.3f} to {losses[-1]:.3f}")
assert losses[-1] < losses[0] / 10
