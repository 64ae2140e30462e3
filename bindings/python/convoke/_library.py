"""The C library: its structs and functions as ctypes sees them."""

from __future__ import annotations

import ctypes as c
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from convoke._error import Error

ABI_VERSION = 2  # of the structs below: CVK_ABI_VERSION


class BufferInfo(c.Structure):
    _fields_ = [("bytes", c.c_uint64), ("alignment", c.c_uint32), ("held", c.c_uint32)]


BUFFERS = {  # rows of convoke/buffers.def: what a run calls them, and what says how much of each it needs
    "input": "input", "weights": "packed_weights", "bias": "bias", "scale": "scale", "addend": "addend",
    "output": "output", "scratch": "scratch", "workspace": "workspace", "gradient": "gradient",
    "indices": "indices", "gate": "gate", "shift": "shift",
}
ROLES = tuple(BUFFERS)
MOST_PHASES = 8


class KernelInfo(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32), ("abi_version", c.c_uint32),
        ("cpu_features", c.c_uint64), ("packed_tag", c.c_uint64),
        ("input_shape", c.c_int64 * 5), ("weights_shape", c.c_int64 * 5), ("output_shape", c.c_int64 * 5),
        ("input_layout", c.c_int), ("output_layout", c.c_int),
        ("input_dtype", c.c_int), ("weights_dtype", c.c_int), ("output_dtype", c.c_int),
        ("spatial_rank", c.c_uint32), ("addends", c.c_uint32), ("scales", c.c_uint32), ("batch_any", c.c_uint32),
        ("kilocycles", c.c_uint32), ("phases", c.c_uint32), ("operation", c.c_int),
        ("tasks", c.c_uint32 * MOST_PHASES),
        ("name", c.c_char_p), ("target", c.c_char_p), ("plan", c.c_char_p),
        ("run", c.c_void_p), ("pack", c.c_void_p), ("reserved_pointer", c.c_void_p),
        ("weights", BufferInfo), *((needs, BufferInfo) for needs in BUFFERS.values()),
    ]


class Buffer(c.Structure):
    _fields_ = [("data", c.c_void_p), ("bytes", c.c_uint64)]


class Buffers(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("batch", c.c_uint64), *((role, Buffer) for role in ROLES)]


class TensorInfo(c.Structure):
    _fields_ = [("shape", c.c_int64 * 5), ("bytes", c.c_uint64), ("alignment", c.c_uint32), ("spatial_rank", c.c_uint32),
                ("layout", c.c_int), ("dtype", c.c_int), ("name", c.c_char_p), ("reserved_pointer", c.c_void_p)]


class WeightInfo(c.Structure):
    _fields_ = [("shape", c.c_int64 * 5), ("bytes", c.c_uint64), ("packed", c.c_uint64), ("step", c.c_uint32),
                ("role", c.c_int), ("dtype", c.c_int), ("alignment", c.c_uint32), ("name", c.c_char_p),
                ("reserved_pointer", c.c_void_p)]


class NetworkInfo(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("abi_version", c.c_uint32), ("inputs", c.c_uint32), ("outputs", c.c_uint32),
                ("weights", c.c_uint32), ("steps", c.c_uint32), ("roles", c.c_uint32), ("batch_any", c.c_uint32),
                ("packed_weights", BufferInfo), ("workspace", BufferInfo), ("name", c.c_char_p), ("target", c.c_char_p),
                ("input", c.POINTER(TensorInfo)), ("output", c.POINTER(TensorInfo)), ("weight", c.POINTER(WeightInfo)),
                ("step", c.c_void_p)]


class NetworkBuffers(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("batch", c.c_uint64), ("inputs", c.POINTER(Buffer)),
                ("outputs", c.POINTER(Buffer)), ("weights", Buffer), ("workspace", Buffer)]


class Options(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("target", c.c_char_p), ("effort", c.c_int), ("cache", c.c_int),
                ("cache_directory", c.c_char_p), ("cache_bytes", c.c_uint64), ("threads", c.c_uint32),
                ("run_threads", c.c_uint64), ("tuned", c.c_char_p)]


ParallelBody = c.CFUNCTYPE(None, c.c_void_p, c.c_size_t)
ParallelLoop = c.CFUNCTYPE(None, c.c_void_p, c.c_size_t, c.c_void_p, c.c_void_p)


class ParallelFor(c.Structure):
    _fields_ = [("loop", ParallelLoop), ("context", c.c_void_p), ("workers", c.c_uint32)]


handle, text, size = c.c_void_p, c.c_char_p, c.c_size_t

SIGNATURES: dict[str, tuple[Any, list[Any]]] = {  # name: (result, arguments)
    "cvk_status_text": (text, [c.c_int]),
    "cvk_diagnostics_new": (handle, []),
    "cvk_diagnostics_free": (None, [handle]),
    "cvk_diagnostics_count": (size, [handle]),
    "cvk_diagnostics_get": (handle, [handle, size]),
    "cvk_diagnostic_format": (size, [handle, text, size]),
    "cvk_network_parse": (c.c_int, [text, size, text, handle, c.POINTER(handle)]),
    "cvk_network_read": (c.c_int, [text, handle, c.POINTER(handle)]),
    "cvk_network_free": (None, [handle]),
    "cvk_network_count": (size, [handle]),
    "cvk_network_layer": (handle, [handle, size]),
    "cvk_network_compile": (c.c_int, [handle, c.POINTER(Options), handle, c.POINTER(handle)]),
    "cvk_network_build": (c.c_int, [handle, c.POINTER(Options), handle, c.POINTER(handle)]),
    "cvk_compiled_network_get_info": (c.POINTER(NetworkInfo), [handle]),
    "cvk_compiled_network_free": (None, [handle]),
    "cvk_network_workspace": (BufferInfo, [c.POINTER(NetworkInfo), c.c_uint64, c.c_uint32]),
    "cvk_network_pack": (c.c_int, [c.POINTER(NetworkInfo), c.POINTER(Buffer), Buffer]),
    "cvk_network_run": (c.c_int, [c.POINTER(NetworkInfo), c.POINTER(NetworkBuffers), c.POINTER(ParallelFor)]),
    "cvk_spec_name": (text, [handle]),
    "cvk_compile": (c.c_int, [handle, c.POINTER(Options), handle, c.POINTER(handle)]),
    "cvk_kernel_get_info": (c.POINTER(KernelInfo), [handle]),
    "cvk_kernel_free": (None, [handle]),
    "cvk_pack_weights": (c.c_int, [c.POINTER(KernelInfo), Buffer, Buffer]),
    "cvk_buffer_needs": (BufferInfo, [c.POINTER(KernelInfo), c.c_int, c.c_uint64, c.c_uint32]),
    "cvk_run": (c.c_int, [c.POINTER(KernelInfo), c.POINTER(Buffers), c.POINTER(ParallelFor)]),
}


def load() -> c.CDLL:
    # Installed, a link beside this file leads to the library; through the link, it would not find its own libraries.
    beside = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "libconvoke.so"))
    name = os.environ.get("CONVOKE_LIBRARY") or (beside if os.path.exists(beside) else "libconvoke.so.0")
    try:
        loaded = c.CDLL(name)
        for function, (result, arguments) in SIGNATURES.items():
            getattr(loaded, function).restype = result
            getattr(loaded, function).argtypes = arguments
    except (OSError, AttributeError) as error:
        raise ImportError(f"convoke cannot use its library: {error} (CONVOKE_LIBRARY in the environment names it)"
                          ) from error
    return loaded


library = load()


def status_text(status: int) -> str:
    words: bytes = library.cvk_status_text(status)
    return words.decode()


def check(status: int) -> None:
    """Raises what a call without diagnostics returned, unless it is CVK_OK."""
    if status:
        raise Error(status, status_text(status))


class Diagnostics:
    """Collects what a call has to say: `with Diagnostics() as d: d.check(call(…, d.handle, …))`."""

    def __enter__(self) -> Diagnostics:
        self.handle = library.cvk_diagnostics_new()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        library.cvk_diagnostics_free(self.handle)

    def lines(self) -> Iterator[str]:
        for i in range(library.cvk_diagnostics_count(self.handle)):
            message = library.cvk_diagnostics_get(self.handle, i)
            length = library.cvk_diagnostic_format(message, None, 0)
            line = c.create_string_buffer(length + 1)
            library.cvk_diagnostic_format(message, line, length + 1)
            yield line.value.decode(errors="replace")

    def check(self, status: int) -> None:
        if status:
            raise Error(status, "\n".join(self.lines()) or status_text(status))
