"""convoke for Python: convolution layers compiled to machine code, on NumPy arrays.

>>> import convoke, numpy
>>> layer = convoke.compile({"name": "edges", "input": [1, 3, 32, 32], "out_channels": 8, "kernel_size": 3})
>>> x = numpy.ones(layer.input_shape, numpy.float32)        # 1 x 3 x 32 x 32
>>> w = numpy.ones(layer.weights_shape, numpy.float32)      # 8 x 3 x 3 x 3
>>> y = layer(x, w)
>>> y.shape, y[0, 0, 0, 0]
((1, 8, 30, 30), 27.0)

Arrays go in and come out in logical order, N, C, then the spatial sizes, whatever the layer's layout. One that lies in memory as
the layout has it, such as `hwc` of a picture, is not copied. They may be of any type whose numbers the layer's has, and of any
library that hands out memory by DLPack. Weights are packed when they
change. Mistakes are raised as convoke.Error, a ValueError, whose text is that of the diagnostics.

The shared library is found by the name CONVOKE_LIBRARY has in the environment, beside this package, or where the system
looks for libraries.
"""

from convoke._array import bf16_bits, bf16_floats
from convoke._compile import compile, compile_network
from convoke._error import Error
from convoke._foreign import hwc
from convoke._kernel import Kernel, PackedWeights
from convoke._network import Network

__version__ = "0.1.0"
__all__ = ["Error", "Kernel", "Network", "PackedWeights", "bf16_bits", "bf16_floats", "compile", "compile_network", "hwc"]

for _public in (Error, Kernel, Network, PackedWeights):
    _public.__module__ = __name__  # so that messages and pickles know them by the name that programs do
