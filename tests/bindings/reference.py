"""The layer's formula in NumPy, a step for each tap: what tests of the Python binding compare with. None of it is convoke's."""

import numpy

PAD_MODES = {"zeros": "constant", "reflect": "reflect", "symmetric": "symmetric", "replicate": "edge",
             "circular": "wrap"}


def tuple_of(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def convolution(x, w, stride=1, dilation=1, padding=0, mode="zeros", groups=1, flip=False):
    """Sums in double. `padding` is a number, or (before, after) for each axis."""
    rank = x.ndim - 2
    stride, dilation = tuple_of(stride, rank), tuple_of(dilation, rank)
    padding = [(padding, padding)] * rank if isinstance(padding, int) else padding
    x = numpy.pad(x.astype(numpy.float64), [(0, 0), (0, 0), *padding], PAD_MODES[mode])
    w = numpy.flip(w, tuple(range(2, w.ndim))) if flip else w
    sizes = [(x.shape[2 + a] - (w.shape[2 + a] - 1) * dilation[a] - 1) // stride[a] + 1 for a in range(rank)]
    y = numpy.zeros((x.shape[0], w.shape[0], *sizes))
    inputs, outputs = w.shape[1], w.shape[0] // groups
    for g in range(groups):
        for tap in numpy.ndindex(w.shape[2:]):
            window = tuple(slice(tap[a] * dilation[a], tap[a] * dilation[a] + (sizes[a] - 1) * stride[a] + 1, stride[a])
                           for a in range(rank))
            seen = x[(slice(None), slice(g * inputs, (g + 1) * inputs), *window)]
            of_group = slice(g * outputs, (g + 1) * outputs)
            y[:, of_group] += numpy.einsum("ni...,oi->no...", seen, w[(of_group, slice(None), *tap)].astype(float))
    return y


def transposed(x, w, stride=1, dilation=1, padding=0, output_padding=0, groups=1, flip=False):
    """What each input spreads, in double; w is in, out of a group, then the kernel."""
    rank = x.ndim - 2
    stride, dilation = tuple_of(stride, rank), tuple_of(dilation, rank)
    padding = [(padding, padding)] * rank if isinstance(padding, int) else padding
    extra = tuple_of(output_padding, rank)
    w = numpy.flip(w, tuple(range(2, w.ndim))) if flip else w
    sizes = [(x.shape[2 + a] - 1) * stride[a] + (w.shape[2 + a] - 1) * dilation[a] + 1 + extra[a] for a in range(rank)]
    y = numpy.zeros((x.shape[0], w.shape[1] * groups, *sizes))
    inputs, outputs = w.shape[0] // groups, w.shape[1]
    for g in range(groups):
        for tap in numpy.ndindex(w.shape[2:]):
            places = tuple(slice(tap[a] * dilation[a], tap[a] * dilation[a] + (x.shape[2 + a] - 1) * stride[a] + 1, stride[a])
                           for a in range(rank))
            of_group = slice(g * inputs, (g + 1) * inputs)
            y[(slice(None), slice(g * outputs, (g + 1) * outputs), *places)] += numpy.einsum(
                "ni...,io->no...", x[:, of_group].astype(float), w[(of_group, slice(None), *tap)].astype(float))
    kept = tuple(slice(before, y.shape[2 + a] - after) for a, (before, after) in enumerate(padding))
    return y[(slice(None), slice(None), *kept)]


def per_channel(values, rank):
    return numpy.reshape(values, (-1, *[1] * rank))


def post_ops(y, ops, scales=(), addends=()):
    """What follows the sum. Each `add` takes the next of the addends, each `scale` the next of the scales."""
    scales, addends, rank = iter(scales), iter(addends), y.ndim - 2
    for op in ops:
        word, value = next(iter(op.items())) if isinstance(op, dict) else (op, None)
        y = {"add": lambda: y + next(addends),
             "scale": lambda: y * per_channel(next(scales), rank),
             "relu": lambda: numpy.maximum(y, 0),
             "relu6": lambda: numpy.clip(y, 0, 6),
             "leaky_relu": lambda: numpy.where(y < 0, y * value, y),
             "clamp": lambda: numpy.clip(y, *value),
             "tanh": lambda: numpy.tanh(y)}[word]()
    return y
