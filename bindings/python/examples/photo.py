"""Makes a picture, of a moon over hills, and puts it through filters: what each makes of it is a PGM beside it.

    python3 photo.py [FOLDER]
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
from typing import Any

import numpy
from numpy.typing import NDArray

from convoke import ndimage, signal

Picture = NDArray[numpy.float32]
HEIGHT, WIDTH = 240, 320


def scene() -> Picture:
    """Sky, a moon, three ranges of hills, and the noise of a cheap camera; 0 is black and 1 white."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH].astype(numpy.float32)
    picture = 0.25 + 0.3 * y / HEIGHT
    picture[(x - 230) ** 2 + (y - 60) ** 2 < 28**2] = 0.95
    for level, wave, shade in (120, 31.0, 0.45), (150, 47.0, 0.3), (185, 23.0, 0.12):
        picture[y > level + 18 * numpy.sin(x / wave) + 7 * numpy.sin(x / 9)] = shade
    noise = numpy.random.default_rng(1).normal(0, 0.02, picture.shape)
    return numpy.clip(picture + noise, 0, 1).astype(numpy.float32)


def write_pgm(path: pathlib.Path, picture: NDArray[Any]) -> None:
    levels = numpy.rint(numpy.clip(picture, 0, 1) * 255).astype(numpy.uint8)
    path.write_bytes(b"P5 %d %d 255\n" % (picture.shape[1], picture.shape[0]) + levels.tobytes())


def read_pgm(path: pathlib.Path) -> Picture:
    header, pixels = path.read_bytes().split(b"\n", 1)
    _, width, height, most = header.split()
    return numpy.frombuffer(pixels, numpy.uint8).reshape(int(height), int(width)).astype(numpy.float32) / float(most)


def filtered(photo: Picture) -> dict[str, Picture]:
    soft = ndimage.gaussian_filter(photo, 2, mode="nearest")
    across, down = (ndimage.sobel(soft, axis=axis, mode="nearest") for axis in (1, 0))
    emboss = numpy.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], numpy.float32)
    return {
        "soft": soft,
        "sharp": photo + 1.5 * (photo - soft),
        "edges": numpy.hypot(across, down),
        "spots": 0.5 - 4 * ndimage.gaussian_laplace(photo, 3, mode="mirror"),
        "emboss": signal.correlate2d(photo, emboss, mode="same", boundary="symm") / 2,
        "moved": ndimage.uniform_filter1d(photo, 31, axis=1, mode="nearest"),
    }


def main(folder: pathlib.Path) -> None:
    write_pgm(folder / "photo.pgm", scene())
    photo = read_pgm(folder / "photo.pgm")
    for name, picture in filtered(photo).items():
        write_pgm(folder / f"{name}.pgm", picture)
        darkest, brightest = (numpy.unravel_index(i, picture.shape) for i in (picture.argmin(), picture.argmax()))
        print(f"{name:7} mean {picture.mean():6.3f}, darkest at {darkest[0]} {darkest[1]}, brightest at "
              f"{brightest[0]} {brightest[1]}")
    print("the moon's rim is the sharpest edge, the moon the brightest spot" if is_found(photo) else "the moon is lost")


def is_found(photo: Picture) -> bool:
    made = filtered(photo)
    rim, spot = (numpy.unravel_index(made[name].argmax(), photo.shape) for name in ("edges", "spots"))
    return abs(numpy.hypot(rim[0] - 60, rim[1] - 230) - 28) < 4 and bool(numpy.hypot(spot[0] - 60, spot[1] - 230) < 32)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(pathlib.Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(pathlib.Path(scratch))
