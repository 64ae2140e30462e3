"""Puts what a run measured into the README: a table of ratios between two markers.

    report.py README CPU NAME=JSON...

Each JSON is what `convoke bench --json` wrote of the suite NAME; CPU is what the machine calls itself."""
import json
import math
import pathlib
import sys
import textwrap

BEGIN, END = "<!-- bench: made by ./dev bench -->", "<!-- bench: end -->"
WIDTH = 124
# Suites whose files are a row together, and what it says after their names; of others, each file is a row.
TOGETHER = {"others": "", "plain": ", N C H W in and out"}
APART = {"plain"}  # not in the last row


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def ratio(rows, column):
    """The geometric mean over the layers that have the figure, and the worst of them: "1.23 (0.98, `res3_3x3`)"."""
    known = [row for row in rows if row[column] is not None]
    if not known:
        return "-"
    worst = min(known, key=lambda row: row[column])
    return f"{mean([row[column] for row in known]):.2f} ({worst[column]:.2f}, `{worst['layer']}`)"


def share(rows, column):
    return f"{100 * mean([row[column] for row in rows]):.0f} %"


def line(title, rows):
    compared = sum(row["over_best"] is not None for row in rows)
    count = str(len(rows)) if compared == len(rows) else f"{compared} of {len(rows)}"
    return (f"| {title} | {count} | {ratio(rows, 'over_best')} | {ratio(rows, 'strict_over_direct')} | "
            f"{share(rows, 'strict_of_roof')} |")


def files(rows):
    """Names of files, each with its rows."""
    names = dict.fromkeys(pathlib.PurePath(row["file"]).stem for row in rows)
    return {f"`{name}`": [row for row in rows if pathlib.PurePath(row["file"]).stem == name] for name in names}


def groups(suites):
    """Title and rows of each line, in the order of the suites and of their files."""
    for name, document in suites.items():
        of_files = files(document["rows"])
        if name in TOGETHER:
            yield ", ".join(of_files) + TOGETHER[name], document["rows"]
        else:
            yield from of_files.items()
    yield "**all**, but those in N C H W", [row for name, document in suites.items() if name not in APART
                                             for row in document["rows"]]


def rivals_in_words(peers):
    if len(peers) < 2:
        return peers[0] if peers else "nobody"
    return f"{', '.join(peers[:-1])} or {peers[-1]}, whichever is the fastest of the layer"


def table(cpu, suites):
    conditions = next(iter(suites.values()))["conditions"]
    threads = "one thread" if conditions["threads"] == 1 else f"{conditions['threads']} threads"
    words = (f"{cpu} ({conditions['target']}), {threads}, caches warm: how many times as fast as "
             f"{rivals_in_words(conditions['peers'])}, as geometric means, with the worst layer in brackets; and the share of "
             "what the FMA units and the memory let direct sums attain. `./dev bench` repeats it, and "
             "[docs/bench.md](docs/bench.md) says how to read it.")
    return "\n".join([
        *textwrap.wrap(words, WIDTH, break_long_words=False, break_on_hyphens=False), "",
        "| layers | compared | default accuracy | `strict`, both sides sum directly | of the roof, `strict` |",
        "|---|---|---|---|---|",
        *(line(title, rows) for title, rows in groups(suites) if rows)])


def replace(text, made):
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise SystemExit(f"report.py: there is no `{BEGIN}` with `{END}` after it to put the table between")
    return f"{text[:begin]}{BEGIN}\n{made}\n{text[end:]}"


def main(readme, cpu, *suites):
    readme = pathlib.Path(readme)
    documents = {name: json.loads(pathlib.Path(path).read_text()) for name, path in (s.split("=", 1) for s in suites)}
    readme.write_text(replace(readme.read_text(), table(cpu, documents)))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
