"""From a spec to kernels."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Union

from convoke._error import refuse
from convoke._kernel import Kernel
from convoke._library import Diagnostics, Options, library
from convoke._spec import Network, Spec, path_bytes
from convoke._threads import count_of

EFFORTS = {"estimate": 0, "measure": 1}
CACHES = {"disk": 0, "memory": 1, "off": 2}

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]", None]


def word_of(role: str, value: Any, words: dict[str, int]) -> int:
    if not isinstance(value, str) or value not in words:
        raise refuse(role, f"expected {' or '.join(words)}, got {value!r}")
    return words[value]


def read_target(target: Any) -> bytes | None:
    if target is None:
        return None
    if not isinstance(target, str) or not target.isprintable() or not target.isascii():
        raise refuse("target", f"expected the name of one, such as host, got {target!r}")
    return target.encode()


def read_options(target: Any, effort: Any, cache: Any, cache_directory: Any, threads: Any,
                 run_threads: Any, tuned: Any) -> Options:
    options = Options(struct_size=ctypes.sizeof(Options))
    options.target = read_target(target)
    options.effort = word_of("effort", effort, EFFORTS)
    options.cache = word_of("cache", cache, CACHES)
    if cache_directory is not None:
        options.cache_directory = os.path.abspath(path_bytes("cache_directory", cache_directory))
    options.threads = count_of("threads", threads)
    options.run_threads = count_of("run_threads", run_threads)
    if tuned is not None:
        options.tuned = os.path.abspath(path_bytes("tuned", tuned))
    return options


def compile_network(spec: Spec, target: str | None = None, effort: str = "estimate", cache: str = "disk",
                    cache_directory: Path = None, threads: int = 0, run_threads: int = 0,
                    tuned: Path = None) -> dict[str, Kernel]:
    """All layers of a spec, by name, compiled on several threads.

    spec        a mapping (of a whole file, or of one layer), YAML text (a string with a line break or a brace in it), or
                the path of a file. Values of a mapping may be NumPy's; docs/language.md has the keys
    target      the CPU to compile for, "host" by default; one this machine cannot run is an error
    effort      "estimate": the plan is chosen by the cost model; "measure": by timing the best of them here
    cache       where kernels are looked for and kept: "disk", "memory" or "off"
    cache_directory  another one than the usual
    threads     to compile on; 0: one for each CPU
    run_threads on which the kernels will run: plans are chosen for so many; 0: not known, so they lose nothing on one and
                have work for many
    tuned       a database of `convoke tune`: its plans are used for the layers that it has for this machine

    >>> import convoke
    >>> net = convoke.compile_network('''
    ... version: 1
    ... layers:
    ...   - {name: first, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3, post_ops: [relu]}
    ...   - {name: second, input: [1, 4, 6, 6], out_channels: 2, kernel_size: 1}
    ... ''')
    >>> {name: kernel.output_shape for name, kernel in net.items()}
    {'first': (1, 4, 6, 6), 'second': (1, 2, 6, 6)}
    """
    options = read_options(target, effort, cache, cache_directory, threads, run_threads, tuned)
    with Diagnostics() as d, Network(spec, d) as network:
        handles = (ctypes.c_void_p * len(network.names))()
        d.check(library.cvk_network_compile(network.handle, options, d.handle, handles))
    kernels = [Kernel(handle) for handle in handles]
    return {kernel.name: kernel for kernel in kernels}


def compile(spec: Spec, layer: str | None = None, *, target: str | None = None, effort: str = "estimate",
            cache: str = "disk", cache_directory: Path = None, threads: int = 0, run_threads: int = 0,
            tuned: Path = None) -> Kernel:
    """One layer: the only one of a spec, or the one that is named, which is then compiled alone. The rest is as for
    compile_network.

    >>> import convoke, numpy
    >>> shape = numpy.array([1, 3, 32, 32])
    >>> convoke.compile({"name": "edges", "input": shape, "out_channels": 8, "kernel_size": 3}).output_shape
    (1, 8, 30, 30)
    """
    options = read_options(target, effort, cache, cache_directory, threads, run_threads, tuned)
    with Diagnostics() as d, Network(spec, d) as network:
        made = ctypes.c_void_p()
        d.check(library.cvk_compile(network.find(layer), options, d.handle, made))
    return Kernel(made.value)
