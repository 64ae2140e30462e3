"""Whole networks: layers that feed one another, in one call."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy

from convoke._array import DTYPES, Floats, Numbers, aligned, array_of, placed, to_dtype
from convoke._compile import Path, read_options
from convoke._error import refuse
from convoke._foreign import address
from convoke._layout import as_logical, as_memory
from convoke._library import Buffer, Diagnostics, NetworkBuffers, NetworkInfo, TensorInfo, WeightInfo, check, library
from convoke._spec import Network as File
from convoke._spec import Spec
from convoke._threads import Threads, executor_and_workers, parallel_for, uninterrupted


def shape_of(info: TensorInfo, batch: int | None) -> tuple[int, ...]:
    n, channels, *sizes = info.shape
    return (n if batch is None else batch, channels, *sizes[3 - info.spatial_rank:])


def with_axes(array: Numbers, shape: tuple[int, ...]) -> Numbers:
    """Of a layer of fewer sizes than the network's inputs: axes of size 1 may be there or not."""
    wide = [s for s in shape if s > 1]
    fits = isinstance(array, numpy.ndarray) and [s for s in array.shape if s > 1] == wide
    return array.reshape(shape) if isinstance(array, numpy.ndarray) and fits else array


class Network:
    """A file with `inputs` and `outputs`, compiled: `network(x)` gives what comes out, one array or a tuple of them.

    inputs, outputs, weights are shapes by name; `load` brings the arrays of all weights, by the names that `weights` has.
    Arrays are in logical order, N, C, then the sizes. Options are as for compile_network.

    >>> import convoke, numpy
    >>> net = convoke.Network('''
    ... version: 1
    ... inputs: {x: [1, 4, 8, 8]}
    ... outputs: [y]
    ... layers:
    ...   - {name: a, input: x, out_channels: 4, kernel_size: 3, padding: 1, post_ops: [relu]}
    ...   - {name: y, input: a, out_channels: 4, kernel_size: 1, post_ops: [{add: x}]}
    ... ''', cache="memory")
    >>> net.weights
    {'a.weights': (4, 4, 3, 3), 'y.weights': (4, 4, 1, 1)}
    >>> net.load({name: numpy.ones(shape, numpy.float32) for name, shape in net.weights.items()})
    >>> float(net(numpy.ones(net.inputs["x"], numpy.float32))[0, 0, 1, 1])
    145.0
    """

    def __init__(self, spec: Spec, *, target: str | None = None, effort: str = "estimate", cache: str = "disk",
                 cache_directory: Path = None, threads: int = 0, run_threads: int = 0, tuned: Path = None) -> None:
        options = read_options(target, effort, cache, cache_directory, threads, run_threads, tuned)
        self._handle = ctypes.c_void_p()
        with Diagnostics() as d, File(spec, d) as file:
            d.check(library.cvk_network_build(file.handle, options, d.handle, self._handle))
        self._info: NetworkInfo = library.cvk_compiled_network_get_info(self._handle).contents
        self.inputs = {t.name.decode(): shape_of(t, None) for t in self._inputs()}
        self.outputs = {t.name.decode(): shape_of(t, None) for t in self._outputs()}
        self.weights = {w.name.decode(): self._weight_shape(w) for w in self._weights()}
        self._packed: Floats | None = None

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            library.cvk_compiled_network_free(self._handle)

    def _inputs(self) -> list[TensorInfo]:
        return list(self._info.input[:self._info.inputs])

    def _outputs(self) -> list[TensorInfo]:
        return list(self._info.output[:self._info.outputs])

    def _weights(self) -> list[WeightInfo]:
        return list(self._info.weight[:self._info.weights])

    def _weight_shape(self, weight: WeightInfo) -> tuple[int, ...]:
        shape = list(weight.shape)
        if weight.role:  # of a kernel as many axes as the inputs have, of vectors those that count
            rank = max(t.spatial_rank for t in self._inputs())
            return (*shape[:2], *shape[5 - rank:]) if weight.role == 1 else tuple(s for s in shape[:2] if s > 1) or (1,)
        return tuple(shape)

    def load(self, weights: Mapping[str, Numbers], *, convert: bool = False) -> None:
        """Packs the weights, all of them; `convert` rounds numbers that are not exact in the type."""
        strange = set(weights) - set(self.weights)
        if strange:
            raise refuse("weights", f"there is no {sorted(strange)[0]}; the network has {', '.join(self.weights)}")
        arrays = []
        for info, (name, shape) in zip(self._weights(), self.weights.items()):
            if name not in weights:
                raise refuse("weights", f"{name} is missing, of shape {shape}")
            array = to_dtype(name, array_of(name, with_axes(weights[name], shape), shape), DTYPES[info.dtype], convert)
            arrays.append(placed(array, info.alignment))
        packed = aligned(self._info.packed_weights.bytes, self._info.packed_weights.alignment, numpy.dtype(numpy.uint8))
        dense = (Buffer * max(len(arrays), 1))(*(Buffer(address(a), a.nbytes) for a in arrays))
        check(library.cvk_network_pack(self._info, dense, Buffer(address(packed), packed.nbytes)))
        self._packed = packed

    def _arrays(self, given: tuple[Numbers, ...], named: Mapping[str, Numbers], convert: bool) -> list[Floats]:
        names = list(self.inputs)
        values = {**dict(zip(names, given)), **named}
        if len(given) > len(names) or set(values) != set(names) or set(named) & set(names[:len(given)]):
            raise refuse("inputs", f"expected {', '.join(names)}, once each")
        arrays = []
        for info, name in zip(self._inputs(), names):
            shape = shape_of(info, -1 if self._info.batch_any else None)
            array = to_dtype(name, array_of(name, values[name], shape), DTYPES[info.dtype], convert)
            arrays.append(placed(as_memory(array, info.layout), info.alignment))
        return arrays

    def __call__(self, *inputs: Numbers, threads: Threads = None, convert: bool = False,
                 **named: Numbers) -> Floats | tuple[Floats, ...]:
        """Runs it on arrays in the order of `inputs`, or by their names."""
        if self._packed is None and self._info.packed_weights.bytes:
            raise refuse("weights", f"load() brings {', '.join(self.weights)}")
        arrays = self._arrays(inputs, named, convert)
        batch = arrays[0].shape[0] if self._info.batch_any else None
        if any(batch is not None and a.shape[0] != batch for a in arrays):
            raise refuse("inputs", "all have as many images")
        executor, workers = executor_and_workers(threads)
        results = [aligned(t.bytes * (1 if batch is None else batch), t.alignment, DTYPES[t.dtype])
                   for t in self._outputs()]
        needs = library.cvk_network_workspace(self._info, batch or 0, workers)
        work = aligned(needs.bytes, needs.alignment, numpy.dtype(numpy.uint8))
        ins = (Buffer * len(arrays))(*(Buffer(address(a), a.nbytes) for a in arrays))
        outs = (Buffer * len(results))(*(Buffer(address(r), r.nbytes) for r in results))
        packed = Buffer() if self._packed is None else Buffer(address(self._packed), self._packed.nbytes)
        buffers = NetworkBuffers(ctypes.sizeof(NetworkBuffers), batch or 0, ins, outs, packed,
                                 Buffer(address(work), work.nbytes))
        refusals: list[Exception] = []
        loop: Any = parallel_for(executor, workers, refusals) if workers > 1 else None
        check(uninterrupted(lambda: int(library.cvk_network_run(self._info, buffers, loop))))
        logical = tuple(as_logical(r, t.layout, shape_of(t, batch)) for r, t in zip(results, self._outputs()))
        return logical[0] if len(logical) == 1 else logical
