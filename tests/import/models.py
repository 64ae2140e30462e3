"""Models in the ONNX format, written without its package: `models.py FOLDER` writes those that begin a fuzzer's corpus."""
import pathlib
import struct
import sys

FLOAT, UINT8, INT8, INT32, INT64, HALF = 1, 2, 3, 6, 7, 10


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, shape, values, kind=FLOAT):
    raw = struct.pack(f"<{len(values)}{ {FLOAT: 'f', UINT8: 'B', INT8: 'b', INT32: 'i', INT64: 'q', HALF: 'e'}[kind]}", *values)
    return b"".join(field(1, n) for n in shape) + field(2, kind) + (field(8, name) if name else b"") + field(9, raw)


def attribute(name, value):
    if isinstance(value, list):
        body = b"".join(field(8, v) for v in value)
    elif isinstance(value, bytes):
        body = field(5, value)
    else:
        body = field({int: 3, float: 2, str: 4}[type(value)], value)
    return field(1, name) + body


def node(op, inputs, output, **attributes):
    outputs = output if isinstance(output, list) else [output]
    return (b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs) + field(3, outputs[0]) + field(4, op)
            + b"".join(field(5, attribute(k, v)) for k, v in attributes.items()))


def value(name, shape):
    """Of f32, or of what (shape, kind) says."""
    shape, kind = shape if len(shape) == 2 and isinstance(shape[0], tuple) else (shape, FLOAT)
    dims = b"".join(field(1, field(2, d) if isinstance(d, str) else field(1, d)) for d in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def beside(name, shape, location, offset, length):
    """A constant whose numbers are in another file."""
    entries = b"".join(field(13, field(1, k) + field(2, str(v))) for k, v in (("location", location), ("offset", offset), ("length", length)))
    return field(5, b"".join(field(1, n) for n in shape) + field(2, FLOAT) + field(8, name) + entries + field(14, 1))


def model(inputs, constants, nodes, outputs, opset=17, more=b""):
    """inputs {name: shape}, constants {name: (shape, values) or (shape, values, kind)}, nodes of `node`, names of outputs."""
    graph = b"".join(field(1, n) for n in nodes) + b"".join(field(5, tensor(n, *c)) for n, c in constants.items())
    graph += b"".join(field(11, value(n, s)) for n, s in inputs.items()) + b"".join(field(12, field(1, o)) for o in outputs)
    return field(1, 8) + field(7, graph + more) + field(8, field(1, "") + field(2, opset))


def conv_net():
    constants = {"w": ((4, 3, 3, 3), [i % 5 - 2 for i in range(108)]), "b": ((4,), [1, 2, 3, 4]), "w2": ((4, 1, 3, 3), [1] * 36),
                 "s": ((4,), [1, 2, 3, 4]), "m": ((4,), [0, 1, 0, 1]), "v": ((4,), [1, 1, 4, 4]), "three": ((), [3]), "zero": ((), [0]),
                 "six": ((), [6]), "p": ((4, 5), list(range(20))), "sizes": ((2,), [0, -1], INT64)}
    nodes = [node("Conv", ["x", "w", "b"], "c", strides=[2, 2], pads=[1, 1, 1, 1]),
             node("BatchNormalization", ["c", "s", "b", "m", "v"], "n", epsilon=1e-3),
             node("Add", ["n", "three"], "a"), node("Clip", ["a", "zero", "six"], "l"), node("Mul", ["n", "l"], "q"),
             node("Div", ["q", "six"], "h"), node("ConvTranspose", ["h", "w2"], "t", strides=[2, 2], group=4),
             node("MaxPool", ["t"], "k", kernel_shape=[2, 2], strides=[2, 2]), node("Concat", ["k", "k"], "cc", axis=1),
             node("Shape", ["h"], "sh"), node("Slice", ["sh"], "sl", starts=[0], ends=[1], axes=[0]), node("Resize", ["k", "", "v"], "r"),
             node("GlobalAveragePool", ["h"], "g"), node("Reshape", ["g", "sizes"], "f"), node("MatMul", ["f", "p"], "y"),
             node("Constant", [], "k2", value=tensor("", (5,), [1] * 5)), node("Add", ["y", "k2"], "z"), node("Sigmoid", ["z"], "out")]
    return model({"x": (1, 3, 8, 8)}, constants, nodes, ["out", "r", "cc"])


def branch_net():
    """What joins, normalises and regroups tensors."""
    constants = {"w": ((4, 4, 1, 1), [i % 5 - 2 for i in range(16)]), "d": ((4, 1, 3, 3), [1] * 36), "g": ((4,), [1, 2, 3, 4]),
                 "two": ((), [2]), "m": ((4, 8), list(range(32))), "by": ((4,), [1, 1, 2, 2]), "f": ((8, 4), list(range(32))), "to": ((2,), [1, -1], INT64), "w3": ((5, 16, 1, 1), [1] * 80), "parts": ((2,), [2, 3], INT64)}
    nodes = [node("Conv", ["x", "w"], "a"), node("Relu", ["a"], "r"), node("GlobalAveragePool", ["r"], "p"), node("Conv", ["p", "w"], "s"),
             node("HardSigmoid", ["s"], "h", alpha=0.25), node("Mul", ["h", "r"], "e"), node("Add", ["r", "e"], "j"), node("Sub", ["two", "j"], "u"),
             node("Transpose", ["u"], "t", perm=[0, 2, 3, 1]), node("LayerNormalization", ["t", "g", "g"], "l", axis=-1, epsilon=1e-5),
             node("MatMul", ["l", "m"], "k"), node("Transpose", ["k"], "b", perm=[0, 3, 1, 2]), node("Softmax", ["b"], "o", axis=1),
             node("Resize", ["j", "", "by"], "z", mode="linear"), node("InstanceNormalization", ["z", "g", "g"], "i", epsilon=1e-5),
             node("MaxPool", ["i"], "q", kernel_shape=[2, 2], strides=[2, 2]), node("Concat", ["o", "q", "x"], "c", axis=1),
             node("Conv", ["c", "w3"], "ab"), node("Split", ["ab", "parts"], ["aa", "bb"], axis=1), node("Relu", ["bb"], "rb"), node("Concat", ["rb", "aa"], "ba", axis=1),
             node("ReduceMean", ["o"], "v", axes=[2, 3], keepdims=0), node("Reshape", ["v", "to"], "n"), node("Gemm", ["n", "f"], "y")]
    return model({"x": (1, 4, 6, 6)}, constants, nodes, ["y", "c", "x", "ba"])


def part_net():
    """Parts of tensors, turned and split channels, and numbers for each element."""
    constants = {"to": ((3,), [0, 4, -1], INT64), "split": ((4,), [0, 2, 2, -1], INT64), "back": ((3,), [0, 3, -1], INT64), "none": ((1,), [0], INT64),
                 "one": ((1,), [1], INT64), "three": ((1,), [3], INT64), "w": ((3, 2, 1, 1), [1] * 6), "two": ((), [2]), "parts": ((2,), [2, 4], INT64),
                 "grid": ((6, 5), list(range(30))), "all": ((4, 30), [1, 2, 3] * 40), "m": ((30, 2), [1, 2] * 30)}
    nodes = [node("MaxPool", ["x"], "p", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 1]), node("Mul", ["x", "grid"], "g"), node("Reshape", ["g", "to"], "f"), node("Reshape", ["p", "to"], "h"),
             node("Concat", ["f", "h", "f"], "c", axis=2), node("Slice", ["c", "one", "three", "one"], "s"), node("Softmax", ["f"], "o", axis=2),
             node("Reshape", ["o", "split"], "r"), node("Transpose", ["r"], "t", perm=[0, 2, 1, 3]), node("Softmax", ["t"], "u", axis=1), node("Conv", ["u", "w"], "kk"), node("Transpose", ["kk"], "k", perm=[0, 2, 1, 3]),
             node("Slice", ["r", "none", "one", "one"], "q"), node("Sub", ["two", "q"], "v"), node("Split", ["g", "parts"], ["a", "b"], axis=2), node("Concat", ["b", "a"], "d", axis=2),
             node("Add", ["f", "all"], "n"), node("MatMul", ["n", "m"], "y"), node("Add", ["s", "s"], "z")]
    return model({"x": (2, 4, 6, 5)}, constants, nodes, ["y", "z", "d", "v", "k"])


def byte_net():
    """Convolutions of bytes, one of them written out, and a sum."""
    constants = {"w": ((4, 2, 3, 3), [i % 7 - 3 for i in range(72)], INT8), "s": ((), [0.5]), "v": ((4,), [1, 2, 3, 4]), "z": ((), [9], UINT8),
                 "y": ((4,), [0] * 4, INT8), "b": ((4,), [5, -6, 7, 8], INT32), "m": ((4, 2, 1, 1), [1] * 8)}
    nodes = [node("QuantizeLinear", ["x", "s", "z"], "q"), node("QLinearConv", ["q", "s", "z", "w", "v", "y", "s", "z", "b"], "aa", group=2),
             node("QLinearAdd", ["aa", "s", "z", "aa", "s", "z", "s", "z"], "a"),
             node("DequantizeLinear", ["a", "s", "z"], "f"), node("DequantizeLinear", ["w", "v", "y"], "k", axis=0), node("DequantizeLinear", ["b", "v"], "c", axis=0),
             node("Conv", ["f", "k", "c"], "d", group=2), node("QuantizeLinear", ["d", "s", "z"], "e"), node("DequantizeLinear", ["e", "s", "z"], "o"),
             node("Conv", ["o", "m"], "out", group=2)]
    return model({"x": (1, 4, 9, 9)}, constants, nodes, ["out"])


def border_net():
    """Borders that are nodes of their own, one of them computed; rows of what lies with its channels last; and channels that change places."""
    constants = {"w": ((3, 4, 3, 3), [i % 5 - 2 for i in range(108)]), "p": ((8,), [0, 0, 1, 2, 0, 0, 1, 0], INT64), "c": ((), [2]), "a": ((2,), [-1, 2], INT64),
                 "q": ((4,), [2, 1, 0, 1], INT64), "four": ((1,), [4], INT64), "given": ((4,), [2, 0, 1, 1], INT64), "pairs": ((2,), [-1, 2], INT64), "all": ((1,), [-1], INT64),
                 "first": ((1,), [0], INT64), "least": ((1,), [-2 ** 63 + 1], INT64), "rows": ((3,), [1, -1, 2], INT64), "two": ((1,), [2], INT64), "to": ((4,), [1, 8, 3, 5], INT64), "apart": ((5,), [1, 2, 4, 3, 5], INT64)}
    nodes = [node("ConstantOfShape", ["four"], "z", value=tensor("", (1,), [0], INT64)), node("Concat", ["given", "z"], "g", axis=0), node("Reshape", ["g", "pairs"], "r"),
             node("Slice", ["r", "all", "least", "first", "all"], "s"), node("Transpose", ["s"], "t", perm=[1, 0]), node("Reshape", ["t", "all"], "v"), node("Cast", ["v"], "pp", to=INT64),
             node("Pad", ["x", "pp"], "d", mode="reflect"), node("Conv", ["d", "w"], "e"), node("Pad", ["x", "p"], "f"), node("Pad", ["f", "q", "c", "a"], "h"),
             node("Conv", ["h", "w"], "i"), node("Relu", ["x"], "j"), node("Pad", ["j", "p"], "k"), node("MaxPool", ["k"], "l", kernel_shape=[3, 3]), node("AveragePool", ["k"], "m", kernel_shape=[3, 3]),
             node("Tanh", ["h"], "n"), node("Conv", ["f", "w"], "o", strides=[2, 2]),
             node("Transpose", ["x"], "ta", perm=[0, 2, 3, 1]), node("Reshape", ["ta", "rows"], "ra"), node("GlobalMaxPool", ["x"], "xb"), node("Transpose", ["xb"], "tb", perm=[0, 2, 3, 1]),
             node("Reshape", ["tb", "rows"], "rb"), node("Concat", ["ra", "rb"], "ab", axis=1), node("Softmax", ["ab"], "sm", axis=2), node("Reshape", ["x", "to"], "xc"),
             node("Slice", ["xc", "first", "two", "all"], "xd"), node("Concat", ["xd", "xc"], "xe", axis=3),
             node("Reshape", ["xc", "apart"], "sa"), node("Transpose", ["sa"], "sb", perm=[0, 2, 1, 3, 4]), node("Reshape", ["sb", "to"], "sc")]
    return model({"x": (1, 4, 6, 5)}, constants, nodes, ["e", "i", "l", "m", "n", "o", "sm", "xe", "sc"], opset=18)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    (folder / "bytes.onnx").write_bytes(byte_net())
    (folder / "parts.onnx").write_bytes(part_net())
    (folder / "borders.onnx").write_bytes(border_net())
    (folder / "branches.onnx").write_bytes(branch_net())
    (folder / "net.onnx").write_bytes(conv_net())
    (folder / "list").write_text('--dir=FWD_B\nmb1_ic3ih227oc96oh55kh11sh4ph0n"alex"\ng2mb1ic8id9oc8kd3kh3kw1pd1dd1\n')
