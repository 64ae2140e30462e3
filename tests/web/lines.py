"""What the page says of its lines of text against the same network here: lines.py FOLDER, with model/ and seen.json of browse.js."""
import json
import sys
from pathlib import Path

import convoke
import numpy

folder = Path(sys.argv[1])
seen = json.loads((folder / "seen.json").read_text())
turned = numpy.array(seen["canvases"]["source"], numpy.float32).reshape(48, 192, 4)
assert len(numpy.unique(turned)) > 2, "the picture is blank"
net = convoke.Network(folder / "model" / "classifier.yaml")
net.load({name: numpy.load(folder / "model" / f"{name}.npy") for name in net.weights})
assert len(seen["rows"]) == 2, seen["rows"]
for picture, row, which in (turned[::-1, ::-1], seen["rows"][0], 0), (turned, seen["rows"][1], 1):
    x = (picture[..., 2::-1] / numpy.float32(127.5) - 1).transpose(2, 0, 1)[None]
    expected = net(numpy.ascontiguousarray(x)).ravel()
    got = numpy.array([float(row["upright"]), float(row["over"])])
    assert abs(got - expected).max() < 1e-4, (got, expected)
    assert got.argmax() == which, (got, which)
print("both ways right")
