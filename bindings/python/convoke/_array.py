"""Arrays as kernels read them: of a kernel's dtype, each value what it was, contiguous and aligned."""

from __future__ import annotations

from typing import Any, Union

import numpy
from numpy.typing import ArrayLike, NDArray

from convoke._error import refuse
from convoke._foreign import Exporter, address, from_foreign, is_foreign

Floats = NDArray[numpy.floating[Any]]
DTYPES = (numpy.dtype(numpy.float32), numpy.dtype(numpy.float64))  # by cvk_dtype


Numbers = Union[ArrayLike, Exporter]


def array_of(role: str, value: Numbers, shape: tuple[int, ...]) -> NDArray[Any]:
    """Numbers in the shape, of which -1 is any size, of whatever type they come in; the array itself where it is one."""
    if isinstance(value, numpy.ma.MaskedArray):
        raise refuse(role, "a kernel cannot leave out what a mask hides; hand in .filled(…)")
    if is_foreign(value):
        array = from_foreign(role, value)
    else:
        try:
            array = numpy.asarray(value)
        except ValueError as error:
            raise refuse(role, f"expected an array of shape {shape}; {error}") from None
    if array.dtype.kind not in "fiub":
        raise refuse(role, f"expected numbers, got an array of {array.dtype}")
    if array.ndim != len(shape) or any(wanted not in (-1, size) for wanted, size in zip(shape, array.shape)):
        raise refuse(role, f"expected an array of shape {shape}, got {array.shape}")
    return array


def is_exact(integers: NDArray[Any], dtype: numpy.dtype[Any]) -> NDArray[numpy.bool_]:
    """Which integers the type has: those with no more bits, from the highest set to the lowest set, than it."""
    magnitude = numpy.abs(integers).astype(numpy.uint64)  # of the least one too, which wraps around twice
    lowest = magnitude & (~magnitude + numpy.uint64(1))
    return numpy.asarray(magnitude // numpy.maximum(lowest, numpy.uint64(1)) < numpy.uint64(2 << numpy.finfo(dtype).nmant))


def refuse_some(role: str, array: NDArray[Any], wrong: NDArray[Any], words: str) -> None:
    if wrong.any():
        first = tuple(numpy.argwhere(wrong)[0].tolist())
        raise refuse(role, f"{numpy.count_nonzero(wrong)} of {array.size} values of {array.dtype} {words}, "
                           f"the first {array[first]!s} at {list(first)}")


def to_dtype(role: str, array: NDArray[Any], dtype: numpy.dtype[Any], convert: bool) -> Floats:
    """The same numbers in the type, or, to `convert`, the nearest ones; infinity is near to none but itself."""
    long = array.dtype.kind in "iu" and array.dtype.itemsize == 8  # which NumPy calls safe to cast to float64
    if numpy.can_cast(array.dtype, dtype) and not long:
        return array.astype(dtype, copy=False)
    with numpy.errstate(all="ignore"):
        rounded: Floats = array.astype(dtype)
        refuse_some(role, array, numpy.isinf(rounded) & numpy.isfinite(array), f"overflow {dtype}")
        if not convert:
            same = is_exact(array, dtype) if array.dtype.kind in "iu" else (rounded == array) | numpy.isnan(array)
            refuse_some(role, array, ~same, f"are not exact in {dtype} (convert=True rounds)")
    return rounded


def aligned(size: int, alignment: int, dtype: numpy.dtype[Any]) -> Floats:
    """New memory for so many bytes, as numbers of the type."""
    memory = numpy.empty(size + alignment, numpy.uint8)
    start = -address(memory) % max(alignment, 1)
    return memory[start:start + size].view(dtype)


def placed(array: Floats, alignment: int) -> Floats:
    """The array, or a copy of it where it is not contiguous or not aligned."""
    array = numpy.ascontiguousarray(array)
    if address(array) % max(alignment, 1) == 0:
        return array
    copy = aligned(array.nbytes, alignment, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
