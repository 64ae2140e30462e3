"""The Python binding against a convolution in NumPy: layouts, arguments, packing, forms of a spec, errors."""

import gc
import itertools
import os
import tempfile
import unittest

import numpy

import convoke


def naive(x, w, stride=1, padding=0, groups=1):
    """The convolution of page one, two spatial axes."""
    x = numpy.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    n, _, height, width = x.shape
    out, per_group, kh, kw = w.shape
    y = numpy.zeros((n, out, (height - kh) // stride + 1, (width - kw) // stride + 1), numpy.float32)
    for o, i, j in itertools.product(range(out), range(y.shape[2]), range(y.shape[3])):
        first = o // (out // groups) * per_group
        window = x[:, first:first + per_group, i * stride:i * stride + kh, j * stride:j * stride + kw]
        y[:, o, i, j] = (window * w[o]).sum((1, 2, 3))
    return y


def integers(*shape):
    """Whole numbers, so that sums are exact in any order."""
    return numpy.random.default_rng(1).integers(-4, 5, shape).astype(numpy.float32)


def layer(**keys):
    return {"name": "tested", "input": [2, 6, 9, 7], "out_channels": 20, "kernel_size": 3, "padding": 1,
            "accuracy": "strict", **keys}


class Python(unittest.TestCase):
    def test_every_pair_of_layouts_gives_the_logical_result(self):
        x, w = integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        expected = naive(x, w, padding=1)
        for source, target in itertools.product(["channels_first", "channels_last", "blocked"], repeat=2):
            kernel = convoke.compile(layer(layout={"input": source, "output": target}))
            numpy.testing.assert_array_equal(kernel(x, w), expected, f"{source} to {target}")

    def test_bias_scale_and_addend(self):
        x, w, b, s = integers(2, 6, 9, 7), integers(20, 6, 3, 3), integers(20), integers(20)
        a = integers(2, 20, 9, 7)
        kernel = convoke.compile(layer(bias=True, layout="blocked", post_ops=["add", {"scale": "per_channel"}, "relu"]))
        expected = naive(x, w, padding=1) + b[:, None, None] + a
        numpy.testing.assert_array_equal(kernel(x, w, b, s, a), numpy.maximum(expected * s[:, None, None], 0))
        two = convoke.compile(layer(post_ops=["add", "add"], layout="channels_last"))
        numpy.testing.assert_array_equal(two(x, w, addend=[a, 2 * a]), naive(x, w, padding=1) + 3 * a)

    def test_one_and_three_axes(self):
        line = convoke.compile({"name": "line", "input": [1, 2, 9], "out_channels": 3, "kernel_size": 4})
        x, w = integers(1, 2, 9), integers(3, 2, 4)
        numpy.testing.assert_array_equal(line(x, w)[:, :, None], naive(x[:, :, None], w[:, :, None]))
        cube = convoke.compile({"name": "cube", "input": [1, 1, 3, 4, 5], "out_channels": 1, "kernel_size": [3, 1, 1]})
        x = integers(1, 1, 3, 4, 5)
        numpy.testing.assert_array_equal(cube(x, numpy.ones((1, 1, 3, 1, 1))), x.sum(2, keepdims=True))

    def test_arrays_of_any_kind_are_taken(self):
        x, w = integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        kernel, expected = convoke.compile(layer()), naive(x, w, padding=1)
        numpy.testing.assert_array_equal(kernel(x.astype(numpy.float64), w.astype(numpy.int8)), expected)
        numpy.testing.assert_array_equal(kernel(numpy.asfortranarray(x), w.tolist()), expected)
        numpy.testing.assert_array_equal(kernel(x[:, :, ::-1], w[:, :, ::-1]), expected[:, :, ::-1])

    def test_packed_weights_are_remembered_and_never_stale(self):
        x, w = integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        kernel = convoke.compile(layer())
        first = kernel(x, w)
        remembered = kernel._packed[2]
        numpy.testing.assert_array_equal(kernel(x, w), first)
        self.assertIs(kernel._packed[2], remembered)
        w[:] = 2 * w
        numpy.testing.assert_array_equal(kernel(x, w), 2 * first)
        numpy.testing.assert_array_equal(kernel(x, 3 * w), 6 * first)
        numpy.testing.assert_array_equal(kernel(x, kernel.pack(w)), 2 * first)

    def test_a_spec_is_a_mapping_a_text_or_a_path(self):
        text = "version: 1\nlayers:\n- {name: a, input: [1, 1, 4], out_channels: 1, kernel_size: 2}\n" \
               "- {name: b, input: [1, 1, 4], out_channels: 2, kernel_size: 2}\n"
        self.assertEqual(convoke.compile(text, layer="b").output_shape, (1, 2, 3))
        self.assertEqual(list(convoke.compile_network(text)), ["a", "b"])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "net.yaml")
            with open(path, "w") as file:
                file.write(text)
            self.assertEqual(convoke.compile(path, layer="a", effort="measure").name, "a")
        with self.assertRaisesRegex(ValueError, "2 layers; name one: a, b"):
            convoke.compile(text)
        with self.assertRaisesRegex(KeyError, "no layer is named c"):
            convoke.compile(text, layer="c")

    def test_mistakes_are_raised_with_the_text_of_the_diagnostics(self):
        with self.assertRaisesRegex(convoke.Error, r"spec:1:.*: error\[E\d{4}\]: (.|\n)*did you mean") as raised:
            convoke.compile(layer(strid=1))
        self.assertEqual(raised.exception.status, 2)
        with self.assertRaisesRegex(convoke.Error, "z80"):
            convoke.compile(layer(), target="z80")
        kernel, x, w = convoke.compile(layer(bias=True)), integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        with self.assertRaisesRegex(ValueError, r"input: expected an array of shape \(2, 6, 9, 7\), got \(6, 9, 7\)"):
            kernel(x[0], w, numpy.zeros(20))
        with self.assertRaisesRegex(ValueError, "weights: expected"):
            kernel(x, w[:1], numpy.zeros(20))
        with self.assertRaisesRegex(ValueError, "bias: the layer has one, which is missing"):
            kernel(x, w)
        with self.assertRaisesRegex(ValueError, "scale: the layer has none"):
            kernel(x, w, numpy.zeros(20), scale=numpy.zeros(20))

    def test_kernels_come_and_go(self):
        for i in range(50):
            kernel = convoke.compile({"name": "gone", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 1},
                                     cache="off" if i % 25 == 0 else "memory")
            numpy.testing.assert_array_equal(kernel([[[1, 2, 3, 4]]], [[[2]]]), [[[2, 4, 6, 8]]])
            del kernel
            gc.collect()


if __name__ == "__main__":
    unittest.main()
