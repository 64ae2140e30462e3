"""Filters of arrays, with the names, arguments and results of scipy.ndimage.

>>> import numpy
>>> from convoke import ndimage
>>> ndimage.correlate1d(numpy.array([1., 2., 3., 4.]), [1, 1, 1])
array([ 4.,  6.,  9., 11.])
>>> ndimage.uniform_filter(numpy.eye(3, dtype=numpy.float32), 3, mode="constant").round(2)
array([[0.22, 0.22, 0.11],
       [0.22, 0.33, 0.22],
       [0.11, 0.22, 0.22]], dtype=float32)

Arrays are float32, and summed in that, or float64, of any number of axes, of which weights may extend along three at a time; or
integers, such as the pixels of photographs. scipy sums float32 in float64: results differ by what
float32 rounds to. A filter is compiled when an array of a new shape comes, in some hundredths of a second.

Integers are summed exactly where the weights are whole numbers, in float32 or float64 by how large sums can be, else in float64.
What comes out as integers is truncated towards 0, as scipy does, after each pass along an axis where scipy does, and saturated, where
scipy has what the processor makes of a number that the type does not hold, mostly one that has wrapped around.

>>> ndimage.sobel(numpy.array([0, 10, 200], numpy.uint8), mode="nearest")
array([ 10, 200, 190], dtype=uint8)
>>> ndimage.correlate1d(numpy.array([100, 200, 250], numpy.uint8), [1, 1])
array([200, 255, 255], dtype=uint8)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Union

import numpy
from numpy.typing import ArrayLike, DTypeLike, NDArray

from convoke._error import refuse
from convoke._filter import DTYPES, Array, Border, Pads, constant_of, filter_into, prepare
from convoke._integers import exact_dtype, limited, rounded, weights_gain

__all__ = ["convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter", "gaussian_filter1d",
           "gaussian_gradient_magnitude", "gaussian_laplace", "laplace", "prewitt", "sobel", "uniform_filter",
           "uniform_filter1d"]

MODES = {  # scipy's words in ours
    "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "replicate", "wrap": "circular",
    "grid-wrap": "circular", "constant": "constant", "grid-constant": "constant"}

Output = Union[Array, DTypeLike, None]
Modes = Union[str, Sequence[str]]
Origins = Union[int, Sequence[int]]


# ---- arguments ----

def border_of(mode: Any, cval: Any) -> Border:
    word = MODES.get(mode) if isinstance(mode, str) else None
    if word is None:
        raise refuse("mode", f"expected one of {', '.join(MODES)}, got {mode!r}")
    if word != "constant":
        return Border(word)
    constant = constant_of(cval)
    return Border(word, constant) if constant else Border("zeros")


def per_axis(role: str, value: Any, ndim: int) -> list[Any]:
    """One for all axes, or one each."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [value] * ndim
    values = list(value)
    if len(values) != ndim:
        raise refuse(role, f"expected one, or one for each of {ndim} axes, got {len(values)}")
    return values


def axis_of(axis: Any, ndim: int) -> int:
    try:
        index = int(axis)
    except (TypeError, ValueError):
        raise refuse("axis", f"expected a number, got {axis!r}") from None
    if not -ndim <= index < ndim:
        raise refuse("axis", f"expected one of {ndim}, got {axis}")
    return index % ndim


class Task:
    """An array to filter and where the result goes to. Of whole weights `gain` is what their magnitudes come to; else None."""

    def __init__(self, value: Any, output: Any, gain: float | None = None) -> None:
        array = numpy.asarray(value)
        if array.dtype.kind not in "fiub":
            raise refuse("input", f"expected real numbers, got an array of {array.dtype}")
        self.output = output if isinstance(output, numpy.ndarray) else None
        self.wanted = array.dtype if output is None else self.output.dtype if self.output is not None else numpy.dtype(output)
        self.wanted = self.wanted.newbyteorder("=") if output is None else self.wanted
        self.limits: numpy.dtype[Any] = self.wanted  # of what passes are truncated to
        self.integers = self.wanted.kind in "iub"
        if self.wanted.newbyteorder("=") not in DTYPES and not self.integers:
            raise refuse("input" if output is None else "output",
                         f"results are of float32, float64 or integers, not of {self.wanted}: say `output=numpy.float32`")
        if self.output is not None and self.output.shape != array.shape:
            raise refuse("output", f"expected an array of shape {array.shape}, got {self.output.shape}")
        if self.output is not None and not self.output.flags.writeable:
            raise refuse("output", "the array is read-only")
        self.truncates = self.integers and (gain is None or array.dtype.kind == "f")  # between passes
        self.pixels = self.truncates and array.dtype.kind != "f" and self.wanted.itemsize <= 2
        self.dtype = self._computed(array.dtype, gain)
        self.x: Array = numpy.asarray(array, self.dtype, order="C")

    def _computed(self, given: numpy.dtype[Any], gain: float | None) -> numpy.dtype[Any]:
        if self.integers:
            return exact_dtype(given, gain)
        computed: numpy.dtype[Any] = numpy.dtype(numpy.result_type(given, self.wanted)).newbyteorder("=")
        return computed if computed in DTYPES else numpy.dtype(numpy.float64)

    def part(self) -> Task:
        """The same array, for one of several results that are put together."""
        part = Task(self.x, None)
        part.truncates, part.pixels, part.limits = self.truncates, self.pixels, self.limits
        return part

    def fresh(self) -> Array:
        return numpy.empty(self.x.shape, self.dtype)

    def target(self) -> Array:
        """What the last filter writes to: the caller's array, where it lies as one."""
        out = self.output
        fits = out is not None and out.dtype == self.dtype and out.flags.c_contiguous and out.flags.aligned
        if out is None or not fits or numpy.may_share_memory(out, self.x):
            return self.fresh()
        return out

    def between(self, result: Array) -> Array:
        """What a pass has made, as the next one finds it."""
        return limited(result, self.limits, self.pixels) if self.truncates else result

    def give(self, result: Array) -> Array:
        if self.integers:
            result = rounded(result, self.wanted.newbyteorder("="), self.pixels)
        if self.output is None:
            return result.astype(self.wanted, copy=False)
        if result is not self.output:
            self.output[...] = result
        return self.output


def pads_of(shape: Sequence[int], origins: Sequence[Any]) -> Pads:
    """Tap K / 2 + origin stands over the output."""
    pads = []
    for size, origin in zip(shape, origins):
        if isinstance(origin, float) and origin != int(origin):
            raise refuse("origin", f"expected a whole number, got {origin}")
        before = size // 2 + int(origin)
        if not 0 <= before < size:
            raise refuse("origin", f"expected {-(size // 2)} to {(size - 1) // 2} of {size} weights, got {origin}")
        pads.append((before, size - 1 - before))
    return tuple(pads)


def weights_of(weights: Any, dtype: numpy.dtype[Any]) -> Array:
    return numpy.asarray(weights, dtype, order="C")


def real_weights(weights: Any) -> Array:
    array = numpy.asarray(weights)
    if array.dtype.kind not in "fiub":
        raise refuse("weights", f"expected real numbers, got an array of {array.dtype}")
    if array.size == 0:
        raise refuse("weights", "there are none")
    return array


# ---- with given weights ----

def _with_weights(value: Any, weights: Any, output: Any, mode: Any, cval: Any, origin: Any, turned: bool) -> Array:
    given = real_weights(weights)
    task = Task(value, output, weights_gain(given))
    w = weights_of(given, task.dtype)
    if w.ndim != task.x.ndim:
        raise refuse("weights", f"expected {task.x.ndim} axes, as the input has, got {w.ndim}")
    origins = per_axis("origin", origin, w.ndim)
    if turned:
        w = numpy.ascontiguousarray(w[(slice(None, None, -1),) * w.ndim])
        origins = [-o - (n % 2 == 0) for o, n in zip(origins, w.shape)]
    border = border_of(mode, cval)
    if w.ndim == 0:
        return task.give(numpy.asarray(task.x * w))
    out = task.target()
    filter_into(task.x, w, pads_of(w.shape, origins), border, out)
    return task.give(out)


def correlate(input: ArrayLike, weights: ArrayLike, output: Output = None, mode: str = "reflect", cval: float = 0.0,
              origin: Origins = 0) -> Array:
    """The sum of `weights` times what they stand over, for each element.

    >>> from convoke import ndimage
    >>> ndimage.correlate([[1., 2.], [3., 4.]], [[0, 1], [0, 0]], mode="constant", cval=9)
    array([[9., 9.],
           [1., 2.]])
    """
    return _with_weights(input, weights, output, mode, cval, origin, False)


def convolve(input: ArrayLike, weights: ArrayLike, output: Output = None, mode: str = "reflect", cval: float = 0.0,
             origin: Origins = 0) -> Array:
    """As correlate, with the weights turned around.

    >>> from convoke import ndimage
    >>> ndimage.convolve([1., 2., 3., 4.], [1, 0, 0], mode="nearest")
    array([2., 3., 4., 4.])
    """
    return _with_weights(input, weights, output, mode, cval, origin, True)


def _shape_along(ndim: int, size: int, axis: int, origin: Any) -> tuple[tuple[int, ...], Pads]:
    """Of weights along an axis, and how far they reach."""
    shape = tuple(size if a == axis else 1 for a in range(ndim))
    return shape, pads_of(shape, [origin if a == axis else 0 for a in range(ndim)])


def _along(x: Array, weights: Array, axis: int, border: Border, origin: Any, out: Array) -> None:
    shape, pads = _shape_along(x.ndim, weights.size, axis, origin)
    filter_into(x, weights.reshape(shape), pads, border, out)


def _with_weights1d(value: Any, weights: Any, axis: Any, output: Any, mode: Any, cval: Any, origin: Any,
                    turned: bool) -> Array:
    given = real_weights(weights)
    task = Task(value, output, weights_gain(given))
    w = weights_of(given, task.dtype)
    if w.ndim != 1:
        raise refuse("weights", f"expected one axis, got {w.ndim}")
    if turned:
        w = w[::-1].copy()
        origin = -origin - (w.size % 2 == 0)
    out = task.target()
    _along(task.x, w, axis_of(axis, task.x.ndim), border_of(mode, cval), origin, out)
    return task.give(out)


def correlate1d(input: ArrayLike, weights: ArrayLike, axis: int = -1, output: Output = None, mode: str = "reflect",
                cval: float = 0.0, origin: int = 0) -> Array:
    """As correlate, along one axis.

    >>> from convoke import ndimage
    >>> ndimage.correlate1d([1., 2., 4., 8.], [-1, 1])
    array([0., 1., 2., 4.])
    """
    return _with_weights1d(input, weights, axis, output, mode, cval, origin, False)


def convolve1d(input: ArrayLike, weights: ArrayLike, axis: int = -1, output: Output = None, mode: str = "reflect",
               cval: float = 0.0, origin: int = 0) -> Array:
    """As convolve, along one axis.

    >>> from convoke import ndimage
    >>> ndimage.convolve1d([1., 2., 4., 8.], [1, -1])
    array([1., 2., 4., 0.])
    """
    return _with_weights1d(input, weights, axis, output, mode, cval, origin, True)


# ---- axis after axis ----

class Pass:
    """Weights along an axis, from an origin on, with the border there; sums are divided by `over`."""

    def __init__(self, weights: Array, axis: int, border: Border, origin: Any = 0, over: int = 1) -> None:
        self.weights, self.axis, self.border, self.origin, self.over = weights, axis, border, origin, over


WORTH = 1 << 28  # elements that go through two passes: what is then lost by that is about what compiling one filter takes
MOST_SEEN, MOST_JOINED = 512, 4096  # pairs of passes that are remembered; weights that a layer says
_seen: dict[tuple[Any, ...], int] = {}


def _joins(task: Task, passes: Sequence[Pass]) -> bool:
    """Whether two passes are one filter of images, and have come often enough to make code of their weights. In a border of a
    number they are no such filter: the second's is not the first's sum of it."""
    axes, x = [p.axis for p in passes], task.x
    border = passes[0].border
    if task.truncates or sorted(axes) != [x.ndim - 2, x.ndim - 1] or x.ndim > 3 or border.mode == "constant" or passes[1].border != border:
        return False
    if passes[0].weights.size * passes[1].weights.size > MOST_JOINED:
        return False
    key = (x.shape, x.dtype.char, border, *((p.axis, p.origin, p.weights.tobytes()) for p in passes))
    so_far = _seen.get(key, 0)
    if so_far < WORTH:
        if len(_seen) >= MOST_SEEN:
            _seen.clear()
        _seen[key] = so_far + x.size
    return so_far >= WORTH


def _joined(task: Task, passes: Sequence[Pass]) -> Array:
    ndim, out = task.x.ndim, task.target()
    of = {p.axis: p for p in passes}
    one = numpy.ones(1, task.dtype)
    weights = product([of[a].weights if a in of else one for a in range(ndim)])
    pads = pads_of(weights.shape, [of[a].origin if a in of else 0 for a in range(ndim)])
    filter_into(task.x, weights, pads, passes[0].border, out, known=True)
    return task.give(out)


def _run(task: Task, passes: Sequence[Pass]) -> Array:
    """One after another, through two arrays besides the result."""
    if not passes:
        return task.give(task.x.copy() if task.output is None else task.x)
    if len(passes) == 2 and _joins(task, passes):
        return _joined(task, passes)
    x, spare = task.x, None
    filters = [(*_shape_along(x.ndim, p.weights.size, p.axis, p.origin), p.border) for p in passes]
    prepare(x.shape, x.dtype, filters)
    for number, p in enumerate(passes):
        last = number + 1 == len(passes)
        out = task.target() if last else spare if spare is not None else task.fresh()
        kernel, pads, border = filters[number]
        filter_into(x, p.weights.reshape(kernel), pads, border, out)
        spare = x if x is not task.x else None
        x = task.between(out if p.over == 1 else numpy.divide(out, p.over, out=out))
    return task.give(x)


def _borders(mode: Any, cval: Any, ndim: int) -> list[Border]:
    return [border_of(m, cval) for m in per_axis("mode", mode, ndim)]


def _axes(axes: Any, ndim: int) -> list[int]:
    chosen = list(range(ndim)) if axes is None else [axis_of(a, ndim) for a in per_axis_list(axes)]
    if len(set(chosen)) != len(chosen):
        raise refuse("axes", "an axis is named twice")
    return chosen


def per_axis_list(axes: Any) -> list[Any]:
    return list(axes) if isinstance(axes, Iterable) else [axes]


@lru_cache(256)
def gaussian_weights(sigma: float, order: int, radius: int, dtype: numpy.dtype[Any]) -> Array:
    """Samples of a Gaussian, whose sum is 1, or of its derivative, as scipy takes them: turned for a correlation. Each derivative
    is the Gaussian times a polynomial, p' - p x / sigma^2 after p."""
    x = numpy.arange(-radius, radius + 1, dtype=numpy.float64)
    bell = numpy.exp(-0.5 / (sigma * sigma) * x**2)
    p = numpy.zeros(order + 1)  # coefficients of 1, x, x^2, …
    p[0] = 1
    for _ in range(order):
        derived = numpy.append(p[1:] * numpy.arange(1, order + 1), 0)
        p = derived - numpy.append(0, p[:-1]) / (sigma * sigma)
    values = sum(c * x**i for i, c in enumerate(p))
    return numpy.ascontiguousarray((values * (bell / bell.sum()))[::-1], dtype)


def gaussian_of(sigma: Any, order: Any, truncate: Any, radius: Any, dtype: numpy.dtype[Any]) -> Array:
    if not float(sigma) > 0:
        raise refuse("sigma", f"expected a positive number, got {sigma!r}")
    if radius is None:
        radius = int(float(truncate) * float(sigma) + 0.5)
    if int(order) != order or order < 0:
        raise refuse("order", f"expected a whole number from 0 on, got {order!r}")
    if int(radius) != radius or radius < 0:
        raise refuse("radius", f"expected a whole number from 0 on, got {radius!r}")
    return gaussian_weights(float(sigma), int(order), int(radius), dtype)


def gaussian_filter1d(input: ArrayLike, sigma: float, axis: int = -1, order: int = 0, output: Output = None,
                      mode: str = "reflect", cval: float = 0.0, truncate: float = 4.0, *, radius: int | None = None) -> Array:
    """Weighed with a Gaussian along an axis, or with its derivative of that order.

    >>> from convoke import ndimage
    >>> ndimage.gaussian_filter1d([0., 0., 1., 0., 0.], 0.5).round(3)
    array([0.   , 0.106, 0.787, 0.106, 0.   ])
    """
    task = Task(input, output)
    weights = gaussian_of(sigma, order, truncate, radius, task.dtype)
    return _run(task, [Pass(weights, axis_of(axis, task.x.ndim), border_of(mode, cval))])


def gaussian_filter(input: ArrayLike, sigma: float | Sequence[float], order: int | Sequence[int] = 0,
                    output: Output = None, mode: Modes = "reflect", cval: float = 0.0, truncate: float = 4.0, *,
                    radius: int | Sequence[int] | None = None, axes: int | Sequence[int] | None = None) -> Array:
    """Along every axis, or those named, one after another.

    >>> import numpy
    >>> from convoke import ndimage
    >>> ndimage.gaussian_filter(numpy.eye(3), 1).round(2)
    array([[0.5 , 0.33, 0.17],
           [0.33, 0.34, 0.33],
           [0.17, 0.33, 0.5 ]])
    """
    task = Task(input, output)
    chosen = _axes(axes, task.x.ndim)
    sigmas, orders, radii = (per_axis(role, value, len(chosen))
                             for role, value in (("sigma", sigma), ("order", order), ("radius", radius)))
    borders = _borders(mode, cval, len(chosen))
    return _run(task, [Pass(gaussian_of(s, o, truncate, r, task.dtype), axis, border)
                       for axis, s, o, r, border in zip(chosen, sigmas, orders, radii, borders) if s > 1e-15])


@lru_cache(64)
def mean_weights(size: int, dtype: numpy.dtype[Any]) -> Array:
    return numpy.full(size, 1 / size, dtype)


def mean_of(task: Task, size: Any, axis: int, border: Border, origin: Any) -> Pass:
    """Of integers the sum, which is exact, is divided."""
    if int(size) != size or size < 1:
        raise refuse("size", f"expected a whole number from 1 on, got {size!r}")
    if task.truncates:
        return Pass(numpy.ones(int(size), task.dtype), axis, border, origin, int(size))
    return Pass(mean_weights(int(size), task.dtype), axis, border, origin)


def uniform_filter1d(input: ArrayLike, size: int, axis: int = -1, output: Output = None, mode: str = "reflect",
                     cval: float = 0.0, origin: int = 0) -> Array:
    """The mean of `size` elements along an axis.

    >>> from convoke import ndimage
    >>> ndimage.uniform_filter1d([3., 6., 9., 12.], 3, mode="nearest")
    array([ 4.,  6.,  9., 11.])
    """
    task = Task(input, output)
    return _run(task, [mean_of(task, size, axis_of(axis, task.x.ndim), border_of(mode, cval), origin)])


def uniform_filter(input: ArrayLike, size: int | Sequence[int] = 3, output: Output = None, mode: Modes = "reflect",
                   cval: float = 0.0, origin: Origins = 0, *, axes: int | Sequence[int] | None = None) -> Array:
    """The mean over a box, axis after axis.

    >>> import numpy
    >>> from convoke import ndimage
    >>> ndimage.uniform_filter(numpy.array([[9., 0., 0.], [0., 0., 0.], [0., 0., 0.]]), 3, mode="constant")
    array([[1., 1., 0.],
           [1., 1., 0.],
           [0., 0., 0.]])
    """
    task = Task(input, output)
    chosen = _axes(axes, task.x.ndim)
    sizes, origins = per_axis("size", size, len(chosen)), per_axis("origin", origin, len(chosen))
    borders = _borders(mode, cval, len(chosen))
    return _run(task, [mean_of(task, n, axis, border, o)
                       for axis, n, o, border in zip(chosen, sizes, origins, borders) if n > 1])


# ---- edges ----

def product(weights: Sequence[Array]) -> Array:
    whole = weights[0]
    for w in weights[1:]:
        whole = numpy.multiply.outer(whole, w)
    return whole


@lru_cache(64)
def edge_weights(across: int, ndim: int, smooth: tuple[int, int, int], dtype: numpy.dtype[Any]) -> Array:
    return product([numpy.array((-1, 0, 1) if a == across else smooth, dtype) for a in range(ndim)])


@lru_cache(16)
def laplace_weights(ndim: int, dtype: numpy.dtype[Any]) -> Array:
    second, middle = numpy.array((1, -2, 1), dtype), numpy.array((0, 1, 0), dtype)
    whole = numpy.zeros((3,) * ndim, dtype)
    for axis in range(ndim):
        whole += product([second if a == axis else middle for a in range(ndim)])
    return whole


def _edges(value: Any, axis: Any, output: Any, mode: Any, cval: Any, smooth: tuple[int, int, int]) -> Array:
    """A difference along one axis, smoothed along the others."""
    axis_of(axis, numpy.ndim(value))
    ndim = max(numpy.ndim(value), 1)
    task = Task(value, output, 2.0 * sum(smooth) ** (ndim - 1))
    borders, across = _borders(mode, cval, ndim), axis_of(axis, ndim)
    if not task.truncates and ndim <= 3 and all(b == borders[0] and b.mode != "constant" for b in borders):
        return _at_once(task, edge_weights(across, ndim, smooth, task.dtype), borders[0])
    difference, smoothing = (numpy.array(w, task.dtype) for w in ((-1, 0, 1), smooth))
    return _run(task, [Pass(difference, across, borders[across]),
                       *(Pass(smoothing, a, borders[a]) for a in range(ndim) if a != across)])


def _at_once(task: Task, weights: Array, border: Border) -> Array:
    out = task.target()
    filter_into(task.x, weights, pads_of(weights.shape, [0] * weights.ndim), border, out, known=True)
    return task.give(out)


def sobel(input: ArrayLike, axis: int = -1, output: Output = None, mode: Modes = "reflect", cval: float = 0.0) -> Array:
    """Sobel's derivative along an axis.

    >>> from convoke import ndimage
    >>> ndimage.sobel([[1., 2., 4.], [1., 2., 4.], [1., 2., 4.]])
    array([[ 4., 12.,  8.],
           [ 4., 12.,  8.],
           [ 4., 12.,  8.]])
    """
    return _edges(input, axis, output, mode, cval, (1, 2, 1))


def prewitt(input: ArrayLike, axis: int = -1, output: Output = None, mode: Modes = "reflect", cval: float = 0.0) -> Array:
    """Prewitt's derivative along an axis.

    >>> from convoke import ndimage
    >>> ndimage.prewitt([[1., 2., 4.], [1., 2., 4.], [1., 2., 4.]])
    array([[3., 9., 6.],
           [3., 9., 6.],
           [3., 9., 6.]])
    """
    return _edges(input, axis, output, mode, cval, (1, 1, 1))


def laplace(input: ArrayLike, output: Output = None, mode: Modes = "reflect", cval: float = 0.0) -> Array:
    """The sum of the second differences along all axes.

    >>> from convoke import ndimage
    >>> ndimage.laplace([0., 0., 1., 0., 0.])
    array([ 0.,  1., -2.,  1.,  0.])
    """
    ndim = numpy.ndim(input)
    task = Task(input, output, 4.0 * ndim)
    borders = _borders(mode, cval, ndim)
    if ndim == 0:
        return _run(task, [])
    if not task.truncates and ndim <= 3 and all(b == borders[0] for b in borders):
        return _at_once(task, laplace_weights(ndim, task.dtype), borders[0])
    second = numpy.array((1, -2, 1), task.dtype)
    return _sum(task, [[Pass(second, axis, borders[axis])] for axis in range(ndim)])


def _sum(task: Task, terms: Sequence[Sequence[Pass]], squares: bool = False) -> Array:
    """Of several ways to filter the same array, or of their squares the root."""
    total: Array | None = None
    for passes in terms:
        term = _run(task.part(), passes)
        if squares:
            term *= term
        total = term if total is None else total + term
    assert total is not None, "there is an axis"
    return task.give(numpy.sqrt(total) if squares else total)


def _gaussian_terms(task: Task, sigma: Any, mode: Any, cval: Any, order: int, keywords: dict[str, Any]) -> list[list[Pass]]:
    """For each axis: the derivative along that one, with that one's border everywhere, as scipy has it."""
    unknown = set(keywords) - {"truncate", "radius"}
    if unknown:
        raise refuse(min(unknown), "there is no such argument; `truncate` and `radius` are")
    ndim = task.x.ndim
    sigmas, borders = per_axis("sigma", sigma, ndim), _borders(mode, cval, ndim)
    radii = per_axis("radius", keywords.get("radius"), ndim)

    def along(derived: int) -> list[Pass]:
        return [Pass(gaussian_of(sigmas[a], order if a == derived else 0, keywords.get("truncate", 4.0), radii[a],
                                 task.dtype), a, borders[derived]) for a in range(ndim) if sigmas[a] > 1e-15]
    return [along(a) for a in range(ndim)]


def gaussian_laplace(input: ArrayLike, sigma: float | Sequence[float], output: Output = None, mode: Modes = "reflect",
                     cval: float = 0.0, **keywords: Any) -> Array:
    """The sum of a Gaussian's second derivatives along all axes; `truncate` and `radius` as in gaussian_filter.

    >>> from convoke import ndimage
    >>> ndimage.gaussian_laplace([0., 0., 1., 0., 0.], 1).round(2)
    array([ 0.2,  0. , -0.4,  0. ,  0.2])
    """
    task = Task(input, output)
    return _sum(task, _gaussian_terms(task, sigma, mode, cval, 2, keywords))


def gaussian_gradient_magnitude(input: ArrayLike, sigma: float | Sequence[float], output: Output = None,
                                mode: Modes = "reflect", cval: float = 0.0, **keywords: Any) -> Array:
    """The length of the vector of a Gaussian's first derivatives; `truncate` and `radius` as in gaussian_filter.

    >>> from convoke import ndimage
    >>> ndimage.gaussian_gradient_magnitude([0., 0., 1., 1., 1.], 1).round(2)
    array([0.11, 0.36, 0.36, 0.12, 0.01])
    """
    task = Task(input, output)
    return _sum(task, _gaussian_terms(task, sigma, mode, cval, 1, keywords), squares=True)
