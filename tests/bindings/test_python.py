"""Arrays in and out of the Python binding: layouts, arguments, types, packing, alignment, out=."""

import itertools
import unittest

import numpy

import convoke
from reference import convolution, transposed


def integers(*shape):
    """Whole numbers, so that sums are exact in any order."""
    return numpy.random.default_rng(1).integers(-4, 5, shape).astype(numpy.float32)


def layer(**keys):
    return {"name": "tested", "input": [2, 6, 9, 7], "out_channels": 20, "kernel_size": 3, "padding": 1,
            "accuracy": "strict", **keys}


def one(**keys):
    """A layer of one weight, whose output is the input times that."""
    return {"name": "one", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 1, **keys}


LAYOUTS = ["channels_first", "channels_last", "blocked"]


def off_by_a_byte(array):
    """The same numbers at an odd address."""
    memory = numpy.zeros(array.nbytes + 1, numpy.uint8)
    odd = memory[1:].view(array.dtype).reshape(array.shape)
    odd[...] = array
    return odd


class Case(unittest.TestCase):
    def refuses(self, words):
        return self.assertRaisesRegex(convoke.Error, words)


class AnyBatch(Case):
    def test_one_kernel_takes_as_many_images_as_x_has(self):
        w = integers(20, 6, 3, 3)
        for layout in LAYOUTS:
            keys = {"post_ops": ["add", "relu", "add"], "layout": layout}
            kernel = convoke.compile(layer(**keys, input=["any", 6, 9, 7]))
            self.assertEqual((kernel.input_shape, kernel.output_shape), ((-1, 6, 9, 7), (-1, 20, 9, 7)))
            for n in (0, 1, 2, 5):
                x, addend = integers(n, 6, 9, 7), integers(2, n, 20, 9, 7)
                fixed = convoke.compile(layer(**keys, input=[n, 6, 9, 7]))
                expected, out = fixed(x, w, addend=addend), numpy.empty((n, 20, 9, 7), numpy.float32)
                numpy.testing.assert_array_equal(kernel(x, w, addend=addend, threads=2), expected)
                self.assertIs(kernel(x, w, addend=addend, out=out), out)
                numpy.testing.assert_array_equal(out, expected)

    def test_other_sizes_are_not_any(self):
        kernel = convoke.compile(layer(input=["any", 6, 9, 7], post_ops=["add"]))
        x, w = integers(3, 6, 9, 7), integers(20, 6, 3, 3)
        with self.refuses(r"input: expected an array of shape \(-1, 6, 9, 7\), got \(3, 5, 9, 7\)"):
            kernel(integers(3, 5, 9, 7), w, addend=integers(3, 20, 9, 7))
        with self.refuses(r"addend: expected an array of shape \(3, 20, 9, 7\), got \(2, 20, 9, 7\)"):
            kernel(x, w, addend=integers(2, 20, 9, 7))


class Results(Case):
    def test_every_pair_of_layouts_gives_the_logical_result(self):
        x, w = integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        expected = convolution(x, w, padding=1)
        for source, target in itertools.product(LAYOUTS, repeat=2):
            kernel = convoke.compile(layer(layout={"input": source, "output": target}))
            numpy.testing.assert_array_equal(kernel(x, w), expected, f"{source} to {target}")

    def test_bias_scale_and_addend(self):
        x, w, b, s = integers(2, 6, 9, 7), integers(20, 6, 3, 3), integers(20), integers(20)
        a = integers(2, 20, 9, 7)
        kernel = convoke.compile(layer(bias=True, layout="blocked", post_ops=["add", {"scale": "per_channel"}, "relu"]))
        expected = convolution(x, w, padding=1) + b[:, None, None] + a
        numpy.testing.assert_array_equal(kernel(x, w, b, s, a), numpy.maximum(expected * s[:, None, None], 0))
        for layout in LAYOUTS:
            two = convoke.compile(layer(post_ops=["add", "relu", "add"], layout=layout))
            expected = numpy.maximum(convolution(x, w, padding=1) + a, 0) + 2 * a
            numpy.testing.assert_array_equal(two(x, w, addend=[a, 2 * a]), expected, layout)

    def test_one_and_three_axes(self):
        line = convoke.compile({"name": "line", "input": [1, 2, 9], "out_channels": 3, "kernel_size": 4})
        x, w = integers(1, 2, 9), integers(3, 2, 4)
        numpy.testing.assert_array_equal(line(x, w), convolution(x, w))
        cube = convoke.compile({"name": "cube", "input": [1, 1, 3, 4, 5], "out_channels": 1, "kernel_size": [3, 1, 1]})
        x = integers(1, 1, 3, 4, 5)
        numpy.testing.assert_array_equal(cube(x, numpy.ones((1, 1, 3, 1, 1))), x.sum(2, keepdims=True))

    def test_a_transposed_layer_spreads_its_input(self):
        x = integers(2, 6, 9, 7)
        for keys in ({}, {"stride": 2, "output_padding": 1}, {"stride": [3, 2], "dilation": [1, 3]},
                     {"groups": 2, "stride": 2}, {"flip_kernel": True, "stride": [1, 4]}):
            kernel = convoke.compile(layer(transposed=True, layout="channels_last", **keys))
            w = integers(6, 20 // keys.get("groups", 1), 3, 3)
            self.assertEqual((kernel.operation, kernel.weights_shape), ("transposed", w.shape))
            asked = {"flip" if k == "flip_kernel" else k: v for k, v in keys.items()}
            numpy.testing.assert_array_equal(kernel(x, w), transposed(x, w, padding=1, **asked), str(keys))

    def test_gradients_of_weights_and_bias(self):
        x, dy = integers(2, 6, 9, 7), integers(2, 20, 9, 7)
        kernel = convoke.compile(layer(direction="backward_weights", bias=True, layout="blocked"))
        dw, db = kernel.gradients(x, dy)
        self.assertEqual((kernel.operation, kernel.weights_shape), ("weights_gradient", dy.shape))
        numpy.testing.assert_array_equal(db, dy.sum((0, 2, 3)))
        padded = numpy.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
        for kh, kw in itertools.product(range(3), range(3)):
            seen = padded[:, :, kh:kh + 9, kw:kw + 7]
            numpy.testing.assert_array_equal(dw[:, :, kh, kw], numpy.einsum("nohw,nihw->oi", dy, seen))
        dw, db = convoke.compile(layer(direction="backward_weights")).gradients(x, dy)
        self.assertEqual((dw.shape, db), ((20, 6, 3, 3), None))
        with self.refuses("call its `gradients`"):
            kernel(x, dy)
        with self.refuses("gives none"):
            convoke.compile(layer()).gradients(x, dy)

    def test_gradients_of_weights_sum_over_the_images_of_a_call(self):
        kernel = convoke.compile(layer(input=["any", 6, 9, 7], direction="backward_weights", bias=True))
        self.assertEqual((kernel.input_shape[0], kernel.weights_shape[0], kernel.output_shape), (-1, -1, (20, 6, 3, 3)))
        for images in (0, 1, 3):
            x, dy = integers(images, 6, 9, 7), integers(images, 20, 9, 7)
            dw, db = kernel.gradients(x, dy, threads=2)
            numpy.testing.assert_array_equal(db, dy.sum((0, 2, 3)))
            if images:
                known = convoke.compile(layer(input=[images, 6, 9, 7], direction="backward_weights", bias=True))
                numpy.testing.assert_array_equal(dw, known.gradients(x, dy)[0])

    def test_pools_take_no_weights(self):
        x = integers(2, 6, 9, 7)
        windows = numpy.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))[:, :, ::2, ::2]
        keys = {"name": "a", "input": [2, 6, 9, 7], "kernel_size": 3, "stride": 2}
        for layout in LAYOUTS:
            most = convoke.compile({**keys, "kind": "max_pool", "layout": layout})
            self.assertEqual((most.operation, most.weights_shape), ("max_pool", (0, 0, 3, 3)))
            numpy.testing.assert_array_equal(most(x), windows.max((4, 5)), layout)
            mean = convoke.compile({**keys, "kind": "average_pool", "layout": layout, "post_ops": ["relu"]})
            numpy.testing.assert_allclose(mean(x, threads=2), windows.mean((4, 5)).clip(0), rtol=1e-6)
            with self.refuses("weights: the layer has none"):
                most(x, x)

    def test_indices_say_where_maxima_stand(self):
        x = integers(3, 6, 9, 7)
        for layout in LAYOUTS:
            kernel = convoke.compile({"name": "a", "kind": "max_pool", "input": ["any", 6, 9, 7], "kernel_size": 3,
                                      "padding": 1, "indices": True, "layout": layout, "dtype": "f64"})
            y, places = kernel.with_indices(x)
            self.assertEqual((places.dtype, places.shape), (numpy.int32, y.shape))
            flat = x.reshape(3, 6, -1)
            numpy.testing.assert_array_equal(numpy.take_along_axis(flat, places.reshape(3, 6, -1), 2).reshape(y.shape), y)
            with self.refuses("call its `with_indices`"):
                kernel(x)
        with self.refuses("gives none"):
            convoke.compile(layer()).with_indices(x)

    def test_gradients_are_added_to_what_out_holds(self):
        x, dy, w = integers(2, 6, 9, 7), integers(2, 20, 9, 7), integers(20, 6, 3, 3)
        for layout in LAYOUTS:
            once = convoke.compile(layer(direction="backward_data", layout=layout))(dy, w)
            kernel = convoke.compile(layer(direction="backward_data", layout=layout, accumulate=True))
            held = integers(*once.shape)
            out = held.copy()
            self.assertIs(kernel(dy, w, out=out), out)
            numpy.testing.assert_array_equal(out, held + once, layout)
            with self.refuses("adds to what it holds"):
                kernel(dy, w)
        once = convoke.compile(layer(direction="backward_weights", bias=True)).gradients(x, dy)
        kernel = convoke.compile(layer(direction="backward_weights", bias=True, accumulate=True))
        self.assertTrue(kernel.accumulates)
        out = tuple(integers(*one.shape) for one in once)
        expected = [held + one for held, one in zip(out, once)]
        self.assertIs(kernel.gradients(x, dy, out=out), out)
        for got, sums in zip(out, expected):
            numpy.testing.assert_array_equal(got, sums)
        with self.refuses("adds to what it holds"):
            kernel.gradients(x, dy)
        with self.refuses("a pair of arrays"):
            kernel.gradients(x, dy, out=out[0])
        with self.refuses("expected an array of shape"):
            kernel.gradients(x, dy, out=(out[0], out[0]))

    def test_a_batch_of_none_gives_none_in_every_layout(self):
        for source, target in itertools.product(LAYOUTS, repeat=2):
            kernel = convoke.compile(layer(input=[0, 6, 9, 7], layout={"input": source, "output": target},
                                           post_ops=["add"]))
            out = numpy.empty((0, 20, 9, 7), numpy.float32)
            nothing = numpy.empty((0, 6, 9, 7)), integers(20, 6, 3, 3)
            self.assertEqual(kernel(*nothing, addend=out).shape, (0, 20, 9, 7))
            self.assertIs(kernel(*nothing, addend=out.copy(), out=out, threads=2), out)

    def test_scratch_that_is_no_multiple_of_its_alignment_is_enough(self):
        x, w = integers(1, 3, 5, 5), integers(3, 3, 3, 3)
        for mode in ["reflect", "symmetric", "replicate", "circular"]:
            kernel = convoke.compile(layer(input=[1, 3, 5, 5], out_channels=3, padding_mode=mode))
            numpy.testing.assert_array_equal(kernel(x, w), convolution(x, w, padding=1, mode=mode), mode)


class Types(Case):
    def test_arrays_of_any_kind_are_taken(self):
        x, w = integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        kernel, expected = convoke.compile(layer()), convolution(x, w, padding=1)
        for kind in "e f d g b h i l q >f4 >f8 >i2".split():
            numpy.testing.assert_array_equal(kernel(x.astype(kind), w.astype(kind)), expected, kind)
        numpy.testing.assert_array_equal(kernel((x > 0), w), convolution((x > 0), w, padding=1))
        numpy.testing.assert_array_equal(kernel(abs(x).astype(numpy.uint64), w), convolution(abs(x), w, padding=1))
        numpy.testing.assert_array_equal(kernel(numpy.asfortranarray(x), w.tolist()), expected)
        numpy.testing.assert_array_equal(kernel(x[:, :, ::-1], w[:, :, ::-1]), expected[:, :, ::-1])

    def test_float64_is_exact_or_refused_with_words_or_converted_when_told_to(self):
        kernel = convoke.compile(one())
        x = numpy.array([[[0.5, 0.1, 2.0 ** 24 + 1, 1e-50]]])
        with self.refuses(r"^input: 3 of 4 values of float64 are not exact in float32 \(convert=True rounds\), "
                          r"the first 0\.1 at \[0, 0, 1\]$"):
            kernel(x, [[[1]]])
        numpy.testing.assert_array_equal(kernel(x, [[[1]]], convert=True), x.astype(numpy.float32))
        for special in (numpy.inf, -numpy.inf, numpy.nan, 2.0 ** -149, -0.0):
            y = kernel(numpy.full((1, 1, 4), special), [[[1]]])
            numpy.testing.assert_array_equal(y, numpy.full((1, 1, 4), special))

    def test_an_f64_layer_takes_and_gives_float64(self):
        kernel = convoke.compile(one(dtype="f64"))
        x = numpy.array([[[0.1, 2.0 ** 53 - 1, 1e300, 5e-324]]])
        y = kernel(x, [[[1]]])
        self.assertEqual((kernel.input_dtype, y.dtype), (numpy.float64, numpy.float64))
        numpy.testing.assert_array_equal(y, x)
        numpy.testing.assert_array_equal(kernel(x[:, :, :1].repeat(4, 2).astype("f4"), [[[1]]]),
                                      numpy.full((1, 1, 4), numpy.float32(0.1), "f8"))
        for layout in "channels_last", "blocked":
            numpy.testing.assert_array_equal(convoke.compile(one(dtype="f64", layout=layout))(x, [[[1]]]), x)
        with self.refuses(r"^input: 1 of 4 values of int64 are not exact in float64 .* 9007199254740993 at \[0, 0, 2\]$"):
            kernel(numpy.array([[[1, 2 ** 53, 2 ** 53 + 1, 0]]]), [[[1]]])
        with self.refuses("^out: expected an array of float64, got float32$"):
            kernel(x, [[[1]]], out=numpy.empty((1, 1, 4), numpy.float32))

    def test_an_f16_layer_takes_and_gives_float16(self):
        kernel = convoke.compile(one(dtype="f16"))
        x = numpy.array([[[0.1, 65504, 6e-8, -0.0]]], numpy.float16)
        y = kernel(x, [[[1]]])
        self.assertEqual((kernel.weights_dtype, y.dtype), (numpy.float16, numpy.float16))
        numpy.testing.assert_array_equal(y, x)
        with self.refuses(r"^input: 1 of 4 values of float64 are not exact in float16 .* 0\.1 at \[0, 0, 0\]$"):
            kernel(x.astype(numpy.float64) + [[[0.1 - float(numpy.float16(0.1)), 0, 0, 0]]], [[[1]]])
        with self.refuses(r"^input: 1 of 4 values of float64 overflow float16"):
            kernel([[[65520.0, 0, 0, 0]]], [[[1]]], convert=True)

    def test_bf16_is_taken_and_given_as_its_bits(self):
        kernel = convoke.compile(one(dtype={"input": "bf16", "weights": "f16", "output": "bf16"}))
        self.assertEqual(kernel.output_dtype, numpy.uint16)
        x = numpy.array([[[1, -2.5, 2.0 ** 100, 2.0 ** -130]]])
        y = kernel(x, [[[0.5]]])
        self.assertEqual(y.dtype, numpy.uint16)
        numpy.testing.assert_array_equal(convoke.bf16_floats(y), x / 2)
        numpy.testing.assert_array_equal(kernel(convoke.bf16_bits(x), [[[0.5]]]), y)
        numpy.testing.assert_array_equal(kernel(convoke.bf16_bits(x).view("V2"), [[[0.5]]]), y)
        with self.refuses(r"^input: 2 of 4 values of int64 are not exact in bf16 .* the first 257 at \[0, 0, 0\]$"):
            kernel(numpy.array([[[257, 256, 2 ** 53 + 1, 255]]]), [[[1]]])
        rounded = kernel([[[257.0, 259.0, -257.0, 2.0 ** 8 + 1 + 2.0 ** -30]]], [[[1]]], convert=True)
        numpy.testing.assert_array_equal(convoke.bf16_floats(rounded), [[[256, 260, -256, 258]]])

    def test_integers_are_summed_exactly(self):
        kernel = convoke.compile(one(dtype={"input": "u8", "weights": "s8", "output": "s32"}, bias=True,
                                     quantization={"input_zero_point": 128}))
        x = numpy.array([[[0, 128, 255, 1]]], numpy.uint8)
        y = kernel(x, [[[-128]]], bias=[2 ** 30])
        self.assertEqual((kernel.input_dtype, kernel.weights_dtype, y.dtype), (numpy.uint8, numpy.int8, numpy.int32))
        numpy.testing.assert_array_equal(y, (x.astype(int) - 128) * -128 + 2 ** 30)
        with self.refuses(r"^input: 1 of 4 values of int64 overflow uint8, the first 256 at \[0, 0, 3\]$"):
            kernel([[[0, 1, 2, 256]]], [[[1]]], bias=[0])
        with self.refuses(r"^input: 1 of 4 values of float64 are not exact in uint8 .* the first 1\.5 at \[0, 0, 1\]$"):
            kernel([[[0, 1.5, 2, 3]]], [[[1]]], bias=[0])
        numpy.testing.assert_array_equal(kernel([[[0, 1.5, 2.5, 128]]], [[[1]]], bias=[0], convert=True),
                                         [[[-128, -126, -126, 0]]])

    def test_sums_become_bytes_in_three_ways(self):
        def layer(rounding, **more):
            return one(dtype={"input": "u8", "weights": "s8", "output": "s8"},
                       quantization={"output_zero_point": -3, "rounding": rounding, **more})
        x = numpy.array([[[1, 3, 5, 250]]], numpy.uint8)
        nearest = convoke.compile(layer("nearest_even"))
        self.assertEqual(nearest(x, [[[1]]], scale=[0.5]).tolist(), [[[-3, -1, -1, 122]]])
        self.assertEqual(nearest(x, [[[-1]]], scale=[2]).tolist(), [[[-5, -9, -13, -128]]])
        half_up = convoke.compile(layer("half_up", multipliers="per_tensor"))
        self.assertEqual(half_up(x, [[[1]]], scale=[2 ** 30], shift=[31]).tolist(), [[[-2, -1, 0, 122]]])
        double = convoke.compile(layer("double"))
        self.assertEqual(double(x, [[[-1]]], scale=[2 ** 30], shift=[0]).tolist(), [[[-3, -4, -5, -128]]])
        with self.refuses("^shift: the layer has one, which is missing$"):
            double(x, [[[1]]], scale=[2 ** 30])
        with self.refuses("^shift: the layer has none$"):
            nearest(x, [[[1]]], scale=[1], shift=[1])

    def test_bytes_are_added_by_a_multiplier_of_their_own(self):
        kernel = convoke.compile(one(dtype={"input": "u8", "weights": "s8", "output": "u8"}, post_ops=["add", "relu"],
                                     quantization={"output_zero_point": 10, "addend_zero_point": 100,
                                                   "multipliers": "per_tensor"}))
        y = kernel([[[0, 4, 8, 200]]], [[[1]]], scale=[[0.25], [2]], addend=[[[100, 99, 120, 255]]])
        self.assertEqual(y.tolist(), [[[10, 10, 52, 255]]])

    def test_every_bf16_survives_as_numbers(self):
        bits = numpy.arange(2 ** 16).astype(numpy.uint16)
        floats = convoke.bf16_floats(bits)
        same = convoke.bf16_bits(floats) == bits
        numpy.testing.assert_array_equal(same, same | ~numpy.isnan(floats))
        self.assertTrue(numpy.isnan(convoke.bf16_floats(convoke.bf16_bits(numpy.nan))))

    def test_overflow_is_an_error_even_when_told_to_convert(self):
        kernel = convoke.compile(one())
        for x in (numpy.full((1, 1, 4), 1e39), numpy.full((1, 1, 4), -3.5e38), numpy.full((1, 1, 4), 1e300, "g")):
            for convert in (False, True):
                with self.refuses("^input: 4 of 4 values of float.* overflow float32"):
                    kernel(x, [[[1]]], convert=convert)

    def test_integers_are_exact_or_refused(self):
        kernel = convoke.compile(one())

        def same(numbers, kind):
            x = numpy.array([[numbers]], kind)
            self.assertEqual([int(v) for v in kernel(x, [[[1]]])[0, 0]], numbers)

        same([2 ** 24, -2 ** 24, 2 ** 24 + 2, 0], numpy.int32)
        same([2 ** 63 - 2 ** 39, -2 ** 63, 3 * 2 ** 60, 1], numpy.int64)
        same([2 ** 63, 2 ** 64 - 2 ** 40, 5, 0], numpy.uint64)
        for number, kind in [(2 ** 24 + 1, "i4"), (-2 ** 24 - 1, "i4"), (2 ** 63 - 1, "i8"), (-2 ** 63 + 1, "i8"),
                             (2 ** 64 - 1, "u8"), (2 ** 32 - 1, "u4")]:
            x = numpy.array([[[1, 2, number, 3]]], kind)
            with self.refuses(rf"^input: 1 of 4 values .* are not exact .* the first {number} at \[0, 0, 2\]"):
                kernel(x, [[[1]]])
            self.assertEqual(kernel(x, [[[1]]], convert=True)[0, 0, 2], numpy.float32(number))

    def test_the_rule_holds_for_every_argument(self):
        kernel = convoke.compile(one(bias=True, post_ops=["add", {"scale": "per_channel"}]))
        good = {"x": [[[1, 2, 3, 4]]], "weights": [[[2]]], "bias": [1], "scale": [1], "addend": [[[0, 0, 0, 0]]]}
        numpy.testing.assert_array_equal(kernel(**good), [[[3, 5, 7, 9]]])
        for name, value in good.items():
            role = "input" if name == "x" else name
            tenth = {**good, name: numpy.array(value) + 0.1}
            with self.refuses(f"^{role}: .* not exact"):
                kernel(**tenth)
            kernel(**tenth, convert=True)
            with self.refuses(f"^{role}: .* overflow"):
                kernel(**{**good, name: numpy.array(value) + 1e40}, convert=True)
        with self.refuses("^weights: .* not exact"):
            kernel.pack([[[0.1]]])
        kernel.pack([[[0.1]]], convert=True)

    def test_what_holds_no_numbers_is_refused_with_words(self):
        kernel = convoke.compile(one())
        for x, words in [(numpy.zeros((1, 1, 4), complex), "expected numbers, got an array of complex128"),
                         ([[["a", "b", "c", "d"]]], "expected numbers, got an array of <U1"),
                         ([[[10 ** 30, 1, 2, 3]]], "expected numbers, got an array of object"),
                         ([[[1, 2], [1, 2, 3]]], r"expected an array of shape \(1, 1, 4\); "),
                         (numpy.ma.masked_equal([[[1, 2, 3, 4]]], 2), "mask"),
                         (None, "expected numbers"), (3, r"expected an array of shape \(1, 1, 4\), got \(\)")]:
            with self.refuses(f"^input: .*{words}"):
                kernel(x, [[[1]]])

    def test_shapes_and_missing_arguments_are_refused_with_words(self):
        kernel, x, w = convoke.compile(layer(bias=True)), integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        with self.refuses(r"input: expected an array of shape \(2, 6, 9, 7\), got \(6, 9, 7\)"):
            kernel(x[0], w, numpy.zeros(20))
        with self.refuses("weights: expected"):
            kernel(x, w[:1], numpy.zeros(20))
        with self.refuses("bias: the layer has one, which is missing"):
            kernel(x, w)
        with self.refuses("scale: the layer has none"):
            kernel(x, w, numpy.zeros(20), scale=numpy.zeros(20))
        with self.refuses("addend: the layer has 2, which are missing"):
            convoke.compile(layer(post_ops=["add", "add"]))(x, w)
        self.assertTrue(issubclass(convoke.Error, ValueError))


class Packing(Case):
    def test_packed_weights_are_remembered_and_never_stale(self):
        x, w = integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        kernel = convoke.compile(layer())
        first = kernel(x, w)
        remembered = kernel._remembered
        numpy.testing.assert_array_equal(kernel(x, w), first)
        self.assertIs(kernel._remembered, remembered)
        w[:] = 2 * w
        numpy.testing.assert_array_equal(kernel(x, w), 2 * first)
        numpy.testing.assert_array_equal(kernel(x, 3 * w), 6 * first)
        numpy.testing.assert_array_equal(kernel(x, kernel.pack(w)), 2 * first)

    def test_a_change_of_a_sign_of_zero_or_of_nothing_but_a_nan_is_seen(self):
        kernel = convoke.compile(one())
        w = numpy.zeros((1, 1, 1), numpy.float32)
        self.assertFalse(numpy.signbit(kernel(numpy.ones((1, 1, 4)), w)).any())
        w[:] = -0.0
        before = kernel(numpy.ones((1, 1, 4)), w)
        fresh = convoke.compile(one(), cache="off")(numpy.ones((1, 1, 4)), w)
        self.assertEqual(before.tobytes(), fresh.tobytes())
        w[:] = numpy.nan
        kernel(numpy.ones((1, 1, 4)), w)
        remembered = kernel._remembered
        kernel(numpy.ones((1, 1, 4)), w)
        self.assertIs(kernel._remembered, remembered)

    def test_weights_packed_for_another_kernel_are_refused_even_when_their_sizes_agree(self):
        wide = {"name": "wide", "input": [1, 1, 40], "out_channels": 1, "kernel_size": [4]}
        first = convoke.compile(wide)
        packed = first.pack(numpy.ones((1, 1, 4)))
        numpy.testing.assert_array_equal(first(numpy.ones((1, 1, 40)), packed), numpy.full((1, 1, 37), 4))
        for changed in ({"name": "other", "input": [1, 1, 44]}, {"flip_kernel": True}):
            other = convoke.compile({**wide, **changed})
            self.assertEqual(other.pack(numpy.ones((1, 1, 4)))._memory.nbytes, packed._memory.nbytes)
            with self.refuses("^weights: packed for a kernel of wide that differs") as raised:
                other(numpy.ones(other.input_shape), packed)
            self.assertEqual(raised.exception.status, 13)
        again = convoke.compile(wide, cache="off")
        numpy.testing.assert_array_equal(again(numpy.ones((1, 1, 40)), packed), numpy.full((1, 1, 37), 4))


class Places(Case):
    def test_misaligned_arrays_are_taken(self):
        x, w, a, b = integers(2, 6, 9, 7), integers(20, 6, 3, 3), integers(2, 20, 9, 7), integers(20)
        for layout in LAYOUTS:
            kernel = convoke.compile(layer(layout=layout, bias=True, post_ops=["add", {"scale": "per_channel"}]))
            expected = (convolution(x, w, padding=1) + b[:, None, None] + a) * b[:, None, None]
            odd = [off_by_a_byte(array) for array in (x, w, b, b, a)]
            numpy.testing.assert_array_equal(kernel(*odd), expected, layout)
            out = off_by_a_byte(numpy.zeros_like(a))
            self.assertIs(kernel(*odd, out=out), out)
            numpy.testing.assert_array_equal(out, expected, layout)

    def test_out_is_written_and_returned_in_every_layout(self):
        x, w = integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        expected = convolution(x, w, padding=1)
        for layout in LAYOUTS:
            kernel = convoke.compile(layer(layout=layout))
            out = numpy.full(kernel.output_shape, numpy.nan, numpy.float32)
            self.assertIs(kernel(x, w, out=out), out)
            numpy.testing.assert_array_equal(out, expected, layout)
            earlier = kernel(x, w)
            earlier[...] = 0
            self.assertIs(kernel(x, w, out=earlier), earlier, layout)
            numpy.testing.assert_array_equal(earlier, expected, layout)

    def test_out_where_it_lies_as_the_kernel_writes_costs_no_copy(self):
        for layout, made in [("channels_first", lambda: numpy.empty((2, 20, 9, 7), numpy.float32)),
                             ("channels_last", lambda: numpy.moveaxis(numpy.empty((2, 9, 7, 20), numpy.float32), 3, 1))]:
            out = made()
            self.assertTrue(numpy.shares_memory(convoke.compile(layer(layout=layout))._as_written(out), out))

    def test_an_out_that_cannot_be_written_to_is_refused_with_words(self):
        x, w = integers(2, 6, 9, 7), integers(20, 6, 3, 3)
        kernel, shape = convoke.compile(layer()), (2, 20, 9, 7)
        frozen = numpy.zeros(shape, numpy.float32)
        frozen.flags.writeable = False
        for out, words in [(numpy.zeros(shape), "expected an array of float32, got float64"),
                           (numpy.zeros(shape, ">f4"), "expected an array of float32, got >f4"),
                           (numpy.zeros((2, 20, 7, 9), numpy.float32), r"expected an array of shape \(2, 20, 9, 7\)"),
                           (numpy.zeros((4, 20, 9, 7), numpy.float32)[::2], "contiguous"),
                           (numpy.zeros(shape, numpy.float32)[..., ::-1], "contiguous"),
                           (frozen, "read-only"), (frozen.tolist(), "expected a numpy.ndarray, got a list"),
                           (numpy.ma.zeros(shape, numpy.float32), "expected a numpy.ndarray, got a MaskedArray")]:
            with self.refuses(f"^out: .*{words}"):
                kernel(x, w, out=out)

    def test_an_out_that_overlaps_what_is_read_is_refused_and_left_alone(self):
        for layout in LAYOUTS:
            kernel = convoke.compile({"name": "same", "input": [1, 16, 4], "out_channels": 16, "kernel_size": 1,
                                      "layout": layout, "bias": True, "post_ops": ["add", {"scale": "per_channel"}]})
            memory = integers(10000)
            part = lambda start, *shape: memory[start:start + numpy.prod(shape)].reshape(shape)  # noqa: E731
            good = {"x": part(0, 1, 16, 4), "weights": part(100, 16, 16, 1), "bias": part(400, 16),
                    "scale": part(450, 16), "addend": part(500, 1, 16, 4)}
            expected = kernel(**good).copy()
            for name, array in good.items():
                start = int(array.ctypes.data - memory.ctypes.data) // 4
                with self.refuses(f"^out: it overlaps {'input' if name == 'x' else name}") as raised:
                    kernel(**good, out=part(start + array.size - 1, 1, 16, 4))
                self.assertEqual(raised.exception.status, 12)
            numpy.testing.assert_array_equal(kernel(**good, out=part(600, 1, 16, 4)), expected, layout)


if __name__ == "__main__":
    unittest.main()
