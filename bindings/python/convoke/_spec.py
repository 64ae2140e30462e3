"""Specs in the forms Python programs have them in, as YAML text."""

import os


def to_yaml(value):
    """A value in YAML's flow style. Words stay unquoted where they can, as a spec wants them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = value.replace("_", "a").replace("-", "a").replace(".", "a").isalnum() and value.isascii()
        return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{to_yaml(k)}: {to_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(to_yaml, value)) + "]"
    if hasattr(value, "item"):  # a NumPy scalar
        return to_yaml(value.item())
    return repr(value)


def text_and_name(spec):
    """The bytes of a spec and the file name for messages. A spec is a mapping (of a file, or of one layer), the path of a
    file, or YAML text: a string with a line break or a brace."""
    if isinstance(spec, dict):
        whole = spec if "layers" in spec else {"version": 1, "layers": [spec]}
        return to_yaml(whole).encode(), "spec"
    if isinstance(spec, str) and ("\n" in spec or "{" in spec):
        return spec.encode(), "spec"
    path = os.fspath(spec)
    with open(path, "rb") as file:
        return file.read(), path
