"""Puts the libraries into the wheel: built with the preset `release`, in its folder, and installed from there as the
component `wheel`. What setuptools leaves behind goes to a folder of its own, which goes away."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = {  # in the package: which of the libraries, by the name it is loaded by
    "libconvoke.so": "libconvoke.so.0",
    "libconvoke_rt.so.0": "libconvoke_rt.so.0",
    "libconvoke_llvm.so.0": "libconvoke_llvm.so.0",
}
scratch = tempfile.TemporaryDirectory()


def cmake(*arguments):
    subprocess.run(["cmake", *map(str, arguments)], cwd=ROOT, check=True)


class BuildWithLibraries(build_py):
    def run(self):
        super().run()
        if self.editable_mode:  # the package then runs where it lies: CONVOKE_LIBRARY says where the library does
            return
        cmake("--preset", "release")
        cmake("--build", "--preset", "release", "--target", "libconvoke", "libconvoke_rt", "convoke_llvm")
        with tempfile.TemporaryDirectory() as stage:
            cmake("--install", "build", "--component", "wheel", "--prefix", stage)
            for name, library in LIBRARIES.items():
                shutil.copy(Path(stage, library), Path(self.build_lib, "convoke", name))


class OfThisSystem(Distribution):
    def has_ext_modules(self):
        return True


class ForAnyPython(bdist_wheel):
    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


setup(distclass=OfThisSystem, cmdclass={"build_py": BuildWithLibraries, "bdist_wheel": ForAnyPython},
      options={"build": {"build_base": os.path.join(scratch.name, "build")}, "egg_info": {"egg_base": scratch.name}})
