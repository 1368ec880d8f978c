#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# profile-all.sh [--quick] [-o DIR] [--build DIR]
#
# Everything that is looked at before a release: flame graph, heap, caches, proof of SIMD, and the
# benchmarks with each set of kernels. DIR (default profiling_results/TIME) then has every tool's own
# files, and report.html, one file with pictures that opens anywhere. Takes a few minutes.
#
# --quick: a short form, on our own texts. Exit 1: a check failed; report.html says which.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$root/build
out=
quick=
while [ $# -gt 0 ]; do
    case "$1" in
    --quick) quick=1 ;;
    -o | --build)
        [ $# -ge 2 ] || { echo "profile-all.sh: $1 needs a folder behind it" >&2; exit 2; }
        if [ "$1" = -o ]; then out=$2; else build=$2; fi
        shift ;;
    -h | --help) sed -n '3,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "profile-all.sh: $1: no such option; see --help" >&2; exit 2 ;;
    esac
    shift
done
out=${out:-$root/profiling_results/$(date -u +%Y-%m-%dT%H-%M-%SZ)}
bench=$build/bin/budtiktok-bench
[ -x "$bench" ] || { echo "profile-all.sh: $bench is missing: build first, with ./run build" >&2; exit 3; }
mkdir -p "$out" || exit 3
profile=$root/ops/profile
status=0
: > "$out/steps.txt"

# step NAME COMMAND...: what it prints is kept in NAME.txt, what became of it in steps.txt.
step() {
    name=$1
    shift
    begin=$(date +%s)
    if "$@" > "$out/$name.txt" 2> "$out/$name.err"; then
        result=ok
    else
        result=FAILED
        status=1
        cat "$out/$name.err" >> "$out/$name.txt"
    fi
    line="$name $result $(($(date +%s) - begin)) s"
    echo "$line" | tee -a "$out/steps.txt"
}

flame_graph() {
    "$profile" record -o "$out/profile" --frequency 3999 -- "$bench" &&
        "$profile" flamegraph -o "$out/flamegraph.svg" --title 'budtiktok-bench: own CPU time' --from "$out/profile.folded"
}

heap() {
    "$profile" heap -o "$out" --growth 1000000 -- "$build/tests/ops/encode_loop" bpe en '{}' && rm -f "$out/report.txt"
}

caches() {
    if [ -n "$quick" ]; then
        "$profile" cache --check --embedded --bytes 1000000 -o "$out" --build "$build"
    else
        "$profile" cache --check -o "$out" --build "$build"
    fi
}

# One table for each set that this processor has; figures for the report beside it.
benchmark() {
    : > "$out/benchmark.json"
    repeat=5
    [ -z "$quick" ] || repeat=1
    for set in scalar avx2 avx512; do
        if ! BUDTIKTOK_SIMD=$set "$bench" --input en --repeat "$repeat" --json > "$out/one.json" 2> "$out/one.err"; then
            grep -q -e 'lacks' -e 'not in this build' "$out/one.err" || { cat "$out/one.err" >&2; return 1; }
            echo "$set: $(cat "$out/one.err")"
            continue
        fi
        cat "$out/one.json" >> "$out/benchmark.json"
    done
    rm -f "$out/one.json" "$out/one.err"
    python3 "$root/ops/profiling/release_report.py" --table "$out/benchmark.json"
}

step flamegraph flame_graph
step heap heap
step cache caches
step simd "$profile" simd --check --build "$build"
step benchmark benchmark
find "$out" -name '*.err' -empty -delete
python3 "$root/ops/profiling/release_report.py" "$out" || exit 1
echo "report: $out/report.html"
exit "$status"
