"""Are the annotations of the Python binding sound, and do they refuse what a call would? mypy says."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = os.path.join(ROOT, "bindings", "python")

RIGHT = """
import pathlib, numpy, convoke
from convoke import ndimage, signal
from concurrent.futures import ThreadPoolExecutor
from numpy.typing import NDArray
kernel: convoke.Kernel = convoke.compile(pathlib.Path("net.yaml"), layer="a", cache_directory=pathlib.Path("/tmp"))
every: dict[str, convoke.Kernel] = convoke.compile_network({"name": "a", "input": numpy.arange(3)}, threads=2)
x = numpy.zeros((1, 2), numpy.float64)
y: NDArray[numpy.float32] = kernel(x, kernel.pack(x), [1, 2], threads=ThreadPoolExecutor(2), convert=True)
kernel([[1, 2]], x.tolist(), out=y, threads=3)
blurred: NDArray[numpy.float32] = ndimage.gaussian_filter(x, [1, 2], output=numpy.float32, mode=["nearest", "wrap"])
ndimage.correlate1d([1.0, 2.0], [1, 2], output=x, origin=-1)
sums: NDArray[numpy.float64] = signal.oaconvolve(x, [[1.0]], mode="same", axes=[0, 1])
version: str = convoke.__version__
try: pass
except convoke.Error as error: status: int = error.status
"""
WRONG = ["convoke.compile(3)", "convoke.compile('a', layer=3)", "convoke.compile('a', effort=1)", "kernel()",
         "kernel(x, x, out=[1.0])", "kernel(x, x, threads='2')", "kernel(x, x, treads=2)", "kernel.plans", "len(kernel)",
         "ndimage.sobel(x, axis='x')", "ndimage.gaussian_filter(x)", "signal.convolve(x, x, modes='full')"]


class Types(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name

    def mypy(self, *arguments):
        done = subprocess.run(["mypy", "--strict", "--no-error-summary", "--python-executable", sys.executable,
                               "--cache-dir", self.folder, *arguments], capture_output=True, text=True,
                              cwd=self.folder, env={**os.environ, "MYPYPATH": PYTHON})
        return done.stdout + done.stderr

    def test_the_package_and_its_examples_are_strictly_typed(self):
        self.assertTrue(os.path.exists(os.path.join(PYTHON, "convoke", "py.typed")))
        self.assertEqual(self.mypy(os.path.join(PYTHON, "convoke"), os.path.join(PYTHON, "examples")), "")

    def test_programs_are_judged_by_the_annotations(self):
        self.assertEqual(self.mypy("-c", RIGHT), "")
        said = self.mypy("-c", RIGHT + "\n".join(WRONG))
        first = RIGHT.count("\n") + 1
        for number, line in enumerate(WRONG):
            self.assertIn(f"<string>:{first + number}: error", said, line)


if __name__ == "__main__":
    if not shutil.which("mypy"):
        print("skipped: there is no mypy (Debian's mypy)")
        sys.exit(77)
    unittest.main()
