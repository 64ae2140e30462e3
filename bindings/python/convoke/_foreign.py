"""Arrays of other libraries, by DLPack, and pictures in their own order: in the same memory."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Protocol

import numpy
from numpy.typing import ArrayLike, NDArray

from convoke._error import refuse

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

CPU_MEMORY = (1, 3, 11)  # DLPack's kDLCPU, kDLCUDAHost, kDLROCMHost


class Exporter(Protocol):
    """An array that hands out its memory by DLPack, as torch's tensors do."""

    def __dlpack__(self) -> Any: ...
    def __dlpack_device__(self) -> tuple[Any, int]: ...


def is_foreign(value: object) -> TypeGuard[Exporter]:
    return hasattr(value, "__dlpack__") and not isinstance(value, numpy.ndarray)


def address(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)


def from_foreign(role: str, value: Any) -> NDArray[Any]:
    """The memory as an array of NumPy's, to read from."""
    if getattr(value, "requires_grad", False):
        raise refuse(role, "the tensor requires gradients, and a kernel would not record what it does; hand in .detach()")
    device = int(value.__dlpack_device__()[0])
    if device not in CPU_MEMORY:
        raise refuse(role, f"the array is in the memory of another device (DLPack's type {device}); copy it to the CPU's")
    try:
        array: NDArray[Any] = numpy.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise refuse(role, f"the array cannot be read by DLPack: {error}") from None
    return array


def to_write(role: str, value: Any) -> NDArray[Any]:
    """The memory as an array to write to, while `value` lives: whether one may, DLPack does not say."""
    array = from_foreign(role, value)
    size = array.itemsize + sum((n - 1) * stride for n, stride in zip(array.shape, array.strides)) if array.size else 0
    memory = memoryview((ctypes.c_ubyte * size).from_address(address(array)))
    return numpy.ndarray(array.shape, array.dtype, memory, strides=array.strides)


def hwc(image: ArrayLike | Exporter) -> NDArray[Any]:
    """A picture of H W C, or several of N H W C, seen as N C H W, in the same memory: a layer of `channels_last` reads it, and
    writes it as `out`, without a copy.

    >>> import convoke, numpy
    >>> photo = numpy.zeros((480, 640, 3), numpy.float32)
    >>> convoke.hwc(photo).shape
    (1, 3, 480, 640)
    """
    array = to_write("image", image) if is_foreign(image) else numpy.asarray(image)
    if array.ndim not in (3, 4):
        raise refuse("image", f"expected an array of H W C or N H W C, got one of shape {array.shape}")
    return numpy.moveaxis(array[numpy.newaxis] if array.ndim == 3 else array, -1, 1)
