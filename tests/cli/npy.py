"""Writes and reads .npy files of f4 without NumPy: `npy.py write FILE SHAPE VALUE...`, where the values repeat until the
shape is full; `npy.py read FILE`, which prints the shape and then the values."""
import itertools
import math
import re
import struct
import sys


def write(path, shape, *values):
    sizes = [int(n) for n in shape.split("x")]
    count = math.prod(sizes)
    dims = "".join(f"{n}, " for n in sizes)
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({dims}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    numbers = itertools.islice(itertools.cycle(float(v) for v in values), count)
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{count}f", *numbers))


def read(path):
    data = open(path, "rb").read()
    length = struct.unpack("<H", data[8:10])[0]
    shape = re.search(r"\(([^)]*)\)", data[10 : 10 + length].decode()).group(1)
    body = data[10 + length :]
    print("x".join(re.findall(r"\d+", shape)))
    print(*(f"{v:g}" for v in struct.unpack(f"<{len(body) // 4}f", body)))


{"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
