"""Compiled layers as callables."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any, NoReturn, Union, cast

import numpy
from numpy.typing import NDArray

from convoke._array import DTYPES, Floats, Numbers, aligned, array_of, placed, to_dtype
from convoke._error import ABI, OVERLAP, WEIGHTS, Error, refuse
from convoke._foreign import Exporter, address, is_foreign, to_write
from convoke._layout import BLOCKED, as_logical, as_memory
from convoke._library import ABI_VERSION, BUFFERS, ROLES, Buffer, Buffers, KernelInfo, ParallelFor, check, library
from convoke._threads import Threads, executor_and_workers, parallel_for, uninterrupted

OPERATIONS = ("convolution", "transposed", "weights_gradient", "transposed_weights_gradient", "max_pool",
              "average_pool", "dense", "identity", "group_norm", "layer_norm", "softmax", "resize")  # by cvk_operation


def buffer_of(array: NDArray[Any] | None) -> Buffer:
    return Buffer(address(array), array.nbytes) if array is not None else Buffer()


class PackedWeights:
    """Weights in the order a kernel reads them, made by Kernel.pack. They may be pickled, and handed to any kernel that
    was compiled from the same layer for the same target by the same plan, in any process."""

    def __init__(self, memory: Floats, alignment: int, name: str, tag: int) -> None:
        self._memory = memory
        self._alignment = alignment
        self._name = name
        self._tag = tag

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._memory = placed(self._memory, self._alignment)  # a pickle has the bytes, not where they lay

    def __repr__(self) -> str:
        return f"<convoke.PackedWeights of {self._name}: {self._memory.nbytes} bytes>"


SUMS: dict[numpy.dtype[Any], numpy.dtype[Any]] = {  # of what is summed otherwise than in float32
    numpy.dtype(numpy.float64): numpy.dtype(numpy.float64),
    numpy.dtype(numpy.int8): numpy.dtype(numpy.int32),
    numpy.dtype(numpy.uint8): numpy.dtype(numpy.int32),
}

Weights = Union[Numbers, PackedWeights]


class Kernel:
    """A compiled layer, to be called with arrays.

    >>> import convoke, numpy
    >>> mean = convoke.compile({"name": "mean", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 2, "bias": True})
    >>> mean
    <convoke.Kernel mean: (1, 1, 4) -> (1, 1, 3), ...>
    >>> mean([[[1, 3, 5, 9]]], [[[0.5, 0.5]]], bias=[1])
    array([[[3., 5., 8.]]], dtype=float32)

    Calls from several threads at the same time are fine. `input_shape`, `weights_shape` and `output_shape` are logical:
    N, C (weights: out, in of a group; where `operation` is "transposed": in, out of a group; of pools, which take none,
    0, 0 and the size of their windows), then the spatial sizes. N is -1 where the layer's batch is `any`: each call has as
    many images as its x. `input_dtype`, `weights_dtype` and
    `output_dtype` are the types of the arrays it takes and gives: numpy.float32, float64, float16, or uint16, which are
    the bits of bf16 (`bf16_bits` and `bf16_floats` convert, and arrays of ml_dtypes' bfloat16 are taken too). Addends
    are as the output; bias and scale are float32, of an f64 layer float64; of integers bias is int32, and scale where there
    is shift. `accumulates`: it adds to what the output
    holds. `plan` says how the kernel goes about it, `target` for
    which CPU.
    """

    name: str
    operation: str
    accumulates: bool
    target: str
    plan: str
    input_shape: tuple[int, ...]
    weights_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_dtype: numpy.dtype[Any]
    weights_dtype: numpy.dtype[Any]
    output_dtype: numpy.dtype[Any]

    def __init__(self, handle: int | None) -> None:  # takes the reference over
        # Not at exit, when threads may still be running it.
        weakref.finalize(self, library.cvk_kernel_free, handle).atexit = False
        self._info: KernelInfo = library.cvk_kernel_get_info(handle).contents
        info = self._info
        if info.abi_version != ABI_VERSION or info.struct_size != ctypes.sizeof(KernelInfo):
            raise Error(ABI, f"the library makes kernels of version {info.abi_version}, this package {ABI_VERSION}")
        self.input_dtype, self.weights_dtype, self.output_dtype = (
            DTYPES[t] for t in (info.input_dtype, info.weights_dtype, info.output_dtype))
        sums = SUMS.get(self.input_dtype, numpy.dtype(numpy.float32))
        real = sums if sums.kind == "f" else numpy.dtype(numpy.float32)
        scales = numpy.dtype(numpy.int32) if info.shift.bytes else real
        self._dtypes: dict[str, numpy.dtype[Any]] = {
            "input": self.input_dtype, "weights": self.weights_dtype, "gradient": self.weights_dtype, "bias": sums,
            "scale": scales, "shift": numpy.dtype(numpy.int32), "addend": self.output_dtype, "gate": self.output_dtype,
            "output": self.output_dtype}
        self.operation = OPERATIONS[info.operation]
        self.accumulates = bool(info.output.held)
        self.name, self.target, self.plan = (t.decode() for t in (info.name, info.target, info.plan))
        self.input_shape, self.weights_shape, self.output_shape = (
            self._logical(s) for s in (info.input_shape, info.weights_shape, info.output_shape))
        if info.batch_any:
            self.input_shape = self._images(self.input_shape, -1)
            if info.gradient.bytes:
                self.weights_shape = self._images(self.weights_shape, -1)
            else:
                self.output_shape = self._images(self.output_shape, -1)
        # The weights last handed in, and what became of them: one value, that threads read and replace whole.
        self._remembered: tuple[Floats, PackedWeights] | None = None

    def __repr__(self) -> str:
        return f"<convoke.Kernel {self.name}: {self.input_shape} -> {self.output_shape}, {self.target}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a convoke.Kernel is machine code of this process; compile it in the other one")

    def _logical(self, shape: Any) -> tuple[int, ...]:
        return tuple(shape[:2]) + tuple(shape[5 - self._info.spatial_rank:5])

    def _images(self, shape: tuple[int, ...], n: int) -> tuple[int, ...]:
        return (n, *shape[1:])

    # ---- weights ----

    def pack(self, weights: Numbers, convert: bool = False) -> PackedWeights:
        """Weights in the order the kernel reads them, to hand in instead of dense ones: nothing is compared or kept then.

        >>> import convoke
        >>> twice = convoke.compile({"name": "twice", "input": [1, 1, 3], "out_channels": 1, "kernel_size": 1})
        >>> packed = twice.pack([[[2]]])
        >>> twice([[[1, 2, 3]]], packed)
        array([[[2., 4., 6.]]], dtype=float32)
        """
        return self._pack(self._dense(array_of("weights", weights, self.weights_shape), convert))

    def _dense(self, weights: NDArray[Any], convert: bool) -> Floats:
        return placed(to_dtype("weights", weights, self.weights_dtype, convert), self._info.weights.alignment)

    def _pack(self, dense: Floats) -> PackedWeights:
        info, packed = self._info, self._new("weights")
        check(library.cvk_pack_weights(info, buffer_of(dense), buffer_of(packed)))
        return PackedWeights(packed, info.packed_weights.alignment, self.name, info.packed_tag)

    def _packed(self, weights: NDArray[Any] | PackedWeights, convert: bool) -> Floats:
        """Packed now, or before: the same bits give the same packed weights."""
        if isinstance(weights, PackedWeights):
            if weights._tag != self._info.packed_tag:
                raise refuse("weights", f"packed for a kernel of {weights._name} that differs from this one in layer, "
                                        "plan or target; pack them with this one's pack", WEIGHTS)
            return weights._memory
        dense = self._dense(weights, convert)
        remembered = self._remembered
        if remembered is not None and numpy.array_equal(remembered[0].view(numpy.uint8), dense.view(numpy.uint8)):
            return remembered[1]._memory
        kept = dense.copy() if numpy.may_share_memory(dense, weights) else dense
        packed = self._pack(kept)
        self._remembered = (kept, packed)
        return packed._memory

    # ---- a call ----

    def _optional(self, role: str, value: Numbers | None, count: int, shape: tuple[int, ...]) -> NDArray[Any] | None:
        """An array that only some layers have; `count` of them come with one axis more in front."""
        if count == 0 and value is not None:
            raise refuse(role, "the layer has none")
        if count > 0 and value is None:
            raise refuse(role, "the layer has one, which is missing" if count == 1
                         else f"the layer has {count}, which are missing")
        return None if value is None else array_of(role, value, shape if count == 1 else (count, *shape))

    def _memory(self, role: str, array: Any, batch: int, convert: bool) -> Floats | None:
        """What was given, as the kernel reads it."""
        if array is None:
            return None
        if role == "weights":
            return self._packed(array, convert)
        numbers = to_dtype(role, array, self._dtypes[role], convert)
        if role == "input":
            numbers = as_memory(numbers, self._info.input_layout)
        if role == "addend":  # several lie one after another, as images of a batch do
            images = self._info.addends * batch
            numbers = as_memory(numbers.reshape(images, *self.output_shape[1:]), self._info.output_layout)
        if role == "gate":  # as an output of one position
            ones = (1,) * (len(self.output_shape) - 2)
            numbers = as_memory(numbers.reshape(-1, self.output_shape[1], *ones), self._info.output_layout)
        return placed(numbers, getattr(self._info, role).alignment)

    def _as_written(self, out: Floats) -> Floats | None:
        """The array as the kernel writes it, or None where it lies in memory otherwise."""
        layout, alignment = self._info.output_layout, self._info.output.alignment
        memory = as_memory(out, layout) if layout != BLOCKED else None
        contiguous = memory is not None and memory.flags.c_contiguous
        return memory if contiguous and address(out) % max(alignment, 1) == 0 else None

    def _check_out(self, out: Any, shape: tuple[int, ...], given: dict[str, Any]) -> None:
        if not isinstance(out, numpy.ndarray) or isinstance(out, numpy.ma.MaskedArray):
            raise refuse("out", f"expected a numpy.ndarray, got a {type(out).__name__}")
        if out.dtype != self.output_dtype:
            raise refuse("out", f"expected an array of {self.output_dtype}, got {out.dtype}")
        if out.shape != shape:
            raise refuse("out", f"expected an array of shape {shape}, got {out.shape}")
        if not out.flags.writeable:
            raise refuse("out", "the array is read-only")
        if not out.flags.c_contiguous and self._as_written(out) is None:
            raise refuse("out", "expected a contiguous array")
        for role, array in given.items():
            array = array._memory if isinstance(array, PackedWeights) else array
            if array is not None and numpy.shares_memory(out, array):
                raise refuse("out", f"it overlaps {role}", OVERLAP)

    def _new(self, role: str, batch: int = 0, workers: int = 1) -> Floats:
        """Memory for a buffer of a run."""
        needs = library.cvk_buffer_needs(self._info, ROLES.index(role), batch, workers)
        return aligned(needs.bytes, needs.alignment, self._dtypes.get(role, numpy.dtype(numpy.uint8)))

    def _start(self, memory: Mapping[str, NDArray[Any] | None], batch: int, threads: ParallelFor | None) -> int:
        buffers = Buffers(ctypes.sizeof(Buffers), batch, *(buffer_of(memory.get(role)) for role in ROLES))
        return int(library.cvk_run(self._info, buffers, threads))

    def gradients(self, x: Numbers, gradient: Numbers, threads: Threads = None, convert: bool = False, *,
                  out: tuple[Floats, Floats | None] | None = None) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Those of the weights and of the bias, None where there is no bias, of a layer of gradients of weights: from its
        input and the gradients of its output, of shapes `input_shape` and `weights_shape`. `out` is a pair of arrays to
        write them to and return; of a layer with `accumulate` it is needed, and they are added to what it holds.

        >>> import convoke
        >>> learns = convoke.compile({"name": "learns", "input": [1, 1, 3], "out_channels": 1, "kernel_size": 2,
        ...                           "bias": True, "direction": "backward_weights"})
        >>> learns.gradients([[[1, 2, 3]]], [[[10, 100]]])
        (array([[[210., 320.]]], dtype=float32), array([110.], dtype=float32))
        >>> import numpy
        >>> goes_on = convoke.compile({"name": "goes_on", "input": [1, 1, 3], "out_channels": 1, "kernel_size": 2,
        ...                            "direction": "backward_weights", "accumulate": True})
        >>> goes_on.gradients([[[1, 2, 3]]], [[[10, 100]]], out=(numpy.ones((1, 1, 2), numpy.float32), None))
        (array([[[211., 321.]]], dtype=float32), None)
        """
        if not self._info.gradient.bytes:
            raise refuse("gradients", "the kernel gives none: its layer is not of direction backward_weights")
        images = {"input": (array_of("input", x, self.input_shape), self._info.input_layout),
                  "gradient": (array_of("gradient", gradient, self.weights_shape), self._info.output_layout)}
        memory: dict[str, Floats | None] = {role: None for role in ROLES}
        for role, (array, layout) in images.items():
            numbers = as_memory(to_dtype(role, array, self._dtypes[role], convert), layout)
            memory[role] = placed(numbers, getattr(self._info, role).alignment)
        written = memory["output"] = self._new("output")
        count = int(numpy.prod(self.output_shape))
        results = written[:count].reshape(self.output_shape), written[count:] if written.size > count else None
        self._check_held(out)
        if out is not None:
            self._check_gradients_out(out, results, {role: array for role, (array, _) in images.items()})
        if self.accumulates:
            self._copy_results(out, results)
        executor, workers = executor_and_workers(threads)
        self._run(memory, images["input"][0].shape[0], executor, workers)
        if out is None:
            return results
        self._copy_results(results, out)
        return out

    def _check_held(self, out: Any) -> None:
        if self.accumulates and out is None:
            raise refuse("out", "the layer adds to what it holds, so it is needed")

    def _check_gradients_out(self, out: Any, results: Any, given: dict[str, Any]) -> None:
        if not isinstance(out, tuple) or len(out) != 2:
            raise refuse("out", "expected a pair of arrays: of the weights, and of the bias or None")
        for array, result in zip(out, results):
            if result is not None:
                self._check_out(array, result.shape, given)
            elif array is not None:
                raise refuse("out", "the layer has no bias, so its second is None")

    @staticmethod
    def _copy_results(source: Any, target: Any) -> None:
        for one, other in zip(source, target):
            if one is not None:
                other[...] = one

    def with_indices(self, x: Numbers, scale: Numbers | None = None, addend: Numbers | None = None, *,
                     threads: Threads = None, convert: bool = False) -> tuple[NDArray[Any], NDArray[numpy.int32]]:
        """The output of a maximum with indices, and those: where in the map of its channel each maximum stands, the first
        where several are as great.

        >>> import convoke
        >>> most = convoke.compile({"name": "most", "kind": "max_pool", "input": [1, 1, 4], "kernel_size": 2, "stride": 2,
        ...                         "indices": True})
        >>> most.with_indices([[[1, 2, 5, 3]]])
        (array([[[2., 5.]]], dtype=float32), array([[[1, 2]]], dtype=int32))
        """
        if not self._info.indices.bytes:
            raise refuse("indices", "the kernel gives none: its layer has no `indices: true`")
        images = array_of("input", x, self.input_shape)
        places = self._new("indices", images.shape[0]).view(numpy.int32)
        output = self._compute(images, {"scale": scale, "addend": addend}, None, places, threads, convert)
        shape = self._images(self.output_shape, images.shape[0])
        return output, as_logical(places, self._info.output_layout, shape)

    def _run(self, memory: Mapping[str, NDArray[Any] | None], batch: int, executor: Executor, workers: int) -> None:
        tasks = max(self._info.tasks) * (batch if self._info.batch_any else 1)
        workers = max(1, min(workers, tasks))
        memory = {**memory, **{role: self._new(role, batch, workers) for role in ("scratch", "workspace")}}
        if workers == 1:
            check(self._start(memory, batch, None))
            return
        refusals: list[Exception] = []
        check(uninterrupted(lambda: self._start(memory, batch, parallel_for(executor, workers, refusals))))
        if refusals:
            raise refuse("threads", f"the executor takes no work: {refusals[0]}") from refusals[0]

    def __call__(self, x: Numbers, weights: Weights | None = None, bias: Numbers | None = None,
                 scale: Numbers | None = None,
                 addend: Numbers | None = None, *, shift: Numbers | None = None, gate: Numbers | None = None,
                 out: Floats | Exporter | None = None, threads: Threads = None, convert: bool = False) -> NDArray[Any]:
        """The layer's output.

        x, weights  the input, and dense weights or those of pack; dense ones are packed when they have changed; pools
                    have none
        bias, scale, addend  where the layer has them; of several, an array of them all. `scale` has the numbers of
                    `{scale: per_channel}` and `{shift: per_channel}`, in their order
        gate        of `gate` post-ops: N C, or of several an array of them all
        shift       beside multipliers that are integers, which are in scale
        out         the array, or that of another library, to write to and return, of a layer with `accumulate` to add to: of
                    `output_dtype`, contiguous (in C's order or as the layout has it), apart
                    from the others; without it, the result is a new array
        threads     how many to run on, 0 being one for each CPU; or a concurrent.futures executor, on whose threads and
                    the calling one it then runs; without it, the calling one alone
        convert     arrays of other types than the kernel's are refused where they hold a number that it does not have, such
                    as float64's 0.1 where it is float32. True rounds those. Overflow is always refused.

        >>> import convoke, numpy
        >>> third = convoke.compile({"name": "third", "input": [1, 1, 3], "out_channels": 1, "kernel_size": 1})
        >>> y = numpy.empty(third.output_shape, numpy.float32)
        >>> third([[[3, 6, 9]]], [[[1 / 3]]], out=y)
        Traceback (most recent call last):
        convoke.Error: weights: 1 of 1 values of float64 are not exact in float32 (convert=True rounds), ...
        >>> third([[[3, 6, 9]]], [[[1 / 3]]], out=y, threads=2, convert=True) is y
        True
        >>> y
        array([[[1., 2., 3.]]], dtype=float32)
        """
        if self._info.gradient.bytes:
            raise refuse("weights", "the kernel gives gradients of them: call its `gradients`")
        if self._info.indices.bytes:
            raise refuse("indices", "the kernel gives them, too: call its `with_indices`")
        given = {"weights": weights, "bias": bias, "scale": scale, "shift": shift, "addend": addend, "gate": gate}
        return self._compute(array_of("input", x, self.input_shape), given, out, None, threads, convert)

    def _gates(self) -> int:
        """How many: each has a number for every channel that is stored."""
        info, channels = self._info, self.output_shape[1]
        stored = -(-channels // 16) * 16 if info.output_layout == BLOCKED else channels
        images = 1 if info.batch_any else self.output_shape[0]
        each = max(1, stored * images * self.output_dtype.itemsize)
        return int(info.gate.bytes // each)

    def _weights(self, weights: Weights | None) -> NDArray[Any] | PackedWeights | None:
        if isinstance(weights, PackedWeights):
            return weights
        return self._optional("weights", weights, int(self._info.weights.bytes > 0), self.weights_shape)

    def _scale(self, scale: Numbers | None, channels: tuple[int, ...]) -> NDArray[Any] | None:
        """Vectors of as many numbers as channels; one vector of all where multipliers are one for all channels."""
        info, each = self._info, channels[0] * self._dtypes["scale"].itemsize
        if info.scale.bytes == info.scales * each:
            return self._optional("scale", scale, info.scales, channels)
        return self._optional("scale", scale, 1, (info.scale.bytes // self._dtypes["scale"].itemsize,))

    def _compute(self, images: NDArray[Any], operands: dict[str, Any], out: Floats | Exporter | None,
                 places: NDArray[numpy.int32] | None, threads: Threads, convert: bool) -> NDArray[Any]:
        info, channels, batch = self._info, self.output_shape[1:2], images.shape[0]
        executor, workers = executor_and_workers(threads)
        shape = self._images(self.output_shape, batch)
        biases, scales = (b.bytes // self._dtypes["bias"].itemsize for b in (info.bias, info.scale))
        chained = scales != info.scales * channels[0]  # of layers of several widths, one after another
        given: dict[str, Any] = {
            "input": images,
            "weights": self._weights(operands.get("weights")),
            "bias": self._optional("bias", operands.get("bias"), int(info.bias.bytes > 0), (biases,)),
            "scale": (self._optional("scale", operands.get("scale"), 1, (scales,)) if chained
                      else self._scale(operands.get("scale"), channels)),
            "shift": self._optional("shift", operands.get("shift"), int(info.shift.bytes > 0), (info.shift.bytes // 4,)),
            "addend": self._optional("addend", operands.get("addend"), info.addends, shape),
            "gate": self._optional("gate", operands.get("gate"), self._gates(), (batch, self.output_shape[1])),
            "gradient": None,
        }
        written = None
        self._check_held(out)
        result = to_write("out", out) if is_foreign(out) else cast("Union[Floats, None]", out)
        if result is not None:
            self._check_out(result, shape, given)
            written = self._as_written(result)
        if written is None:
            written = (placed(as_memory(result, info.output_layout), info.output.alignment)
                       if self.accumulates and result is not None
                       else self._new("output", batch))
        memory = {role: self._memory(role, array, batch, convert) for role, array in given.items()}
        self._run({**memory, "output": written, "indices": places}, batch, executor, workers)
        if result is None:
            return as_logical(written, info.output_layout, shape)
        if not numpy.may_share_memory(result, written):
            result[...] = as_logical(written, info.output_layout, shape)
        return cast("NDArray[Any]", out)
