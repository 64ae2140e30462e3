"""Logical arrays (N, C, then sizes) to and from the layouts of memory."""

import numpy

CHANNELS_FIRST, CHANNELS_LAST, BLOCKED = range(3)
BLOCK = 16


def pack(array, layout):
    """A C-contiguous array of float32 in the layout; the array itself where it is one already."""
    array = numpy.asarray(array, numpy.float32)
    if layout == CHANNELS_LAST:
        array = numpy.moveaxis(array, 1, -1)
    elif layout == BLOCKED:
        n, channels, *sizes = array.shape
        filled = numpy.zeros((n, -(-channels // BLOCK) * BLOCK, *sizes), numpy.float32)
        filled[:, :channels] = array
        array = numpy.moveaxis(filled.reshape(n, -1, BLOCK, *sizes), 2, -1)
    return numpy.ascontiguousarray(array)


def unpack(memory, layout, shape):
    """The logical array of `shape` in what a kernel has written; a view where it can be one."""
    n, channels, *sizes = shape
    if layout == CHANNELS_LAST:
        return numpy.moveaxis(memory.reshape(n, *sizes, channels), -1, 1)
    if layout == BLOCKED:
        blocks = numpy.moveaxis(memory.reshape(n, -(-channels // BLOCK), *sizes, BLOCK), -1, 2)
        return blocks.reshape(n, -1, *sizes)[:, :channels]
    return memory.reshape(shape)
