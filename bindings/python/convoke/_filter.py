"""Filters of arrays: layers of one channel in and one out, compiled when arrays of a new shape come, and kept.

A filter reads, for each element of its output, the elements of its input from `before` in front of the same place on, as many as
the weights are long, on every axis. Axes along which the weights are one element long are no axes of the layer, but where
they lie between those that are.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Union

import ctypes
import threading

import numpy
from numpy.typing import NDArray

from convoke._compile import compile
from convoke._error import refuse
from convoke._kernel import Kernel
from convoke._library import ROLES, Buffers, check, library

MOST_FILTERS, MOST_WEIGHTS = 512, 16  # that are kept: of all shapes; of one
MOST_SIZE, MOST_KERNEL, MOST_PADDING = 1 << 20, 1 << 16, 1 << 16  # of a layer, per axis
MOST_AXES = 3
PIECE = 1 << 18  # elements along an axis that is too long for one layer
DTYPES = {numpy.dtype(numpy.float32): "f32", numpy.dtype(numpy.float64): "f64"}

Array = NDArray[Any]
Pads = tuple[tuple[int, int], ...]  # before and after, an axis


class Border(NamedTuple):
    """What is beyond the edge: a padding_mode, and the number where it is `constant`."""

    mode: str
    constant: float = 0.0


def address(array: Array) -> int:
    """As `array.ctypes.data` is, in a third of the time."""
    return int(array.__array_interface__["data"][0])


class Filter:
    """A compiled filter and the weights that it was last used with, packed. Runs may be on several threads at the same time."""

    def __init__(self, layer: dict[str, Any]) -> None:
        self._kernel: Kernel = compile(layer)
        self._info = self._kernel._info
        self._alignment = max(self._info.input.alignment, 1)
        self._packed: dict[bytes, tuple[int, Any]] = {}
        self._idle: list[tuple[Buffers, Any]] = []  # what runs need that are over

    def _pack(self, weights: Array) -> tuple[int, Any]:
        if not self._info.packed_weights.bytes:  # they are in the code
            return self._packed.setdefault(weights.tobytes(), (0, None))
        packed = self._kernel.pack(weights.reshape(self._kernel.weights_shape))._memory
        if len(self._packed) >= MOST_WEIGHTS:
            self._packed.clear()
        entry = self._packed[weights.tobytes()] = (address(packed), packed)
        return entry

    def _prepare(self) -> tuple[Buffers, Any]:
        batch = self._kernel.input_shape[0]
        buffers, memory = Buffers(ctypes.sizeof(Buffers), batch), []
        for role in ROLES:
            needs = library.cvk_buffer_needs(self._info, ROLES.index(role), batch, 1)
            getattr(buffers, role).bytes = needs.bytes
            if role in ("scratch", "workspace"):
                memory.append(self._kernel._new(role, batch))
                getattr(buffers, role).data = address(memory[-1]) if needs.bytes else None
        return buffers, memory

    def run(self, x: Array, weights: Array, out: Array) -> None:
        """All contiguous and of the layer's type; `out` apart from `x`."""
        packed = self._packed.get(weights.tobytes()) or self._pack(weights)
        at = address(x)
        if at % self._alignment:
            x = x.copy()
            at = address(x)
        try:
            run = self._idle.pop()
        except IndexError:
            run = self._prepare()
        buffers = run[0]
        buffers.input.data, buffers.weights.data, buffers.output.data = at, packed[0], address(out)
        status = library.cvk_run(self._info, buffers, None)
        self._idle.append(run)
        check(status)


kept: dict[tuple[Any, ...], Filter] = {}


def keep(key: tuple[Any, ...], layer: dict[str, Any]) -> Filter:
    made = Filter(layer)
    if len(kept) >= MOST_FILTERS:
        kept.clear()
    kept[key] = made
    return made


def merged(shape: tuple[int, ...], kernel: tuple[int, ...], pads: Pads) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Neighbouring axes that the weights do not extend along as one."""
    sizes: list[int] = []
    taps: list[int] = []
    padding: list[tuple[int, int]] = []
    for n, k, pad in zip(shape, kernel, pads):
        if sizes and k == 1 and taps[-1] == 1 and pad == padding[-1] == (0, 0) and sizes[-1] * n <= MOST_SIZE:
            sizes[-1] *= n
        else:
            sizes.append(n)
            taps.append(k)
            padding.append(pad)
    return sizes, taps, padding


def layer_of(shape: tuple[int, ...], kernel: tuple[int, ...], pads: Pads, border: Border, dtype: numpy.dtype[Any],
             channels: int) -> dict[str, Any]:
    """The layer; of images of so many channels, each with weights of its own, where that is not 0."""
    sizes, taps, padding = merged(shape, kernel, pads)
    batch = sizes.pop(0) if len(sizes) > MOST_AXES and taps[0] == 1 and channels == 0 else 1
    del taps[:len(taps) - len(sizes)], padding[:len(padding) - len(sizes)]
    if len(sizes) > MOST_AXES:
        raise refuse("input", f"filters along {MOST_AXES} axes at most, got weights of shape {kernel}")
    layer: dict[str, Any] = {
        "name": "filter", "input": [batch, channels or 1, *sizes], "out_channels": channels or 1, "groups": channels or 1,
        "kernel_size": taps,
        "padding": [list(pad) for pad in padding], "dtype": DTYPES[dtype]}
    if border.mode == "constant":
        layer["padding_mode"] = {"constant": border.constant}
    elif any(map(any, padding)):
        layer["padding_mode"] = border.mode
    return layer


# ---- what no layer does ----

def reach(border: Border, size: int) -> int:
    """How much of a border a layer can have beside so many elements."""
    most = {"reflect": size - 1, "symmetric": size, "circular": size}.get(border.mode, MOST_PADDING)
    return min(most, MOST_PADDING)


def is_plain(border: Border) -> bool:
    """A constant that a spec can say."""
    return border.mode != "constant" or abs(border.constant) < 3e38


def sources(border: Border, before: int, size: int, after: int) -> NDArray[numpy.intp]:
    """Where the elements of an axis with its border come from: beyond the last, for the constant."""
    at = numpy.arange(-before, size + after)
    if border.mode in ("zeros", "constant"):
        return numpy.where((at < 0) | (at >= size), size, at)
    if border.mode == "replicate":
        return numpy.clip(at, 0, size - 1)
    if border.mode == "circular":
        return at % size
    period = 2 * size if border.mode == "symmetric" else max(2 * size - 2, 1)
    at %= period
    return numpy.where(at < size, at, period - at - (border.mode == "symmetric"))


def extended(x: Array, pads: Pads, border: Border) -> Array:
    """The array with its border, copied."""
    for axis, (before, after) in enumerate(pads):
        if before == after == 0:
            continue
        if border.mode in ("zeros", "constant"):
            width = [(before, after) if a == axis else (0, 0) for a in range(x.ndim)]
            x = numpy.pad(x, width, constant_values=x.dtype.type(border.constant))
        else:
            x = x.take(sources(border, before, x.shape[axis], after), axis)
    return numpy.ascontiguousarray(x)


def along(axis: int, of: slice, ndim: int) -> tuple[slice, ...]:
    return tuple(of if a == axis else slice(None) for a in range(ndim))


def in_pieces(x: Array, weights: Array, out: Array, axis: int) -> None:
    """Piece by piece along an axis that is too long, of an array that has its border."""
    for first in range(0, out.shape[axis], PIECE):
        count = min(PIECE, out.shape[axis] - first)
        piece = x[along(axis, slice(first, first + count + weights.shape[axis] - 1), x.ndim)]
        part = numpy.empty(out[along(axis, slice(first, first + count), x.ndim)].shape, out.dtype)
        filter_into(numpy.ascontiguousarray(piece), weights, no_pads(x.ndim), ZEROS, part)
        out[along(axis, slice(first, first + count), x.ndim)] = part


def by_taps(x: Array, weights: Array, out: Array, axis: int) -> None:
    """Some of the taps after another along an axis with too many, of an array that has its border."""
    part = numpy.empty_like(out)
    for first in range(0, weights.shape[axis], MOST_KERNEL):
        some = weights[along(axis, slice(first, first + MOST_KERNEL), x.ndim)]
        seen = x[along(axis, slice(first, first + out.shape[axis] + some.shape[axis] - 1), x.ndim)]
        filter_into(numpy.ascontiguousarray(seen), numpy.ascontiguousarray(some), no_pads(x.ndim), ZEROS,
                    part if first else out)
        if first:
            out += part


ZEROS = Border("zeros")


def no_pads(ndim: int) -> Pads:
    return ((0, 0),) * ndim


def order_aside(shape: tuple[int, ...], kernel: tuple[int, ...], pads: Pads) -> list[int] | None:
    """Axes, those that the weights do not extend along brought to the front, where they lie between the others; None where no
    layer would be helped by that."""
    ndim = len(shape)
    plain = [a for a in range(ndim) if kernel[a] == 1 and pads[a] == (0, 0)]
    order = plain + [a for a in range(ndim) if a not in plain]
    helps = len(merged(shape, kernel, pads)[0]) > MOST_AXES and order != list(range(ndim))
    return order if helps else None


def aside(x: Array, weights: Array, pads: Pads, border: Border, out: Array, order: list[int]) -> None:
    turned = numpy.empty([out.shape[a] for a in order], out.dtype)
    filter_into(numpy.ascontiguousarray(x.transpose(order)), numpy.ascontiguousarray(weights.transpose(order)),
                tuple(pads[a] for a in order), border, turned)
    out[...] = turned.transpose(numpy.argsort(order))


def is_beyond(shape: tuple[int, ...], pads: Pads, border: Border) -> bool:
    """Whether no layer has the border."""
    return any(max(pad) > reach(border, n) for pad, n in zip(pads, shape)) or not is_plain(border)


def filter_apart(x: Array, weights: Array, pads: Pads, border: Border, out: Array) -> bool:
    """What is too large for one layer, or has a border that no layer has; false where one layer does it."""
    if is_beyond(x.shape, pads, border):
        filter_into(extended(x, pads, border), weights, no_pads(x.ndim), ZEROS, out)
        return True
    for too_long, way in (max(weights.shape) > MOST_KERNEL, by_taps), (max(x.shape) > MOST_SIZE, in_pieces):
        if too_long and any(map(any, pads)):
            filter_into(extended(x, pads, border), weights, no_pads(x.ndim), ZEROS, out)
            return True
        if too_long:
            way(x, weights, out, int(numpy.argmax(weights.shape if way is by_taps else x.shape)))
            return True
    order = order_aside(x.shape, weights.shape, pads)
    if order is not None:
        aside(x, weights, pads, border, out, order)
    return order is not None


def is_one_layer(shape: tuple[int, ...], kernel: tuple[int, ...], pads: Pads, border: Border) -> bool:
    """Whether filter_apart has nothing to do."""
    return (0 not in shape and not is_beyond(shape, pads, border) and max(kernel) <= MOST_KERNEL and max(shape) <= MOST_SIZE
            and order_aside(shape, kernel, pads) is None)


def filter_into(x: Array, weights: Array, pads: Pads, border: Border, out: Array, channels: int = 0,
                known: bool = False) -> None:
    """out[i] = sum over k of weights[k] x[i - before + k]: contiguous arrays of float32 or of float64, as many axes each, `out`
    apart from `x` and of the shape that follows. Of several channels the arrays have an axis more, the first.
    Weights that are `known` to stay as they are become code."""
    key = (x.shape, weights.shape, pads, border, x.dtype.char, channels, weights.tobytes() if known else None)
    ready = kept.get(key)
    if ready is None:
        if out.size == 0:
            return
        if channels == 0 and filter_apart(x, weights, pads, border, out):
            return
        shapes = (x.shape, weights.shape) if channels == 0 else (x.shape[1:], weights.shape[1:])
        layer = layer_of(*shapes, pads, border, x.dtype, channels)
        if known:
            layer["weights"] = {"values": weights.reshape(layer["kernel_size"]).tolist()}
        ready = keep(key, layer)
    ready.run(x, weights, out)


def prepare(shape: tuple[int, ...], dtype: numpy.dtype[Any], filters: Sequence[tuple[tuple[int, ...], Pads, Border]]) -> None:
    """Compiles the layers of filters of one array that come one after another, each on a thread. What cannot be compiled says so
    when its turn comes."""
    wanted: dict[tuple[Any, ...], tuple[tuple[int, ...], Pads, Border]] = {}
    for kernel, pads, border in filters:
        key = (shape, kernel, pads, border, dtype.char, 0, None)
        if key not in kept and is_one_layer(shape, kernel, pads, border):
            wanted[key] = kernel, pads, border

    def make(key: tuple[Any, ...]) -> None:
        kernel, pads, border = wanted[key]
        with suppress(Exception):
            keep(key, layer_of(shape, kernel, pads, border, dtype, 0))

    first, *others = wanted or [()]
    threads = [threading.Thread(target=make, args=(key,)) for key in others]
    for thread in threads:
        thread.start()
    if threads:
        make(first)
    for thread in threads:
        thread.join()


Number = Union[int, float]


def constant_of(cval: Any) -> float:
    """Of a border: a real number, infinite or none at all."""
    try:
        return float(cval)
    except (TypeError, ValueError):
        raise refuse("cval", f"expected a real number, got {cval!r}") from None
