"""Does the schema that the command prints take every spec there is and refuse what is malformed?

    schema.py CONVOKE ROOT"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: there is no Python module {missing.name} (python3-jsonschema, python3-yaml)")
    sys.exit(77)

command, root = sys.argv[1], pathlib.Path(sys.argv[2])
# Kinds of bad input that can be told without looking at two values at once, and that another YAML reader sees too.
STRUCTURAL = """accuracy algorithm dtype layers layout limit_count missing_key out_channels padding_mode schedule top
    unknown_key""".split()
SINGLE = """axes-empty axes-nested input-a_mapping input-a_string input-empty input-nested input-scalar input-six_values input-zero_channels input-zero_size input-negative_batch input-word_batch input-times axes-zero boolean-quoted boolean-one float-word groups-zero integer-quoted
    integer-fraction integer-zero limit_number-kernel limit_number-one_side_of_a_pair name-dash name-digit_first
    padding-negative padding-triple padding-word_in_a_list post_ops-leaky_without_slope post_ops-clamp_of_one
    post_ops-relu_with_a_parameter post_ops-scale_alone post_ops-two_in_a_mapping version-two version-missing
    unsupported-and_a_mistake weights-no_values weights-too_deep weights-unknown_key defaults-name defaults-input""".split()

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

def compiler_takes(document):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(document, file)
        file.flush()
        return subprocess.run([command, "explain", file.name], capture_output=True).returncode == 0


def agree(keys, valid):
    """Whether the schema and the compiler both take, or both refuse, a layer with these keys."""
    described = {**layer, "kernel_size": 3, **keys}
    document = {"version": 1, "layers": [{k: v for k, v in described.items() if v is not None}]}
    for who, takes in ("the schema", validator.is_valid(document)), ("the compiler", compiler_takes(document)):
        if takes != valid:
            failures.append(f"{who} {'takes' if takes else 'refuses'} {keys}")


# Types, zero points, and algorithms by their names.
for dtype in "f32 f64 f16 bf16 float".split():
    agree({"dtype": dtype}, dtype != "float")
agree({"dtype": {"input": "u8", "weights": "s8", "output": "s32"}, "quantization": {"input_zero_point": 128}}, True)
agree({"quantization": {"input_zero_point": 256}}, False)
agree({"quantization": 3}, False)
agree({"dtype": {"input": "f32", "weights": "f16", "output": "bf16"}}, True)
agree({"dtype": {"input": "f32", "weights": "f32", "output": "f32", "accumulate": "f32"}}, False)
agree({"dtype": {"input": "f32", "output": "f32"}}, False)
agree({"transposed": False}, True)
agree({"transposed": True}, True)
agree({"transposed": True, "stride": 2, "output_padding": 1}, True)
agree({"transposed": True, "output_padding": -1}, False)
agree({"weights": {"values": [1, 2, 3]}}, True)
agree({"weights": {"values": [[[1, 2, 3]]], "scale": 0.5}}, True)
agree({"weights": {"values": 3}}, False)
agree({"weights": {"values": ["one", 2, 3]}}, False)
pool = {"out_channels": None, "input": [1, 3, 9, 9]}
agree({**pool, "kind": "max_pool"}, True)
agree({**pool, "kind": "max_pool", "ceil_mode": True, "indices": True, "kernel_size": [2, 3]}, True)
agree({**pool, "kind": "average_pool", "kernel_size": "global", "count_include_pad": False}, True)
agree({**pool, "kind": "average_pool", "kernel_size": "all"}, False)
agree({**pool, "kind": "min_pool"}, False)
agree({**pool, "kind": "convolution"}, False)
agree({**pool, "kind": "max_pool", "ceil_mode": "yes"}, False)
for algorithm in "auto direct".split():
    agree({"algorithm": algorithm}, True)
for algorithm in "magic Direct".split():
    agree({"algorithm": algorithm}, False)
agree({"name": "a" * 256}, True)
agree({"name": "a" * 257}, False)

# A plan as `explain` prints it is a schedule; one without any of its keys is none, but for switches that came later.
LATER = {"prefetch", "stream", "kh", "border", "transposed", "dot"}
explained = subprocess.check_output([command, "explain", root / "examples/layers.yaml", "--format", "json"])
plans = [row["plan"] for row in json.loads(explained)["rows"] if row.get("plan")]
for plan in plans:
    document = {"version": 1, "layers": [{**layer, "kernel_size": 3, "schedule": yaml.safe_load(plan)}]}
    failures += [f"{plan}: {error.message[:200]}" for error in validator.iter_errors(document)]
agree({"transposed": True, "schedule": []}, False)
own = subprocess.check_output([command, "explain", root / "specs/tutorial.yaml", "--layer", "same_1d", "--format", "json"])
layer = {"out_channels": 1} | next(l for l in yaml.safe_load((root / "specs/tutorial.yaml").read_bytes())["layers"] if l["name"] == "same_1d")
plan = yaml.safe_load(next(row["plan"] for row in json.loads(own)["rows"]))
agree({**layer, "schedule": plan}, True)
agree({**layer, "schedule": [plan]}, True)
for key, value in plan.items():
    agree({**layer, "schedule": {k: v for k, v in plan.items() if k != key}}, key in LATER)
    for inner in value if isinstance(value, dict) else []:
        agree({**layer, "schedule": {**plan, key: {k: v for k, v in value.items() if k != inner}}}, inner in LATER)

if taken < 15 or refused < 100 or not plans:
    failures.append(f"only {taken} specs, {refused} bad inputs and {len(plans)} plans were found")
print(*failures, sep="\n")
print(f"{taken} specs taken, {refused} bad inputs refused, {len(failures)} failed")
sys.exit(bool(failures))
