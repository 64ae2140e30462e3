"""`words.py draw FILE` makes a picture with two words in it; `words.py judge A B` looks whether two heat maps agree, hot where
the words are and cold elsewhere."""
import pathlib
import re
import sys

import numpy

GLYPHS = {  # 5 x 7
    "C": "01110 10001 10000 10000 10000 10001 01110", "O": "01110 10001 10001 10001 10001 10001 01110",
    "N": "10001 11001 11101 10111 10011 10001 10001", "V": "10001 10001 10001 10001 10001 01010 00100",
    "K": "10001 10010 10100 11000 10100 10010 10001", "E": "11111 10000 10000 11110 10000 10000 11111",
}
HEIGHT, WIDTH, SCALE = 480, 800, 6
WORDS = [("CONVOKE", 60, 80), ("NOVO", 300, 420)]  # and the row and column where they begin


def box(word, row, column):
    return slice(row, row + 7 * SCALE), slice(column, column + 6 * len(word) * SCALE - SCALE)


def draw(path):
    picture = numpy.full((HEIGHT, WIDTH, 3), (235, 230, 215), numpy.uint8)
    for word, row, column in WORDS:
        for i, letter in enumerate(word):
            bits = numpy.array([[int(b) for b in line] for line in GLYPHS[letter].split()])
            at = column + 6 * SCALE * i
            part = picture[row : row + 7 * SCALE, at : at + 5 * SCALE]
            part[numpy.kron(bits, numpy.ones((SCALE, SCALE), int)) == 1] = (30, 25, 60)
    pathlib.Path(path).write_bytes(b"P6 %d %d 255\n" % (WIDTH, HEIGHT) + picture.tobytes())


def read_pgm(path):
    data = pathlib.Path(path).read_bytes()
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
    return numpy.frombuffer(data, numpy.uint8, offset=header.end()).reshape(int(header[2]), int(header[1])).astype(int)


def judge(a, b):
    a, b = read_pgm(a), read_pgm(b)
    assert a.shape == b.shape == (HEIGHT, WIDTH), (a.shape, b.shape)
    assert abs(a - b).max() <= 1, abs(a - b).max()
    far = numpy.ones(a.shape, bool)
    for word in WORDS:
        rows, columns = box(*word)
        assert (a[rows, columns] > 128).mean() > 0.2, (word, (a[rows, columns] > 128).mean())
        far[max(rows.start - 30, 0) : rows.stop + 30, max(columns.start - 30, 0) : columns.stop + 30] = False
    assert (a[far] > 128).mean() < 0.001, (a[far] > 128).mean()


{"draw": draw, "judge": judge}[sys.argv[1]](*sys.argv[2:])
