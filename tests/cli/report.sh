#!/usr/bin/env bash
# report: one page that needs nothing else, whole in a browser.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

# A database of two layers, one record of which says what would end the page's data.
database() {
    printf 'version: 1\nlayers:\n  - {name: one, input: [1, 16, 12, 12], out_channels: 32, kernel_size: 3}\n  - {name: two, input: [1, 8, 9, 9], out_channels: 8, kernel_size: 1}\n' >spec.yaml
    "$command" tune spec.yaml --budget 5 --db db >/dev/null || fail "tune"
    python3 - <<'END'
import glob, json
path = glob.glob("db/*.jsonl")[0]
lines = [json.loads(l) for l in open(path)]
bad = dict(lines[0], outcome="runtime", why="</script><b id=injected>&amp;<!-- <script>", trial=99)
open("db/z.jsonl", "w").write(json.dumps(bad) + "\n")
END
}

case_the_page_holds_all_of_the_database() {
    database
    convoke report db -o page.html
    status 0; silent
    python3 - <<'END' || fail "page.html"
import json, re
page = open("page.html", encoding="utf-8").read()
data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))
assert [l["name"] for l in data["layers"]] == ["one", "two"], [l["name"] for l in data["layers"]]
assert [len(l["trials"]) for l in data["layers"]] == [6, 5]
assert data["layers"][0]["trials"][-1]["why"].startswith("</script>")
assert all("task" in l["nest"] and l["plan"].startswith("{algorithm") and l["verdict"] for l in data["layers"])
assert all(l["trials"][0]["relative"] == 1 and abs(l["trials"][0]["predicted"] - 1) < 1e-6 for l in data["layers"])
assert not re.search(r'https?:|//[a-z]|\bsrc=|\bhref=|@import|url\(', re.sub(r'id="data">.*?</script>', "", page, flags=re.S))
assert "default-src 'none'" in page
END
    convoke report db --layer '^two$' -o two.html
    status 0; grep -q '"name":"two"' two.html && ! grep -q '"name":"one"' two.html || fail "--layer"
}

# As the tuner writes it now, and as it did while one process measured all turns.
case_the_verdict_says_what_a_match_knows() {
    database
    python3 - <<'END'
import glob, json
lines = [json.loads(l) for p in glob.glob("db/*.jsonl") for l in open(p)]
for name, more in (("one", {"rounds": 12, "wins": 11}), ("two", {"wins": 73})):
    last = [l for l in lines if l["name"] == name and l["kind"] == "match"][-1]
    for gone in ("rounds", "crowned"): last.pop(gone, None)
    last.update(more, turns=96, ratio=0.9, low=0.85, high=0.95, chance=0.003, time=last["time"] + 1000)
    open("db/y.jsonl", "a").write(json.dumps(last) + "\n")
END
    convoke report db -o page.html
    status 0
    grep -q '"verdict":"In a match of 96 turns the best challenger took 0.900 of the time of the model.s pick (in 12 processes; 95 further ones in 100 find from 0.850 to 0.950) and won 11 rounds: by chance alone that happens with probability 0.003' page.html || fail "rounds"
    grep -q '"verdict":"In a match of 96 turns the best challenger took 0.900 of the time of the model.s pick (quartiles 0.850 and 0.950) and won 73 turns: ' page.html || fail "turns"
}

case_the_hot_loop_has_multiply_adds() {
    [[ $(uname -m) == x86_64 ]] || skip "names of instructions are x86-64's"
    database
    convoke report db -o page.html
    python3 - <<'END' || fail "no multiply-adds"
import json, re
data = json.loads(re.search(r'id="data">(.*?)</script>', open("page.html").read(), re.S).group(1))
assert any("fmadd" in l["assembly"] or "unrolled" in l["assembly"] for l in data["layers"]), data["layers"][0]["assembly"]
END
}

case_a_browser_fills_the_page_without_an_error() {
    local browser
    browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "there is no chromium"
    database
    "$command" report db -o page.html || fail "report"
    # what a reader does: the second layer, then sorted by name, downwards
    sed 's|</html>|<script>document.querySelectorAll("#layers tbody tr")[1].click(); for (let i = 0; i < 2; i++) document.querySelector("th button").click();</script></html>|' page.html >clicked.html
    for page in page clicked; do
        timeout 120 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/profile" --virtual-time-budget=5000 \
            --enable-logging=stderr --dump-dom "file://$PWD/$page.html" >$page.dom 2>$page.log || { lacks "chromium does not run here"; return; }
        ! grep -q CONSOLE $page.log || fail "$page: $(grep CONSOLE $page.log)"
        grep -q 'data-ready="2"' $page.dom || fail "$page: the script did not come to its end"
    done
    python3 - <<'END' || fail "the page in the browser"
import re
def part(name, tag, page): return re.search(rf'<{tag} id="{name}".*?</{tag}>', page, re.S).group(0)
first, clicked = open("page.dom").read(), open("clicked.dom").read()
assert part("layers", "table", first).count("<tr") == 3 and part("failures", "table", first).count("<tr") == 2
assert "injected" in part("failures", "table", first) and "<b id" not in first.split('id="data"')[0]
assert part("predicted", "svg", first).count("<circle") >= 2 and 'class="best"' in part("convergence", "svg", first)
assert all(re.search(rf'<pre id="{name}">[^<]+', first) for name in ("plan", "nest", "assembly"))
names = re.findall(r"<td>(one|two)</td>", part("layers", "table", clicked))
assert names == ["two", "one"], names
assert 'aria-sort="descending"' in part("layers", "table", clicked)
END
}

case_what_is_wrong_is_said() {
    convoke report db; status 2; says "-o FILE says where"
    convoke report nowhere -o x.html; status 6
    mkdir empty; convoke report empty -o x.html; status 0; grep -q '"layers":\[\]' x.html || fail "no layers"
}

run_cases "${3:-.}"
