"""Arrays as kernels read them: float32, each value what it was, contiguous and aligned."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import ArrayLike, NDArray

from convoke._error import refuse

F32 = NDArray[numpy.float32]
SIGNIFICAND = 24  # bits of a float32


def array_of(role: str, value: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Numbers in the shape, of which -1 is any size, of whatever type they come in; the array itself where it is one."""
    if isinstance(value, numpy.ma.MaskedArray):
        raise refuse(role, "a kernel cannot leave out what a mask hides; hand in .filled(…)")
    try:
        array = numpy.asarray(value)
    except ValueError as error:
        raise refuse(role, f"expected an array of shape {shape}; {error}") from None
    if array.dtype.kind not in "fiub":
        raise refuse(role, f"expected numbers, got an array of {array.dtype}")
    if array.ndim != len(shape) or any(wanted not in (-1, size) for wanted, size in zip(shape, array.shape)):
        raise refuse(role, f"expected an array of shape {shape}, got {array.shape}")
    return array


def is_float32(integers: NDArray[Any]) -> NDArray[numpy.bool_]:
    """Which integers are exact: those with no more bits, from the highest set to the lowest set, than a float32 has."""
    magnitude = numpy.abs(integers).astype(numpy.uint64)  # of the least one too, which wraps around twice
    lowest = magnitude & (~magnitude + numpy.uint64(1))
    return numpy.asarray(magnitude // numpy.maximum(lowest, numpy.uint64(1)) < numpy.uint64(1 << SIGNIFICAND))


def refuse_some(role: str, array: NDArray[Any], wrong: NDArray[Any], words: str) -> None:
    if wrong.any():
        first = tuple(numpy.argwhere(wrong)[0].tolist())
        raise refuse(role, f"{numpy.count_nonzero(wrong)} of {array.size} values of {array.dtype} {words}, "
                           f"the first {array[first]!s} at {list(first)}")


def to_float32(role: str, array: NDArray[Any], convert: bool) -> F32:
    """The same numbers in float32, or, to `convert`, the nearest ones; infinity is near to none but itself."""
    if numpy.can_cast(array.dtype, numpy.float32):
        return array.astype(numpy.float32, copy=False)
    with numpy.errstate(all="ignore"):
        rounded: F32 = array.astype(numpy.float32)
        refuse_some(role, array, numpy.isinf(rounded) & numpy.isfinite(array), "overflow float32")
        if not convert:
            same = is_float32(array) if array.dtype.kind in "iu" else (rounded == array) | numpy.isnan(array)
            refuse_some(role, array, ~same, "are not exact in float32 (convert=True rounds)")
    return rounded


def address(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)


def aligned(size: int, alignment: int) -> F32:
    """New memory for so many bytes, as float32."""
    memory = numpy.empty(size + alignment, numpy.uint8)
    start = -address(memory) % max(alignment, 1)
    return memory[start:start + size].view(numpy.float32)


def placed(array: F32, alignment: int) -> F32:
    """The array, or a copy of it where it is not contiguous or not aligned."""
    array = numpy.ascontiguousarray(array)
    if address(array) % max(alignment, 1) == 0:
        return array
    copy = aligned(array.nbytes, alignment).reshape(array.shape)
    copy[...] = array
    return copy
