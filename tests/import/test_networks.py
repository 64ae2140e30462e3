"""Is an imported network what the model computes? Small models, evaluated here by NumPy and there as one network; and what is said
of those that are none.

    test_networks.py CONVOKE"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy

import convoke
from models import HALF, INT8, INT32, INT64, UINT8, beside, model, node, tensor

command = sys.argv.pop()
rng = numpy.random.default_rng(2)


def numbers(*shape):
    return rng.integers(-3, 4, shape).astype(numpy.float32)


def constant(array):
    array = numpy.asarray(array, numpy.float32)
    return (array.shape, array.ravel().tolist())


def sizes(*values):
    return ((len(values),), list(values), INT64)


def pointwise(x, w):
    """A kernel of 1, of channels that lie second."""
    return numpy.einsum("nc...,oc->no...", x.astype(float), w.reshape(w.shape[:2]).astype(float))


def softmax(x, axis):
    e = numpy.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


class Case(unittest.TestCase):
    x, w = numbers(2, 4, 6, 5), numbers(3, 4, 1, 1)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def imports(self, constants, nodes, outputs=("y",), inputs=None, **more):
        path = self.folder / "net.onnx"
        path.write_bytes(model({"x": self.x.shape} if inputs is None else inputs, constants, nodes, list(outputs), **more))
        done = subprocess.run([command, "import", path, "-o", self.folder / "out", "--format", "json"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.table = json.loads(done.stdout)
        self.spec = (self.folder / "out/net.yaml").read_text()
        return {row["node"]: row for row in self.table["rows"]}

    def run_network(self, *arrays):
        """In the order of the model's elements, all outputs flat."""
        self.assertTrue(self.table["network"], self.table["rows"])
        net = convoke.Network(self.folder / "out/net.yaml", cache="off")
        net.load({name: numpy.load(self.folder / f"out/{name}.npy") for name in net.weights})
        made = net(*(a.reshape(shape) for a, shape in zip(arrays, net.inputs.values())))
        self.last = [f"{name}: {{layout: channels_last}}" in self.spec for name in net.outputs]
        return made if isinstance(made, tuple) else (made,)

    def gives(self, expected, *arrays):
        got = self.run_network(*(arrays or [self.x]))
        got = [numpy.moveaxis(a, 1, -1) if last else a for a, last in zip(got, self.last)]
        for got, wanted in zip(got, expected if isinstance(expected, tuple) else (expected,), strict=True):
            numpy.testing.assert_allclose(got.ravel(), numpy.ravel(wanted), rtol=2e-5, atol=2e-5)


class Edges(Case):
    conv = node("Conv", ["x", "w"], "c")

    def weights(self, **others):
        return {"w": constant(self.w), **others}

    def test_layers_name_what_they_read(self):
        v = numbers(3, 3, 1, 1)
        self.imports(self.weights(v=constant(v)), [self.conv, node("Relu", ["c"], "r"), node("Conv", ["r", "v"], "d"), node("Add", ["r", "d"], "y")])
        self.assertEqual(self.spec, "version: 1\nname: net\ninputs: {x: [2, 4, 6, 5]}\noutputs: [d]\nlayers:\n"
                         "  - {name: c, input: x, out_channels: 3, kernel_size: 1, post_ops: [relu]}\n"
                         "  - {name: d, input: c, out_channels: 3, kernel_size: 1, post_ops: [{add: c}]}\n")
        self.assertEqual((self.table["inputs"], self.table["outputs"]),
                         ([{"model": "x", "network": "x"}], [{"model": "y", "network": "d"}]))
        r = numpy.maximum(0, pointwise(self.x, self.w))
        self.gives(r + pointwise(r, v))

    def test_a_gate_of_one_position_in_either_order(self):
        c = pointwise(self.x, self.w)
        for operands in (["c", "g"], ["g", "c"]):
            self.imports(self.weights(), [self.conv, node("GlobalAveragePool", ["c"], "p"), node("Sigmoid", ["p"], "g"), node("Mul", operands, "y")])
            self.assertIn("kind: identity, input: c, post_ops: [{gate: p}]", self.spec)
            self.gives(c / (1 + numpy.exp(-c.mean((2, 3), keepdims=True))))

    def test_tensors_are_added_subtracted_and_multiplied(self):
        z = numbers(*self.x.shape)
        for op, expected in (("Add", self.x + z), ("Sub", self.x - z), ("Mul", self.x * z)):
            self.imports({}, [node(op, ["x", "z"], "y")], inputs={"x": self.x.shape, "z": z.shape})
            self.gives(expected, self.x, z)
        self.imports({}, [node("Mul", ["x", "x"], "y")])
        self.gives(self.x * self.x)

    def test_numbers_and_channels_beside_tensors(self):
        s = numbers(4, 1, 1)
        self.imports({"s": constant(s), "two": ((), [2.0])},
                     [node("Sub", ["two", "x"], "a"), node("Mul", ["s", "a"], "b"), node("Neg", ["b"], "d"), node("Add", ["d", "s"], "y")])
        self.gives(-(2 - self.x) * s + s)

    def test_side_by_side_along_channels(self):
        self.imports(self.weights(), [self.conv, node("Concat", ["x", "c", "x"], "k", axis=-3), node("Relu", ["k"], "y")])
        self.assertIn("{name: k, kind: concat, input: [x, c, x]}", self.spec)
        self.gives(numpy.maximum(0, numpy.concatenate([self.x, pointwise(self.x, self.w), self.x], 1)))

    def test_channels_that_go_different_ways_are_layers_of_their_own(self):
        w, b, s = numbers(5, 4, 1, 1), numbers(5), numbers(5, 1, 1)
        c = numpy.maximum(0, pointwise(self.x, w) + b.reshape(-1, 1, 1)) * s
        for split, more in ((node("Split", ["m", "parts"], ["p", "q"], axis=1), {}), (node("Split", ["m"], ["p", "q"], axis=-3, split=[2, 3]), {"opset": 11})):
            rows = self.imports({"w": constant(w), "b": constant(b), "s": constant(s), "parts": sizes(2, 3)},
                                [node("Conv", ["x", "w", "b"], "c"), node("Relu", ["c"], "r"), node("Mul", ["r", "s"], "m"), split,
                                 node("Tanh", ["q"], "t"), node("Concat", ["t", "p"], "y", axis=1)], **more)
            self.assertEqual((rows["p"]["why"], rows["t"]["layer"]), ("layers of its own", "c_2"))
            self.gives(numpy.concatenate([numpy.tanh(c[:, 2:]), c[:, :2]], 1))
        rows = self.imports({"w": constant(w)}, [node("Conv", ["x", "w"], "c"), node("Split", ["c"], ["p", "q"], axis=2), node("Add", ["p", "q"], "y")])
        self.assertEqual((rows["p"]["fate"], rows["p"]["why"]), ("view", "slice"))
        c = pointwise(self.x, w)
        self.gives(c[:, :, :3] + c[:, :, 3:])

    def test_what_is_put_out_twice_or_as_it_came_in_is_copied(self):
        self.imports(self.weights(), [self.conv, node("Identity", ["c"], "i"), node("Identity", ["x"], "j"), node("Tanh", ["c"], "t")],
                     outputs=["c", "i", "j", "t"])
        c = pointwise(self.x, self.w)
        self.gives((c, c, self.x, numpy.tanh(c)))

    def test_what_nobody_needs_is_not_there(self):
        rows = self.imports(self.weights(), [self.conv, node("Tanh", ["x"], "t"), node("Erf", ["x"], "e"), node("Sqrt", ["t"], "s")],
                            outputs=["c"], inputs={"x": self.x.shape, "unread": (1, 2)})
        self.assertEqual(rows["e"]["fate"], "left out")
        self.assertIn("inputs: {x: [2, 4, 6, 5]}\noutputs: [c]\nlayers:\n  - {name: c, input: x, out_channels: 3, kernel_size: 1}\n", self.spec)

    def test_batch_normalisation_that_follows_no_layer(self):
        g, b, m, v = numbers(4), numbers(4), numbers(4), numpy.array([1, 2, 3, 4], numpy.float32)
        self.imports({n: constant(a) for n, a in zip("gbmv", (g, b, m, v))}, [node("BatchNormalization", ["x", "g", "b", "m", "v"], "n"), node("Relu", ["n"], "y")])
        at = lambda a: a.reshape(-1, 1, 1)
        self.gives(numpy.maximum(0, (self.x - at(m)) / numpy.sqrt(at(v) + 1e-5) * at(g) + at(b)))


class Views(Case):
    def test_a_classifier_flattens_what_is_left(self):
        p, b = numbers(4, 7), numbers(7)
        for flat in (node("Flatten", ["m"], "f"), node("Reshape", ["m", "to"], "f"), node("Squeeze", ["m", "axes"], "f")):
            rows = self.imports({"p": constant(p), "b": constant(b), "to": sizes(0, -1), "axes": sizes(2, 3)},
                                [node("GlobalAveragePool", ["x"], "m"), flat, node("MatMul", ["f", "p"], "d"), node("Add", ["d", "b"], "l"),
                                 node("Softmax", ["l"], "y", axis=1)])
            self.assertEqual(rows["f"]["fate"], "view")
            self.gives(softmax(self.x.mean((2, 3), dtype=float) @ p + b, 1))

    def test_all_of_an_image_is_a_dense_layers(self):
        w = numbers(5, 120)
        self.imports({"w": constant(w)}, [node("Flatten", ["x"], "f"), node("Gemm", ["f", "w"], "y", transB=1)])
        self.assertIn("{name: y, kind: dense, input: x, out_channels: 5}", self.spec)
        self.gives(self.x.reshape(2, -1).astype(float) @ w.T)

    def test_a_transpose_is_where_channels_lie(self):
        w = numbers(4, 8)
        rows = self.imports({"w": constant(w)},
                            [node("Transpose", ["x"], "t", perm=[0, 2, 3, 1]), node("MatMul", ["t", "w"], "m"), node("Transpose", ["m"], "b", perm=[0, 3, 1, 2]),
                             node("Relu", ["b"], "y")])
        self.assertEqual([rows[n]["fate"] for n in "tmby"], ["view", "layer", "view", "folded"])
        self.assertIn("layers:\n  - {name: m, input: x, out_channels: 8, kernel_size: 1, post_ops: [relu]}\n", self.spec)
        self.gives(numpy.maximum(0, pointwise(self.x, w.T)))

    def test_models_whose_channels_lie_last(self):
        x = numbers(2, 6, 5, 4)
        w = numbers(3, 4, 1, 1)
        self.imports({"w": constant(w)}, [node("Transpose", ["x"], "t", perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], "c"),
                                          node("Transpose", ["c"], "y", perm=[0, 2, 3, 1])], inputs={"x": x.shape})
        self.assertIn("inputs: {x: {shape: [2, 4, 6, 5], layout: channels_last}}\noutputs: {c: {layout: channels_last}}\n", self.spec)
        first = numpy.moveaxis(x, 3, 1)
        net, = self.run_network(numpy.ascontiguousarray(first))
        numpy.testing.assert_allclose(net, pointwise(first, w), rtol=2e-5)

    def test_sequences_go_through_maps_of_one_row(self):
        x, w, v = numbers(2, 4, 9), numbers(5, 4, 3), numbers(5, 5, 1, 1)
        self.imports({"w": constant(w), "v": constant(v), "axes": sizes(2)},
                     [node("Conv", ["x", "w"], "c", pads=[1, 1]), node("Relu", ["c"], "y")], inputs={"x": x.shape})
        padded = numpy.pad(x.astype(float), [(0, 0), (0, 0), (1, 1)])
        self.gives(numpy.maximum(0, sum(pointwise(padded[:, :, k:k + 9], w[:, :, k]) for k in range(3))), x)

    def test_what_is_regrouped_otherwise_is_named(self):
        for nodes, lacking, why in (
                ([node("Reshape", ["x", "to"], "r"), node("Relu", ["r"], "y")], "Reshape", "no layer does that"),
                ([node("Transpose", ["x"], "t", perm=[0, 2, 1, 3]), node("Reshape", ["t", "flat"], "y")], "Reshape", "no layer does that"),
                ([node("Softmax", ["x"], "y", axis=2)], "Softmax", "its axis is not that of channels"),
                ([node("Erf", ["x"], "y")], "Erf", "no layer does that"),
                ([node("Reshape", ["x", "solid"], "r"), node("Concat", ["r", "r"], "y", axis=3)], "Concat", "it is not along channels or all positions"),
                ([node("Reshape", ["x", "solid"], "r"), node("Slice", ["r", "one", "four", "one"], "y")], "Slice", "it is not along channels or all positions"),
                ([node("Slice", ["x", "nil", "four", "one", "two"], "y")], "Slice", "it does not take all of a range"),
                ([node("Mul", ["x", "images"], "y")], "Mul", "no layer has its operands or attributes"),
                ([node("Transpose", ["x"], "y", perm=[0, 2, 1, 3])], "Transpose", "what it makes is put out otherwise than arrays lie")):
            with self.subTest(op=lacking):
                constants = {"to": sizes(4, 2, 2, 15), "flat": sizes(2, 120), "solid": sizes(2, 4, 2, 3, 5), "images": constant(numbers(2, 1, 1, 1)), "w": constant(self.w),
                             "nil": sizes(0), "one": sizes(3), "two": sizes(2), "four": sizes(4)}
                rows = self.imports(constants, [node("Conv", ["x", "w"], "c"), *nodes], outputs=["y", "c"])
                self.assertFalse(self.table["network"])
                self.assertNotIn("inputs:", self.spec)
                self.assertIn("{name: c, input: [2, 4, 6, 5]", self.spec)
                said = self.say()
                self.assertIn(f"a {lacking}: {why}", said)

    def say(self):
        return subprocess.run([command, "import", self.folder / "net.onnx", "-o", self.folder / "out"], capture_output=True, text=True, check=True).stdout


class Parts(Case):
    """Of tensors, along channels and positions; tensors turned round, and what is done to each number by itself."""

    def test_slices_of_channels_and_rows(self):
        x = self.x
        constants = {f"n{i}": sizes(i) for i in range(-3, 9)}
        for bounds, expected in ((("n1", "n3", "n1"), x[:, 1:3]), (("n-3", "n8", "n-2"), x[:, :, -3:]), (("n0", "n2", "n2"), x[:, :, :2])):
            self.imports(constants, [node("Slice", ["x", *bounds], "s"), node("Relu", ["s"], "y")])
            self.gives(numpy.maximum(0, expected))
        self.imports(constants, [node("Slice", ["x", "n1", "n3", "n1"], "p"), node("Slice", ["p", "n1", "n2", "n1"], "q"), node("Mul", ["q", "q"], "y")])
        self.gives(x[:, 2:3] ** 2)

    def test_shapes_of_what_is_made_twice_are_not_believed(self):
        rows = self.imports({"nil": sizes(0), "one": sizes(1), "k": constant(numbers(30)), "v": constant(self.w)},
                            [node("Reshape", ["x", "to"], "r"), node("Slice", ["r", "nil", "one", "one"], "q"), node("Relu", ["z"], "r"), node("Mul", ["q", "k"], "y"),
                             node("Conv", ["x", "v"], "c")], inputs={"x": self.x.shape, "z": (2, 4, 30), "to": ((3,), INT64)}, outputs=["y", "c"])
        self.assertEqual((rows["q"]["fate"], rows["q"]["why"]), ("left out", "what it takes is not known"))

    def test_parts_of_what_came_in_are_put_out(self):
        self.imports({}, [node("Split", ["x"], ["p", "q"], axis=1)], outputs=["q", "p"], opset=13)
        self.gives((self.x[:, 2:], self.x[:, :2]))

    def test_parts_are_laid_beside_others(self):
        self.imports({"w": constant(self.w)}, [node("Conv", ["x", "w"], "c"), node("Concat", ["x", "c"], "k", axis=1),
                                               node("Split", ["k"], ["p", "q"], axis=1, split=[2, 5]), node("Relu", ["q"], "r"),
                                               node("Concat", ["r", "p", "q"], "y", axis=1)], opset=11)
        k = numpy.concatenate([self.x, pointwise(self.x, self.w)], 1)
        self.gives(numpy.concatenate([numpy.maximum(0, k[:, 2:]), k[:, :2], k[:, 2:]], 1))

    def test_maps_of_several_sizes_one_behind_the_other(self):
        for images in (1, 2):
            x = numbers(images, 4, 6, 4)
            p = x.reshape(images, 4, 3, 2, 2, 2).max((3, 5))
            self.imports({"flat": sizes(0, 4, -1)},
                         [node("MaxPool", ["x"], "p", kernel_shape=[2, 2], strides=[2, 2]), node("Relu", ["x"], "r"),
                          node("Reshape", ["r", "flat"], "f"), node("Reshape", ["p", "flat"], "g"), node("Concat", ["f", "g", "f"], "k", axis=2),
                          node("Tanh", ["k"], "y")], inputs={"x": x.shape})
            self.assertIn("along: positions", self.spec)
            flat = lambda a: a.reshape(images, 4, -1)
            self.gives(numpy.tanh(numpy.concatenate([flat(numpy.maximum(0, x)), flat(p), flat(numpy.maximum(0, x))], 2)), x)

    def test_rows_below_rows(self):
        for images in (1, 3):
            x = numbers(images, 4, 3, 5)
            self.imports({"w": constant(self.w)}, [node("Conv", ["x", "w"], "c"), node("Tanh", ["c"], "t"), node("Concat", ["t", "c"], "k", axis=2), node("Neg", ["k"], "y")],
                         inputs={"x": x.shape})
            c = pointwise(x, self.w)
            self.gives(-numpy.concatenate([numpy.tanh(c), c], 2), x)

    def test_softmax_over_positions_and_over_a_part_of_the_channels(self):
        x = self.x
        self.imports({}, [node("Softmax", ["x"], "y", axis=3)])
        self.gives(softmax(x, 3))
        self.imports({"to": sizes(0, 2, 2, 30), "back": sizes(0, 4, 6, 5)}, [node("Reshape", ["x", "to"], "r"), node("Softmax", ["r"], "s", axis=2), node("Reshape", ["s", "back"], "y")])
        self.assertIn("groups: 2", self.spec)
        self.gives(softmax(x.reshape(2, 2, 2, 30), 2))
        self.imports({"to": sizes(0, 4, 30)}, [node("Reshape", ["x", "to"], "r"), node("Softmax", ["r"], "s", axis=2), node("Mul", ["s", "r"], "y")])
        self.gives(softmax(x.reshape(2, 4, 30), 2) * x.reshape(2, 4, 30))

    def test_a_kernel_over_a_part_of_the_channels_is_each_groups(self):
        w, b = numbers(3, 2, 1, 1), numbers(3)
        self.imports({"to": sizes(0, 2, 2, 30), "w": constant(w), "b": constant(b), "back": sizes(0, 6, 30)},
                     [node("Reshape", ["x", "to"], "r"), node("Transpose", ["r"], "t", perm=[0, 2, 1, 3]), node("Conv", ["t", "w", "b"], "c"),
                      node("Transpose", ["c"], "u", perm=[0, 2, 1, 3]), node("Reshape", ["u", "back"], "y")])
        r = self.x.reshape(2, 2, 2, 30)
        self.gives(numpy.einsum("ngcp,oc->ngop", r, w[:, :, 0, 0]) + b.reshape(3, 1))

    def test_a_number_for_each_position_or_each_element(self):
        for shape in ((5,), (6, 1), (6, 5), (4, 6, 5), (1, 4, 1, 5)):
            k = numbers(*shape) + 0.5
            for op, expected in (("Add", self.x + k), ("Mul", self.x * k), ("Sub", self.x - k), ("Div", self.x / k)):
                self.imports({"k": constant(k)}, [node(op, ["x", "k"], "y")])
                self.gives(expected)
            self.imports({"k": constant(k)}, [node("Sub", ["k", "x"], "d"), node("Relu", ["d"], "r"), node("Add", ["x", "r"], "y")])
            self.gives(self.x + numpy.maximum(0, k - self.x))

    def test_a_norm_that_is_written_out(self):
        g, b, w = numbers(4), numbers(4), numbers(4, 6)
        t = numpy.moveaxis(self.x, 1, -1).astype(float)
        for square in (node("Pow", ["s", "two"], "p"), node("Mul", ["s", "s"], "p")):
            rows = self.imports({"g": constant(g), "b": constant(b), "w": constant(w), "two": ((), [2.0]), "e": ((), [0.25])},
                                [node("Transpose", ["x"], "t", perm=[0, 2, 3, 1]), node("ReduceMean", ["t"], "m", axes=[-1]), node("Sub", ["t", "m"], "s"), square,
                                 node("ReduceMean", ["p"], "v", axes=[3]), node("Add", ["v", "e"], "a"), node("Sqrt", ["a"], "r"), node("Div", ["s", "r"], "n"),
                                 node("Mul", ["n", "g"], "k"), node("Add", ["k", "b"], "z"), node("MatMul", ["z", "w"], "y")], opset=13)
            self.assertEqual((rows["v"]["fate"], rows["n"]["op"], rows["z"]["layer"]), ("folded", "LayerNormalization", "n"))
            self.gives(((t - t.mean(-1, keepdims=True)) / numpy.sqrt(t.var(-1, keepdims=True) + 0.25) * g + b) @ w)

    def test_products_over_positions(self):
        w = numbers(30, 7)
        self.imports({"w": constant(w), "to": sizes(0, 4, 30)}, [node("Reshape", ["x", "to"], "r"), node("MatMul", ["r", "w"], "y")])
        self.gives(self.x.reshape(2, 4, 30).astype(float) @ w)


class Counted(Case):
    """What lies in the order of an array is seen in any shape that leaves images what they are."""
    x, w = numbers(1, 4, 6, 5), numbers(6, 4, 1, 1)
    turned = lambda self, a: numpy.moveaxis(a, 1, -1)

    def test_rows_of_boxes_of_maps_of_several_sizes(self):
        pooled = lambda a, n: a[:, :, :n * (6 // n)].reshape(1, 4, n, 6 // n, -1).max((3, 4))[..., None]
        maps = [self.x.astype(float), pooled(self.x.astype(float), 3), pooled(self.x.astype(float), 1)]
        boxes = numpy.concatenate([self.turned(pointwise(m, self.w)).reshape(1, -1, 3) for m in maps], 1)
        nodes = [node("MaxPool", ["x"], "x1", kernel_shape=[2, 5]), node("GlobalMaxPool", ["x"], "x2")]
        nodes[0] = node("MaxPool", ["x"], "x1", kernel_shape=[2, 5], strides=[2, 1])
        for i, x in enumerate(("x", "x1", "x2")):
            nodes += [node("Conv", [x, "w"], f"c{i}"), node("Transpose", [f"c{i}"], f"t{i}", perm=[0, 2, 3, 1])]
        rows = self.imports({"w": constant(self.w), "rows": sizes(1, -1, 3)}, nodes + [node("Reshape", [f"t{i}", "rows"], f"r{i}") for i in range(3)] +
                            [node("Concat", ["r0", "r1", "r2"], "k", axis=1), node("Softmax", ["k"], "y", axis=2)], outputs=["y", "k"])
        self.assertEqual([rows[n]["fate"] for n in ("t0", "r0", "r1", "r2")], ["view"] * 4)
        self.assertIn("along: positions", self.spec)
        self.gives((softmax(boxes, 2), boxes))
        split = [node("Reshape", [f"c{i}", f"parts{i}"], f"s{i}") for i in range(3)]
        turns = [node("Transpose", [f"s{i}"], f"u{i}", perm=[0, 3, 4, 1, 2]) for i in range(3)]
        self.imports({"w": constant(self.w), "rows": sizes(1, -1, 3), **{f"parts{i}": sizes(1, 2, 3, *s) for i, s in enumerate(((6, 5), (3, 1), (1, 1)))}},
                     [n for n in nodes if b"Transpose" not in n] + split + turns + [node("Reshape", [f"u{i}", "rows"], f"r{i}") for i in range(3)] +
                     [node("Concat", ["r0", "r1", "r2"], "k", axis=1), node("Sigmoid", ["k"], "y")])
        self.gives(1 / (1 + numpy.exp(-boxes)))
        self.imports({"w": constant(self.w), "rows": sizes(1, -1, 3), "all": sizes(1, -1)}, nodes + [node("Reshape", [f"t{i}", "all"], f"r{i}") for i in range(3)] +
                     [node("Concat", ["r0", "r1", "r2"], "k", axis=1), node("Reshape", ["k", "rows"], "b"), node("Softmax", ["b"], "y", axis=-1)], outputs=["y"])
        self.gives(softmax(boxes, 2))

    def test_in_other_shapes_in_either_order(self):
        for shape in ((1, 8, 3, 5), (1, 2, 60), (1, 5, 2, 3, 4), (1, 3, 40)):
            self.imports({"to": sizes(*shape)}, [node("Relu", ["x"], "t"), node("Reshape", ["t", "to"], "r"), node("Tanh", ["r"], "y")])
            self.gives(numpy.tanh(numpy.maximum(0, self.x)))
            self.imports({"to": sizes(*shape)}, [node("Transpose", ["x"], "t", perm=[0, 2, 3, 1]), node("Reshape", ["t", "to"], "r"), node("Tanh", ["r"], "y")])
            self.gives(numpy.tanh(self.turned(self.x)))

    def test_of_several_images_too(self):
        x = numbers(3, 4, 6, 5)
        self.imports({"w": constant(self.w), "rows": sizes(3, -1, 3)}, [node("Conv", ["x", "w"], "c"), node("Transpose", ["c"], "t", perm=[0, 2, 3, 1]), node("Reshape", ["t", "rows"], "r"),
                                                                       node("Concat", ["r", "r"], "k", axis=1), node("Softmax", ["k"], "y", axis=2)], inputs={"x": x.shape})
        r = self.turned(pointwise(x, self.w)).reshape(3, -1, 3)
        self.gives(softmax(numpy.concatenate([r, r], 1), 2), x)

    def test_all_of_an_image_whose_channels_lie_last(self):
        w = numbers(7, 120)
        self.imports({"w": constant(w)}, [node("Transpose", ["x"], "t", perm=[0, 2, 3, 1]), node("Flatten", ["t"], "f"), node("Gemm", ["f", "w"], "y", transB=1)])
        self.gives(self.turned(self.x).reshape(1, -1).astype(float) @ w.T)

    def test_parts_of_the_last_axis(self):
        x = numbers(2, 4, 6, 5)
        self.imports({"one": sizes(1), "four": sizes(4), "last": sizes(-1)}, [node("Slice", ["x", "one", "four", "last"], "s"), node("Concat", ["s", "x"], "k", axis=3), node("Tanh", ["k"], "y")],
                     inputs={"x": x.shape})
        self.gives(numpy.tanh(numpy.concatenate([x[..., 1:4], x], 3)), x)


class Shuffles(Case):
    """Channels of groups that change places."""
    x = numbers(1, 12, 3, 5)

    def shuffled(self, a, groups):
        return a.reshape(len(a), groups, -1, *a.shape[2:]).swapaxes(1, 2).reshape(a.shape)

    def shuffle(self, x, y):
        return [node("Reshape", [x, "apart"], f"{y}_a"), node("Transpose", [f"{y}_a"], f"{y}_t", perm=[0, 2, 1, 3, 4]), node("Reshape", [f"{y}_t", "together"], y)]

    def shapes(self, groups, images=1):
        return {"apart": sizes(images, groups, 12 // groups, 3, 5), "together": sizes(images, 12, 3, 5)}

    def test_of_a_tensor_and_of_what_comes_in(self):
        w = numbers(12, 4, 1, 1)
        for images, groups in ((1, 2), (1, 3), (1, 6), (2, 3)):
            x = numbers(images, 12, 3, 5)
            rows = self.imports({"w": constant(w), **self.shapes(groups, images)}, [node("Relu", ["x"], "r"), *self.shuffle("r", "s"), node("Conv", ["s", "w"], "y", group=3)], inputs={"x": x.shape})
            self.assertEqual([rows[n]["fate"] for n in ("s_a", "s_t", "s")], ["view"] * 3)
            s = self.shuffled(numpy.maximum(0, x), groups)
            self.gives(numpy.concatenate([pointwise(s[:, 4 * i:4 * i + 4], w[4 * i:4 * i + 4]) for i in range(3)], 1), x)
            self.imports(self.shapes(groups, images), [*self.shuffle("x", "s"), node("Relu", ["s"], "y")], inputs={"x": x.shape})
            self.gives(numpy.maximum(0, self.shuffled(x, groups)), x)
            self.imports(self.shapes(groups, images), self.shuffle("x", "y"), inputs={"x": x.shape})
            self.gives(self.shuffled(x, groups), x)

    def test_what_lies_beside_one_another_is_put_where_it_is_shuffled(self):
        w = numbers(6, 12, 1, 1)
        self.imports({"w": constant(w), "one": sizes(6, 6), **self.shapes(2)},
                     [node("Split", ["x", "one"], ["a", "b"], axis=1), node("Conv", ["x", "w"], "c"), node("Concat", ["a", "c"], "k", axis=1), *self.shuffle("k", "s"),
                      node("Split", ["s", "one"], ["d", "e"], axis=1), node("Mul", ["d", "e"], "y")])
        self.assertIn("kind: concat, input: [a, c], along: positions}", self.spec)
        s = self.shuffled(numpy.concatenate([self.x[:, :6], pointwise(self.x, w)], 1), 2)
        self.gives(s[:, :6] * s[:, 6:])

    def test_channels_that_are_counted_in_three_parts(self):
        for perm in ((0, 2, 3, 1, 4), (0, 3, 1, 2, 4)):
            self.imports({"apart": sizes(1, 2, 3, 2, 15), "together": sizes(1, 12, 15)},
                         [node("Reshape", ["x", "apart"], "a"), node("Transpose", ["a"], "t", perm=list(perm)), node("Reshape", ["t", "together"], "s"), node("Tanh", ["s"], "y")])
            self.gives(numpy.tanh(self.x.reshape(1, 2, 3, 2, 15).transpose(perm)))
        self.imports({"apart": sizes(1, 2, 3, 2, 15), "together": sizes(1, 12, 15)},
                     [node("Reshape", ["x", "apart"], "a"), node("Transpose", ["a"], "t", perm=[0, 2, 1, 3, 4]), node("Reshape", ["t", "together"], "s"), node("Tanh", ["s"], "y")])
        self.assertFalse(self.table["network"])


class Borders(Case):
    """What a Pad lays around a tensor is the padding of the windows that read it."""
    x, w = numbers(1, 4, 6, 5), numbers(3, 4, 3, 3)

    def conv(self, x, stride=1):
        windows = numpy.lib.stride_tricks.sliding_window_view(x.astype(float), (3, 3), (2, 3))[:, :, ::stride, ::stride]
        return numpy.einsum("nchwij,ocij->nohw", windows, self.w.astype(float))

    def around(self, mode, top=1, left=2, bottom=1, right=0, x=None, **more):
        return numpy.pad(self.x if x is None else x, [(0, 0), (0, 0), (top, bottom), (left, right)], mode, **more)

    def constants(self, pads=(0, 0, 1, 2, 0, 0, 1, 0), **others):
        return {"w": constant(self.w), "p": sizes(*pads), "two": ((), [2.0]), **others}

    def test_of_every_mode_it_is_the_convolutions(self):
        for mode, word in (("constant", None), ("reflect", "reflect"), ("edge", "replicate"), ("wrap", "circular")):
            rows = self.imports(self.constants(), [node("Pad", ["x", "p"], "q", mode=mode), node("Conv", ["q", "w"], "y", strides=[2, 2])])
            self.assertEqual([rows["q"][k] for k in ("fate", "layer", "why")], ["folded", "y", "padding"])
            self.assertIn("padding: [[1, 1], [2, 0]]" + (f", padding_mode: {word}" if word else "") + "}", self.spec)
            self.gives(self.conv(self.around(mode), 2))
        self.imports(self.constants(), [node("Pad", ["x", "p", "two"], "q"), node("Conv", ["q", "w"], "y")])
        self.assertIn("padding_mode: {constant: 2}}", self.spec)
        self.gives(self.conv(self.around("constant", constant_values=2)))

    def test_it_may_be_an_attribute_or_of_some_axes(self):
        expected = self.conv(self.around("constant", constant_values=2))
        self.imports(self.constants(), [node("Pad", ["x"], "q", mode="constant", pads=[0, 0, 1, 2, 0, 0, 1, 0], value=2.0), node("Conv", ["q", "w"], "y")], opset=10)
        self.gives(expected)
        self.imports(self.constants((2, 1, 0, 1), a=sizes(-1, 2)), [node("Pad", ["x", "p", "two", "a"], "q"), node("Conv", ["q", "w"], "y")], opset=18)
        self.gives(expected)

    def test_it_may_be_computed_as_pytorch_does(self):
        constants = self.constants(given=sizes(2, 0, 1, 1), four=sizes(4), pairs=sizes(-1, 2), all=sizes(-1), first=sizes(0), last=sizes(-1), least=sizes(-2 ** 63 + 1))
        self.imports(constants, [node("ConstantOfShape", ["four"], "zeros", value=tensor("", (1,), [0], INT64)), node("Concat", ["given", "zeros"], "c", axis=0),
                                 node("Reshape", ["c", "pairs"], "t"), node("Slice", ["t", "last", "least", "first", "last"], "f"),
                                 node("Transpose", ["f"], "u", perm=[1, 0]), node("Reshape", ["u", "all"], "v"), node("Cast", ["v"], "p2", to=INT64),
                                 node("Pad", ["x", "p2"], "q", mode="reflect"), node("Conv", ["q", "w"], "y")])
        self.gives(self.conv(self.around("reflect")))

    def test_each_who_reads_it_takes_it(self):
        rows = self.imports(self.constants(v=constant(numbers(4, 1, 2, 2))), [node("Pad", ["x", "p"], "q", mode="edge"), node("Conv", ["q", "w"], "c"), node("Conv", ["q", "w"], "d"),
                                                                             node("Add", ["c", "d"], "y")])
        self.assertEqual((rows["q"]["fate"], self.spec.count("padding_mode: replicate"), self.table["layers"]), ("folded", 2, 2))
        self.gives(2 * self.conv(self.around("edge")))

    def test_zeros_around_zeros(self):
        rows = self.imports(self.constants(), [node("Pad", ["x", "p"], "o"), node("Pad", ["o", "p"], "q"), node("Conv", ["q", "w"], "y", pads=[0, 1, 2, 0])])
        self.assertEqual((rows["o"]["fate"], rows["q"]["fate"]), ("folded", "folded"))
        self.assertIn("padding: [[2, 4], [5, 0]]", self.spec)
        self.gives(self.conv(self.around("constant", 2, 5, 4, 0)))
        for nodes in ([node("Pad", ["x", "p"], "o", mode="edge"), node("Conv", ["o", "w"], "y", pads=[0, 1, 2, 0])],
                      [node("Pad", ["x", "p"], "o", mode="edge"), node("Pad", ["o", "none"], "q"), node("Conv", ["q", "w"], "y", pads=[0, 1, 2, 0])]):
            rows = self.imports(self.constants(none=sizes(*[0] * 8)), nodes)
            self.assertEqual(rows["o"]["fate"], "layer")
            self.gives(self.conv(self.around("constant", 0, 1, 2, 0, x=self.around("edge"))))
        rows = self.imports(self.constants(), [node("Pad", ["x", "p"], "o"), node("Pad", ["o", "p"], "q", mode="edge"), node("Conv", ["q", "w"], "y")])
        self.assertEqual((rows["o"]["fate"], rows["q"]["fate"]), ("layer", "folded"))
        self.gives(self.conv(self.around("edge", x=self.around("constant"))))

    def test_automatic_padding_comes_around_it(self):
        self.imports(self.constants(), [node("Pad", ["x", "p"], "q"), node("Conv", ["q", "w"], "y", auto_pad="SAME_UPPER", strides=[2, 2])])
        self.gives(self.conv(self.around("constant", 0, 1, 1, 1, x=self.around("constant")), 2))

    def test_pools_take_it_where_it_means_the_same(self):
        pool = lambda op, **more: node(op, ["q"], "y", kernel_shape=[3, 3], **more)
        windows = lambda x: numpy.lib.stride_tricks.sliding_window_view(x.astype(float), (3, 3), (2, 3))
        relu, pad = node("Relu", ["x"], "r"), node("Pad", ["r", "p"], "q")
        rows = self.imports(self.constants(), [relu, pad, pool("MaxPool")])
        self.assertEqual(rows["q"]["fate"], "folded")
        self.gives(windows(self.around("constant", x=numpy.maximum(0, self.x))).max((4, 5)))
        least = ((), [float(numpy.finfo(numpy.float32).min)])
        rows = self.imports(self.constants(least=least), [node("Pad", ["x", "p", "least"], "q"), pool("MaxPool")])
        self.assertEqual(rows["q"]["fate"], "folded")
        self.gives(windows(self.around("constant", constant_values=-9)).max((4, 5)))
        x = self.x - 9  # zeros are then the greatest
        for more, fate, padded in (({}, "folded", self.around("constant", x=x)), ({"count_include_pad": 1, "pads": [1, 0, 0, 0]}, "folded", self.around("constant", 2, x=x)),
                                   ({"mode": "reflect"}, "layer", self.around("reflect", x=x))):
            mode = {"mode": more.pop("mode")} if "mode" in more else {}
            rows = self.imports(self.constants(), [node("Pad", ["x", "p"], "q", **mode), pool("AveragePool", **more)])
            self.assertEqual(rows["q"]["fate"], fate)
            self.gives(windows(padded).mean((4, 5)), x)
        rows = self.imports(self.constants(), [node("Pad", ["x", "p"], "q"), pool("MaxPool")])
        self.assertEqual(rows["q"]["fate"], "layer")
        self.gives(windows(self.around("constant", x=x)).max((4, 5)), x)

    def test_what_others_read_is_a_layer_that_copies(self):
        for mode in ("constant", "reflect", "edge", "wrap"):
            rows = self.imports(self.constants(), [node("Pad", ["x", "p"], "q", mode=mode), node("Conv", ["q", "w"], "c"), node("Tanh", ["q"], "t")], outputs=["c", "t", "q"])
            self.assertEqual((rows["q"]["fate"], rows["q"]["macs"]), ("layer", 0))
            self.gives((self.conv(self.around(mode)), numpy.tanh(self.around(mode)), self.around(mode)))

    def test_channels_may_lie_last(self):
        x = numpy.ascontiguousarray(numpy.moveaxis(self.x, 1, 3))
        self.imports(self.constants((0, 1, 2, 0, 0, 1, 0, 0)), [node("Pad", ["x", "p"], "q"), node("Transpose", ["q"], "t", perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], "y")],
                     inputs={"x": x.shape})
        self.gives(self.conv(self.around("constant")), self.x)

    def test_what_the_language_has_not_is_named(self):
        turned = {"pairs": sizes(2, 4), "all": sizes(-1)}
        rows = self.imports(self.constants(**turned), [node("Conv", ["x", "w"], "c"), node("Reshape", ["p", "pairs"], "r"), node("Transpose", ["r"], "t", perm=[1, 1]), node("Reshape", ["t", "all"], "u"),
                                                       node("Pad", ["x", "u"], "y")], outputs=["y", "c"])
        self.assertEqual(rows["y"]["why"], "how much it pads is not known")
        for pads, why in (((0, 0, -1, 0, 0, 0, 0, 0), "it pads by less than nothing"), ((0, 1, 0, 0, 0, 0, 0, 0), "it pads more than sizes"),
                          ((0, 1), "how much it pads is not known")):
            rows = self.imports(self.constants(pads), [node("Conv", ["x", "w"], "c"), node("Pad", ["x", "p"], "y")], outputs=["y", "c"])
            self.assertEqual((rows["y"]["fate"], rows["y"]["why"], self.table["network"]), ("left out", why, False))
        rows = self.imports(self.constants(), [node("Conv", ["x", "w"], "c"), node("Pad", ["x", "p"], "y", mode="other")], outputs=["y", "c"])
        self.assertEqual(rows["y"]["why"], "no layer has its mode")


class Files(Case):
    def refuses(self, location, words, offset=0, length=None):
        w = numbers(3, 4, 1, 1)
        path = self.folder / "net.onnx"
        path.write_bytes(model({"x": self.x.shape}, {}, [node("Conv", ["x", "w"], "y")], ["y"],
                               more=beside("w", w.shape, location, offset, w.nbytes if length is None else length)))
        done = subprocess.run([command, "import", path, "-o", self.folder / "out"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, words in done.stderr), (6, True), done.stderr)

    def test_weights_in_a_file_of_their_own(self):
        w = numbers(3, 4, 1, 1)
        (self.folder / "below").mkdir()
        (self.folder / "below/weights.bin").write_bytes(bytes(8) + w.tobytes() + bytes(4))
        self.imports({}, [node("Conv", ["x", "w"], "y")], more=beside("w", w.shape, "below/weights.bin", 8, w.nbytes))
        self.gives(pointwise(self.x, w))

    def test_files_elsewhere_are_not_read(self):
        (self.folder / "weights.bin").write_bytes(bytes(100))
        (self.folder / "link.bin").symlink_to(self.folder / "weights.bin")
        (self.folder / "up").symlink_to("/")
        for location in ("../weights.bin", "/etc/passwd", "a/../../b", "", "x/../weights.bin"):
            self.refuses(location, "weights are in a file of their own")
        self.refuses("../weights.bin", "it is not in the model's folder")
        self.refuses("link.bin", "links are not followed")
        self.refuses("up/etc/passwd", "up/etc/passwd: Not a directory")
        self.refuses("none.bin", "none.bin: No such file")
        self.refuses(".", "it is not a regular file")
        for offset, length in ((60, 48), (0, 101), (1 << 63, 48), (8, (1 << 64) - 8)):
            self.refuses("weights.bin", "it is not as long as the model says", offset, length)

    def test_casts_are_types_of_what_is_put_out(self):
        w = numbers(3, 4, 1, 1)
        self.imports({"w": (*constant(w), HALF)}, [node("Cast", ["x"], "h", to=HALF), node("Conv", ["h", "w"], "c"), node("Cast", ["c"], "y", to=1)])
        self.gives(pointwise(self.x, w))
        self.assertIn("{name: c, input: h, out_channels: 3, kernel_size: 1, dtype: {input: f16, weights: f16, output: f32}", self.spec)


class Halves(Case):
    x = numbers(2, 4, 6, 5).astype(numpy.float16)

    def test_a_model_of_halves_is_a_network_of_halves(self):
        w, k = numbers(4, 4, 1, 1), numbers(4, 1, 3, 3)
        self.imports({"w": (*constant(w), HALF), "k": (*constant(k), HALF), "eighth": ((1,), [0.125], HALF)},
                     [node("Conv", ["x", "w"], "c"), node("Mul", ["c", "eighth"], "m"), node("Relu", ["m"], "r"),
                      node("Conv", ["r", "k"], "d", group=4, pads=[1, 1, 1, 1]), node("Add", ["d", "x"], "a"), node("GlobalAveragePool", ["a"], "y")],
                     inputs={"x": (self.x.shape, HALF)}, outputs=("y", "a"))
        self.assertNotIn("f32", self.spec)
        self.assertEqual(self.spec.count("dtype: f16"), 4)  # of the input, too
        half = lambda a: a.astype(numpy.float16).astype(float)
        r = half(numpy.maximum(pointwise(self.x, w) / 8, 0))
        windows = numpy.lib.stride_tricks.sliding_window_view(numpy.pad(r, [(0, 0), (0, 0), (1, 1), (1, 1)]), (3, 3), (2, 3))
        a = half(numpy.einsum("nchwij,cij->nchw", windows, k[:, 0].astype(float)) + self.x)
        for got, expected in zip(self.run_network(self.x), (half(a.mean((2, 3))), a), strict=True):
            self.assertEqual(got.dtype, numpy.float16)
            numpy.testing.assert_allclose(got.ravel(), expected.ravel(), rtol=2e-3)


STEPS = {"x": (0.0125, 121), "a": (0.03, 0), "d": (0.04, 3), "p": (0.05, 130), "s": (0.06, 128), "g": (0.02, 120), "y": (0.1, 100)}
WEIGHTS = {"a": (16, 8, 1, 1), "d": (16, 1, 3, 3), "p": (8, 16, 1, 1), "y": (5, 8)}


class Bytes(Case):
    """A block as of MobileNet, with the sum around it, a pool and a classifier: in numbers between bytes, and in operators on bytes."""
    x = (numbers(1, 8, 10, 9) / 2).astype(numpy.float32)
    weights = {n: rng.integers(-9, 10, shape) for n, shape in WEIGHTS.items()}
    scales = {n: (rng.integers(2, 9, shape[0]) / 512).astype(numpy.float32) for n, shape in WEIGHTS.items()}
    scales["y"] = numpy.array([0.02], numpy.float32)
    biases = {n: rng.integers(-99, 100, shape[0]) for n, shape in WEIGHTS.items()}

    def constants(self):
        made = {}
        for n, (step, zero) in STEPS.items():
            made |= {f"{n}_s": ((), [step]), f"{n}_z": ((), [zero], UINT8)}
        for n, w in self.weights.items():
            made |= {f"{n}_w": (w.shape, w.ravel().tolist(), INT8), f"{n}_ws": (self.scales[n].shape, self.scales[n].tolist()),
                     f"{n}_wz": (self.scales[n].shape, [0] * self.scales[n].size, INT8)}
            unit = numpy.float32(STEPS[{"a": "x", "d": "a", "p": "d", "y": "g"}[n]][0]) * self.scales[n]
            made |= {f"{n}_b": ((w.shape[0],), self.biases[n].tolist(), INT32), f"{n}_bs": (unit.shape, unit.tolist()),
                     f"{n}_bz": (unit.shape, [0] * unit.size, INT32)}
        made["y_v"] = (self.weights["y"].T.shape, self.weights["y"].T.ravel().tolist(), INT8)
        return made | {"low": ((), [0]), "high": ((), [5.0]), "rows": sizes(1, -1)}

    def layer(self, n, before, q, post=lambda v: v):
        """Of bytes to bytes, by the language's rule."""
        (step, zero), (unit, origin) = STEPS[n], STEPS[before]
        w, x = self.weights[n], q.astype(int) - origin
        if w.ndim == 2:
            sums = x @ w.T + self.biases[n]
        else:
            x = numpy.pad(x, [(0, 0), (0, 0)] + [(w.shape[2] // 2,) * 2] * 2)
            windows = numpy.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
            sums = numpy.einsum("nchwij,cij->nchw", windows, w[:, 0]) if n == "d" else numpy.einsum("nchwij,ocij->nohw", windows, w)
            sums = sums + self.biases[n].reshape(-1, 1, 1)
        m = numpy.float32(unit) * self.scales[n] / numpy.float32(step)
        return self.bytes(post(sums.astype(numpy.float32) * (m if m.size == 1 or w.ndim == 2 else m.reshape(-1, 1, 1))), zero)

    def bytes(self, values, zero):
        return numpy.clip(numpy.rint(values) + zero, 0, 255)

    def block(self, clip, least=0):
        q = {"x": self.bytes(self.x / numpy.float32(STEPS["x"][0]), STEPS["x"][1])}
        q["a"] = self.layer("a", "x", q["x"], lambda v: numpy.maximum(v, 0))
        q["d"] = self.layer("d", "a", q["a"], (lambda v: numpy.clip(v, least, numpy.float32(5 / 0.04))) if clip else lambda v: v)
        q["p"] = self.layer("p", "d", q["d"])
        real = lambda n: (q[n] - STEPS[n][1]) * STEPS[n][0]
        q["s"] = self.bytes((real("p") + real("x")) / STEPS["s"][0], STEPS["s"][1])
        q["m"] = q["s"][:, :, :10, :8].reshape(1, 8, 5, 2, 4, 2).max((3, 5))
        q["g"] = self.bytes((q["m"] - STEPS["s"][1]).mean((2, 3), keepdims=True) * STEPS["s"][0] / STEPS["g"][0], STEPS["g"][1])
        q["y"] = self.layer("y", "g", q["g"].reshape(1, 8))
        return q

    def between(self, bounds=("low", "high")):
        """Numbers between bytes, as quantisers write them."""
        nodes = []
        numbers_of = lambda n, s=None: nodes.append(node("DequantizeLinear", [f"{n}_q", f"{s or n}_s", f"{s or n}_z"], f"{n}_f"))
        bytes_of = lambda n, s=None: nodes.append(node("QuantizeLinear", [f"{n}_o" if n != "x" else "x", f"{s or n}_s", f"{s or n}_z"], f"{n}_q"))

        def product(n, before, *after, op="Conv", **attributes):
            for k in "wb":
                nodes.append(node("DequantizeLinear", [f"{n}_{k}", f"{n}_{k}s", f"{n}_{k}z"], f"{n}_{k}f", axis=0))
            names = [f"{n}_{i}t" for i in range(len(after))] + [f"{n}_o"]
            nodes.append(node(op, [f"{before}", f"{n}_wf", f"{n}_bf"], names[0], **attributes))
            for i, (what, more) in enumerate(after):
                nodes.append(node(what, [names[i], *more], names[i + 1]))
            bytes_of(n)
            numbers_of(n)
        bytes_of("x")
        numbers_of("x")
        product("a", "x_f", ("Relu", []))
        product("d", "a_f", ("Clip", bounds), pads=[1, 1, 1, 1], group=16)
        product("p", "d_f")
        nodes.append(node("Add", ["p_f", "x_f"], "s_o"))
        bytes_of("s")
        numbers_of("s")
        nodes.append(node("MaxPool", ["s_f"], "m_o", kernel_shape=[2, 2], strides=[2, 2]))
        bytes_of("m", "s")
        numbers_of("m", "s")
        nodes.append(node("GlobalAveragePool", ["m_f"], "g_o"))
        bytes_of("g")
        numbers_of("g")
        nodes.append(node("Flatten", ["g_f"], "l_o"))
        bytes_of("l", "g")
        numbers_of("l", "g")
        product("y", "l_f", op="Gemm", transB=1)
        return nodes

    def on_bytes(self):
        """The same as operators on bytes, some of which are ONNX Runtime's own."""
        of = lambda n, s=None: [f"{n}_q", f"{s or n}_s", f"{s or n}_z"]
        to = lambda n: [f"{n}_s", f"{n}_z"]
        conv = lambda n, before, **more: node("QLinearConv", of(before) + [f"{n}_w", f"{n}_ws", f"{n}_wz"] + to(n) + [f"{n}_b"], f"{n}_q", **more)
        return [node("QuantizeLinear", ["x", *to("x")], "x_q"), conv("a", "x"), conv("d", "a", pads=[1, 1, 1, 1], group=16), conv("p", "d"),
                node("QLinearAdd", of("p") + of("x") + to("s"), "s_q"), node("MaxPool", ["s_q"], "m_q", kernel_shape=[2, 2], strides=[2, 2]),
                node("QLinearGlobalAveragePool", of("m", "s") + to("g"), "g_q"), node("Reshape", ["g_q", "rows"], "l_q"),
                node("QLinearMatMul", of("l", "g") + ["y_v", "y_ws", "y_wz"] + to("y"), "y_q"), node("DequantizeLinear", of("y"), "y_f")]

    def numbers_of(self, q, n):
        return (q[n] - STEPS[n][1]) * STEPS[n][0]

    def check(self, nodes, outputs, clip, least=0):
        self.imports(self.constants(), nodes, outputs=[f"{n}_f" for n in outputs], opset=13)
        q = self.block(clip, least)
        got = self.run_network(self.x)
        for n, made in zip(outputs, got, strict=True):
            steps = numpy.abs(made.ravel() - self.numbers_of(q, n).ravel()) / STEPS[n][0]
            self.assertLessEqual(steps.max(), 1 + 1e-3, n)
            self.assertLess((steps > 0.5).mean(), 0.03 if n != "y" else 1, n)
        return q

    def test_a_block_between_bytes(self):
        self.check(self.between(), ["p", "s", "y"], True)
        self.assertEqual(self.spec.count("output: u8}"), 5)
        self.assertEqual(self.spec.count("dtype: u8"), 3)  # the sum, and pools
        self.assertEqual(self.spec.count("output: f32}"), 3)  # what is put out

    def test_a_bound_may_be_left_out(self):
        self.check(self.between(("", "high")), ["p", "s", "y"], True, -numpy.inf)
        self.assertEqual(self.spec.count("output: f32}"), 3)  # what is put out

    def test_a_block_of_operators_on_bytes(self):
        self.biases = {n: b * (n != "y") for n, b in self.biases.items()}  # of a product of matrices there is none
        self.check(self.on_bytes(), ["y"], False)
        self.assertEqual(self.spec.count("output: f32}"), 1)

    def test_bytes_come_in_and_go_out(self):
        x = rng.integers(0, 256, (1, 8, 6, 5)).astype(numpy.uint8)
        self.imports(self.constants(), [node("QLinearConv", ["x", "x_s", "x_z", "a_w", "a_ws", "a_wz", "a_s", "a_z", "a_b"], "y")], inputs={"x": (x.shape, UINT8)})
        got, = self.run_network(x)
        numpy.testing.assert_array_equal(got, self.layer("a", "x", x))

    def test_integer_sums_are_numbers_of_step_one(self):
        x = rng.integers(0, 256, (1, 8, 6, 5)).astype(numpy.uint8)
        self.imports(self.constants(), [node("ConvInteger", ["x", "a_w", "x_z"], "i"), node("Cast", ["i"], "f", to=1), node("Mul", ["f", "x_s"], "y")], inputs={"x": (x.shape, UINT8)})
        got, = self.run_network(x)
        numpy.testing.assert_allclose(got, pointwise(x.astype(int) - STEPS["x"][1], self.weights["a"]) * numpy.float32(STEPS["x"][0]), rtol=1e-6)

    def test_what_has_no_layer_of_bytes_is_computed_with_numbers(self):
        self.imports(self.constants(), [node("QuantizeLinear", ["x", "x_s", "x_z"], "q"), node("DequantizeLinear", ["q", "x_s", "x_z"], "f"),
                                        node("Softmax", ["f"], "t", axis=1), node("QuantizeLinear", ["t", "g_s", "g_z"], "u"),
                                        node("DequantizeLinear", ["u", "g_s", "g_z"], "y")], opset=13)
        x = (self.bytes(self.x / numpy.float32(STEPS["x"][0]), STEPS["x"][1]) - STEPS["x"][1]) * STEPS["x"][0]
        u = self.bytes(softmax(x, 1) / STEPS["g"][0], STEPS["g"][1])
        got, = self.run_network(self.x)
        numpy.testing.assert_allclose(got, (u - STEPS["g"][1]) * STEPS["g"][0], atol=1e-6)


class Kinds(Case):
    def test_softmax_over_channels(self):
        self.imports({}, [node("Softmax", ["x"], "y", axis=1)], opset=13)
        self.gives(softmax(self.x.astype(float), 1))
        self.imports({}, [node("Relu", ["x"], "r"), node("Softmax", ["r"], "y", axis=1)], opset=11)  # over all axes from that one on
        self.assertFalse(self.table["network"])

    def test_means_over_sizes(self):
        for axes, keepdims in (([2, 3], 1), ([-1, -2], 0), ([3], 1)):
            self.imports({}, [node("ReduceMean", ["x"], "y", axes=axes, keepdims=keepdims)])
            self.gives(self.x.mean(tuple(axes), dtype=float))

    def test_resizes_by_factors_and_by_sizes(self):
        nearest = self.x.repeat(2, 2).repeat(2, 3)
        asymmetric = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        constants = {"by": constant([1, 1, 2, 2]), "to": sizes(2, 4, 12, 10), "odd": constant([1, 1, 1.5, 1.3]), "none": constant([])}
        for n in (node("Resize", ["x", "", "by"], "y", **asymmetric), node("Resize", ["x", "", "", "to"], "y", **asymmetric),
                  node("Resize", ["x", "by"], "y"), node("Upsample", ["x", "by"], "y")):
            self.imports(constants, [n])
            self.gives(nearest)
        self.imports(constants, [node("Resize", ["x", "", "by"], "y", mode="linear", coordinate_transformation_mode="align_corners")])
        at = [numpy.linspace(0, n - 1, 2 * n) for n in self.x.shape[2:]]
        between = lambda a, axis, places: numpy.apply_along_axis(lambda v: numpy.interp(places, numpy.arange(len(v)), v), axis, a)
        self.gives(between(between(self.x.astype(float), 2, at[0]), 3, at[1]))
        self.imports(constants, [node("Relu", ["x"], "r"), node("Resize", ["r", "", "odd"], "y", **asymmetric)])
        self.assertFalse(self.table["network"])

    def test_norms(self):
        x, g, b = self.x.astype(float), numbers(4), numbers(4)
        constants = {"g": constant(g), "b": constant(b)}
        at = lambda a: a.reshape(-1, 1, 1)
        self.imports(constants, [node("InstanceNormalization", ["x", "g", "b"], "y", epsilon=0.1)])
        self.gives((x - x.mean((2, 3), keepdims=True)) / numpy.sqrt(x.var((2, 3), keepdims=True) + 0.1) * at(g) + at(b))
        self.imports(constants, [node("Transpose", ["x"], "t", perm=[0, 2, 3, 1]), node("LayerNormalization", ["t", "g", "b"], "l", axis=-1, epsilon=0.1),
                                 node("Transpose", ["l"], "y", perm=[0, 3, 1, 2])])
        self.gives((x - x.mean(1, keepdims=True)) / numpy.sqrt(x.var(1, keepdims=True) + 0.1) * at(g) + at(b))


if __name__ == "__main__":
    unittest.main()
