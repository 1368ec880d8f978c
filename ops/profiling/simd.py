# SPDX-License-Identifier: Apache-2.0
"""Proof by disassembly that each set of kernels has its own instructions and none of a higher one.

Two bytes tell instructions apart that no name does: in 64-bit code an instruction that begins with 62 is
EVEX (AVX-512), one that begins with c4 or c5 is VEX (AVX, AVX2, BMI). Objects outside of the sets run on
any x86-64 and may have neither."""
import collections
import os
import re

from profiling.base import ROOT, Failure, capture, find_tool, last_lines, table

SUMMARY = "proves by disassembly which instructions each kernel has (objdump)"
MORE = """\
examples:
  ops/profile simd
  ops/profile simd --check            (exit 1 where a set has what it may not have, or lacks its own)
  ops/profile simd --functions        (every function that has any)

A build without any: meson setup build/scalar -Dsimd=disabled && ninja -C build/scalar && meson test -C build/scalar
"""
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
INSTRUCTION = re.compile(r"^ +[0-9a-f]+:\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$")
MASK = re.compile(r"%k[0-7]\b")
EVEX, VEX = "62", ("c4", "c5")
KINDS = ("instructions", "ymm", "zmm", "mask", "evex", "vex")
# What a library must have in it, and must not.
SETS = {
    "avx512": ({"zmm", "mask", "evex"}, set()),
    "avx2": ({"ymm", "vex"}, {"zmm", "mask", "evex"}),
}
PORTABLE = (set(), {"ymm", "zmm", "mask", "evex", "vex"})
LIBRARIES = ("kernels/libbtk_kernels.a", "common/libbtk_common.a", "tokenizer/libbtk_tokenizer.a",
             "tokenizer/libbtk_image.a", "ipc/libbtk_ipc_local.a",
             "ipc/libbtk_ipc_socket.a", "worker/libbtk_worker.a", "coordinator/libbtk_coordinator.a")


def add_arguments(parser):
    parser.add_argument("--check", action="store_true", help="exit 1 if anything is not as it must be")
    parser.add_argument("--functions", action="store_true", help="all functions, not the kernels alone")
    parser.add_argument("--build", default=str(ROOT / "build"), metavar="DIR", help="build folder (default build)")


def count_line(counts, codes, text):
    # Prefixes of another segment or address size may stand before a VEX or EVEX instruction.
    first = next((code for code in codes.split() if code not in ("64", "65", "67")), "")
    counts["instructions"] += 1
    counts["ymm"] += "%ymm" in text
    counts["zmm"] += "%zmm" in text
    counts["mask"] += MASK.search(text) is not None
    counts["evex"] += first == EVEX
    counts["vex"] += first in VEX


def disassemble(library):
    """{function: counts}. Functions are those of the symbol table, without the compiler's own parts."""
    status, text, message = capture([find_tool("objdump"), "-d", "-w", library])
    if status:
        raise Failure(f"objdump {library}: {last_lines(message)}", 3)
    functions, current = {}, None
    for line in text.splitlines():
        match = FUNCTION.match(line)
        if match:
            current = functions.setdefault(re.sub(r"\.(part|constprop|isra|cold)\b.*", "", match[1]),
                                           collections.Counter())
            continue
        match = INSTRUCTION.match(line)
        if match and current is not None:
            count_line(current, match[1], match[2])
    if not functions:
        raise Failure(f"{library}: nothing to disassemble", 3)
    return functions


def total(functions):
    counts = collections.Counter()
    for part in functions.values():
        counts.update(part)
    return counts


def faults_of(name, counts, rule):
    must, must_not = rule
    lacking = [f"{name} has no {kind}" for kind in sorted(must) if not counts[kind]]
    return lacking + [f"{name} has {counts[kind]} with {kind}, and may have none" for kind in sorted(must_not)
                      if counts[kind]]


def kernel_names():
    """From the list that everything of the kernels follows from."""
    text = (ROOT / "kernels" / "kernel_list.h").read_text(encoding="utf-8")
    return re.findall(r"KERNEL\(\w+, (\w+),", text[text.index("#define BTK_KERNEL_LIST"):])


def kernel_faults(name, functions, rule):
    """A set without a body of its own for a kernel, or with one that has nothing of its instructions."""
    for kernel in kernel_names():
        counts = functions.get(kernel)
        if counts is None:
            yield f"{name} has no kernel {kernel} of its own"
        elif not any(counts[kind] for kind in rule[0]):
            yield f"{name}: the kernel {kernel} has none of {' '.join(sorted(rule[0]))}"


def look_at(build):
    """[(name, functions, rule)] of every library that there is."""
    found = []
    for name, rule in SETS.items():
        path = os.path.join(build, "kernels", f"libbtk_kernels_{name}.a")
        if os.path.exists(path):
            found.append((name, disassemble(path), rule))
    for library in LIBRARIES:
        path = os.path.join(build, library)
        if not os.path.exists(path):
            raise Failure(f"{path} is missing: build first, with ./run build", 3)
        found.append((os.path.basename(library), disassemble(path), PORTABLE))
    return found


def run(arguments):
    found = look_at(arguments.build)
    rows, faults, kernels = [], [], kernel_names()
    for name, functions, rule in found:
        counts = total(functions)
        rows.append((name, "(all)", *(counts[kind] for kind in KINDS)))
        faults += faults_of(name, counts, rule)
        for function in sorted(functions):
            is_kernel = rule is not PORTABLE and function in kernels
            if is_kernel or arguments.functions and any(functions[function][kind] for kind in KINDS[1:]):
                rows.append((name, function, *(functions[function][kind] for kind in KINDS)))
        if rule is not PORTABLE:
            faults += kernel_faults(name, functions, rule)
    print(table(("library", "function", *("> " + kind for kind in KINDS)), rows))
    if not any(rule is not PORTABLE for _, _, rule in found):
        print("this build has no SIMD kernels (-Dsimd=disabled, or another processor's)")
    for fault in faults:
        print("not as it must be: " + fault)
    if not faults:
        print("ok: every set has its own instructions, and none of a higher one")
    return 1 if faults and arguments.check else 0
