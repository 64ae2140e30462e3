"""Convolutions and correlations of two arrays, with the names, arguments and results of scipy.signal.

>>> from convoke import signal
>>> signal.convolve([1., 2., 3.], [1., 10.])
array([ 1., 12., 23., 30.])
>>> signal.correlate([1., 2., 3.], [1., 10.], mode="valid")
array([21., 32.])

Arrays are float32 or float64, and other real numbers beside one of these, of which they take the type; they are summed in it,
directly or by transforms, whichever is faster. Of integers alone `convolve`, `correlate` and their kin of pictures give integers,
exactly, and the others float64. The shorter array is the filter, and extends along three axes at most. A filter is
compiled when arrays of new shapes come, in some hundredths of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convoke._error import refuse
from convoke._filter import DTYPES, MOST_KERNEL, MOST_PADDING, MOST_SIZE, Array, Border, Pads, constant_of, filter_into

__all__ = ["convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve"]

MODES = ("full", "same", "valid")
METHODS = ("auto", "direct", "fft")
BOUNDARIES = {"fill": "constant", "wrap": "circular", "symm": "symmetric"}


def word_among(role: str, word: Any, words: Iterable[str]) -> str:
    if not isinstance(word, str) or word not in words:
        raise refuse(role, f"expected one of {', '.join(words)}, got {word!r}")
    return word


def arrays_of(in1: Any, in2: Any) -> tuple[Array, Array]:
    """With as many axes."""
    x, w = numpy.asarray(in1), numpy.asarray(in2)
    if x.ndim != w.ndim:
        raise refuse("in2", f"expected {x.ndim} axes, as in1 has, got {w.ndim}")
    return x, w


def pair_of(in1: Any, in2: Any) -> tuple[Array, Array]:
    """Both in the type of the result; integers in float64."""
    x, w = arrays_of(in1, in2)
    dtype = numpy.result_type(x, w).newbyteorder("=")
    if dtype.kind in "iu":
        dtype = numpy.dtype(numpy.float64)
    if dtype not in DTYPES:
        raise refuse("in1" if x.dtype not in DTYPES else "in2",
                     f"{x.dtype} and {w.dtype} make {dtype}, but sums are of float32 or float64: hand one of them in as such")
    return numpy.asarray(x, dtype, order="C"), numpy.asarray(w, dtype, order="C")


MOST_ERROR = 0.25  # of a sum that is rounded to the integer it is
LEVELS, TILE = 17, 1 << 18  # of a transform, at most, and its positions


def check_exact(x: Array, w: Array) -> None:
    """Whether sums of integers are exact when they are rounded: they may come from transforms (docs/trust.md)."""
    large, small = (x, w) if x.size >= w.size else (w, x)
    norm = numpy.sqrt(min(large.size, TILE)) * numpy.max(numpy.abs(large), initial=0)
    error = numpy.finfo(numpy.float64).eps / 2 * norm * (15 * LEVELS * numpy.linalg.norm(small) + 6 * LEVELS * numpy.sum(numpy.abs(small)))
    if not error < MOST_ERROR:
        raise refuse("in1", "integers this large make sums that float64 does not hold exactly: hand one of the arrays in as float64")


def as_integers(made: Array, x: Array, w: Array, in1: Any, in2: Any) -> Array:
    """The type of the result, where that is of integers: they wrap around, as scipy's do."""
    dtype = numpy.result_type(numpy.asarray(in1), numpy.asarray(in2)).newbyteorder("=")
    if dtype.kind not in "iu":
        return made
    check_exact(x.ravel(), w.ravel())
    return numpy.asarray(numpy.rint(made).astype(numpy.int64).astype(dtype))


# ---- what of the whole convolution is wanted ----

class Part:
    """Of the whole convolution along an axis: from where on, and how much."""

    def __init__(self, start: int, length: int) -> None:
        self.start, self.length = start, length


def part_of(mode: str, n: int, k: int) -> Part:
    """Of n elements and k. `same` is the middle, as long as the first; `valid` what needs nothing beyond the longer."""
    if mode == "full":
        return Part(0, n + k - 1)
    if mode == "same":
        return Part((k - 1) // 2, n)
    return Part(min(n, k) - 1, max(n, k) - min(n, k) + 1)


def convolved(x: Array, w: Array, parts: Sequence[Part], border: Border, channels: int = 0) -> Array:
    """Of several channels, which come first in both, `parts` are of the other axes."""
    skipped = x.ndim - len(parts)
    pads: list[tuple[int, int]] = []
    seen = [slice(None)] * skipped
    for part, n, k in zip(parts, x.shape[skipped:], w.shape[skipped:]):
        before, after = k - 1 - part.start, part.start + part.length - n
        seen.append(slice(max(-before, 0), n - max(-after, 0)))
        pads.append((max(before, 0), max(after, 0)))
    out = numpy.empty(x.shape[:skipped] + tuple(part.length for part in parts), x.dtype)
    turned = w[(slice(None),) * skipped + (slice(None, None, -1),) * len(parts)]
    filter_into(numpy.ascontiguousarray(x[tuple(seen)]), numpy.ascontiguousarray(turned), tuple(pads), border, out, channels)
    return out


ZEROS = Border("zeros")


def is_filter(w: Array, x: Array) -> bool:
    """Whether the second is the one to be the filter: both may be, and the shorter is, unless each is on an axis of its own."""
    return w.size <= x.size or any(k < n for k, n in zip(w.shape, x.shape))


def check_valid(x: Array, w: Array) -> None:
    longer = {k > n for k, n in zip(w.shape, x.shape) if k != n}
    if len(longer) > 1:
        raise refuse("in2", f"valid wants one array that is nowhere shorter than the other, got {x.shape} and {w.shape}")


def whole(x: Array, w: Array, mode: str) -> Array:
    """Along all axes."""
    if mode == "valid":
        check_valid(x, w)
    if x.ndim == 0:
        return numpy.asarray(x * w)
    if x.size == 0 or w.size == 0:
        return numpy.empty(0, x.dtype)
    parts = [part_of(mode, n, k) for n, k in zip(x.shape, w.shape)]
    return convolved(x, w, parts, ZEROS) if is_filter(w, x) else convolved(w, x, parts, ZEROS)


def convolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full", method: str = "auto") -> Array:
    """in1 convolved with in2; `method` is accepted, and what is faster is chosen whatever it says.

    >>> from convoke import signal
    >>> signal.convolve([1., 2., 3., 4.], [1., 10.], mode="same")
    array([ 1., 12., 23., 34.])
    """
    word_among("method", method, METHODS)
    x, w = pair_of(in1, in2)
    return as_integers(whole(x, w, word_among("mode", mode, MODES)), x, w, in1, in2)


def correlate(in1: ArrayLike, in2: ArrayLike, mode: str = "full", method: str = "auto") -> Array:
    """in1 correlated with in2: convolved with it turned around.

    >>> from convoke import signal
    >>> signal.correlate([1., 2., 3.], [1., 10.])
    array([10., 21., 32.,  3.])
    """
    word_among("method", method, METHODS)
    x, w = pair_of(in1, in2)
    return as_integers(whole(x, numpy.flip(w), word_among("mode", mode, MODES)), x, w, in1, in2)


# ---- along some of the axes ----

def chosen_axes(axes: Any, ndim: int) -> list[int]:
    """All where none is named."""
    named = list(range(ndim)) if axes is None else list(axes) if isinstance(axes, Iterable) else [axes]
    if any(int(a) != a or not -ndim <= a < ndim for a in named):
        raise refuse("axes", f"expected axes of {ndim}, got {axes!r}")
    chosen = sorted(int(a) % ndim for a in named)
    if len(set(chosen)) != len(chosen):
        raise refuse("axes", "an axis is named twice")
    if not chosen and ndim:
        raise refuse("axes", "none is named")
    return chosen


def one_by_one(x: Array, w: Array, parts: Sequence[Part]) -> Array:
    """Channels, which come first, each with weights of its own: at once where that is a layer."""
    too_long = max(w.shape[1:]) > MOST_KERNEL or max(x.shape) > MOST_SIZE or max(w.shape[1:]) > MOST_PADDING
    if not too_long and len(parts) <= 3:
        return convolved(x, w, parts, ZEROS, len(x))
    return numpy.stack([convolved(one, other, parts, ZEROS) for one, other in zip(x, w)])


def middle(x: Array, w: Array, others: Sequence[int]) -> Array:
    """What of w meets an array of size 1 along other axes, where the result is to be as large as that."""
    at = [slice(None)] * w.ndim
    for a in others:
        if x.shape[a] == 1:
            at[a] = slice((w.shape[a] - 1) // 2, (w.shape[a] - 1) // 2 + 1)
    return w[tuple(at)]


def along(x: Array, w: Array, mode: str, axes: Any) -> Array:
    """Other axes are of one size, or of size 1 in one of the arrays, which then meets all of the other."""
    chosen = [a for a in chosen_axes(axes, x.ndim) if x.shape[a] != 1 and w.shape[a] != 1]
    others = [a for a in range(x.ndim) if a not in chosen]
    if mode == "same":
        w = middle(x, w, others)
    if mode == "valid":
        check_valid(x[tuple(slice(None) if a in chosen else slice(1) for a in range(x.ndim))],
                    w[tuple(slice(None) if a in chosen else slice(1) for a in range(x.ndim))])
    elif all(w.shape[a] == 1 for a in others):
        return whole(x, w, mode)
    try:
        beside = numpy.broadcast_shapes(*(tuple(array.shape[a] for a in others) for array in (x, w)))
    except ValueError:
        raise refuse("in2", f"{x.shape} and {w.shape} differ along axes that are not named") from None
    if not chosen:
        return numpy.asarray(x * w)
    first = [numpy.broadcast_to(array.transpose(others + chosen), beside + tuple(array.shape[a] for a in chosen))
             for array in (x, w)]
    if any(array.size == 0 for array in first):
        return numpy.empty(0, x.dtype)
    rows = [array.reshape(-1, *array.shape[len(others):]) for array in first]
    parts = [part_of(mode, x.shape[a], w.shape[a]) for a in chosen]
    signals, filters = rows if is_filter(rows[1], rows[0]) else rows[::-1]
    made = one_by_one(numpy.ascontiguousarray(signals), numpy.ascontiguousarray(filters), parts)
    shaped = made.reshape(beside + made.shape[1:])
    return numpy.ascontiguousarray(shaped.transpose(numpy.argsort(others + chosen)))


def fftconvolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full", axes: int | Sequence[int] | None = None) -> Array:
    """As convolve, along the axes that are named.

    >>> import numpy
    >>> from convoke import signal
    >>> signal.fftconvolve(numpy.array([[1., 2.], [3., 4.]]), numpy.array([[1., 1.]]), axes=1)
    array([[1., 3., 2.],
           [3., 7., 4.]])
    """
    x, w = pair_of(in1, in2)
    return along(x, w, word_among("mode", mode, MODES), axes)


def oaconvolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full", axes: int | Sequence[int] | None = None) -> Array:
    """The same as fftconvolve.

    >>> from convoke import signal
    >>> signal.oaconvolve([1., 2., 3.], [1., 1.], mode="valid")
    array([3., 5.])
    """
    return fftconvolve(in1, in2, mode, axes)


# ---- of pictures, with borders ----

def _of_pictures(x: Array, w: Array, mode: Any, boundary: Any, fillvalue: Any, turned: bool) -> Array:
    if x.ndim != 2:
        raise refuse("in1", f"expected an array of two axes, got one of {x.ndim}")
    word_among("mode", mode, MODES)
    border = Border(BOUNDARIES[word_among("boundary", boundary, BOUNDARIES)])
    if border.mode == "constant":
        fill = constant_of(fillvalue)
        border = Border("constant", fill) if fill else ZEROS
    if mode == "valid":
        check_valid(x, w)
        if all(k >= n for k, n in zip(w.shape, x.shape)) and w.shape != x.shape:
            return whole(x, w if turned else numpy.flip(w), mode)
    parts = [part_of(mode, n, k) for n, k in zip(x.shape, w.shape)]
    if not turned:
        w = numpy.flip(w)
        if mode == "same":  # tap (k - 1) / 2 of the weights as they are stands over the output
            parts = [Part(k // 2, n) for n, k in zip(x.shape, w.shape)]
    return convolved(x, w, parts, border)


def of_pictures(in1: Any, in2: Any, mode: Any, boundary: Any, fillvalue: Any, turned: bool) -> Array:
    x, w = pair_of(in1, in2)
    return as_integers(_of_pictures(x, w, mode, boundary, fillvalue, turned), x, w, in1, in2)


def convolve2d(in1: ArrayLike, in2: ArrayLike, mode: str = "full", boundary: str = "fill",
               fillvalue: float = 0) -> Array:
    """in1 convolved with in2, both of two axes, with a border around in1.

    >>> from convoke import signal
    >>> signal.convolve2d([[1., 2.], [3., 4.]], [[1., 10.]], mode="same", boundary="wrap")
    array([[21., 12.],
           [43., 34.]])
    """
    return of_pictures(in1, in2, mode, boundary, fillvalue, True)


def correlate2d(in1: ArrayLike, in2: ArrayLike, mode: str = "full", boundary: str = "fill",
                fillvalue: float = 0) -> Array:
    """in1 correlated with in2, both of two axes, with a border around in1.

    >>> from convoke import signal
    >>> signal.correlate2d([[1., 2.], [3., 4.]], [[1., 10.]], mode="valid")
    array([[21.],
           [43.]])
    """
    return of_pictures(in1, in2, mode, boundary, fillvalue, False)
