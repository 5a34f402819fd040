"""What grading costs beside bare pytest: the same suite, the same twelve submissions, one run.

(a) bare pytest, one process a submission, no isolation; (b) ``grade``, one command a submission;
(c) ``grade`` on all twelve in one command, as many jobs as cores. The three take turns, so that
what else the machine does falls on all of them. Prints medians and ratios; asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = ROOT / "hidden_tests/imputation"
BIN = Path(sys.executable).parent
COUNT = 12
SEED = "5eed" * 8


def submissions() -> list[Path]:
    """The first twelve labelled solutions that take no deliberate time."""
    found = sorted(
        path.parent
        for path in SUITE.glob("solutions/*/solution.py")
        if not path.parent.name.startswith("null")
    )
    return found[:COUNT]


def timed(command: list[str], **environment: str) -> float:
    """Wall seconds of a command that may exit with any verdict, but not crash."""
    clock = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    seconds = time.perf_counter() - clock
    if done.returncode not in (0, 1):
        sys.exit(f"{command} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return seconds


def bare(folder: Path) -> float:
    """(a)."""
    command = [str(BIN / "pytest"), "-q", "-p", "no:cacheprovider", "-p", "grader.judge.plugin"]
    command += ["--assert=plain", "--solution", str(folder), "--suite-seed", SEED, str(SUITE)]
    return timed(command, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


def graded(folders: list[Path], out: str, *, jobs: int) -> float:
    """(b) and (c)."""
    command = [str(BIN / "grade"), "--quiet", "--exercise", "imputation", "--seed", SEED]
    command += ["--out", out, "--jobs", str(jobs), *map(str, folders)]
    return timed(command)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    folders = submissions()
    jobs = os.cpu_count() or 1
    a: list[float] = []
    b: list[float] = []
    c: list[float] = []
    with tempfile.TemporaryDirectory() as out:
        graded(folders[:1], out, jobs=1)  # images and caches are warm before anything counts
        bare(folders[0])
        for number in range(options.rounds):
            for folder in folders:
                a.append(bare(folder))
                b.append(graded([folder], out, jobs=1))
                print(f"round {number + 1}  {folder.name:32}{a[-1]:7.2f} s{b[-1]:7.2f} s")
            c.append(graded(folders, out, jobs=jobs) / len(folders))
    floor = statistics.median(a)
    print(f"\n{len(folders)} submissions, {options.rounds} rounds, {jobs} jobs; medians")
    for name, seconds in (
        ("(a) bare pytest", floor),
        ("(b) grade, one at a time", statistics.median(b)),
        ("(c) grade, all in one call", statistics.median(c)),
    ):
        print(f"{name:30}{seconds:7.2f} s a submission{seconds / floor:7.2f} x")


if __name__ == "__main__":
    main()
