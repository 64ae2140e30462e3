"""convoke for Python: convolution layers compiled to machine code, on NumPy arrays.

    import convoke
    layer = convoke.compile({"name": "edges", "input": [1, 3, 32, 32], "out_channels": 8, "kernel_size": 3})
    y = layer(x, w)                     # x: 1 x 3 x 32 x 32, w: 8 x 3 x 3 x 3, y: 1 x 8 x 30 x 30

Arrays go in and come out in logical order, N, C, then the spatial sizes, whatever the layer's layout; a layout other than
channels_first costs a copy each way. Weights are packed once and remembered for as long as the same array is handed in.
Mistakes are raised as convoke.Error, whose text is that of the diagnostics.

The shared library is found by the name CONVOKE_LIBRARY has in the environment, beside this package, or where the system
looks for libraries.
"""

from convoke._kernel import Kernel, compile, compile_network
from convoke._library import Error

__all__ = ["Error", "Kernel", "compile", "compile_network"]
