"""Does the schema that the command prints take every spec there is and refuse what is malformed?

    schema.py CONVOKE ROOT"""
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: there is no Python module {missing.name} (python3-jsonschema, python3-yaml)")
    sys.exit(77)

command, root = sys.argv[1], pathlib.Path(sys.argv[2])
# Kinds of bad input that can be told without looking at two values at once, and that another YAML reader sees too.
STRUCTURAL = """accuracy algorithm dtype input layers layout limit_count missing_key out_channels padding_mode schedule top
    unknown_key""".split()
SINGLE = """axes-empty axes-nested axes-zero boolean-quoted boolean-one float-word groups-zero integer-quoted
    integer-fraction integer-zero limit_number-kernel limit_number-one_side_of_a_pair name-dash name-digit_first
    padding-negative padding-triple padding-word_in_a_list post_ops-leaky_without_slope post_ops-clamp_of_one
    post_ops-relu_with_a_parameter post_ops-scale_alone post_ops-two_in_a_mapping version-two version-missing
    weights-no_values weights-unknown_key defaults-name defaults-input""".split()

validator = jsonschema.Draft7Validator(json.loads(subprocess.check_output([command, "print", "schema"])))
validator.check_schema(validator.schema)
failures, taken, refused = [], 0, 0


def read(path):
    return yaml.safe_load(path.read_bytes())


for path in [*root.glob("specs/*.yaml"), *root.glob("examples/*.yaml")]:
    taken += 1
    for error in validator.iter_errors(read(path)):
        failures.append(f"{path.name} is refused: {error.message[:200]}")

for path in root.glob("tests/reject/cases/*.yaml"):
    if path.stem in SINGLE or path.stem.split("-")[0] in STRUCTURAL:
        refused += 1
        if validator.is_valid(read(path)):
            failures.append(f"{path.name} is taken")

# A required key may stand in `defaults`, and must not stand nowhere.
layer = {"name": "a", "input": [1, 1, 8], "out_channels": 1}
for document, valid in [
        ({"version": 1, "layers": [layer]}, False),
        ({"version": 1, "layers": [layer], "defaults": {"kernel_size": 3}}, True),
        ({"version": 1, "layers": [{**layer, "kernel_size": 3}]}, True),
        ({"version": 1, "layers": [{**layer, "kernel_size": 3}, layer]}, False)]:
    if validator.is_valid(document) != valid:
        failures.append(f"{document} is {'refused' if valid else 'taken'}")

# A plan as `explain` prints it is a schedule.
explained = subprocess.check_output([command, "explain", root / "examples/layers.yaml", "--format", "json"])
plans = [row["plan"] for row in json.loads(explained)["rows"] if row.get("plan")]
for plan in plans:
    document = {"version": 1, "layers": [{**layer, "kernel_size": 3, "schedule": yaml.safe_load(plan)}]}
    failures += [f"{plan}: {error.message[:200]}" for error in validator.iter_errors(document)]

if taken < 15 or refused < 100 or not plans:
    failures.append(f"only {taken} specs, {refused} bad inputs and {len(plans)} plans were found")
print(*failures, sep="\n")
print(f"{taken} specs taken, {refused} bad inputs refused, {len(failures)} failed")
sys.exit(bool(failures))
