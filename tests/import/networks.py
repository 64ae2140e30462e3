"""Networks of seeing as ONNX files, written with Debian's python3-onnx: `networks.py FOLDER`. Weights are random, as large as keeps
what goes through them as large as it comes in; batch normalisations have statistics of their own. Pictures are smaller than those
of the papers, and so are maps; layers and channels are the papers'."""
import pathlib
import sys

import numpy
from onnx import TensorProto, helper, numpy_helper, save


class Net:
    def __init__(self, name, opset, **inputs):
        self.name, self.opset, self.inputs = name, opset, inputs
        self.nodes, self.constants, self.rng = [], [], numpy.random.default_rng(len(name))

    def constant(self, array, kind=numpy.float32):
        name = f"const{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(numpy.asarray(array, kind), name))
        return name

    def node(self, op, *inputs, outputs=1, **attributes):
        made = [f"{op.lower()}{len(self.nodes)}" + (f"_{i}" if outputs > 1 else "") for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), made, f"{op}_{len(self.nodes)}", **attributes))
        return made if outputs > 1 else made[0]

    def vector(self, channels, middle=0.0):
        return self.constant(middle + 0.1 * self.rng.standard_normal(channels))

    def weights(self, *shape):
        return self.constant(self.rng.standard_normal(shape) * numpy.sqrt(2 / numpy.prod(shape[1:])))

    def conv(self, x, given, made, kernel, stride=1, groups=1, bias=True, padding=None):
        padding = kernel // 2 if padding is None else padding
        more = [self.vector(made)] if bias else []
        return self.node("Conv", x, self.weights(made, given // groups, kernel, kernel), *more, kernel_shape=[kernel] * 2, strides=[stride] * 2,
                         pads=[padding] * 4, group=groups)

    def batch_norm(self, x, channels):
        return self.node("BatchNormalization", x, self.vector(channels, 1), self.vector(channels), self.vector(channels),
                         self.constant(1 + self.rng.random(channels)))

    def conv_norm(self, x, given, made, kernel, stride=1, groups=1):
        return self.batch_norm(self.conv(x, given, made, kernel, stride, groups, bias=False), made)

    def relu6(self, x):
        return self.node("Clip", x, self.constant(0), self.constant(6))

    def relu(self, x):
        return self.node("Relu", x)

    def silu(self, x):
        return self.node("Mul", x, self.node("Sigmoid", x))

    def product(self, x, given, made, bias=True):
        y = self.node("MatMul", x, self.constant(self.rng.standard_normal((given, made)) / numpy.sqrt(given)))
        return self.node("Add", self.vector(made), y) if bias else y

    def classifier(self, x, channels, classes=1000):
        x = self.node("Flatten", self.node("GlobalAveragePool", x))
        return self.node("Gemm", x, self.weights(classes, channels), self.vector(classes), transB=1)

    def save(self, folder, *outputs):
        info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in self.inputs.items()]
        made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, self.name, info, made, self.constants)
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8), folder / f"{self.name}.onnx")


def resnet50(folder):
    """He et al., "Deep Residual Learning for Image Recognition" (2015)"""
    net = Net("resnet50", 11, x=[1, 3, 64, 64])
    x, given = net.relu(net.conv_norm("x", 3, 64, 7, 2)), 64
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for blocks, width, stride in ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2)):
        for i in range(blocks):
            step = stride if i == 0 else 1
            y = net.relu(net.conv_norm(x, given, width, 1))
            y = net.relu(net.conv_norm(y, width, width, 3, step))
            y = net.conv_norm(y, width, 4 * width, 1)
            shortcut = net.conv_norm(x, given, 4 * width, 1, step) if i == 0 else x
            x, given = net.relu(net.node("Add", y, shortcut)), 4 * width
    net.save(folder, net.classifier(x, given))


def mobilenet_v2(folder):
    """Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018)"""
    net = Net("mobilenet_v2", 13, x=[1, 3, 64, 64])
    x, given = net.relu6(net.conv_norm("x", 3, 32, 3, 2)), 32
    for widen, made, blocks, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(blocks):
            wide, step = given * widen, stride if i == 0 else 1
            y = net.relu6(net.conv_norm(x, given, wide, 1)) if widen > 1 else x
            y = net.relu6(net.conv_norm(y, wide, wide, 3, step, wide))
            y = net.conv_norm(y, wide, made, 1)
            x, given = net.node("Add", x, y) if step == 1 and given == made else y, made
    net.save(folder, net.classifier(net.relu6(net.conv_norm(x, given, 1280, 1)), 1280))


def mobilenet_v3(folder):
    """Howard et al., "Searching for MobileNetV3" (2019), the small one"""
    net = Net("mobilenet_v3", 14, x=[1, 3, 64, 64])
    swish = lambda x: net.node("HardSwish", x)
    x, given = swish(net.conv_norm("x", 3, 16, 3, 2)), 16
    rows = ((3, 16, 16, True, False, 2), (3, 72, 24, False, False, 2), (3, 88, 24, False, False, 1), (5, 96, 40, True, True, 2), (5, 240, 40, True, True, 1),
            (5, 240, 40, True, True, 1), (5, 120, 48, True, True, 1), (5, 144, 48, True, True, 1), (5, 288, 96, True, True, 2), (5, 576, 96, True, True, 1),
            (5, 576, 96, True, True, 1))
    for kernel, wide, made, squeezes, swishes, stride in rows:
        act = swish if swishes else net.relu
        y = act(net.conv_norm(x, given, wide, 1)) if wide != given else x
        y = act(net.conv_norm(y, wide, wide, kernel, stride, wide))
        if squeezes:
            s = net.relu(net.conv(net.node("ReduceMean", y, axes=[2, 3]), wide, max(8, wide // 4), 1))
            s = net.node("HardSigmoid", net.conv(s, max(8, wide // 4), wide, 1), alpha=1 / 6)
            y = net.node("Mul", s, y)
        y = net.conv_norm(y, wide, made, 1)
        x, given = net.node("Add", x, y) if stride == 1 and given == made else y, made
    x = net.node("GlobalAveragePool", swish(net.conv_norm(x, given, 576, 1)))
    x = net.node("Reshape", x, net.constant([-1, 576], numpy.int64))
    x = swish(net.node("Gemm", x, net.weights(1024, 576), net.vector(1024), transB=1))
    net.save(folder, net.node("Gemm", x, net.weights(1000, 1024), net.vector(1000), transB=1))


def unet(folder):
    """Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation" (2015), with padding"""
    net = Net("unet", 12, x=[1, 1, 64, 64])
    twice = lambda x, given, made: net.relu(net.conv(net.relu(net.conv(x, given, made, 3)), made, made, 3))
    x, given, kept = "x", 1, []
    for made in (32, 64, 128, 256):
        kept.append(twice(x, given, made))
        x, given = net.node("MaxPool", kept[-1], kernel_shape=[2, 2], strides=[2, 2]), made
    x, given = twice(x, given, 512), 512
    for made, beside in zip((256, 128, 64, 32), reversed(kept)):
        wide = net.node("ConvTranspose", x, net.weights(given, made, 2, 2), net.vector(made), kernel_shape=[2, 2], strides=[2, 2])
        x, given = twice(net.node("Concat", beside, wide, axis=1), 2 * made, made), made
    net.save(folder, net.node("Sigmoid", net.conv(x, given, 2, 1)))


def convnext(folder):
    """Liu et al., "A ConvNet for the 2020s" (2022), the tiny one"""
    net = Net("convnext", 17, x=[1, 3, 64, 64])
    last = lambda x: net.node("Transpose", x, perm=[0, 2, 3, 1])
    first = lambda x: net.node("Transpose", x, perm=[0, 3, 1, 2])
    norm = lambda x, channels: net.node("LayerNormalization", x, net.vector(channels, 1), net.vector(channels), axis=-1, epsilon=1e-6)
    root, one, half = net.constant(numpy.sqrt(2)), net.constant(1), net.constant(0.5)
    gelu = lambda x: net.node("Mul", net.node("Mul", x, net.node("Add", net.node("Erf", net.node("Div", x, root)), one)), half)
    x, given = first(norm(last(net.conv("x", 3, 96, 4, 4, padding=0)), 96)), 96
    for blocks, width in ((3, 96), (3, 192), (9, 384), (3, 768)):
        if width != given:
            x = net.conv(first(norm(last(x), given)), given, width, 2, 2, padding=0)
        for _ in range(blocks):
            y = norm(last(net.conv(x, width, width, 7, groups=width)), width)
            y = net.product(gelu(net.product(y, width, 4 * width)), 4 * width, width)
            x = net.node("Add", x, first(net.node("Mul", net.vector(width, 0.5), y)))
        given = width
    x = norm(net.node("ReduceMean", x, axes=[-2, -1], keepdims=0), given)
    net.save(folder, net.node("Gemm", x, net.weights(1000, given), net.vector(1000), transB=1))


def yolov8n(folder):
    """Jocher et al., "Ultralytics YOLOv8" (2023), the nano one, with what makes boxes of distances by cell"""
    net = Net("yolov8n", 17, images=[1, 3, 64, 64])
    conv = lambda x, given, made, kernel, stride=1: net.silu(net.conv(x, given, made, kernel, stride))
    ints = lambda values: net.constant(values, numpy.int64)

    def stage(x, given, made, blocks, shortcut):
        half = made // 2
        split = net.node("Split", conv(x, given, made, 1), net.constant([half, half], numpy.int64), outputs=2, axis=1)
        for _ in range(blocks):
            y = conv(conv(split[-1], half, half, 3), half, half, 3)
            split.append(net.node("Add", split[-1], y) if shortcut else y)
        return conv(net.node("Concat", *split, axis=1), half * len(split), made, 1)

    def widened(x, beside):
        x = net.node("Resize", x, "", net.constant([1, 1, 2, 2]), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return net.node("Concat", x, beside, axis=1)

    def head(x, given):
        boxes = net.conv(conv(conv(x, given, 64, 3), 64, 64, 3), 64, 64, 1)
        classes = net.conv(conv(conv(x, given, 80, 3), 80, 80, 3), 80, 80, 1)
        return net.node("Reshape", net.node("Concat", boxes, classes, axis=1), ints([1, 144, -1]))

    def decoded(maps, sizes):
        cells = [numpy.stack(numpy.meshgrid(numpy.arange(n) + 0.5, numpy.arange(n) + 0.5)).reshape(2, -1) for n in sizes]
        strides = numpy.concatenate([numpy.full((1, n * n), 64 / n) for n in sizes], 1)
        anchors = net.constant(numpy.concatenate(cells, 1)[None])
        boxes, classes = net.node("Split", net.node("Concat", *maps, axis=2), ints([64, 80]), outputs=2, axis=1)
        bins = net.node("Transpose", net.node("Reshape", boxes, ints([1, 4, 16, -1])), perm=[0, 2, 1, 3])
        mean = net.node("Conv", net.node("Softmax", bins, axis=1), net.constant(numpy.arange(16).reshape(1, 16, 1, 1)), kernel_shape=[1, 1])
        sides = net.node("Reshape", mean, ints([1, 4, -1]))
        least = net.node("Sub", anchors, net.node("Slice", sides, ints([0]), ints([2]), ints([1])))
        most = net.node("Add", anchors, net.node("Slice", sides, ints([2]), ints([4]), ints([1])))
        middle = net.node("Div", net.node("Add", least, most), net.constant(2))
        boxes = net.node("Mul", net.node("Concat", middle, net.node("Sub", most, least), axis=1), net.constant(strides))
        return net.node("Concat", boxes, net.node("Sigmoid", classes), axis=1)

    x = stage(conv(conv("images", 3, 16, 3, 2), 16, 32, 3, 2), 32, 32, 1, True)
    small = stage(conv(x, 32, 64, 3, 2), 64, 64, 2, True)
    middle = stage(conv(small, 64, 128, 3, 2), 128, 128, 2, True)
    x = conv(stage(conv(middle, 128, 256, 3, 2), 256, 256, 1, True), 256, 128, 1)
    pools = [x]
    for _ in range(3):
        pools.append(net.node("MaxPool", pools[-1], kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4))
    large = conv(net.node("Concat", *pools, axis=1), 512, 256, 1)
    up = stage(widened(large, middle), 384, 128, 1, False)
    first = stage(widened(up, small), 192, 64, 1, False)
    second = stage(net.node("Concat", conv(first, 64, 64, 3, 2), up, axis=1), 192, 128, 1, False)
    third = stage(net.node("Concat", conv(second, 128, 128, 3, 2), large, axis=1), 384, 256, 1, False)
    net.save(folder, decoded([head(first, 64), head(second, 128), head(third, 256)], [8, 4, 2]))


def style(folder):
    """Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution" (2016), with borders that are mirrored"""
    net = Net("style", 13, x=[1, 3, 64, 64])

    def conv(x, given, made, kernel, stride=1):
        p = kernel // 2
        x = net.node("Pad", x, net.constant([0, 0, p, p, 0, 0, p, p], numpy.int64), mode="reflect")
        return net.conv(x, given, made, kernel, stride, padding=0)

    def norm(x, channels):
        return net.node("InstanceNormalization", x, net.vector(channels, 1), net.vector(channels))

    x = net.relu(norm(conv("x", 3, 32, 9), 32))
    x = net.relu(norm(conv(x, 32, 64, 3, 2), 64))
    x = net.relu(norm(conv(x, 64, 128, 3, 2), 128))
    for _ in range(5):
        y = net.relu(norm(conv(x, 128, 128, 3), 128))
        x = net.node("Add", x, norm(conv(y, 128, 128, 3), 128))
    for given, made in ((128, 64), (64, 32)):
        x = net.node("Resize", x, "", net.constant([1, 1, 2, 2]), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        x = net.relu(norm(conv(x, given, made, 3), made))
    net.save(folder, conv(x, 32, 3, 9))


def ssd(folder):
    """Liu et al., "SSD: Single Shot MultiBox Detector" (2016), on separable layers as SSDLite has them, down to a map of one position"""
    net = Net("ssd", 13, x=[1, 3, 64, 64])

    def separable(x, given, made, stride=1):
        return net.relu6(net.conv_norm(net.relu6(net.conv_norm(x, given, given, 3, stride, given)), given, made, 1))

    def rows(x, given, numbers):
        x = net.conv(net.relu6(net.conv_norm(x, given, given, 3, groups=given)), given, 6 * numbers, 1)
        return net.node("Reshape", net.node("Transpose", x, perm=[0, 2, 3, 1]), net.constant([1, -1, numbers], numpy.int64))

    x, given, classes, boxes = net.relu6(net.conv_norm("x", 3, 32, 3, 2)), 32, [], []
    for made in (64, 128, 256, 256, 128):
        x, given = separable(x, given, made, 2), made
        classes.append(rows(x, given, 21))
        boxes.append(rows(x, given, 4))
    net.save(folder, net.node("Softmax", net.node("Concat", *classes, axis=1), axis=2), net.node("Concat", *boxes, axis=1))


def shufflenet_v2(folder):
    """Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design" (2018), the one of 116 channels"""
    net = Net("shufflenet_v2", 13, x=[1, 3, 64, 64])
    ints = lambda *values: net.constant(values, numpy.int64)

    def shuffled(x, channels, size):
        x = net.node("Reshape", x, ints(1, 2, channels // 2, size, size))
        return net.node("Reshape", net.node("Transpose", x, perm=[0, 2, 1, 3, 4]), ints(1, channels, size, size))

    def branch(x, given, made, stride):
        x = net.relu(net.conv_norm(x, given, made, 1))
        return net.relu(net.conv_norm(net.conv_norm(x, made, made, 3, stride, made), made, made, 1))

    x, given, size = net.relu(net.conv_norm("x", 3, 24, 3, 2)), 24, 16
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for made, blocks in ((116, 4), (232, 8), (464, 4)):
        half, size = made // 2, size // 2
        beside = net.relu(net.conv_norm(net.conv_norm(x, given, given, 3, 2, given), given, half, 1))
        x = shuffled(net.node("Concat", beside, branch(x, given, half, 2), axis=1), made, size)
        for _ in range(blocks - 1):
            kept, other = net.node("Split", x, ints(half, half), outputs=2, axis=1)
            x = shuffled(net.node("Concat", kept, branch(other, half, half, 1), axis=1), made, size)
        given = made
    net.save(folder, net.classifier(net.relu(net.conv_norm(x, given, 1024, 1)), 1024))


if __name__ == "__main__":
    for write in (resnet50, mobilenet_v2, mobilenet_v3, unet, convnext, yolov8n, style, ssd, shufflenet_v2):
        write(pathlib.Path(sys.argv[1]))
