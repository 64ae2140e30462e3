"""Compiled layers as callables."""

import ctypes
import weakref

import numpy

from convoke._layout import pack, unpack
from convoke._library import Buffer, Buffers, Diagnostics, Options, check, library
from convoke._spec import text_and_name

EFFORTS = {"estimate": 0, "measure": 1}
CACHES = {"disk": 0, "memory": 1, "off": 2}


def aligned(info):
    """An array of float32 as large, and as aligned, as a kernel asks."""
    memory = numpy.empty(info.bytes + info.alignment, numpy.uint8)
    start = -memory.ctypes.data % (info.alignment or 1)
    return memory[start:start + info.bytes].view(numpy.float32)


def buffer_of(array):
    return Buffer(array.ctypes.data, array.nbytes) if array is not None else Buffer()


class Kernel:
    """A compiled layer. Call it: kernel(x, w, bias=…, scale=…, addend=…). Calls from several threads are fine."""

    def __init__(self, handle):  # takes the reference over
        self._finalizer = weakref.finalize(self, library.cvk_kernel_free, handle)
        self._info = library.cvk_kernel_get_info(handle)
        info = self._info.contents
        self.name, self.target, self.plan = (t.decode() for t in (info.name, info.target, info.plan))
        self.input_shape, self.weights_shape, self.output_shape = (
            self._logical(s) for s in (info.input_shape, info.weights_shape, info.output_shape))
        self._packed = None  # the weights last handed in, by a weak reference, with a copy, and what became of them

    def __repr__(self):
        return f"<convoke.Kernel {self.name}: {self.input_shape} -> {self.output_shape}, {self.target}>"

    def _logical(self, shape):
        return tuple(shape[:2]) + tuple(shape[5 - self._info.contents.spatial_rank:5])

    def pack(self, weights):
        """Weights in the order the kernel reads them, to hand in instead of dense ones where those change in place."""
        info = self._info.contents
        dense = self._array("weights", weights, self.weights_shape)
        packed = aligned(info.packed_weights)
        check(library.cvk_pack_weights(self._info, buffer_of(dense), buffer_of(packed)))
        return PackedWeights(packed)

    def _packed_weights(self, weights):
        if isinstance(weights, PackedWeights):
            return weights
        weights = numpy.asarray(weights)
        if self._packed and self._packed[0]() is weights and numpy.array_equal(self._packed[1], weights):
            return self._packed[2]
        packed = self.pack(weights)
        self._packed = (weakref.ref(weights), weights.copy(), packed)
        return packed

    @staticmethod
    def _array(role, array, shape):
        array = numpy.ascontiguousarray(array, numpy.float32)
        if array.shape != tuple(shape):
            raise ValueError(f"{role}: expected an array of shape {tuple(shape)}, got {array.shape}")
        return array

    def _optional(self, role, array, count, shape, layout=None):
        """An array the layer may have, in the layout; `count` of them are handed in with one axis more in front."""
        if count == 0 or array is None:
            if (count == 0) != (array is None):
                raise ValueError(f"{role}: the layer has {'none' if count == 0 else 'one, which is missing'}")
            return None
        array = self._array(role, array, shape if count == 1 else (count, *shape))
        if layout is None:
            return array
        parts = array if count > 1 else [array]
        return numpy.concatenate([pack(part, layout).ravel() for part in parts])

    def __call__(self, x, weights, bias=None, scale=None, addend=None):
        info = self._info.contents
        channels = self.output_shape[1:2]
        inputs = {
            "input": pack(self._array("input", x, self.input_shape), info.input_layout),
            "weights": self._packed_weights(weights).memory,
            "bias": self._optional("bias", bias, int(info.bias.bytes > 0), channels),
            "scale": self._optional("scale", scale, info.scales, channels),
            "addend": self._optional("addend", addend, info.addends, self.output_shape, info.output_layout),
            "output": aligned(info.output),
            "scratch": aligned(info.scratch),
            "workspace": aligned(info.workspace),
        }
        buffers = Buffers(ctypes.sizeof(Buffers), 0, *(buffer_of(inputs[name]) for name, _ in Buffers._fields_[2:]))
        check(library.cvk_run(self._info, buffers, None))
        return unpack(inputs["output"], info.output_layout, self.output_shape)


class PackedWeights:
    """Weights packed by Kernel.pack, for that kernel."""

    def __init__(self, memory):
        self.memory = memory


def read_options(target, effort, cache, cache_directory, threads):
    options = Options(struct_size=ctypes.sizeof(Options), effort=EFFORTS[effort], cache=CACHES[cache], threads=threads)
    options.target = target.encode() if target else None
    options.cache_directory = cache_directory.encode() if cache_directory else None
    return options


def compile_network(spec, target=None, effort="estimate", cache="disk", cache_directory=None, threads=0):
    """All layers of a spec, by name, compiled on several threads."""
    options = read_options(target, effort, cache, cache_directory, threads)
    text, name = text_and_name(spec)
    network = ctypes.c_void_p()
    with Diagnostics() as d:
        d.check(library.cvk_network_parse(text, len(text), name.encode(), d.handle, network))
        try:
            handles = (ctypes.c_void_p * library.cvk_network_count(network))()
            d.check(library.cvk_network_compile(network, options, d.handle, handles))
        finally:
            library.cvk_network_free(network)
    kernels = [Kernel(handle) for handle in handles]
    return {kernel.name: kernel for kernel in kernels}


def compile(spec, layer=None, **options):
    """One layer: the only one of a spec, or the one that is named. Options are those of compile_network."""
    kernels = compile_network(spec, **options)
    if layer is None and len(kernels) != 1:
        raise ValueError(f"the spec has {len(kernels)} layers; name one: {', '.join(kernels)}")
    if layer is not None and layer not in kernels:
        raise KeyError(f"no layer is named {layer}")
    return kernels[layer] if layer is not None else next(iter(kernels.values()))
