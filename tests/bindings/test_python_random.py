"""Random layers through the Python binding, against the formula in NumPy: every padding mode with every pair of layouts,
arrays of any type and order, one thread or several, results into new arrays and the caller's.

CVK_SEED in the environment chooses other layers, CVK_CASES how many, CVK_CASE a single one."""

import os
import random
import shlex
import sys
import unittest

import numpy

import convoke
import reference

MODES = list(reference.PAD_MODES)
LAYOUTS = ["channels_first", "channels_last", "blocked"]
PAIRS = len(LAYOUTS) ** 2
WORDS = ["valid", "same", "same_lower", "full", "causal"]
OPS = ["add", "add", {"scale": "per_channel"}, "relu", "relu6", {"leaky_relu": 0.25}, {"clamp": [-3.5, 40]}]
MOST_MULTIPLY_ADDS = 4000000

SEED = int(os.environ.get("CVK_SEED", 1))
CASES = int(os.environ.get("CVK_CASES", 4 * len(MODES) * PAIRS))


def draw_channels(r):
    groups = r.choice([1, 1, 1, r.randint(2, 4)])
    inputs, outputs = (r.choice([1, 2, 3, 5, 8, 16, 17, r.randint(1, 40)]) for _ in range(2))
    if r.random() < 0.2:
        return inputs, inputs, inputs * r.randint(1, 2)
    return groups, groups * inputs, groups * outputs


def draw_padding(r, mode, size, reach):
    """(before, after) for each axis, as far as the mode may reach."""
    most = [{"reflect": n - 1, "symmetric": n, "circular": n}.get(mode, k + 3) for n, k in zip(size, reach)]
    return [[r.randint(0, min(m, k + 2)) for _ in range(2)] for m, k in zip(most, reach)]


def padding_of_word(word, size, reach, stride):
    """What docs/language.md says the words are."""
    if word in ("valid", "full"):
        return [[k if word == "full" else 0] * 2 for k in reach]
    padding = []
    for axis, (n, k, s) in enumerate(zip(size, reach, stride)):
        total = max(0, (-(-n // s) - 1) * s + k + 1 - n)
        less, more = total // 2, total - total // 2
        causal = word == "causal" and axis == 0
        padding.append([k, 0] if causal else [more, less] if word == "same_lower" else [less, more])
    return padding


ROUNDING = {"f32": 0, "f64": 0, "f16": 2 ** -10, "bf16": 2 ** -7}  # of the output: to the other neighbour


def draw_layer(r, number):
    """A layer, and the padding it means. The number chooses mode and layouts, so that all pairs of those come."""
    rank = r.choice([1, 2, 2, 3])
    mode, layouts = MODES[number % len(MODES)], number // len(MODES) % PAIRS
    groups, inputs, outputs = draw_channels(r)
    size = [r.randint(1, {1: 60, 2: 12, 3: 6}[rank]) for _ in range(rank)]
    kernel, stride = [r.randint(1, 4) for _ in size], [r.choice([1, 1, 2, 3]) for _ in size]
    dilation = [r.choice([1, 1, 2]) for _ in size]
    reach = [(k - 1) * d for k, d in zip(kernel, dilation)]
    word = r.choice(WORDS) if mode == "zeros" and r.random() < 0.5 else None
    padding = padding_of_word(word, size, reach, stride) if word else draw_padding(r, mode, size, reach)
    layer = {"name": "drawn", "input": [r.choice([1, 1, 2, 3, 0]), inputs, *size], "out_channels": outputs,
             "kernel_size": kernel, "stride": stride, "dilation": dilation, "padding": word or padding,
             "padding_mode": mode, "groups": groups, "bias": r.random() < 0.5, "flip_kernel": r.random() < 0.2,
             "layout": {"input": LAYOUTS[layouts // 3], "output": LAYOUTS[layouts % 3]},
             "accuracy": r.choice(["strict", "strict", "default"]), "post_ops": r.sample(OPS, r.choice([0, 1, 2, 3])),
             "dtype": r.choice(["f32", "f32", "f64", "f16", "bf16", {"input": "f16", "weights": "bf16", "output": "f32"}])}
    sizes = [(n + sum(p) - k - 1) // s + 1 for n, p, k, s in zip(size, padding, reach, stride)]
    work = outputs * inputs // groups * numpy.prod(kernel) * numpy.prod(sizes) * layer["input"][0]
    return (layer, padding) if min(sizes) >= 1 and work <= MOST_MULTIPLY_ADDS else draw_layer(r, number)


def integers(r, shape, most=3):
    return numpy.random.default_rng(r.getrandbits(32)).integers(-most, most + 1, shape).astype(numpy.float32)


def in_some_form(r, array):
    """The same numbers as another type, in another order, or where no kernel could read them."""
    array = array.astype(r.choice(["f4", "f4", "f2", "f8", "i1", "i8", ">f4"]))
    form = r.randrange(4)
    if form == 1:
        return numpy.asfortranarray(array)
    if form == 2:
        return numpy.repeat(array, 2, -1)[..., ::2]
    if form == 3:
        memory = numpy.zeros(array.nbytes + 1, numpy.uint8)[1:].view(array.dtype).reshape(array.shape)
        memory[...] = array
        return memory
    return array


def expect(layer, padding, x, w, given):
    stride, dilation = layer["stride"], layer["dilation"]
    y = reference.convolution(x, w, stride, dilation, padding, layer["padding_mode"], layer["groups"],
                              layer["flip_kernel"])
    if "bias" in given:
        y = y + reference.per_channel(given["bias"], x.ndim - 2)
    return reference.post_ops(y, layer["post_ops"], given.get("scales", ()), given.get("addends", ()))


def stacked(values):
    return values[0] if len(values) == 1 else numpy.stack(values)


def try_case(number):
    r = random.Random(f"{SEED}.{number}")
    layer, padding = draw_layer(r, number)
    kernel = convoke.compile(layer, cache="off")
    x, w = integers(r, kernel.input_shape), integers(r, kernel.weights_shape, 2)
    given, arguments = {}, {}
    if layer["bias"]:
        given["bias"] = arguments["bias"] = integers(r, kernel.output_shape[1])
    ops = [next(iter(op)) if isinstance(op, dict) else op for op in layer["post_ops"]]
    if "scale" in ops:
        given["scales"] = [integers(r, kernel.output_shape[1], 2)]
        arguments["scale"] = stacked(given["scales"])
    if "add" in ops:
        given["addends"] = [integers(r, kernel.output_shape) for op in ops if op == "add"]
        arguments["addend"] = stacked(given["addends"])
    arguments = {name: in_some_form(r, array) for name, array in arguments.items()}
    if r.random() < 0.4:
        arguments["out"] = numpy.full(kernel.output_shape, 1, kernel.output_dtype)
    weights = kernel.pack(w) if r.random() < 0.3 else in_some_form(r, w)
    got = kernel(in_some_form(r, x), weights, threads=r.choice([None, None, 2, 3]), **arguments)
    expected = expect(layer, padding, x, w, given)
    dtype = layer["dtype"] if isinstance(layer["dtype"], str) else layer["dtype"]["output"]
    assert got.shape == expected.shape and got.dtype == kernel.output_dtype, (got.shape, expected.shape)
    assert got.dtype == {"f32": numpy.float32, "f64": numpy.float64, "f16": numpy.float16, "bf16": numpy.uint16}[dtype]
    if dtype == "bf16":
        got, expected = convoke.bf16_floats(got), convoke.bf16_floats(convoke.bf16_bits(expected))
    else:
        expected = expected.astype(got.dtype)
    if layer["accuracy"] == "strict":
        numpy.testing.assert_array_equal(got, expected)
    elif got.size:
        terms = 6 * w[0].size * 2 * max(1, abs(given.get("scales", [numpy.ones(1)])[0]).max())
        numpy.testing.assert_allclose(got, expected, rtol=ROUNDING[dtype], atol=(1e-14 if dtype == "f64" else 1e-5) * (terms + 1))


class Random(unittest.TestCase):
    def test_random_layers_give_what_the_formula_says(self):
        cases = [int(os.environ["CVK_CASE"])] if "CVK_CASE" in os.environ else range(CASES)
        for number in cases:
            try:
                try_case(number)
            except Exception as error:
                kept = {**{name: os.environ.get(name, "") for name in ("CONVOKE_LIBRARY", "PYTHONPATH")},
                        "CVK_SEED": SEED, "CVK_CASE": number}
                words = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in kept.items())
                layer, _ = draw_layer(random.Random(f"{SEED}.{number}"), number)
                self.fail(f"seed {SEED}, case {number}\n{layer}\n{error}\nrepeat: {words} "
                          f"{shlex.quote(sys.executable)} {shlex.quote(os.path.abspath(__file__))}")
        print(f"python_random: seed {SEED}, {len(cases)} layers", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
