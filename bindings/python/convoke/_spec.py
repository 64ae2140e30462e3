"""Specs in the forms Python programs have them in."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Union

import numpy

from convoke._error import refuse
from convoke._library import Diagnostics, library

Spec = Union[Mapping[str, Any], str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def to_yaml(value: Any) -> str:
    """A value in YAML's flow style. Words stay unquoted where they can, as a spec wants them."""
    if value is None or isinstance(value, (bool, numpy.bool_)):
        return json.dumps(None if value is None else bool(value))
    if isinstance(value, str):
        plain = value.replace("_", "a").replace("-", "a").replace(".", "a").isalnum() and value.isascii()
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{to_yaml(k)}: {to_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, numpy.ndarray):
        return to_yaml(value.tolist())
    if isinstance(value, (list, tuple, range)):
        return "[" + ", ".join(map(to_yaml, value)) + "]"
    if isinstance(value, numpy.generic):
        return to_yaml(value.item())
    if isinstance(value, (int, float)):
        return repr(value)
    raise refuse("spec", f"a value is a number, a word, a list or a mapping, not a {type(value).__name__}")


def mapping_text(spec: Mapping[str, Any]) -> bytes:
    """The text of a mapping, which is that of a file or of one layer."""
    whole = spec if "layers" in spec or "version" in spec else {"version": 1, "layers": [spec]}
    try:
        return to_yaml(whole).encode(errors="surrogatepass")
    except RecursionError:
        raise refuse("spec", "a list or mapping holds itself, or too many others") from None


def text_of(spec: Spec) -> bytes | None:
    """The text of a spec, or None where it is a path."""
    if isinstance(spec, Mapping):
        return mapping_text(spec)
    if isinstance(spec, str):
        return spec.encode(errors="surrogatepass") if "\n" in spec or "{" in spec else None
    if isinstance(spec, bytes):
        return spec if b"\n" in spec or b"{" in spec else None
    if isinstance(spec, os.PathLike):
        return None
    raise refuse("spec", f"expected a mapping, YAML text or the path of a file, got a {type(spec).__name__}")


def path_bytes(role: str, path: Any) -> bytes:
    """A path as C takes it."""
    try:
        encoded = os.fsencode(path)
    except (TypeError, UnicodeEncodeError) as error:
        raise refuse(role, f"expected a path: {error}") from None
    if not encoded or b"\0" in encoded:
        raise refuse(role, f"{path!r} is not a path")
    return encoded


class Network:
    """A spec that was read: `with Network(spec, diagnostics) as network: …`."""

    def __init__(self, spec: Spec, diagnostics: Diagnostics) -> None:
        self.handle = ctypes.c_void_p()
        text = text_of(spec)
        if text is None:
            diagnostics.check(library.cvk_network_read(path_bytes("spec", spec), diagnostics.handle, self.handle))
        else:
            diagnostics.check(library.cvk_network_parse(text, len(text), b"spec", diagnostics.handle, self.handle))
        count = library.cvk_network_count(self.handle)
        self.names = [library.cvk_spec_name(self.layer(i)).decode() for i in range(count)]

    def __enter__(self) -> Network:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        library.cvk_network_free(self.handle)

    def layer(self, index: int) -> Any:
        return library.cvk_network_layer(self.handle, index)

    def find(self, name: str | None) -> Any:
        """The layer of that name, or the only one."""
        if name is None and len(self.names) != 1:
            raise refuse("layer", f"the spec has {len(self.names)} layers; name one: {', '.join(self.names)}")
        if name is not None and not isinstance(name, str):
            raise refuse("layer", f"expected a name, got {name!r}; the spec has {', '.join(self.names)}")
        if name is not None and name not in self.names:
            raise refuse("layer", f"no layer is named {name}; the spec has {', '.join(self.names)}")
        return self.layer(0 if name is None else self.names.index(name))
