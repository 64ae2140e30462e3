"""Does what the documentation of the Python binding says happen when it is typed in? Examples in docstrings and in
docs/embedding.md and docs/signals.md are run; the version is that of the build."""

import doctest
import inspect
import os
import unittest

import convoke
from convoke import ndimage, signal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOW = doctest.ELLIPSIS


class Docs(unittest.TestCase):
    def test_examples_in_docstrings(self):
        runner = doctest.DocTestRunner(optionflags=HOW)
        for module in convoke, ndimage, signal:
            for example in doctest.DocTestFinder().find(module, module.__name__, module=False, globs={}):
                runner.run(example)
        result = runner.summarize()
        self.assertEqual(result.failed, 0)
        self.assertGreater(result.attempted, 20)

    def test_examples_in_the_pages(self):
        for page, least in ("embedding.md", 5), ("signals.md", 3):
            result = doctest.testfile(os.path.join(ROOT, "docs", page), module_relative=False, optionflags=HOW)
            self.assertEqual(result.failed, 0)
            self.assertGreater(result.attempted, least)

    def test_all_that_is_public_says_what_it_is_and_shows_it(self):
        for name in convoke.__all__:
            words = inspect.getdoc(getattr(convoke, name))
            self.assertTrue(words and (">>>" in words or name == "PackedWeights"), name)
        for module in ndimage, signal:
            for name in module.__all__:
                self.assertIn(">>>", inspect.getdoc(getattr(module, name)), name)
        for method in (convoke.Kernel.__call__, convoke.Kernel.pack):
            self.assertIn(">>>", inspect.getdoc(method))

    def test_the_version_is_that_of_the_build(self):
        self.assertEqual(convoke.__version__, os.environ["CONVOKE_VERSION"])


if __name__ == "__main__":
    unittest.main()
