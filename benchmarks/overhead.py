"""What grading costs beside bare pytest: the same suite, the same submissions, the same jobs.

    make bench                                  # or: .venv/bin/python benchmarks/overhead.py
    python benchmarks/overhead.py --suite ten   # a suite of ten tests of one function

Bare pytest runs each submission in a process of its own without isolation, so many at a time;
``grade`` grades the same submissions with as many jobs, and one alone. The variants take turns, so
that what else the machine does falls on all of them. Prints medians of wall seconds and
core-seconds a submission, and ratios; asserts nothing.

Core-seconds are what all cores of the machine were busy for, by ``/proc/stat``: they hold the
container engine's share, and that of any other program. The load before the first round is printed,
so run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
COUNT = 12
SEED = "5eed" * 8


@dataclass(frozen=True)
class Suite:
    """Hidden tests, the root that holds them, and what is graded by them."""

    exercise: str
    root: Path
    submissions: list[Path]

    @property
    def tests(self) -> Path:
        """The folder of the hidden tests."""
        return self.root / "hidden_tests" / self.exercise


@dataclass
class Costs:
    """Seconds a submission, one entry a round."""

    wall: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)

    def add(self, wall: float, cores: float, count: int) -> None:
        """Add one measurement of so many submissions together."""
        self.wall.append(wall / count)
        self.cores.append(cores / count)


def whole_suite() -> Suite:
    """The suite of `imputation` and the first labelled solutions that take no deliberate time."""
    folder = ROOT / "hidden_tests/imputation/solutions"
    chosen = ("reference", "strong", "mediocre", "poor", "correct_")
    found = [path.parent for path in sorted(folder.glob("*/solution.py"))]
    found = [path for path in found if path.name.startswith(chosen)]
    found = [path for path in found if path.name != "correct_generics"]  # this Python may be older
    return Suite("imputation", ROOT, (found * 2)[:COUNT])


def busy() -> float:
    """Seconds that all cores together were busy since the machine started."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, _idle, _wait, irq, soft, steal = map(int, fields)
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Wall seconds and core-seconds of a call."""
    cores, clock = busy(), time.perf_counter()
    action()
    return time.perf_counter() - clock, busy() - cores


def call(command: list[str], **environment: str) -> None:
    """A command that may exit with any verdict, but not crash."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode not in (0, 1):
        sys.exit(f"{command} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}")


def bare(suite: Suite, folders: list[Path], jobs: int) -> None:
    """Pytest on each submission, so many at a time."""

    def one(folder: Path) -> None:
        command = [str(BIN / "pytest"), "-q", "-p", "no:cacheprovider", "-p", "grader.judge.plugin"]
        command += ["--assert=plain", "--tb=native"]  # as in the judge; others parse the suite
        command += ["--solution", str(folder), "--suite-seed", SEED]
        call([*command, str(suite.tests)], PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, folders))


def graded(suite: Suite, folders: list[Path], jobs: int, out: str) -> None:
    """One command for all of them."""
    command = [str(BIN / "grade"), "--quiet", "--exercise", suite.exercise, "--seed", SEED]
    command += ["--root", str(suite.root), "--out", out, "--jobs", str(jobs)]
    call([*command, *map(str, folders)])


def measure(suite: Suite, rounds: int, jobs: int) -> dict[str, Costs]:
    """Costs by variant."""
    folders = suite.submissions
    variants = {
        f"bare pytest, {jobs} at a time": lambda _: bare(suite, folders, jobs),
        f"grade --jobs {jobs}": lambda out: graded(suite, folders, jobs, out),
        "bare pytest, one alone": lambda _: bare(suite, folders[:1], 1),
        "grade, one alone": lambda out: graded(suite, folders[:1], 1, out),
    }
    costs = {name: Costs() for name in variants}
    with tempfile.TemporaryDirectory() as out:
        graded(suite, folders[:1], 1, out)  # images and caches are warm before anything counts
        bare(suite, folders[:1], 1)
        load = busy()
        time.sleep(2)
        print(f"before the first round the cores were busy for {busy() - load:.2f} s of 2 s")
        for number in range(rounds):
            for name, action in variants.items():
                count = 1 if name.endswith("alone") else len(folders)
                for _ in range(3 if count == 1 else 1):
                    wall, cores = timed(lambda action=action: action(out))
                    costs[name].add(wall, cores, count)
                print(f"round {number + 1}  {name:32}{costs[name].wall[-1]:7.2f} s", flush=True)
    return costs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--suite", choices=("whole", "ten"), default="whole")
    options = parser.parse_args()
    if not Path("/proc/stat").exists():
        sys.exit("core-seconds come from /proc/stat: run this on Linux")
    if importlib.util.find_spec("pytest") is None or importlib.util.find_spec("pandas") is None:
        sys.exit("bare pytest needs the development environment; run `make bench`, or `make dev`")
    with tempfile.TemporaryDirectory() as folder:
        if options.suite == "ten":
            from ten_tests import ten_tests  # noqa: PLC0415 - it imports this file

            suite = ten_tests(Path(folder))
        else:
            suite = whole_suite()
        costs = measure(suite, options.rounds, options.jobs)
        total = len(suite.submissions)
    print(f"\n{total} submissions, {options.rounds} rounds; medians a submission")
    print(f"{'':32}{'wall':>9}{'core-s':>9}{'wall':>9}{'core-s':>9}")
    floors = {False: next(iter(costs.values())), True: costs["bare pytest, one alone"]}
    for name, cost in costs.items():
        floor = floors[name.endswith("alone")]
        wall, cores = statistics.median(cost.wall), statistics.median(cost.cores)
        print(
            f"{name:32}{wall:7.2f} s{cores:9.2f}{wall / statistics.median(floor.wall):7.2f} x"
            f"{cores / statistics.median(floor.cores):7.2f} x"
        )


if __name__ == "__main__":
    main()
