"""Writes and reads .npy files without NumPy: `npy.py write FILE SHAPE VALUE...`, where the values repeat until the shape is
full, of f4, or of f2, f8, i1, i4 or i8 where the shape is written like f8:2x3; `npy.py read FILE`, which prints the shape and then the values."""
import itertools
import math
import re
import struct
import sys


def write(path, shape, *values):
    kind, shape = shape.split(":") if ":" in shape else ("f4", shape)
    sizes = [int(n) for n in shape.split("x")]
    count = math.prod(sizes)
    dims = "".join(f"{n}, " for n in sizes)
    order = "|" if kind == "i1" else "<"
    header = f"{{'descr': '{order}{kind}', 'fortran_order': False, 'shape': ({dims}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    numbers = itertools.islice(itertools.cycle(int(v) if kind[0] == "i" else float(v) for v in values), count)
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{count}{dict(f2='e', f4='f', f8='d', i1='b', i4='i', i8='q')[kind]}", *numbers))


def read(path):
    data = open(path, "rb").read()
    length = struct.unpack("<H", data[8:10])[0]
    header = data[10 : 10 + length].decode()
    shape, kind = re.search(r"\(([^)]*)\)", header).group(1), "i" if "<i4" in header else "f"
    body = data[10 + length :]
    print("x".join(re.findall(r"\d+", shape)))
    print(*(f"{v:g}" for v in struct.unpack(f"<{len(body) // 4}{kind}", body)))


{"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
