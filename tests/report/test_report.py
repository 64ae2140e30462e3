"""bench/report.py on figures that nobody measured, and on the README there is.

    test_report.py ROOT"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

root = pathlib.Path(sys.argv.pop())
BEGIN, END = "<!-- bench: made by ./dev bench -->", "<!-- bench: end -->"


def row(file, layer, best, strict, roof):
    return {"file": f"specs/{file}.yaml", "layer": layer, "over_best": best, "strict_over_direct": strict, "strict_of_roof": roof}


def suite(*rows, peers=("oneDNN 2.6.3", "OpenCV 4.6.0", "XNNPACK")):
    return {"conditions": {"threads": 1, "target": "x86-64-v4", "peers": list(peers)}, "rows": list(rows)}


class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def report(self, text=f"before\n{BEGIN}\n{END}\nafter\n", **suites):
        readme, arguments = pathlib.Path(self.folder.name, "README.md"), []
        readme.write_text(text)
        for name, document in suites.items():
            path = pathlib.Path(self.folder.name, f"{name}.json")
            path.write_text(json.dumps(document))
            arguments.append(f"{name}={path}")
        done = subprocess.run([sys.executable, root / "bench/report.py", readme, "A CPU", *arguments], capture_output=True,
                              text=True, check=False)
        self.status, self.errors = done.returncode, done.stderr
        return readme.read_text()

    def test_a_file_is_a_row_of_geometric_means_and_worst_layers(self):
        text = self.report(networks=suite(row("a", "one", 2.0, 1.0, 0.9), row("a", "two", 0.5, 4.0, 0.4), row("b", "three", 3.0, 3.0, 0.5)))
        self.assertIn("| `a` | 2 | 1.00 (0.50, `two`) | 2.00 (1.00, `one`) | 60 % |", text)
        self.assertIn("| `b` | 1 | 3.00 (3.00, `three`) | 3.00 (3.00, `three`) | 50 % |", text)
        self.assertIn("| **all**, but those in N C H W | 3 | 1.44 (0.50, `two`) |", text)

    def test_layers_that_no_rival_has_are_counted_apart(self):
        text = self.report(networks=suite(row("a", "one", 2.0, 2.0, 0.9), row("a", "two", None, None, 0.9)))
        self.assertIn("| `a` | 1 of 2 | 2.00 (2.00, `one`) | 2.00 (2.00, `one`) | 90 % |", text)
        self.assertIn("| `b` | 0 of 1 | - | - | 90 % |", self.report(networks=suite(row("b", "one", None, None, 0.9))))

    def test_plain_activations_are_a_row_and_not_in_the_sum(self):
        text = self.report(networks=suite(row("a", "one", 2.0, 2.0, 0.9)), plain=suite(row("a", "one", 8.0, 8.0, 0.9), row("b", "two", 8.0, 8.0, 0.9)))
        self.assertIn("| `a`, `b`, N C H W in and out | 2 | 8.00 (8.00, `one`)", text)
        self.assertIn("| **all**, but those in N C H W | 1 | 2.00", text)

    def test_it_says_which_cpu_and_which_rivals(self):
        one = row("a", "one", 2.0, 2.0, 0.9)
        self.assertIn("A CPU (x86-64-v4), one thread, caches warm: how many times as fast as oneDNN 2.6.3, OpenCV 4.6.0 or "
                      "XNNPACK, whichever is the fastest of the layer, as", " ".join(self.report(networks=suite(one)).split()))
        self.assertIn("as fast as oneDNN 2.6.3, as", self.report(networks=suite(one, peers=["oneDNN 2.6.3"])))

    def test_what_is_around_stays_and_what_was_there_goes(self):
        first = self.report(networks=suite(row("a", "one", 2.0, 2.0, 0.9)))
        second = self.report(first, networks=suite(row("c", "one", 2.0, 2.0, 0.9)))
        self.assertTrue(second.startswith(f"before\n{BEGIN}\n") and second.endswith(f"\n{END}\nafter\n"))
        self.assertNotIn("`a`", second)
        self.assertEqual(second, self.report(second, networks=suite(row("c", "one", 2.0, 2.0, 0.9))))

    def test_without_its_markers_nothing_is_written(self):
        for text in ("nothing", f"{END}\n{BEGIN}\n"):
            self.assertEqual(self.report(text, networks=suite(row("a", "one", 2.0, 2.0, 0.9))), text)
            self.assertEqual(self.status, 1)
            self.assertIn("there is no `<!-- bench", self.errors)

    def test_the_readme_has_its_markers_and_its_picture(self):
        text = (root / "README.md").read_text()
        self.assertTrue(0 < text.find(BEGIN) < text.find(END) < text.find("](docs/roofline.svg)"))
        self.assertTrue((root / "docs/roofline.svg").is_file())


unittest.main()
