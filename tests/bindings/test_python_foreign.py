"""Arrays of other libraries by DLPack, and pictures in their own order, without copies."""

import unittest

import numpy

import convoke


class Tensor:
    """Another library's array, as far as convoke sees it."""

    def __init__(self, array, device=1, requires_grad=False):
        self.array, self.device, self.requires_grad = array, device, requires_grad

    def __dlpack__(self):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return (self.device, 0)


def layer(**keys):
    return convoke.compile({"name": "tested", "input": [1, 3, 6, 5], "out_channels": 2, "kernel_size": 3, "padding": 1, **keys})


def integers(*shape):
    return numpy.random.default_rng(1).integers(-4, 5, shape).astype(numpy.float32)


class Case(unittest.TestCase):
    def refuses(self, words):
        return self.assertRaisesRegex(convoke.Error, words)

    def reads_without_a_copy(self, kernel, given, memory):
        read = kernel._memory("input", convoke._array.array_of("input", given, kernel.input_shape), 1, False)
        self.assertTrue(numpy.shares_memory(read, memory))


class Foreign(Case):
    x, w = integers(1, 3, 6, 5), integers(2, 3, 3, 3)

    def test_every_array_may_be_one_of_another_library(self):
        kernel = layer(bias=True, post_ops=["add"])
        bias, addend = integers(2), integers(1, 2, 6, 5)
        expected = kernel(self.x, self.w, bias, addend=addend)
        numpy.testing.assert_array_equal(
            kernel(Tensor(self.x), Tensor(self.w), Tensor(bias), addend=Tensor(addend)), expected)
        numpy.testing.assert_array_equal(kernel(Tensor(self.x), kernel.pack(Tensor(self.w)), bias, addend=addend), expected)

    def test_the_memory_is_read_where_it_is(self):
        self.reads_without_a_copy(layer(), Tensor(self.x), self.x)

    def test_out_is_written_where_it_is_and_returned(self):
        for layout in ("channels_first", "channels_last", "blocked"):
            kernel, memory = layer(layout=layout), numpy.zeros((1, 2, 6, 5), numpy.float32)
            out = Tensor(memory)
            self.assertIs(kernel(self.x, self.w, out=out), out)
            numpy.testing.assert_array_equal(memory, kernel(self.x, self.w))

    def test_views_of_others_keep_their_strides(self):
        both = integers(2, 3, 12, 5)
        numpy.testing.assert_array_equal(layer()(Tensor(both[1:, :, ::2]), self.w), layer()(both[1:, :, ::2].copy(), self.w))

    def test_results_are_handed_out_by_dlpack(self):
        y = layer()(self.x, self.w)
        self.assertTrue(numpy.shares_memory(numpy.from_dlpack(Tensor(y)), y))

    def test_tensors_that_require_gradients_are_refused_with_the_reason(self):
        for give in (lambda t: layer()(t, self.w), lambda t: layer()(self.x, self.w, out=t)):
            with self.refuses(r"requires gradients, and a kernel would not record what it does; hand in \.detach\(\)"):
                give(Tensor(self.x, requires_grad=True))

    def test_memory_of_other_devices_is_refused(self):
        with self.refuses(r"input: the array is in the memory of another device \(DLPack's type 2\)"):
            layer()(Tensor(self.x, device=2), self.w)

    def test_what_dlpack_cannot_hand_out_is_refused(self):
        class Broken(Tensor):
            def __dlpack__(self):
                raise BufferError("it is somewhere else")
        with self.refuses("weights: the array cannot be read by DLPack: it is somewhere else"):
            layer()(self.x, Broken(self.w))

    def test_shapes_and_types_are_checked_as_of_any_array(self):
        with self.refuses(r"input: expected an array of shape \(1, 3, 6, 5\), got \(2, 3, 3, 3\)"):
            layer()(Tensor(self.w), self.w)
        with self.refuses("out: expected an array of float32, got float64"):
            layer()(self.x, self.w, out=Tensor(numpy.zeros((1, 2, 6, 5))))
        numpy.testing.assert_array_equal(layer()(Tensor(self.x.astype(numpy.float16)), self.w), layer()(self.x, self.w))

    def test_out_apart_from_what_is_read(self):
        same = layer(out_channels=3)
        with self.refuses("out: it overlaps input"):
            same(self.x, integers(3, 3, 3, 3), out=Tensor(self.x))


class Pictures(Case):
    def test_height_width_channels_are_read_and_written_where_they_are(self):
        photo, result, w = integers(6, 5, 3), numpy.zeros((6, 5, 2), numpy.float32), integers(2, 3, 3, 3)
        kernel = layer(layout="channels_last")
        self.reads_without_a_copy(kernel, convoke.hwc(photo), photo)
        kernel(convoke.hwc(photo), w, out=convoke.hwc(result))
        numpy.testing.assert_array_equal(convoke.hwc(result), layer()(photo.transpose(2, 0, 1)[None].copy(), w))
        self.assertTrue(result.any())

    def test_of_another_library_and_several_at_once(self):
        photos = integers(4, 6, 5, 3)
        self.assertEqual(convoke.hwc(Tensor(photos)).shape, (4, 3, 6, 5))
        self.assertTrue(numpy.shares_memory(convoke.hwc(photos), photos))
        with self.refuses(r"image: expected an array of H W C or N H W C, got one of shape \(6, 5\)"):
            convoke.hwc(photos[0, :, :, 0])


class Torch(Case):
    def setUp(self):
        try:
            import torch
        except ImportError:
            self.skipTest("there is no torch (Debian's python3-torch)")
        self.torch = torch

    def test_tensors_go_in_and_come_out_without_copies(self):
        x, w = self.torch.rand(1, 3, 6, 5), self.torch.rand(2, 3, 3, 3)
        kernel, out = layer(), self.torch.zeros(1, 2, 6, 5)
        self.reads_without_a_copy(kernel, x, x.numpy())
        self.assertIs(kernel(x, w, out=out), out)
        expected = self.torch.nn.functional.conv2d(x, w, padding=1)
        self.assertTrue(self.torch.allclose(out, expected, atol=1e-5))
        self.assertTrue(self.torch.allclose(self.torch.from_dlpack(kernel(x, w)), expected, atol=1e-5))

    def test_channels_last_tensors_are_read_where_they_are(self):
        x = self.torch.rand(1, 3, 6, 5).to(memory_format=self.torch.channels_last)
        self.reads_without_a_copy(layer(layout="channels_last"), x, x.numpy())

    def test_a_tensor_that_requires_gradients_is_refused(self):
        w = self.torch.rand(2, 3, 3, 3, requires_grad=True)
        with self.refuses("weights: the tensor requires gradients"):
            layer()(integers(1, 3, 6, 5), w)
        layer()(integers(1, 3, 6, 5), w.detach())


if __name__ == "__main__":
    unittest.main()
