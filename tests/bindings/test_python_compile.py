"""From a spec to a kernel in Python: forms of a spec, options, errors, and what can be pickled."""

import copy
import gc
import multiprocessing
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import types
import unittest

import numpy

import convoke

TWO = ("version: 1\nlayers:\n- {name: a, input: [1, 1, 4], out_channels: 1, kernel_size: 2}\n"
       "- {name: b, input: [1, 1, 4], out_channels: 2, kernel_size: 2}\n")
ONE = {"name": "one", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 1}


def raise_in_a_worker(argument):
    convoke.compile({**ONE, "strid": argument})


class Case(unittest.TestCase):
    def refuses(self, words):
        return self.assertRaisesRegex(convoke.Error, words)


class Specs(Case):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "net.yaml"
        self.file.write_text(TWO)

    def test_a_spec_is_a_mapping_a_text_or_a_path(self):
        self.assertEqual(convoke.compile(TWO, layer="b").output_shape, (1, 2, 3))
        self.assertEqual(convoke.compile(TWO.encode(), layer="b").output_shape, (1, 2, 3))
        self.assertEqual(list(convoke.compile_network(TWO)), ["a", "b"])
        for path in (self.file, str(self.file), os.fsencode(self.file)):
            self.assertEqual(convoke.compile(path, layer="a", effort="measure").name, "a")
        self.assertEqual(convoke.compile(types.MappingProxyType(ONE)).name, "one")
        braces = self.folder / "a{b}.yaml"
        braces.write_text(TWO)
        self.assertEqual(list(convoke.compile_network(braces)), ["a", "b"])

    def test_a_file_that_is_wrong_or_not_there_is_named(self):
        for missing in (self.folder / "none.yaml", str(self.folder / "none.yaml"), self.folder):
            with self.refuses(str(missing)):
                convoke.compile(missing)
        self.file.write_text(TWO.replace("kernel_size", "kernel"))
        with self.refuses(rf"{self.file}:3:\d+: error"):
            convoke.compile(self.file, "a")

    def test_the_values_of_a_mapping_may_be_those_of_numpy(self):
        kernel = convoke.compile({
            "name": numpy.str_("n"), "input": numpy.array([1, 4, 8, 8]), "out_channels": numpy.int64(8),
            "kernel_size": (numpy.int8(3), 3), "stride": numpy.ones(2, int), "padding": numpy.array([[1, 1], [0, 2]]),
            "groups": numpy.uint16(2), "bias": numpy.bool_(True),
            "post_ops": [{"leaky_relu": numpy.float32(0.25)}, {"clamp": numpy.array([-1.5, 1e-7])}]})
        self.assertEqual(kernel.output_shape, (1, 8, 8, 8))
        self.assertEqual(convoke.compile({**ONE, "input": range(1, 4)}).input_shape, (1, 2, 3))

    def test_what_is_no_spec_is_refused_with_words(self):
        circle = []
        circle.append(circle)
        for spec, words in [(42, "expected a mapping, YAML text or the path of a file, got a int"), (None, "NoneType"),
                            ([ONE], "got a list"), (numpy.zeros(3), "got a ndarray"), ("", "is not a path"),
                            ("a\0b", "is not a path"), (b"\0", "is not a path"), ("no_such_file", "no_such_file"),
                            ({**ONE, "input": {1, 2}}, "not a set"), ({**ONE, "name": pathlib.Path("p")}, "PosixPath"),
                            ({**ONE, "input": circle}, "holds itself"), ({**ONE, "name": "\udc80"}, "UTF-8|spec:1"),
                            ({**ONE, "bias": None}, "spec:1:.*bias"), ({**ONE, "input": [1, 1, 4.5]}, "spec:1:.*input"),
                            ({**ONE, 7: 1}, "spec:1"), ({**ONE, "name": 'a"\n\t\\'}, "spec:1:.*name"),
                            ({**ONE, "input": [1, 1, 1j]}, "not a complex"), ({}, "spec:1"), ({"version": 1}, "spec:1")]:
            with self.subTest(spec=repr(spec)), self.refuses(words):
                convoke.compile(spec)

    def test_one_layer_is_compiled_alone(self):
        program = f"import convoke\nconvoke.compile({TWO!r}, layer='b', cache='off')"
        done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "CONVOKE_VERBOSE": "1"},
                              capture_output=True, text=True, check=True)
        compiles = [line for line in done.stderr.splitlines() if line.startswith("convoke,compile,")]
        self.assertEqual(len(compiles), 1, done.stderr)
        self.assertIn(",b,", compiles[0])

    def test_a_layer_that_is_not_there_is_refused_with_the_names_of_those_that_are(self):
        with self.refuses("2 layers; name one: a, b"):
            convoke.compile(TWO)
        for layer, words in [("c", "no layer is named c; the spec has a, b"), (0, "expected a name, got 0.*a, b"),
                             (pathlib.Path("a"), "expected a name"), ("", "no layer is named ;")]:
            with self.refuses(words):
                convoke.compile(TWO, layer=layer)


class Options(Case):
    def test_options_that_cannot_be_are_refused_with_words(self):
        for options, words in [
                ({"effort": "fast"}, "effort: expected estimate or measure, got 'fast'"), ({"effort": 1}, "effort"),
                ({"effort": []}, "effort"), ({"effort": numpy.zeros(2)}, "effort"), ({"effort": None}, "effort"),
                ({"cache": "on"}, "cache: expected disk or memory or off, got 'on'"), ({"cache": True}, "cache"),
                ({"threads": -1}, "threads: expected a number from 0 to 1024, got -1"), ({"threads": 1.5}, "threads"),
                ({"threads": "2"}, "threads"), ({"threads": None}, "threads"), ({"threads": True}, "threads"),
                ({"threads": 10 ** 30}, "threads"), ({"threads": numpy.arange(2)}, "threads"),
                ({"run_threads": 1025}, "run_threads: expected a number from 0 to 1024, got 1025"),
                ({"run_threads": 1.5}, "run_threads"), ({"target": "z80"}, "z80"), ({"target": 3}, "target"), ({"target": "host\0"}, "target"),
                ({"target": pathlib.Path("host")}, "target"), ({"target": ""}, "target"), ({"target": "hôst"}, "target"),
                ({"cache_directory": ""}, "cache_directory"), ({"cache_directory": 3}, "cache_directory: expected a path"),
                ({"cache_directory": "a\0b"}, "cache_directory")]:
            for call in (convoke.compile, convoke.compile_network):
                with self.subTest(options=options), self.refuses(words):
                    call(ONE, **options)

    def test_options_whose_meaning_is_clear_are_taken(self):
        for options in [{"threads": numpy.int8(1)}, {"effort": numpy.str_("estimate")}, {"target": "host"},
                        {"cache": "memory"}, {"threads": 1024}]:
            self.assertEqual(convoke.compile(ONE, **options).name, "one")

    def test_plans_are_chosen_for_the_threads_that_will_run_them(self):
        layer = {"name": "a", "input": [1, 128, 28, 28], "out_channels": 128, "kernel_size": 3, "padding": 1}
        one, many = (convoke.compile(layer, run_threads=n) for n in (1, 64))
        self.assertNotEqual(one.plan, many.plan)
        self.assertEqual(convoke.compile(layer, run_threads=numpy.uint8(64)).plan, many.plan)
        self.assertEqual(convoke.compile_network(layer, run_threads=64)["a"].plan, many.plan)

    def test_plans_of_a_database_are_used(self):
        layer = {"name": "a", "input": [1, 16, 12, 12], "out_channels": 32, "kernel_size": 3}
        with tempfile.TemporaryDirectory() as folder:
            spec = pathlib.Path(folder, "spec.yaml")
            spec.write_text("{version: 1, layers: [{name: a, input: [1, 16, 12, 12], out_channels: 32, kernel_size: 3}]}")
            plan = subprocess.run([os.environ["CVK_MAKE_MATCH"], spec, folder], check=True, capture_output=True,
                                  text=True).stdout.strip()
            self.assertNotEqual(convoke.compile(layer).plan, plan)
            self.assertEqual(convoke.compile(layer, tuned=folder).plan, plan)
            self.assertEqual(convoke.compile(layer, tuned=pathlib.Path(folder)).plan, plan)
            self.assertEqual(convoke.compile_network(layer, tuned=os.path.relpath(folder))["a"].plan, plan)
            with self.refuses("nowhere"):
                convoke.compile(layer, tuned="/nowhere")
            with self.refuses("tuned: expected a path"):
                convoke.compile(layer, tuned=3)

    def test_the_folder_of_the_cache_is_any_kind_of_path(self):
        with tempfile.TemporaryDirectory() as folder:
            environment = {k: v for k, v in os.environ.items() if k != "CONVOKE_CACHE"}
            for number, name in enumerate(["pathlib.Path('there')", "'here'", "b'bytes'"]):
                program = f"import convoke, pathlib\nconvoke.compile({ONE!r}, cache_directory={name})"
                subprocess.run([sys.executable, "-c", program], check=True, cwd=folder, env=environment)
                self.assertEqual(len(os.listdir(folder)), number + 1, os.listdir(folder))

    def test_a_library_of_another_version_is_refused_with_words(self):
        kernel = convoke.compile(ONE)
        version = convoke._kernel.ABI_VERSION
        try:
            convoke._kernel.ABI_VERSION = version + 1
            with self.refuses(f"makes kernels of version {version}, this package {version + 1}"):
                convoke.compile(ONE)
        finally:
            convoke._kernel.ABI_VERSION = version
        self.assertEqual(kernel.name, "one")

    def test_a_library_that_is_not_there_is_named(self):
        done = subprocess.run([sys.executable, "-c", "import convoke"], capture_output=True, text=True,
                              env={**os.environ, "CONVOKE_LIBRARY": "/nowhere/libconvoke.so"})
        self.assertRegex(done.stderr, "ImportError: convoke cannot use its library: /nowhere/libconvoke.so.*CONVOKE_LIBRARY")


class Errors(Case):
    def test_mistakes_are_raised_with_the_text_of_the_diagnostics(self):
        with self.refuses(r"spec:1:.*: error\[E\d{4}\]: (.|\n)*did you mean") as raised:
            convoke.compile({**ONE, "strid": 1})
        self.assertEqual(raised.exception.status, 2)

    def test_errors_are_pickled_with_all_they_hold(self):
        with self.refuses("did you mean") as raised:
            convoke.compile({**ONE, "strid": 1})
        error = raised.exception
        error.add_note("while testing")
        for again in [copy.copy(error)] + [pickle.loads(pickle.dumps(error, p))
                                           for p in range(pickle.HIGHEST_PROTOCOL + 1)]:
            self.assertIs(type(again), convoke.Error)
            self.assertEqual((again.status, str(again), again.__notes__, again.args),
                             (2, str(error), ["while testing"], error.args))

    def test_a_pool_of_processes_hands_errors_back(self):
        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(1) as pool:
                with self.refuses("did you mean") as raised:
                    pool.apply_async(raise_in_a_worker, (1,)).get(timeout=60)
                self.assertEqual(raised.exception.status, 2)


class Pickles(Case):
    def test_packed_weights_are_pickled_and_run_in_another_process(self):
        wide = {"name": "wide", "input": [1, 20, 9, 9], "out_channels": 20, "kernel_size": 3}
        kernel = convoke.compile(wide)
        w = numpy.random.default_rng(1).standard_normal(kernel.weights_shape, numpy.float32)
        x = numpy.random.default_rng(2).standard_normal(kernel.input_shape, numpy.float32)
        expected, packed = kernel(x, w), kernel.pack(w)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(packed, protocol))
            numpy.testing.assert_array_equal(kernel(x, again), expected)
            numpy.testing.assert_array_equal(kernel(x, copy.deepcopy(again)), expected)
        program = ("import convoke, pickle, sys\nx, packed = pickle.load(sys.stdin.buffer)\n"
                   f"pickle.dump(convoke.compile({wide!r})(x, packed), sys.stdout.buffer)")
        done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps((x, packed)), capture_output=True,
                              check=True)
        numpy.testing.assert_array_equal(pickle.loads(done.stdout), expected)

    def test_a_kernel_is_not_pickled_and_says_why(self):
        with self.assertRaisesRegex(TypeError, "machine code of this process; compile it in the other one"):
            pickle.dumps(convoke.compile(ONE))


class Lives(Case):
    def test_kernels_come_and_go(self):
        for i in range(50):
            kernel = convoke.compile({"name": "gone", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 1},
                                     cache="off" if i % 25 == 0 else "memory")
            numpy.testing.assert_array_equal(kernel([[[1, 2, 3, 4]]], [[[2]]]), [[[2, 4, 6, 8]]])
            del kernel
            gc.collect()


if __name__ == "__main__":
    unittest.main()
