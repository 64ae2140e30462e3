"""Are imported layers what the model computes, and is it said what became of each node? Small models, evaluated here by NumPy and
there by the interpreter on what was written.

    test_import.py CONVOKE"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy

from models import HALF, INT8, INT32, INT64, UINT8, conv_net, model, node, tensor

convoke = sys.argv.pop()
rng = numpy.random.default_rng(1)


def numbers(*shape):
    return rng.integers(-3, 4, shape).astype(numpy.float32)


def constant(array):
    return (array.shape, array.ravel().tolist())


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_convoke(self, *arguments, status=0):
        done = subprocess.run([convoke, *map(str, arguments)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done.stdout if status == 0 else done.stderr

    def imports(self, data, *arguments, name="net.onnx"):
        (self.folder / name).write_bytes(data)
        text = self.run_convoke("import", self.folder / name, "-o", self.folder / "out", "--format", "json", *arguments)
        self.table = json.loads(text)
        return {row["node"]: row for row in self.table["rows"]}

    def layer(self, name, x, *addends):
        """The layer on an input in logical order."""
        out, arguments = self.folder / "out", []
        for i, (option, array) in enumerate([("--input", x)] + [("--addend", a) for a in addends]):
            numpy.save(self.folder / f"{i}.npy", array.astype(numpy.float32))
            arguments += [option, self.folder / f"{i}.npy"]
        for what in ("weights", "bias", "scale"):
            path = out / f"{name}.{what}.npy"
            if path.exists():
                arguments += [f"--{what}", path]
        self.run_convoke("run", out / "net.yaml", "--layer", name, *arguments, "--reference", "--output", self.folder / "y.npy")
        return numpy.load(self.folder / "y.npy")

    def close(self, got, expected):
        numpy.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-5)


def convolve(x, w):
    """Of kernels of 1 or 3 with padding 1, in double."""
    k = w.shape[2]
    x = numpy.pad(x.astype(float), [(0, 0), (0, 0)] + [(k // 2, k // 2)] * 2)
    windows = numpy.lib.stride_tricks.sliding_window_view(x, (k, k), (2, 3))
    return numpy.einsum("nchwij,ocij->nohw", windows, w.astype(float))


def by_channel(v):
    return v.reshape(1, -1, 1, 1)


class Folding(Case):
    x, w = numbers(1, 3, 6, 5), numbers(4, 3, 3, 3)

    def conv(self, constants, *after, outputs=("y",), inputs=None):
        """A convolution of x to c, and nodes after it; the rows of the table."""
        return self.imports(model({"x": self.x.shape, **(inputs or {})}, {"w": constant(self.w), **constants},
                                  [node("Conv", ["x", "w"], "c", pads=[1, 1, 1, 1]), *after], outputs))

    def folded(self, rows, *nodes):
        self.assertEqual([rows[n]["fate"] for n in nodes], ["folded"] * len(nodes), rows)
        self.assertEqual({rows[n]["layer"] for n in nodes}, {"c"})

    def test_batch_normalisation_bias_and_scale_become_weights(self):
        g, b, m, v, k = (numbers(4) + 5 for _ in range(5))
        s, h = numbers(4, 1, 1) + 4, numbers(1, 4, 1, 1)
        rows = self.conv({"g": constant(g), "b": constant(b), "m": constant(m), "v": constant(v), "s": constant(s), "h": constant(h),
                          "k": constant(k), "two": ((), [2])},
                         node("BatchNormalization", ["c", "g", "b", "m", "v"], "n", epsilon=0.001), node("Mul", ["s", "n"], "p"),
                         node("Add", ["p", "h"], "q"), node("Div", ["q", "two"], "r"), node("Sub", ["r", "two"], "t"), node("Relu", ["t"], "y"))
        self.folded(rows, "n", "p", "q", "r", "t", "y")
        n = (convolve(self.x, self.w) - by_channel(m)) / numpy.sqrt(by_channel(v) + 0.001) * by_channel(g) + by_channel(b)
        self.close(self.layer("c", self.x), numpy.maximum(0, (n * by_channel(s) + by_channel(h)) / 2 - 2))
        self.assertIn("bias: true, post_ops: [relu]", (self.folder / "out/net.yaml").read_text())

    def test_weights_of_a_transpose_are_scaled_by_their_output_channels(self):
        w, s = numbers(4, 3, 2, 2), numbers(6) + 5
        x = numbers(1, 4, 3, 3)
        rows = self.imports(model({"x": x.shape}, {"w": constant(w), "s": ((1, 6, 1, 1), s.tolist())},
                                  [node("ConvTranspose", ["x", "w"], "c", strides=[2, 2], group=2), node("Mul", ["c", "s"], "y")], ["y"]))
        self.folded(rows, "y")
        expected = numpy.zeros((1, 6, 6, 6))
        for group in range(2):
            for i in range(2 * group, 2 * group + 2):
                for o in range(3):
                    expected[0, 3 * group + o] += numpy.kron(x[0, i].astype(float), w[i, o]) * s[3 * group + o]
        self.close(self.layer("c", x), expected)

    def test_activations_and_those_written_out(self):
        constants = {"three": ((), [3]), "zero": ((1,), [0]), "six": ((), [6]), "sixth": ((), [1 / 6]), "one": ((), [1]),
                     "half": ((), [0.5]), "root": ((), [2 ** 0.5]), "low": ((), [-1]), "high": ((), [2]),
                     "halves": ((4, 1, 1), [0.5] * 4), "above": ((), [numpy.inf]), "below": ((), [-numpy.inf])}
        clip = [node("Add", ["three", "c"], "a"), node("Clip", ["a", "zero", "six"], "l")]
        sums = convolve(self.x, self.w)
        hard = numpy.clip(sums + 3, 0, 6) / 6
        cases = [
            ("hard_swish", sums * hard, clip + [node("Mul", ["c", "l"], "m"), node("Div", ["m", "six"], "y")]),
            ("hard_swish", sums * hard, clip + [node("Mul", ["l", "sixth"], "m"), node("Mul", ["m", "c"], "y")]),
            ("hard_swish", sums * hard, [node("HardSigmoid", ["c"], "m", alpha=1 / 6), node("Mul", ["m", "c"], "y")]),
            ("hard_sigmoid", hard, clip + [node("Div", ["l", "six"], "y")]),
            ("silu", sums * sigmoid(sums), [node("Sigmoid", ["c"], "s"), node("Mul", ["s", "c"], "y")]),
            ("gelu", None, [node("Div", ["c", "root"], "d"), node("Erf", ["d"], "e"), node("Add", ["e", "one"], "f"),
                            node("Mul", ["c", "f"], "g"), node("Mul", ["g", "half"], "y")]),
            ("sigmoid", sigmoid(sums), [node("Sigmoid", ["c"], "y")]),
            ("tanh", numpy.tanh(sums), [node("Tanh", ["c"], "y")]),
            ("relu6", numpy.clip(sums, 0, 6), [node("Clip", ["c", "zero", "six"], "y")]),
            ("relu", numpy.maximum(sums, 0), [node("Clip", ["c", "zero"], "y")]),
            ("clamp", numpy.clip(sums, -1, 2), [node("Clip", ["c", "low", "high"], "y")]),
            ("clamp", numpy.clip(sums, -1, 2), [node("Clip", ["c"], "y", min=-1.0, max=2.0)]),
            ("clamp", numpy.minimum(sums, 2), [node("Clip", ["c", "", "high"], "y")]),
            ("clamp", numpy.minimum(sums, 2), [node("Clip", ["c"], "y", max=2.0)]),
            ("clamp", numpy.minimum(sums, 2), [node("Clip", ["c", "below", "high"], "y")]),
            ("clamp", numpy.maximum(sums, -1), [node("Clip", ["c", "low"], "y")]),
            ("clamp", numpy.maximum(sums, -1), [node("Clip", ["c", "low", "above"], "y")]),
            ("relu", numpy.maximum(sums, 0), [node("Clip", ["c", "zero", "above"], "y")]),
            ("leaky_relu", numpy.where(sums < 0, 0.25 * sums, sums), [node("LeakyRelu", ["c"], "y", alpha=0.25)]),
            ("leaky_relu", numpy.where(sums < 0, 0.5 * sums, sums), [node("PRelu", ["c", "half"], "y")]),
            ("leaky_relu", numpy.where(sums < 0, 0.5 * sums, sums), [node("PRelu", ["c", "halves"], "y")]),
            ("elu", numpy.where(sums < 0, numpy.expm1(numpy.minimum(sums, 0)), sums), [node("Elu", ["c"], "y")]),
            ("softplus", numpy.logaddexp(0, sums), [node("Softplus", ["c"], "y")]),
        ]
        for word, expected, nodes in cases:
            with self.subTest(word=word, nodes=len(nodes)):
                rows = self.conv(constants, *nodes)
                self.assertEqual((rows["y"]["fate"], rows["y"]["why"], len(rows)), ("folded", word, 1 + len(nodes)))
                self.assertTrue(all(r["fate"] != "left out" for r in rows.values()), rows)
                if expected is not None:
                    self.close(self.layer("c", self.x), expected)

    def test_slopes_that_differ_by_channel_are_named(self):
        rows = self.conv({"slopes": ((4, 1, 1), [0.5, 0.25, 0.5, 0.5])}, node("PRelu", ["c", "slopes"], "y"))
        self.assertEqual((rows["y"]["fate"], rows["y"]["why"]), ("left out", "no layer has its operands or attributes"))

    def test_bounds_that_are_none_are_the_types(self):
        bounds = {"low": ((), [-1]), "above": ((), [numpy.inf]), "below": ((), [-numpy.inf]), "nan": ((), [numpy.nan])}
        for given in (["c", "above"], ["c", "", "below"], ["c", "nan"]):
            rows = self.conv(bounds, node("Clip", given, "y"))
            self.assertEqual(rows["y"]["why"], "no layer has its operands or attributes")
        x, w = ((1, 3, 6, 5), HALF), (*constant(self.w), HALF)
        self.imports(model({"x": x}, {"w": w, "two": ((), [2], HALF)}, [node("Conv", ["x", "w"], "c"), node("Clip", ["c", "", "two"], "y")], ["y"]))
        self.assertIn("post_ops: [{clamp: [-65504, 2]}]", (self.folder / "out/net.yaml").read_text())

    def test_a_residual_is_an_addend_where_it_is_there_before(self):
        rows = self.conv({}, node("Add", ["z", "c"], "s"), node("Relu", ["s"], "y"), inputs={"z": (1, 4, 6, 5)})
        self.folded(rows, "s", "y")
        self.assertEqual((rows["c"]["addends"], rows["c"]["output"]), ("z", "y"))
        z = numbers(1, 4, 6, 5)
        self.close(self.layer("c", self.x, z), numpy.maximum(0, convolve(self.x, self.w) + z))

    def test_of_two_layers_that_are_added_the_later_takes_the_earlier(self):
        rows = self.conv({}, node("Conv", ["x", "w"], "d", pads=[1, 1, 1, 1]), node("Add", ["c", "d"], "y"))
        self.assertEqual((rows["y"]["layer"], rows["d"]["addends"], rows["c"]["output"]), ("d", "c", "c"))

    def test_scales_after_activations_are_post_ops(self):
        s, t = numbers(4) + 5, numbers(4)
        rows = self.conv({"s": ((4, 1, 1), s.tolist()), "t": ((4, 1, 1), t.tolist())}, node("Relu", ["c"], "r"), node("Mul", ["r", "s"], "m"),
                         node("Tanh", ["m"], "h"), node("Mul", ["h", "t"], "y"))
        self.folded(rows, "r", "m", "h", "y")
        y = numpy.tanh(numpy.maximum(0, convolve(self.x, self.w)) * by_channel(s)) * by_channel(t)
        numpy.save(self.folder / "x.npy", self.x)
        out = self.folder / "out"
        scales = numpy.load(out / "c.scale.npy")
        self.assertEqual(scales.shape, (2, 4))
        for i in range(2):
            numpy.save(self.folder / f"s{i}.npy", scales[i])
        self.run_convoke("run", out / "net.yaml", "--layer", "c", "--input", self.folder / "x.npy", "--weights", out / "c.weights.npy", "--reference",
                         "--scale", self.folder / "s0.npy", "--scale", self.folder / "s1.npy", "--output", self.folder / "y.npy")
        self.close(numpy.load(self.folder / "y.npy"), y)

    def test_what_others_read_ends_a_layer(self):
        for outputs in (["y", "c"], ["y", "t"]):
            rows = self.conv({}, node("Relu", ["c"], "y"), node("Tanh", ["c"], "t"), outputs=outputs)
            self.assertEqual((rows["y"]["fate"], rows["c"]["output"]), ("layer", "c"))
            self.close(self.layer("y", convolve(self.x, self.w).astype(numpy.float32)), numpy.maximum(0, convolve(self.x, self.w)))

    def test_other_parameters_are_written_out(self):
        constants = {"two": ((), [2]), "six": ((), [6]), "zero": ((), [0])}
        sums = convolve(self.x, self.w)
        rows = self.conv(constants, node("Relu", ["c"], "r"), node("HardSigmoid", ["r"], "y", alpha=0.25))
        self.folded(rows, "r", "y")
        self.assertIn("post_ops: [relu, {times: 0.25}, {plus: 0.5}, {clamp: [0, 1]}]", (self.folder / "out/net.yaml").read_text())
        self.conv(constants, node("HardSigmoid", ["c"], "y"))
        self.assertIn("post_ops: [{clamp: [0, 1]}]", (self.folder / "out/net.yaml").read_text())
        self.close(self.layer("c", self.x), numpy.clip(0.2 * sums + 0.5, 0, 1))
        rows = self.conv(constants, node("Add", ["c", "two"], "a"), node("Clip", ["a", "zero", "six"], "l"),
                         node("Mul", ["c", "l"], "m"), node("Div", ["m", "six"], "y"))
        self.assertEqual([rows[n]["fate"] for n in "almy"], ["layer", "folded", "folded", "folded"])
        c = sums.astype(numpy.float32)
        self.close(self.layer("a", c, c), sums * numpy.clip(sums + 2, 0, 6) / 6)


class Bytes(Case):
    x, w = rng.integers(0, 256, (1, 4, 6, 5)), rng.integers(-128, 128, (6, 2, 3, 3))
    zero_x, zero_y, by_x, by_y = 131, 7, 0.02, 0.5
    by_w, bias = rng.random(6).astype(numpy.float32) / 50, rng.integers(-5000, 5000, 6)

    def expected(self):
        sums = numpy.concatenate([convolve(self.x[:, 2 * g:2 * g + 2] - self.zero_x, self.w[3 * g:3 * g + 3]) for g in (0, 1)], 1) + by_channel(self.bias)
        multipliers = numpy.float32(self.by_x) * self.by_w / numpy.float32(self.by_y)
        return numpy.clip(numpy.rint(sums.astype(numpy.float32) * by_channel(multipliers)) + self.zero_y, 0, 255)

    def constants(self):
        return {"w": (self.w.shape, self.w.ravel().tolist(), INT8), "bx": ((), [self.by_x]), "by": ((), [self.by_y]), "bw": ((6,), self.by_w.tolist()),
                "zx": ((), [self.zero_x], UINT8), "zy": ((), [self.zero_y], UINT8), "zw": ((6,), [0] * 6, INT8), "b": ((6,), self.bias.tolist(), INT32),
                "bb": ((6,), (self.by_w * self.by_x).tolist()), "zb": ((6,), [0] * 6, INT32)}

    def gives(self, layer):
        out = self.folder / "out"
        numpy.save(self.folder / "x.npy", self.x.astype(numpy.uint8))
        arrays = [a for what in ("weights", "bias", "scale") for a in (f"--{what}", out / f"{layer}.{what}.npy")]
        self.run_convoke("run", out / "net.yaml", "--layer", layer, "--input", self.folder / "x.npy", *arrays, "--reference", "--output", self.folder / "y.npy")
        numpy.testing.assert_array_equal(numpy.load(self.folder / "y.npy"), self.expected())
        self.assertIn("dtype: {input: u8, weights: s8, output: u8}, quantization: {input_zero_point: 131, output_zero_point: 7}", (out / "net.yaml").read_text())

    def test_convolutions_of_bytes(self):
        self.imports(model({"x": self.x.shape}, self.constants(), [
            node("QuantizeLinear", ["x", "bx", "zx"], "q"),
            node("QLinearConv", ["q", "bx", "zx", "w", "bw", "zw", "by", "zy", "b"], "y", pads=[1, 1, 1, 1], group=2)], ["y"]))
        self.gives("y")

    def test_borders_of_bytes_are_of_what_stands_for_0(self):
        nodes = lambda **mode: [node("QuantizeLinear", ["x", "bx", "zx"], "q"), node("DequantizeLinear", ["q", "bx", "zx"], "f"), node("Pad", ["f", "p"], "g", **mode),
                                node("DequantizeLinear", ["w", "bw", "zw"], "v", axis=0), node("DequantizeLinear", ["b", "bb", "zb"], "c", axis=0),
                                node("Conv", ["g", "v", "c"], "s", group=2), node("QuantizeLinear", ["s", "by", "zy"], "y")]
        constants = {**self.constants(), "p": ((8,), [0, 0, 1, 1, 0, 0, 1, 1], INT64)}
        rows = self.imports(model({"x": self.x.shape}, constants, nodes(), ["y"]))
        self.assertEqual((rows["g"]["fate"], rows["g"]["layer"]), ("folded", "s"))
        self.gives("s")
        rows = self.imports(model({"x": self.x.shape}, constants, nodes(mode="edge"), ["y"]))
        self.assertEqual((rows["g"]["fate"], self.table["network"]), ("layer", True))

    def test_an_operator_that_makes_more_than_its_tensor_is_none_of_these(self):
        rows = self.imports(model({"x": self.x.shape}, {**self.constants(), "v": constant(numbers(1, 4, 1, 1))}, [
            node("QuantizeLinear", ["x", "bx", "zx"], "q"), node("Conv", ["x", "v"], "c"),
            node("QLinearConv", ["q", "bx", "zx", "w", "bw", "zw", "by", "zy", "b"], ["y", "more"], group=2)], ["more", "c"]))
        self.assertEqual((rows["y"]["fate"], rows["y"]["op"], self.table["network"]), ("left out", "QLinearConv", False))

    def test_the_same_written_out_with_floats_between(self):
        rows = self.imports(model({"x": self.x.shape}, self.constants(), [
            node("QuantizeLinear", ["x", "bx", "zx"], "q"), node("DequantizeLinear", ["q", "bx", "zx"], "f"),
            node("DequantizeLinear", ["w", "bw", "zw"], "v", axis=0), node("DequantizeLinear", ["b", "bb", "zb"], "c", axis=0),
            node("Conv", ["f", "v", "c"], "s", pads=[1, 1, 1, 1], group=2), node("QuantizeLinear", ["s", "by", "zy"], "y")], ["y"]))
        self.assertEqual([rows[n]["fate"] for n in "fvcsy"], ["folded", "constant", "constant", "layer", "folded"])
        self.assertEqual({rows[n]["layer"] for n in "fsy"}, {"s"})
        self.gives("s")


class Products(Case):
    def test_products_by_constants_are_kernels_of_one(self):
        x, w, b = numbers(2, 5, 3), numbers(3, 4), numbers(4)
        rows = self.imports(model({"x": x.shape}, {"w": constant(w), "b": constant(b)},
                                  [node("MatMul", ["x", "w"], "m"), node("Add", ["b", "m"], "y")], ["y"]))
        self.assertEqual((rows["y"]["why"], rows["m"]["macs"]), ("bias", 120))
        self.close(self.layer("m", numpy.moveaxis(x, -1, 1)), numpy.moveaxis(x @ w + b, -1, 1))

    def test_gemm(self):
        x, w, b = numbers(5, 3), numbers(4, 3), numbers(1, 4)
        self.imports(model({"x": x.shape}, {"w": constant(w), "b": constant(b)},
                           [node("Gemm", ["x", "w", "b"], "m", transB=1, alpha=2.0, beta=0.5), node("Relu", ["m"], "y")], ["y"]))
        self.close(self.layer("m", x[:, :, None]), numpy.maximum(0, 2 * x @ w.T + 0.5 * b)[:, :, None])

    def test_what_is_no_constant_is_left_out_and_counted(self):
        rows = self.imports(model({"x": (1, 3, 4, 4), "v": (4, 7)}, {"w": constant(numbers(2, 3, 1, 1))},
                                  [node("Conv", ["x", "w"], "c"), node("MatMul", ["c", "v"], "m")], ["m"]))
        self.assertEqual((rows["m"]["fate"], rows["m"]["why"], rows["m"]["macs"]), ("left out", "its weights are no constants", 2 * 4 * 7 * 4))
        self.assertEqual((self.table["macs"], self.table["covered"], self.table["layers"]), (96 + 224, 96, 1))


class Pools(Case):
    x = numbers(1, 3, 7, 6)

    def pool(self, op, *after, constants=None, **attributes):
        return self.imports(model({"x": self.x.shape}, constants or {}, [node(op, ["x"], "p", **attributes), *after], ["y"]))

    def windows(self, kernel, stride):
        return numpy.lib.stride_tricks.sliding_window_view(self.x, kernel, (2, 3))[:, :, ::stride, ::stride].astype(float)

    def test_maxima_and_means_of_windows_and_of_the_whole(self):
        for op, attributes, expected in (
                ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 2]}, self.windows((3, 2), 2).max((4, 5))),
                ("AveragePool", {"kernel_shape": [2, 2]}, self.windows((2, 2), 1).mean((4, 5))),
                ("GlobalAveragePool", {}, self.x.mean((2, 3), keepdims=True)), ("GlobalMaxPool", {}, self.x.max((2, 3), keepdims=True))):
            with self.subTest(op=op):
                rows = self.pool(op, node("Identity", ["p"], "y"), **attributes)
                self.assertEqual([r["fate"] for r in rows.values()], ["layer", "folded"])
                self.close(self.layer("p", self.x), expected)

    def test_border_and_rounding(self):
        self.pool("AveragePool", node("Relu", ["p"], "y"), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1,
                  count_include_pad=1)
        spec = (self.folder / "out/net.yaml").read_text()
        for words in ("kind: average_pool", "padding: 1", "ceil_mode: true", "count_include_pad: true", "post_ops: [relu]"):
            self.assertIn(words, spec)

    def test_factors_are_no_weights_of_a_pool(self):
        s = numbers(3) + 5
        rows = self.pool("MaxPool", node("Mul", ["p", "s"], "m"), node("Add", ["m", "s"], "y"), kernel_shape=[2, 2],
                         constants={"s": ((3, 1, 1), s.tolist())})
        self.assertEqual((rows["m"]["why"], rows["y"]["why"]), ("scale", "shift"))
        self.assertIn("post_ops: [{scale: per_channel}, {shift: per_channel}]", (self.folder / "out/net.yaml").read_text())

    def test_indices_of_the_format_are_not_ours(self):
        rows = self.imports(model({"x": self.x.shape}, {}, [node("MaxPool", ["x"], ["p", "i"], kernel_shape=[2, 2]),
                                                            node("GlobalMaxPool", ["x"], "g")], ["p", "i"]))
        self.assertEqual((rows["p"]["fate"], rows["p"]["why"]), ("left out", "its indices are read"))


class Models(Case):
    def test_sizes_that_are_open_are_said_by_input(self):
        net = model({"x": ("N", 3, "H", "W")}, {"w": constant(numbers(2, 3, 3, 3))}, [node("Conv", ["x", "w"], "c")], ["c"])
        self.imports(net, "--input", "2x3x9x7")
        self.assertIn("inputs: {x: [2, 3, 9, 7]}", (self.folder / "out/net.yaml").read_text())
        self.imports(net, "--input", "x=1x3x8x8")
        said = self.run_convoke("import", self.folder / "net.onnx", "-o", self.folder / "no", status=4)
        self.assertIn("--input says them, as in --input 1x3x224x224", said)
        self.assertFalse((self.folder / "no").exists())
        for given, status in (("z=1x3x8x8", 3), ("1x3x8", 4), ("1x-3", 2), ("1x3x", 2), ("", 2)):
            self.run_convoke("import", self.folder / "net.onnx", "-o", self.folder / "no", "--input", given, status=status)

    def test_shapes_go_through_pools_concatenations_and_computed_sizes(self):
        rows = self.imports(conv_net())
        self.assertEqual({n: rows[n]["fate"] for n in "ctykg"}, dict.fromkeys("ctykg", "layer"))
        self.assertEqual(rows["out"]["layer"], "y")
        self.assertEqual((rows["cc"]["fate"], rows["cc"]["why"]), ("layer", "concat"))
        self.assertEqual({n: rows[n]["fate"] for n in ("sh", "sl", "f")}, {"sh": "constant", "sl": "constant", "f": "view"})

    def test_automatic_padding_and_halves(self):
        w = numbers(2, 1, 4, 4)
        rows = self.imports(model({"x": (1, 1, 7, 7)}, {"w": (*constant(w), HALF)},
                                  [node("Conv", ["x", "w"], "c", auto_pad="SAME_UPPER", strides=[2, 2])], ["c"]))
        self.assertEqual(rows["c"]["fate"], "layer")
        self.assertIn("padding: [[1, 2], [1, 2]]", (self.folder / "out/net.yaml").read_text())
        numpy.testing.assert_array_equal(numpy.load(self.folder / "out/c.weights.npy"), w)

    def test_other_verbs_take_what_was_made(self):
        self.imports(conv_net())
        spec, out = self.folder / "out/net.yaml", self.folder / "out"
        self.run_convoke("check", spec)
        self.run_convoke("compile", spec, "-o", self.folder / "kernels", "--weights", out)
        self.run_convoke("tune", spec, "--budget", "2", "--db", self.folder / "db", "--layer", "^y$")

    def test_names_become_symbols_and_stay_apart(self):
        w = constant(numbers(2, 2, 1, 1))
        rows = self.imports(model({"x": (1, 2, 3, 3)}, {"w": w}, [node("Conv", ["x", "w"], "a/b"), node("Conv", ["a/b", "w"], "a.b"),
                                                                  node("Conv", ["a.b", "w"], "7\n\x1b[31m")], ["y"]))
        self.assertEqual([r["layer"] for r in rows.values()], ["a_b", "a_b_2", "_7___31m"])
        self.assertIn("7??[31m", rows)

    def test_what_is_no_model_is_refused_with_a_reason(self):
        for data in (b"", b"hello", conv_net()[:-7], model({}, {}, [], [])):
            (self.folder / "bad.onnx").write_bytes(data)
            self.assertIn("this is not an ONNX model", self.run_convoke("import", self.folder / "bad.onnx", "-o", self.folder / "o", status=3))
        self.assertIn("No such file", self.run_convoke("import", self.folder / "none.onnx", "-o", self.folder / "o", status=6))
        self.run_convoke("import", self.folder / "bad.onnx", status=2)

    def test_constants_that_do_not_fit_their_shape_are_none(self):
        short = ((2, 2, 1, 1), [1, 2, 3])
        rows = self.imports(model({"x": (1, 2, 3, 3)}, {"w": short, "v": constant(numbers(2, 2, 1, 1))},
                                  [node("Conv", ["x", "w"], "c"), node("Conv", ["x", "v"], "d")], ["c", "d"]))
        self.assertEqual((rows["c"]["why"], rows["d"]["fate"]), ("its weights are no constants", "layer"))


class Benchdnn(Case):
    def test_lists_of_problems(self):
        lines = ('# of a network\n--dir=FWD_B --cfg=f32\nmb1ic3ih227oc96oh55kh11sh4ph0n"alexnet:conv1"\n'
                 "g32ic32oc32_iw20ow20kw3pw1\nmb1ic8id6ih7iw9oc4kd3kh3kw1pd1dd1n\"three\"  # comment\n")
        rows = self.imports(lines.encode(), "--from", "benchdnn", name="net")
        self.assertEqual(list(rows), ["alexnet_conv1", "layer", "three"])
        spec = (self.folder / "out/net.yaml").read_text()
        for words in ("input: [1, 3, 227, 227], out_channels: 96, kernel_size: 11, stride: 4}",
                      "input: [2, 32, 20], out_channels: 32, kernel_size: 3, padding: 1, groups: depthwise}",
                      "input: [1, 8, 6, 7, 9], out_channels: 4, kernel_size: [3, 3, 1], dilation: 2, padding: 1}"):
            self.assertIn(words, spec)
        self.run_convoke("check", self.folder / "out/net.yaml", "--layer", "^layer$")

    def test_lines_that_are_none_are_named(self):
        (self.folder / "bad").write_text("mb1ic3ih8oc4kh3\nic3xx\n")
        said = self.run_convoke("import", self.folder / "bad", "--from", "benchdnn", "-o", self.folder / "o", status=3)
        self.assertIn("bad:2:1: error", said)
        self.assertIn("--from takes onnx and benchdnn", self.run_convoke("import", self.folder / "bad", "--from", "x", "-o", "o", status=2))


if __name__ == "__main__":
    unittest.main()
