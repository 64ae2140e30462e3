"""Do convoke.ndimage and convoke.signal give what scipy gives, to within what rounding of sums allows? Beside Debian's scipy, on
arrays drawn at random; and do they refuse in words what they have not?

CVK_SEED and CVK_CASES in the environment choose the arrays."""

import functools
import os
import sys
import unittest
from unittest import mock

import numpy

import convoke
from convoke import _filter, ndimage, signal

try:
    import scipy.ndimage
    import scipy.signal
except ImportError:
    print("skipped: there is no Python module scipy (python3-scipy)")
    sys.exit(77)

SEED, CASES = int(os.environ.get("CVK_SEED", "1")), int(os.environ.get("CVK_CASES", "25"))
MODES = list(ndimage.MODES)
LAYOUTS = [lambda x: x, numpy.asfortranarray, lambda x: numpy.repeat(x, 2, -1)[..., ::2], lambda x: x[::-1].copy()[::-1],
           lambda x: numpy.moveaxis(numpy.moveaxis(x, 0, -1).copy(), -1, 0)]


def drawn(test):
    """Each case from a random generator, whose seed is told when it fails."""
    @functools.wraps(test)
    def run(self):
        for case in range(CASES):
            with self.subTest(repeat=f"CVK_SEED={SEED + case} CVK_CASES=1 … {test.__qualname__}"):
                test(self, numpy.random.default_rng(SEED + case))
    return run


INTEGERS = ["u1", "i1", "u2", "i2", "i4", "i8", "?"]


def integers(r, dtype, shape):
    if dtype.kind == "b":
        return r.random(shape) > 0.5
    return r.integers(max(numpy.iinfo(dtype).min, -1000), min(numpy.iinfo(dtype).max, 1000), shape, endpoint=True).astype(dtype)


class Beside(unittest.TestCase):
    def array(self, r, ndim, most=24):
        dtype = r.choice([numpy.float32, numpy.float64])
        x = r.standard_normal(r.integers(1, most, ndim)).astype(dtype)
        return LAYOUTS[r.integers(len(LAYOUTS))](x)

    def close(self, ours, theirs, taps, magnitude):
        """Each sum rounds as often as it has terms, which come to `magnitude`; scipy's may, too, and the weights have been."""
        self.assertEqual(ours.shape, theirs.shape)
        self.assertEqual(ours.dtype, theirs.dtype)
        self.assertTrue(ours.flags.c_contiguous)
        eps = numpy.finfo(ours.dtype).eps
        worst = numpy.max(numpy.abs(ours.astype(numpy.float64) - theirs) - (taps + 4) * eps * magnitude, initial=0)
        self.assertLessEqual(worst, 0)


class OfImages(Beside):
    @drawn
    def test_correlate_and_convolve_with_every_mode_and_origin(self, r):
        x = self.array(r, r.integers(1, 4))
        w = r.standard_normal(r.integers(1, 6, x.ndim))
        origin = [int(r.integers(-(k // 2), (k - 1) // 2 + 1)) for k in w.shape]
        arguments = {"mode": MODES[r.integers(len(MODES))], "cval": float(r.integers(-2, 3)), "origin": origin}
        for name in "correlate", "convolve":
            theirs = getattr(scipy.ndimage, name)(x, w, **arguments)
            most = getattr(scipy.ndimage, name)(abs(x), abs(w), **{**arguments, "cval": abs(arguments["cval"])})
            self.close(getattr(ndimage, name)(x, w, **arguments), theirs, w.size, most)

    @drawn
    def test_correlate1d_and_convolve1d_along_every_axis(self, r):
        x = self.array(r, r.integers(1, 5), 12)
        w = r.standard_normal(r.integers(1, 40))
        arguments = {"axis": int(r.integers(-x.ndim, x.ndim)), "mode": MODES[r.integers(len(MODES))],
                     "cval": float(r.integers(-2, 3)), "origin": int(r.integers(-(w.size // 2), (w.size - 1) // 2 + 1))}
        for name in "correlate1d", "convolve1d":
            theirs = getattr(scipy.ndimage, name)(x, w, **arguments)
            most = getattr(scipy.ndimage, name)(abs(x), abs(w), **{**arguments, "cval": abs(arguments["cval"])})
            self.close(getattr(ndimage, name)(x, w, **arguments), theirs, w.size, most)

    @drawn
    def test_filters_with_weights_of_their_own(self, r):
        x = self.array(r, r.integers(1, 4))
        modes = [MODES[i] for i in r.integers(len(MODES), size=x.ndim)]
        mode = modes if r.random() < 0.5 else modes[0]
        cval, axis = float(r.integers(-2, 3)), int(r.integers(-x.ndim, x.ndim))
        sigma, order = r.uniform(0.5, 3, x.ndim), r.integers(0, 3, x.ndim)
        size, calls = r.integers(1, 7, x.ndim), {}
        calls["gaussian_filter"] = {"sigma": sigma, "order": order, "truncate": 3.0, "mode": mode}
        calls["gaussian_filter1d"] = {"sigma": sigma[0], "axis": axis, "order": int(order[0]), "mode": modes[0]}
        calls["gaussian_laplace"] = {"sigma": sigma, "mode": mode}
        calls["gaussian_gradient_magnitude"] = {"sigma": sigma[0], "mode": mode, "truncate": 2.5}
        calls["uniform_filter"] = {"size": size, "mode": mode,
                                   "origin": [int(r.integers(-(n // 2), (n - 1) // 2 + 1)) for n in size]}
        calls["uniform_filter1d"] = {"size": int(size[0]), "axis": axis, "mode": modes[0]}
        calls["sobel"] = calls["prewitt"] = {"axis": axis, "mode": mode}
        calls["laplace"] = {"mode": mode}
        for name, arguments in calls.items():
            theirs = getattr(scipy.ndimage, name)(x, cval=cval, **arguments)
            # No term of a pass is larger than the largest input times what the weights can come to.
            most = (numpy.max(abs(x)) + abs(cval)) * 16 ** x.ndim
            self.close(getattr(ndimage, name)(x, cval=cval, **arguments), theirs, 30, most)

    @drawn
    def test_two_passes_as_one_filter(self, r):
        x = self.array(r, r.integers(2, 4))
        mode = MODES[r.integers(len(MODES))]
        axes = (x.ndim - 2, x.ndim - 1)
        sigma, size = r.uniform(0.5, 2, 2), [int(n) for n in r.integers(2, 7, 2)]
        origin = [int(r.integers(-(n // 2), (n - 1) // 2 + 1)) for n in size]
        most = (numpy.max(abs(x)) + 2) * 16 ** x.ndim
        with mock.patch.object(ndimage, "WORTH", 0):
            blurred = ndimage.gaussian_filter(x, sigma, mode=mode, axes=axes, truncate=3.0)
            means = ndimage.uniform_filter(x, size, mode=mode, axes=axes, origin=origin)
        theirs = averaged = x
        for axis, s, n, o in zip(axes, sigma, size, origin):
            theirs = scipy.ndimage.gaussian_filter1d(theirs, s, axis, mode=mode, truncate=3.0)
            averaged = scipy.ndimage.uniform_filter1d(averaged, n, axis, mode=mode, origin=o)
        self.close(blurred, theirs, 60, most)
        self.close(means, averaged, 30, most)

    def test_passes_become_one_filter_when_they_came_often_enough(self):
        x = numpy.arange(64.0).reshape(8, 8)
        with mock.patch.object(ndimage, "WORTH", 150), mock.patch.object(ndimage, "_seen", {}), \
                mock.patch.object(ndimage, "_joined", wraps=ndimage._joined) as joined:
            joined_by = []
            for _ in range(5):
                numpy.testing.assert_allclose(ndimage.gaussian_filter(x, 1.25), scipy.ndimage.gaussian_filter(x, 1.25), 1e-12)
                joined_by.append(joined.call_count)
            self.assertEqual(joined_by, [0, 0, 0, 1, 2])
            ndimage.gaussian_filter(x, 1.25, mode="constant", cval=1)
            ndimage.gaussian_filter(x, 1.25, mode=["wrap", "nearest"])
            self.assertEqual(joined.call_count, 2)

    def test_output_says_the_type_or_where_to(self):
        x = numpy.arange(12.0).reshape(3, 4)
        theirs = scipy.ndimage.uniform_filter(x, 3)
        self.assertEqual(ndimage.uniform_filter(x, 3, output=numpy.float32).dtype, numpy.float32)
        self.assertEqual(ndimage.uniform_filter(x, 3, output="f8").dtype, numpy.float64)
        for out in numpy.empty((3, 4)), numpy.empty((4, 3)).T, numpy.empty((3, 8))[:, ::2], numpy.empty((3, 4), numpy.float32):
            self.assertIs(ndimage.uniform_filter(x, 3, out), out)
            numpy.testing.assert_allclose(out, theirs, 1e-5)
        self.assertIs(ndimage.uniform_filter(x, 3, x), x)
        numpy.testing.assert_allclose(x, theirs, 1e-12)

    def test_halves_want_to_be_told(self):
        x = numpy.ones((4, 5), numpy.float16)
        with self.assertRaisesRegex(convoke.Error, "output=numpy.float32"):
            ndimage.sobel(x)
        numpy.testing.assert_allclose(ndimage.gaussian_filter(x, 1, output=numpy.float32),
                                      scipy.ndimage.gaussian_filter(x.astype(numpy.float32), 1), 1e-5)

    @drawn
    def test_integers_by_whole_weights_are_scipys_where_they_fit(self, r):
        dtype, output = (numpy.dtype(INTEGERS[i]) for i in r.integers(len(INTEGERS), size=2))
        x = integers(r, dtype, r.integers(1, 20, r.integers(1, 4)))
        w = r.integers(-3, 5, r.integers(1, 5, x.ndim))
        arguments = {"mode": MODES[r.integers(len(MODES))], "cval": int(r.integers(0, 100))}
        axis = int(r.integers(x.ndim))
        for name, given in ("correlate", {"weights": w}), ("sobel", {"axis": axis}), ("prewitt", {"axis": axis}), ("laplace", {}):
            exact = getattr(scipy.ndimage, name)(x.astype(numpy.float64), **given, **arguments)
            theirs = getattr(scipy.ndimage, name)(x, **given, **arguments, output=output)
            ours = getattr(ndimage, name)(x, **given, **arguments, output=output)
            low, high = (0, 1) if output.kind == "b" else (numpy.iinfo(output).min, numpy.iinfo(output).max)
            self.assertEqual((ours.shape, ours.dtype), (x.shape, output))
            numpy.testing.assert_array_equal(ours, numpy.clip(exact, low, high).astype(output), name)
            fits = (exact >= low) & (exact <= high) & (output.kind != "b")  # of which scipy wraps bytes around
            numpy.testing.assert_array_equal(ours[fits], theirs[fits], name)

    @drawn
    def test_means_of_integers_are_scipys(self, r):
        x = integers(r, numpy.dtype(INTEGERS[r.integers(6)]), r.integers(1, 20, r.integers(1, 4)))
        mode, size = MODES[r.integers(6)], [int(n) for n in r.integers(1, 6, x.ndim)]
        numpy.testing.assert_array_equal(ndimage.uniform_filter(x, size, mode=mode), scipy.ndimage.uniform_filter(x, size, mode=mode))

    @drawn
    def test_gaussians_of_integers_are_scipys_but_next_to_whole_numbers(self, r):
        dtype = numpy.dtype(("u1", "i2", "u2")[r.integers(3)])
        x = integers(r, dtype, r.integers(1, 30, 2))
        mode, sigma = MODES[r.integers(6)], float(r.uniform(0.5, 3))
        ours, theirs = (f.gaussian_filter1d(x, sigma, 0, mode=mode).astype(int) for f in (ndimage, scipy.ndimage))
        exact = scipy.ndimage.gaussian_filter1d(x.astype(numpy.float64), sigma, 0, mode=mode)
        far = abs(exact - numpy.rint(exact)) > 1e-9
        numpy.testing.assert_array_equal(ours[far], theirs[far])
        self.assertLessEqual(numpy.max(abs(ours - theirs)), 1)
        self.assertLessEqual(numpy.max(abs(ndimage.gaussian_filter(x, sigma, mode=mode).astype(int) -
                                           scipy.ndimage.gaussian_filter(x, sigma, mode=mode))), 2)

    def test_sums_that_do_not_fit_are_the_nearest_that_do(self):
        x = numpy.array([200, 100, 7], numpy.uint8)
        numpy.testing.assert_array_equal(ndimage.correlate1d(x, [2], output=numpy.uint8), [255, 200, 14])
        numpy.testing.assert_array_equal(ndimage.correlate1d(x, [-1.5], output=numpy.int8), [-128, -128, -10])
        numpy.testing.assert_array_equal(ndimage.correlate1d([2.0**70, -2.0**70, numpy.nan], [1], output=numpy.int64),
                                         [2**63 - 1, -2**63, 0])
        self.assertEqual(ndimage.correlate1d(x, [1]).dtype, numpy.uint8)

    def test_arrays_of_the_other_byte_order(self):
        for dtype in ">f4", ">f8", ">i2":
            x = numpy.arange(12).reshape(3, 4).astype(dtype)
            ours, theirs = (f.correlate1d(x, [1, 2, 1], mode="wrap") for f in (ndimage, scipy.ndimage))
            numpy.testing.assert_array_equal(ours, theirs)
            self.assertEqual(ours.dtype, theirs.dtype)

    def test_borders_wider_than_the_array_and_constants_that_are_no_numbers(self):
        for mode in MODES:
            for size in 1, 2, 3:
                x, w = numpy.arange(1.0, size + 1), numpy.arange(1.0, 16)
                numpy.testing.assert_allclose(ndimage.correlate1d(x, w, mode=mode, cval=2),
                                              scipy.ndimage.correlate1d(x, w, mode=mode, cval=2), 1e-12)
        for cval in numpy.nan, numpy.inf, 1e300:
            numpy.testing.assert_allclose(ndimage.correlate1d([1.0, 2, 3], [1, 1, 1], mode="constant", cval=cval),
                                          scipy.ndimage.correlate1d([1.0, 2, 3], [1, 1, 1], mode="constant", cval=cval))

    def test_weights_that_are_long_and_arrays_that_are(self):
        r = numpy.random.default_rng(1)
        x, w = r.standard_normal(5000), r.standard_normal(2500)
        numpy.testing.assert_allclose(ndimage.correlate1d(x, w), scipy.ndimage.correlate1d(x, w), atol=1e-9)
        x, w = r.standard_normal((1 << 20) + 77), r.standard_normal(5)
        for mode in "reflect", "constant":
            numpy.testing.assert_allclose(ndimage.correlate1d(x, w, mode=mode), scipy.ndimage.correlate1d(x, w, mode=mode),
                                          atol=1e-12)

    def test_mistakes_are_named(self):
        x = numpy.ones((3, 4))
        for call, words in [
                (lambda: ndimage.correlate(x, [1, 2]), "weights: expected 2 axes, as the input has, got 1"),
                (lambda: ndimage.correlate(x, [[1, 2]], mode="mirrored"), "mode: expected one of reflect, .*'mirrored'"),
                (lambda: ndimage.correlate1d(x, [1, 2], origin=1), "origin: expected -1 to 0 of 2 weights, got 1"),
                (lambda: ndimage.correlate1d(x, [1, 2], axis=2), "axis: expected one of 2, got 2"),
                (lambda: ndimage.correlate1d(x * 1j, [1, 2]), "input: expected real numbers"),
                (lambda: ndimage.correlate1d(x, [1j]), "weights: expected real numbers"),
                (lambda: ndimage.correlate1d(x, []), "weights: there are none"),
                (lambda: ndimage.correlate1d(x, [1], cval="a", mode="constant"), "cval: expected a real number"),
                (lambda: ndimage.gaussian_filter(x, [1, 2, 3]), "sigma: expected one, or one for each of 2 axes, got 3"),
                (lambda: ndimage.gaussian_filter1d(x, -1), "sigma: expected a positive number, got -1"),
                (lambda: ndimage.gaussian_filter1d(x, 1, order=-1), "order: expected a whole number from 0 on"),
                (lambda: ndimage.gaussian_laplace(x, 1, wide=3), "wide: there is no such argument"),
                (lambda: ndimage.uniform_filter1d(x, 0), "size: expected a whole number from 1 on"),
                (lambda: ndimage.sobel(x, output=numpy.empty(3)), r"output: expected an array of shape \(3, 4\)"),
                (lambda: ndimage.sobel(1.0), "axis: expected one of 0, got -1"),
                (lambda: ndimage.correlate(numpy.ones((2,) * 4), numpy.ones((2,) * 4)), "filters along 3 axes at most")]:
            with self.assertRaisesRegex(convoke.Error, words):
                call()


class OfSignals(Beside):
    @drawn
    def test_convolve_and_correlate_in_every_mode(self, r):
        x = self.array(r, r.integers(1, 4), 14)
        w = self.array(r, x.ndim, 14).astype(x.dtype)  # of mixed types scipy transforms one in float32
        for mode in signal.MODES:
            for name in "convolve", "correlate", "fftconvolve", "oaconvolve":
                try:
                    theirs = getattr(scipy.signal, name)(x, w, mode=mode)
                except ValueError:
                    with self.assertRaisesRegex(convoke.Error, "nowhere shorter"):
                        getattr(signal, name)(x, w, mode=mode)
                    continue
                ours = getattr(signal, name)(x, w, mode=mode)
                self.close(ours, theirs, x.size + w.size, numpy.sum(abs(w)) * numpy.max(abs(x)))

    @drawn
    def test_convolve2d_and_correlate2d_with_every_boundary(self, r):
        x, w = self.array(r, 2), self.array(r, 2, 7)
        for mode in signal.MODES:
            for boundary in signal.BOUNDARIES:
                for name in "convolve2d", "correlate2d":
                    arguments = {"mode": mode, "boundary": boundary, "fillvalue": float(r.integers(-1, 2))}
                    try:
                        theirs = getattr(scipy.signal, name)(x, w, **arguments)
                    except ValueError:
                        with self.assertRaisesRegex(convoke.Error, "nowhere shorter"):
                            getattr(signal, name)(x, w, **arguments)
                        continue
                    ours = getattr(signal, name)(x, w, **arguments)
                    self.close(ours, theirs, 2 * w.size, numpy.sum(abs(w)) * (numpy.max(abs(x)) + 1))

    @drawn
    def test_along_some_of_the_axes(self, r):
        ndim = int(r.integers(2, 5))
        axes = sorted(r.choice(ndim, r.integers(1, min(ndim, 4)), replace=False).tolist())
        size, taps = r.integers(1, 9, ndim), r.integers(1, 9, ndim)
        beside = r.integers(0, 3)
        for a in set(range(ndim)) - set(axes):
            taps[a] = 1 if beside == 0 else size[a]
            if beside == 2 and r.random() < 0.5:
                size[a] = 1
        x, w = r.standard_normal(size), r.standard_normal(taps)
        for mode in "full", "same":
            theirs = scipy.signal.fftconvolve(x, w, mode, axes=axes)
            self.close(signal.oaconvolve(x, w, mode, axes=axes), theirs, 300, numpy.sum(abs(w)) * numpy.max(abs(x)))

    def test_other_numbers_beside_floats(self):
        x = numpy.arange(5, dtype=numpy.int16)
        numpy.testing.assert_allclose(signal.convolve(x, [0.5, 0.25]), scipy.signal.convolve(x, [0.5, 0.25]))
        for pair in (x * 1j, [1.0]), (x.astype(numpy.float16), x.astype(numpy.float16)):
            with self.assertRaisesRegex(convoke.Error, "sums are of float32 or float64"):
                signal.convolve(*pair)

    @drawn
    def test_integers_alone_are_exact(self, r):
        x, w = (integers(r, numpy.dtype(INTEGERS[r.integers(6)]), r.integers(3, 40, 2)) for _ in range(2))
        w = w[:3, :3]
        for name in "convolve", "correlate", "convolve2d", "correlate2d":
            for mode in signal.MODES:
                ours, theirs = (getattr(s, name)(x, w, mode) for s in (signal, scipy.signal))
                numpy.testing.assert_array_equal(ours, theirs, name)
                self.assertEqual(ours.dtype, theirs.dtype)

    def test_integers_that_float64_does_not_sum_up_exactly_are_refused(self):
        with self.assertRaisesRegex(convoke.Error, "in1: integers this large"):
            signal.convolve(numpy.full(9, 1 << 40), numpy.full(5, 1 << 20))

    def test_nothing_and_single_numbers(self):
        self.assertEqual(signal.convolve([], [1.0]).shape, (0,))
        self.assertEqual(signal.convolve(2.0, 3.0), 6)

    def test_mistakes_are_named(self):
        for call, words in [
                (lambda: signal.convolve([1.0], [[1.0]]), "in2: expected 1 axes, as in1 has, got 2"),
                (lambda: signal.convolve([1.0], [1.0], mode="some"), "mode: expected one of full, same, valid, got 'some'"),
                (lambda: signal.convolve([1.0], [1.0], method="slow"), "method: expected one of auto, direct, fft"),
                (lambda: signal.fftconvolve([1.0], [1.0], axes=1), "axes: expected axes of 1, got 1"),
                (lambda: signal.fftconvolve([1.0], [1.0], axes=[0, -1]), "axes: an axis is named twice"),
                (lambda: signal.convolve2d([1.0], [1.0]), "in1: expected an array of two axes"),
                (lambda: signal.convolve2d([[1.0]], [[1.0]], boundary="edge"), "boundary: expected one of fill, wrap, symm"),
                (lambda: signal.oaconvolve(numpy.ones((2, 3)), numpy.ones((3, 2)), axes=1), "differ along axes")]:
            with self.assertRaisesRegex(convoke.Error, words):
                call()


class Kept(unittest.TestCase):
    def test_a_shape_is_compiled_once_and_weights_packed_once(self):
        _filter.kept.clear()
        x, w = numpy.ones((9, 11)), numpy.ones((3, 3))
        first = ndimage.correlate(x, w)
        (made,) = _filter.kept.values()
        for same in w.copy(), w.tolist(), w.astype(numpy.float32):
            numpy.testing.assert_array_equal(ndimage.correlate(x.copy(), same), first)
        self.assertEqual(list(_filter.kept.values()), [made])
        self.assertEqual(len(made._packed), 1)
        ndimage.correlate(x, w + 1)
        self.assertEqual(len(made._packed), 2)

    def test_what_is_kept_does_not_grow_without_end(self):
        x = numpy.ones(8)
        for i in range(3 * _filter.MOST_WEIGHTS):
            ndimage.correlate1d(x, [1.0, float(i)])
        self.assertLessEqual(max(len(made._packed) for made in _filter.kept.values()), _filter.MOST_WEIGHTS)

    def test_threads_may_filter_at_the_same_time(self):
        from concurrent.futures import ThreadPoolExecutor
        x = numpy.random.default_rng(1).standard_normal((40, 50))
        expected = [ndimage.correlate1d(x, [1.0, k], mode="mirror") for k in range(5)]
        with ThreadPoolExecutor(4) as pool:
            for k, got in enumerate(pool.map(lambda k: ndimage.correlate1d(x, [1.0, k % 5], mode="mirror"), range(200))):
                numpy.testing.assert_array_equal(got, expected[k % 5])


if __name__ == "__main__":
    unittest.main()
