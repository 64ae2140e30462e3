"""What is raised."""

from __future__ import annotations

# Those of cvk_status that the binding itself gives.
ARGUMENT, ABI, OVERLAP, WEIGHTS = 1, 7, 12, 13


class Error(ValueError):
    """What convoke refused, and why: `str` of it is the text, `status` the cvk_status.

    >>> import convoke
    >>> try:
    ...     convoke.compile({"name": "a", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 5})
    ... except convoke.Error as error:
    ...     print(error)  # doctest: +ELLIPSIS
    spec:1:...: error[E...]: layers[0]...
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text

    def __str__(self) -> str:
        return self.text


def refuse(role: str, words: str, status: int = ARGUMENT) -> Error:
    """An argument that cannot be taken, and what is the matter with it."""
    return Error(status, f"{role}: {words}")
