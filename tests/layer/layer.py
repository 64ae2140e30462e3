"""The excerpts of docs/layer.md: `layer.py CONVOKE ROOT`. Each comes from a command, for one target, cut where it says `…`;
with CVK_GOLDEN=1 in the environment they are written into the page, else compared with it."""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

convoke, root = sys.argv[1], pathlib.Path(sys.argv[2])
page, spec = root / "docs/layer.md", root / "specs/resnet50.yaml"
NAME, TARGET, CANNOT_RUN_HERE = "res3_3x3", "x86-64-v4", 4
CHOSEN = [spec, "--layer", f"^{NAME}$", "--target", TARGET]


def lines_of(*command, may=(0,)):
    """What a command prints; None where it ends with another status that it may end with."""
    done = subprocess.run([convoke, *command], capture_output=True, text=True, env={**os.environ, "CONVOKE_CACHE": "off"})
    if done.returncode not in may:
        sys.exit(f"convoke {command[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout.splitlines() if done.returncode == 0 else None


def find(lines, pattern, start=0):
    for i in range(start, len(lines)):
        if re.search(pattern, lines[i]):
            return i
    sys.exit(f"no line is like {pattern} any more: docs/layer.md and tests/layer/layer.py have to tell of another")


def only(lines, *patterns):
    return [lines[find(lines, pattern)] for pattern in patterns]


def yaml():
    defaults, layers, layer = only(spec.read_text().splitlines(), "^defaults:", "^layers:", rf"\{{name: {NAME},")
    return [defaults, layers, layer]


def plan(explained):
    chosen, predicted = only(explained, "^plan:", "^  predicted:")
    others, unfit = find(explained, "^runners-up"), find(explained, "^not applicable")
    return [re.sub(r"(block: \{.*?\}, ).*", r"\1…}", chosen), predicted, *explained[others:others + 2], "…", *explained[unfit:unfit + 2]]


def nest(explained):
    """A tile at the left edge: its absent column, its first load, its first point."""
    begin = find(explained, "if -w >= 0")
    load = find(explained, r"d\[1\] = load", begin)
    point = find(explained, r"u\[0\] = ", load)
    indent = re.match(" *", explained[load]).group()
    return [*explained[begin:load + 1], indent + "…", *explained[point:point + 3]]


def proof(explained):
    begin, stored = find(explained, "^proof"), find(explained, "  each output")
    return [*explained[begin:begin + 3], "  …", *explained[stored:stored + 2]]


def code(folder):
    """The first fma, which is the nest's first +=."""
    made = (folder / "resnet50.ll").read_text().splitlines()
    begin = find(made, rf"define internal .*{NAME}\.run")
    fma = made[find(made, r"llvm\.fma", begin)]
    return [re.sub(r"#0 .*", "#0 …", made[begin]), re.sub(r"<(float \S+), (?:\1, )*\1>", r"<\1, …>", fma)]


def symbols(folder):
    said = subprocess.run(["nm", folder / "resnet50.o"], capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(" ".join(line.split()[1:]) for line in said if NAME in line)


def checked():
    said = lines_of("check", *CHOSEN, may=(0, CANNOT_RUN_HERE))
    return said[:2] if said else None


def excerpts():
    explained = lines_of("explain", *CHOSEN)
    with tempfile.TemporaryDirectory() as name:
        lines_of("compile", *CHOSEN, "-o", name, "--emit", "obj,llvm")
        folder = pathlib.Path(name)
        return [yaml(), only(explained, "^layer:"), plan(explained), nest(explained), proof(explained), code(folder), symbols(folder),
                checked()]


told = page.read_text()
blocks = list(re.finditer(r"^```(?:yaml)?\n(.*?)^```$", told, flags=re.S | re.M))
found = excerpts()
if len(blocks) != len(found):
    sys.exit(f"docs/layer.md has {len(blocks)} excerpts, not {len(found)}")
now = told
for block, lines in reversed(list(zip(blocks, found))):
    if lines is None:
        print(f"left out: the last excerpt, for this machine does not run {TARGET}")
        continue
    now = now[:block.start(1)] + "\n".join(line.rstrip() for line in lines) + "\n" + now[block.end(1):]
if os.environ.get("CVK_GOLDEN"):
    page.write_text(now)
elif now != told:
    sys.stdout.writelines(difflib.unified_diff(told.splitlines(True), now.splitlines(True), "docs/layer.md", "as it is printed now"))
    sys.exit("`./dev golden` writes the excerpts anew")
