"""Where a picture has text: what detector.c does, compiled when it runs.

    python3 detector.py MODEL_FOLDER IN.ppm OUT.pgm
"""

from __future__ import annotations

import pathlib
import re
import sys

import numpy
from numpy.typing import NDArray

import convoke

SIZE = 640  # of the network's input, both ways
MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
DEVIATION = numpy.array([0.229, 0.224, 0.225], numpy.float32)


def nearest(few: int, many: int) -> NDArray[numpy.int64]:
    """Of each of `few` pixels the nearest of `many`."""
    return (2 * numpy.arange(few) + 1) * many // (2 * few)


def read_ppm(path: str) -> NDArray[numpy.uint8]:
    data = pathlib.Path(path).read_bytes()
    header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    if not header:
        sys.exit(f"{path}: cannot be read as a PPM of 8 bits")
    width, height = int(header[1]), int(header[2])
    return numpy.frombuffer(data, numpy.uint8, height * width * 3, header.end()).reshape(height, width, 3)


def main(folder: str, source: str, target: str) -> None:
    picture = read_ppm(source)
    height, width, _ = picture.shape
    net = convoke.Network(f"{folder}/detector.yaml")
    net.load({name: numpy.load(f"{folder}/{name}.npy") for name in net.weights})
    scaled = picture[nearest(SIZE, height)][:, nearest(SIZE, width), ::-1].astype(numpy.float32)
    x = ((scaled / numpy.float32(255) - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
    heat = net(numpy.ascontiguousarray(x))[0, 0]
    levels = (255 * heat + 0.5)[nearest(height, SIZE)][:, nearest(width, SIZE)].astype(numpy.uint8)
    pathlib.Path(target).write_bytes(b"P5\n%d %d\n255\n" % (width, height) + levels.tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
