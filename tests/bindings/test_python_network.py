"""Networks from Python: what one call gives is what the layers give one by one."""

import os
import pathlib
import unittest

import numpy

import convoke

os.environ["CONVOKE_CACHE"] = "off"

NET = """
version: 1
inputs: {x: [%s, 4, 9, 8]}
outputs: [y, both]
layers:
  - {name: a, input: x, out_channels: 6, kernel_size: 3, padding: 1, bias: true, post_ops: [relu]}
  - {name: b, input: a, out_channels: 4, kernel_size: 1}
  - {name: both, kind: concat, input: [a, b]}
  - {name: y, input: both, out_channels: 4, kernel_size: 1, post_ops: [{add: b}]}
"""


def pointwise(x, w):
    return numpy.einsum("oi,nihw->nohw", w[:, :, 0, 0], x)


class Networks(unittest.TestCase):
    def expected(self, x, w):
        padded = numpy.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
        windows = numpy.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        a = numpy.einsum("oikl,nihwkl->nohw", w["a.weights"], windows) + w["a.bias"][None, :, None, None]
        a = numpy.maximum(a, 0)
        b = pointwise(a, w["b.weights"])
        both = numpy.concatenate([a, b], 1)
        return pointwise(both, w["y.weights"]) + b, both

    def test_a_network_computes_what_its_layers_do(self):
        random = numpy.random.default_rng(1)
        for batch in ("2", "any"):
            net = convoke.Network(NET % batch)
            weights = {n: random.standard_normal(s).astype(numpy.float32) for n, s in net.weights.items()}
            x = random.standard_normal((2, 4, 9, 8)).astype(numpy.float32)
            with self.assertRaisesRegex(convoke.Error, "load"):
                net(x)
            net.load(weights)
            for threads in (None, 2):
                y, both = net(x=x, threads=threads)
                for got, expected in zip((y, both), self.expected(x, weights)):
                    numpy.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)

    def test_layers_that_went_into_others_keep_their_arrays(self):
        random = numpy.random.default_rng(2)
        net = convoke.Network("""
version: 1
inputs: {x: [2, 4, 9, 8]}
outputs: [y]
layers:
  - {name: a, input: x, out_channels: 6, kernel_size: 1, post_ops: [{scale: per_channel}]}
  - {name: norm, kind: identity, input: a, post_ops: [{scale: per_channel}, {shift: per_channel}]}
  - {name: b, input: x, out_channels: 6, kernel_size: 1}
  - {name: sum, kind: identity, input: b, post_ops: [{add: norm}]}
  - {name: y, kind: identity, input: sum, post_ops: [relu]}
""")
        self.assertEqual(net.weights["norm.scale"], (2, 6))
        w = {n: random.standard_normal(s).astype(numpy.float32) for n, s in net.weights.items()}
        x = random.standard_normal((2, 4, 9, 8)).astype(numpy.float32)
        net.load(w)
        scale, factor, shift = (v[None, :, None, None] for v in (w["a.scale"], *w["norm.scale"]))
        expected = pointwise(x, w["b.weights"]) + pointwise(x, w["a.weights"]) * scale * factor + shift
        numpy.testing.assert_allclose(net(x), numpy.maximum(expected, 0), rtol=1e-4, atol=1e-4)

    def test_layers_of_a_chain_keep_their_arrays(self):
        random = numpy.random.default_rng(4)
        net = convoke.Network("""
version: 1
inputs: {x: [1, 4, 1600, 1000]}     # as much as no cache keeps
outputs: [y]
layers:
  - {name: a, input: x, out_channels: 4, kernel_size: 3, padding: 1, groups: depthwise, bias: true}
  - {name: y, input: a, out_channels: 3, kernel_size: 1, bias: true, post_ops: [{scale: per_channel}]}
""")
        self.assertEqual(list(net.weights), ["a.weights", "y.weights", "a.bias", "y.bias", "y.scale"])
        w = {n: random.standard_normal(s).astype(numpy.float32) for n, s in net.weights.items()}
        x = random.standard_normal(net.inputs["x"]).astype(numpy.float32)
        net.load(w)
        padded = numpy.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
        a = sum(w["a.weights"][:, 0, k, l][None, :, None, None] * padded[:, :, k:k + 1600, l:l + 1000]
                for k in range(3) for l in range(3)) + w["a.bias"][None, :, None, None]
        expected = (pointwise(a, w["y.weights"]) + w["y.bias"][None, :, None, None]) * w["y.scale"][None, :, None, None]
        numpy.testing.assert_allclose(net(x), expected, rtol=1e-3, atol=1e-4)

    def test_the_video_block_is_what_numpy_makes_of_it(self):
        random = numpy.random.default_rng(3)
        spec = (pathlib.Path(__file__).parents[2] / "specs/video_block_whole.yaml").read_text()
        net = convoke.Network(spec.replace("[1, 320, 8, 32, 32]", "[2, 64, 5, 6, 7]").replace("320", "64"))
        w = {n: random.standard_normal(s).astype(numpy.float32) / (8 if n.startswith("conv") else 1)
             for n, s in net.weights.items()}
        net.load(w)
        x = random.standard_normal(net.inputs["x"]).astype(numpy.float32)
        h = x.astype(float)
        for i in "12":
            sets = h.reshape(2, 32, -1)
            sets = (sets - sets.mean(2, keepdims=True)) / numpy.sqrt(sets.var(2, keepdims=True) + 1e-5)
            gamma, beta = (v[:, None, None, None] for v in w[f"norm{i}.scale"].astype(float))
            h = sets.reshape(x.shape) * gamma + beta
            h = numpy.pad(h / (1 + numpy.exp(-h)), [(0, 0), (0, 0), (1, 1), (0, 0), (0, 0)])
            h = sum(numpy.einsum("oi,nithw->nothw", w[f"conv{i}.weights"][:, :, k, 0, 0].astype(float), h[:, :, k:k + 5])
                    for k in range(3)) + w[f"conv{i}.bias"][:, None, None, None]
        numpy.testing.assert_allclose(net(x), 0.25 * x + 0.75 * h, rtol=1e-5, atol=1e-5)

    def test_mistakes_are_told(self):
        net = convoke.Network(NET % "2")
        with self.assertRaisesRegex(convoke.Error, "a.bias is missing"):
            net.load({"a.weights": numpy.ones((6, 4, 3, 3))})
        with self.assertRaisesRegex(convoke.Error, "there is no q"):
            net.load({"q": numpy.ones(3)})
        with self.assertRaises(convoke.Error):
            convoke.Network({"name": "l", "input": [1, 1, 4, 4], "out_channels": 1, "kernel_size": 1})


if __name__ == "__main__":
    unittest.main()
