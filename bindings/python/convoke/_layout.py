"""Logical arrays (N, C, then sizes) to and from the layouts of memory."""

from __future__ import annotations

from typing import TypeVar

import numpy
from numpy.typing import NDArray

from convoke._array import Floats

CHANNELS_FIRST, CHANNELS_LAST, BLOCKED = range(3)
BLOCK = 16
Number = TypeVar("Number", bound=numpy.generic)


def memory_shape(layout: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """What memory in the layout is an array of."""
    n, channels, *sizes = shape
    if layout == CHANNELS_LAST:
        return (n, *sizes, channels)
    if layout == BLOCKED:
        return (n, -(-channels // BLOCK), *sizes, BLOCK)
    return shape


def as_memory(array: Floats, layout: int) -> Floats:
    """A logical array seen in the order of the layout; the blocked one, which may be longer, is a copy."""
    if layout == CHANNELS_LAST:
        return numpy.moveaxis(array, 1, -1)
    if layout == BLOCKED:
        memory = numpy.zeros(memory_shape(layout, array.shape), array.dtype)
        for block in range(memory.shape[1]):
            some = array[:, block * BLOCK:(block + 1) * BLOCK]
            memory[:, block, ..., :some.shape[1]] = numpy.moveaxis(some, 1, -1)
        return memory
    return array


def as_logical(memory: NDArray[Number], layout: int, shape: tuple[int, ...]) -> NDArray[Number]:
    """The logical array of `shape` in what a kernel has written; a view, unless it is blocked."""
    memory = memory.reshape(memory_shape(layout, shape))
    if layout == CHANNELS_LAST:
        return numpy.moveaxis(memory, -1, 1)
    if layout == BLOCKED:
        array = numpy.empty(shape, memory.dtype)
        for block in range(memory.shape[1]):
            some = array[:, block * BLOCK:(block + 1) * BLOCK]
            some[...] = numpy.moveaxis(memory[:, block], -1, 1)[:, :some.shape[1]]
        return array
    return memory
