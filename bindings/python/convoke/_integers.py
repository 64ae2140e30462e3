"""Filters of integers: what they are summed in, and how sums become integers again."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

Array = NDArray[Any]
SINGLE: numpy.dtype[Any] = numpy.dtype(numpy.float32)
DOUBLE: numpy.dtype[Any] = numpy.dtype(numpy.float64)


def weights_gain(weights: Array) -> float | None:
    """What the magnitudes of whole weights come to; None where some are no whole numbers."""
    if weights.dtype.kind == "f" and not numpy.all(numpy.isfinite(weights) & (weights == numpy.trunc(weights))):
        return None
    return float(numpy.sum(numpy.abs(weights.astype(numpy.float64))))


def exact_dtype(given: numpy.dtype[Any], gain: float | None) -> numpy.dtype[Any]:
    """In which all sums of such integers are exact, or as near to scipy's as they can be."""
    small = given.kind in "iub" and gain is not None and gain * 2.0 ** (8 * given.itemsize) < 2**24
    return SINGLE if small else DOUBLE


def limits_of(dtype: numpy.dtype[Any]) -> tuple[float, float]:
    """The least and the greatest float64 that the type holds."""
    if dtype.kind == "b":
        return 0.0, 1.0
    info = numpy.iinfo(dtype)
    greatest = float(info.max)
    return float(info.min), greatest if int(greatest) == info.max else float(numpy.nextafter(greatest, 0))


NEAR = 1 + 2.0**-44  # a sum of pixels that is so near to a whole number is it, but for what float64 rounded


def limited(numbers: Array, dtype: numpy.dtype[Any], pixels: bool) -> Array:
    """Truncated towards 0 and saturated, in place; what is no number is 0."""
    low, high = limits_of(dtype)
    if pixels:
        numbers *= NEAR
    numpy.trunc(numbers, out=numbers)
    numpy.clip(numbers, low, high, out=numbers)
    if numpy.isnan(numbers.sum()):
        numbers[numpy.isnan(numbers)] = 0
    return numbers


def rounded(numbers: Array, dtype: numpy.dtype[Any], pixels: bool) -> Array:
    """The same as integers. The greatest of 64 bits is no float64: what is beyond the last of those is it."""
    past = numbers >= 2.0 ** (8 * dtype.itemsize - (dtype.kind == "i")) if dtype.itemsize == 8 else None
    made: Array = limited(numbers.copy(), dtype, pixels).astype(dtype)
    if past is not None and past.any():
        made[past] = numpy.iinfo(dtype).max
    return made
