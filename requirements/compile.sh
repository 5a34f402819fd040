#!/bin/sh
# Refresh the pinned files from the .in files. Needs uv.
set -eu
cd "$(dirname "$0")"
options="--quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11"
for name in sandbox judge notebook analyst; do # what the images hold: Linux, Python 3.11
    uv pip compile $options --python-platform linux "$@" "$name.in" -o "$name.txt"
done
for name in host review cluster dev fuzz; do # any machine, Python 3.11 and newer
    uv pip compile $options --universal "$@" "$name.in" -o "$name.txt"
done
for name in sandbox judge notebook analyst host review cluster dev fuzz; do
    sed -i "1i # Made from $name.in by requirements/compile.sh; every file is pinned by hash." "$name.txt"
done
for name in otter nbgrader; do # graders that benchmarks/peers.py compares with
    uv pip compile $options --universal "$@" "../benchmarks/peers/$name.in" -o "../benchmarks/peers/$name.txt"
    sed -i "1i # Made from $name.in by requirements/compile.sh; every file is pinned by hash." "../benchmarks/peers/$name.txt"
done
