"""Arrays as kernels read them: of a kernel's dtype, each value what it was, contiguous and aligned."""

from __future__ import annotations

from typing import Any, Union

import numpy
from numpy.typing import ArrayLike, NDArray

from convoke._error import refuse
from convoke._foreign import Exporter, address, from_foreign, is_foreign

Floats = NDArray[Any]  # of one of DTYPES
BITS = numpy.dtype(numpy.uint16)  # of bf16, which NumPy lacks
DTYPES = (numpy.dtype(numpy.float32), numpy.dtype(numpy.float64), numpy.dtype(numpy.float16), BITS,
          numpy.dtype(numpy.int8), numpy.dtype(numpy.uint8), numpy.dtype(numpy.int32))  # by cvk_dtype


def bf16_floats(bits: NDArray[Any]) -> NDArray[numpy.float32]:
    """The numbers that bits of bf16 stand for: the upper halves of float32.

    >>> import convoke, numpy
    >>> convoke.bf16_floats(numpy.array([0x3F80, 0xC000], numpy.uint16))
    array([ 1., -2.], dtype=float32)
    """
    return numpy.left_shift(bits, 16, dtype=numpy.uint32).view(numpy.float32)


def bf16_bits(numbers: ArrayLike) -> NDArray[numpy.uint16]:
    """The bits of the nearest bf16, ties to even; NaN stays NaN.

    >>> import convoke
    >>> convoke.bf16_bits([1, -2, 1 / 3])
    array([16256, 49152, 16043], dtype=uint16)
    """
    one, half = numpy.uint64(1), numpy.uint64(16)
    values = numpy.asarray(numbers, numpy.float64)
    with numpy.errstate(all="ignore"):
        single = values.astype(numpy.float32)
    bits, back = numpy.asarray(single).view(numpy.uint32).astype(numpy.uint64), single.astype(numpy.float64)
    # What float32 rounded goes to its neighbour whose last bit is odd, from which bf16 is as near as from the number.
    inexact = (back != values) & numpy.isfinite(single) & (bits & one == 0)
    up = numpy.abs(back) < numpy.abs(values)
    bits = numpy.where(inexact, numpy.where(up, bits + one, bits - one), bits)
    rounded = (bits + numpy.uint64(0x7FFF) + (bits >> half & one)) >> half
    return numpy.where(numpy.isnan(single), bits >> half | numpy.uint64(0x40), rounded).astype(numpy.uint16)


def as_bits(array: NDArray[Any]) -> NDArray[Any]:
    """Arrays of ml_dtypes' bfloat16, and what numpy.load makes of them, as the bits they hold; others as they are."""
    return array.view(BITS) if array.dtype.kind == "V" and array.dtype.itemsize == 2 else array


Numbers = Union[ArrayLike, Exporter]


def array_of(role: str, value: Numbers, shape: tuple[int, ...]) -> NDArray[Any]:
    """Numbers in the shape, of which -1 is any size, of whatever type they come in; the array itself where it is one."""
    if isinstance(value, numpy.ma.MaskedArray):
        raise refuse(role, "a kernel cannot leave out what a mask hides; hand in .filled(…)")
    if is_foreign(value):
        array = as_bits(from_foreign(role, value))
    else:
        try:
            array = as_bits(numpy.asarray(value))
        except ValueError as error:
            raise refuse(role, f"expected an array of shape {shape}; {error}") from None
    if array.dtype.kind not in "fiub":
        raise refuse(role, f"expected numbers, got an array of {array.dtype}")
    if array.ndim != len(shape) or any(wanted not in (-1, size) for wanted, size in zip(shape, array.shape)):
        raise refuse(role, f"expected an array of shape {shape}, got {array.shape}")
    return array


def is_exact(integers: NDArray[Any], digits: int) -> NDArray[numpy.bool_]:
    """Which integers have no more digits than a type has behind its first, from the highest set to the lowest set."""
    magnitude = numpy.abs(integers).astype(numpy.uint64)  # of the least one too, which wraps around twice
    lowest = magnitude & (~magnitude + numpy.uint64(1))
    return numpy.asarray(magnitude // numpy.maximum(lowest, numpy.uint64(1)) < numpy.uint64(2 << digits))


def same_numbers(array: NDArray[Any], rounded: NDArray[Any], digits: int) -> NDArray[numpy.bool_]:
    return is_exact(array, digits) if array.dtype.kind in "iu" else numpy.asarray((rounded == array) | numpy.isnan(array))


def refuse_some(role: str, array: NDArray[Any], wrong: NDArray[Any], words: str) -> None:
    if wrong.any():
        first = tuple(numpy.argwhere(wrong)[0].tolist())
        raise refuse(role, f"{numpy.count_nonzero(wrong)} of {array.size} values of {array.dtype} {words}, "
                           f"the first {array[first]!s} at {list(first)}")


def to_dtype(role: str, array: NDArray[Any], dtype: numpy.dtype[Any], convert: bool) -> Floats:
    """The same numbers in the type, or, to `convert`, the nearest ones; infinity is near to none but itself."""
    if dtype == BITS:
        return to_bits(role, array, convert)
    if dtype.kind != "f":
        return to_integers(role, array, dtype, convert)
    long = array.dtype.kind in "iu" and array.dtype.itemsize == 8  # which NumPy calls safe to cast to float64
    if numpy.can_cast(array.dtype, dtype) and not long:
        return array.astype(dtype, copy=False)
    with numpy.errstate(all="ignore"):
        rounded: Floats = array.astype(dtype)
        refuse_some(role, array, numpy.isinf(rounded) & numpy.isfinite(array), f"overflow {dtype}")
        if not convert:
            refuse_some(role, array, ~same_numbers(array, rounded, numpy.finfo(dtype).nmant),
                        f"are not exact in {dtype} (convert=True rounds)")
    return rounded


def to_bits(role: str, array: NDArray[Any], convert: bool) -> NDArray[Any]:
    """Of bf16: arrays of uint16 are bits already, of others the numbers count."""
    if array.dtype == BITS:
        return array
    rounded = bf16_bits(array)
    back = bf16_floats(rounded)
    refuse_some(role, array, numpy.isinf(back) & numpy.isfinite(array), "overflow bf16")
    if not convert:
        refuse_some(role, array, ~same_numbers(array, back, 7), "are not exact in bf16 (convert=True rounds)")
    return rounded


def to_integers(role: str, array: NDArray[Any], dtype: numpy.dtype[Any], convert: bool) -> NDArray[Any]:
    """Integers within the type's range, or, to `convert`, the nearest ones, ties to even."""
    if numpy.can_cast(array.dtype, dtype):
        return array.astype(dtype, copy=False)
    limits, whole = numpy.iinfo(dtype), numpy.rint(array) if array.dtype.kind == "f" else array
    refuse_some(role, array, ~((whole >= limits.min) & (whole <= limits.max)), f"overflow {dtype}")
    if not convert:
        refuse_some(role, array, whole != array, f"are not exact in {dtype} (convert=True rounds)")
    return numpy.asarray(whole.astype(dtype))


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
