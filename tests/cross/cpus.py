"""Has every CPU of target/cpus.def the features of its target, and not those of a better one? clang says. `cpus.py ROOT`"""
import re
import shutil
import subprocess
import sys

root = sys.argv[1]
clang = shutil.which("clang-19")
if not clang:
    print("skipped: clang-19 is not installed")
    sys.exit(77)

LEVELS = {  # best first, each with what clang is asked for
    "x86-64-v4-fp16": ["-march=x86-64-v4", "-mavx512vnni", "-mavx512bf16", "-mavx512fp16"],
    "x86-64-v4-bf16": ["-march=x86-64-v4", "-mavx512vnni", "-mavx512bf16"],
    "x86-64-v4-vnni": ["-march=x86-64-v4", "-mavx512vnni"],
    "x86-64-v4": ["-march=x86-64-v4"],
    "x86-64-v3-vnni": ["-march=x86-64-v3", "-mavxvnni"],
    "x86-64-v3": ["-march=x86-64-v3"],
    "x86-64-v2": ["-march=x86-64-v2"],
    "x86-64": ["-march=x86-64"],
}
LONG_SVE = {"a64fx", "neoverse-v1", "neoverse-512tvb"}  # 256 bits or more; clang does not tell


def macros(architecture, *options):
    command = [clang, f"--target={architecture}-linux-gnu", *options, "-dM", "-E", "-x", "c", "/dev/null"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line.split()[1]: line.split(maxsplit=2)[2:] for line in output.splitlines()}


def x86_level(cpu):
    has = macros("x86_64", f"-march={cpu}").keys()
    return next(level for level in LEVELS if LEVEL_FEATURES[level] <= has)


def aarch64_target(cpu):
    has = macros("aarch64", f"-mcpu={cpu}")
    if "__ARM_FEATURE_SVE" in has and cpu in LONG_SVE:
        return "aarch64-sve256"
    if {"__ARM_FEATURE_DOTPROD", "__ARM_FEATURE_FP16_FML"} <= has.keys():
        return "aarch64-neon-fp16fml"
    return "aarch64-neon-dotprod" if "__ARM_FEATURE_DOTPROD" in has else "aarch64-neon"


def riscv64_target(cpu):
    has = macros("riscv64", f"-mcpu={cpu}")
    longest = int(has.get("__riscv_v_min_vlen", ["0"])[0])
    if not {"__riscv_mul", "__riscv_atomic", "__riscv_d", "__riscv_compressed"} <= has.keys():
        return "none"
    return "riscv64-v" if longest >= 256 else "riscv64-v128" if longest >= 128 else "riscv64"


def armv7_target(cpu):
    has = macros("armv7", f"-mcpu={cpu}", "-mfloat-abi=hard")
    if has.get("__ARM_ARCH_PROFILE", ["'A'"]) != ["'A'"] or not int(has["__ARM_FP"][0], 16) & 4:
        return "none"
    return "armv7-vfp4" if "__ARM_FEATURE_FMA" in has else "armv7-vfp3"


def thumbv7em_target(cpu):
    has = macros("thumbv7em", f"-mcpu={cpu}", "-mfloat-abi=hard")
    wanted = {"__ARM_FEATURE_DSP", "__ARM_FEATURE_FMA"} <= has.keys() and has["__ARM_ARCH_PROFILE"] == ["'M'"]
    return "thumbv7em" if wanted and int(has["__ARM_FP"][0], 16) & 4 else "none"


FEATURES = {
    f"__{name.upper().replace('.', '_')}__"
    for name in re.findall(r'CVK_CPU(?:_FAR)?\(\w+, \d+, "(.+)"\)', open(f"{root}/runtime/include/convoke/cpu.def").read())
}
LEVEL_FEATURES = {level: macros("x86_64", *options).keys() & FEATURES for level, options in LEVELS.items()}
JUDGES = {"x86": x86_level, "aarch64": aarch64_target, "riscv64": riscv64_target, "armv7": armv7_target,
          "thumbv7em": thumbv7em_target}

rows = re.findall(r'CPU\("(.+)", "(.+)"\)', open(f"{root}/src/target/cpus.def").read())
wrong = 0
for cpu, target in rows:
    expected = JUDGES[target.split("-")[0]](cpu)
    if target != expected:
        print(f"{cpu} is for {expected}, not {target}")
        wrong += 1
print(f"{len(rows)} CPUs, {wrong} wrong; {len(LEVEL_FEATURES['x86-64-v4'])} features of x86-64-v4")
sys.exit(wrong > 0 or len(rows) < 100)
