"""How much slower a grading gets while another worker grades something hostile beside it.

    python benchmarks/neighbours.py [--rounds N] [--gradings K] [--only TEXT]

One worker grades the reference of ``imputation`` again and again; the other grades nothing, an
honest submission, or a submission with one of the corpus's attacks on resources, without a pause.
Two gradings on two or more cores have a core each as their fair share, and one grading uses
little more than a core at a time, so the ratio to *alone* may be somewhat above 1 and the ratio to
*beside an honest one* should be about 1. Prints medians of wall seconds and both ratios; asserts
nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from hostile import armed, load_attacks  # noqa: E402

from grader import pipeline  # noqa: E402
from grader.exercise.contract import load_exercise  # noqa: E402
from grader.sandbox.workbench import Workbench, Worker  # noqa: E402

if TYPE_CHECKING:
    from grader.pipeline import Grading

EXERCISE, SEED = "imputation", "5eed" * 8
ALONE, HONEST = "(alone)", "(an honest submission)"


def gradings(only: str) -> tuple[Grading, dict[str, Grading]]:
    """An honest submission, and hostile ones by the name of their attack."""
    plain = pipeline.prepare(
        ROOT / "hidden_tests" / EXERCISE / "solutions" / "reference" / "solution.py",
        root=ROOT,
        exercise=EXERCISE,
        seed=SEED,
    )
    functions = load_exercise(EXERCISE, root=ROOT).functions
    names = {function.name: function.methods for function in functions}
    found = {}
    for attack in load_attacks():
        if attack.group == "resources" and not attack.archive and only in attack.name:
            limits = dataclasses.replace(plain.exercise.limits, **attack.limits)
            found[attack.name] = dataclasses.replace(
                plain,
                submission=armed(plain.submission, attack, names),
                exercise=dataclasses.replace(plain.exercise, limits=limits),
            )
    return plain, found


class Neighbour:
    """A worker that grades one submission without a pause, until it is told to stop."""

    def __init__(self, worker: Worker, bench: Workbench, folder: Path) -> None:
        self._worker, self._bench, self._folder = worker, bench, folder
        self._stop, self._began = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, grading: Grading) -> None:
        """Begin, and return when its first grading runs."""
        self._stop.clear()
        self._began.clear()
        self._thread = threading.Thread(target=self._run, args=(grading,))
        self._thread.start()
        self._began.wait(60)

    def stop(self) -> None:
        """End with the grading at hand."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, grading: Grading) -> None:
        while not self._stop.is_set():
            pipeline.run(
                self._worker,
                self._bench,
                grading,
                out=self._folder,
                progress=lambda *_: self._began.set(),
            )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--gradings", type=int, default=3, help="timed in each round")
    parser.add_argument("--only", default="", metavar="TEXT", help="attacks whose name holds TEXT")
    options = parser.parse_args()
    bench = Workbench(print)
    honest, hostile = gradings(options.only)
    todo: dict[str, Grading | None] = {ALONE: None, HONEST: honest, **hostile}
    seen: dict[str, list[float]] = {name: [] for name in todo}
    with (
        Worker(bench, number=0, ahead=True) as timed,
        Worker(bench, number=1, ahead=True) as other,
        tempfile.TemporaryDirectory() as folder,
    ):
        neighbour = Neighbour(other, bench, Path(folder) / "other")
        first = pipeline.run(timed, bench, honest, out=Path(folder) / "timed")  # warms up
        expected = first.report.scorecard.overall
        for number in range(options.rounds):
            names = list(todo)
            for name in names if number % 2 == 0 else reversed(names):
                if (grading := todo[name]) is not None:
                    neighbour.start(grading)
                for _ in range(options.gradings):
                    graded = pipeline.run(timed, bench, honest, out=Path(folder) / "timed")
                    seen[name].append(graded.report.moment.timings["tests"])
                    if (score := graded.report.scorecard.overall) != expected:
                        sys.exit(f"beside {name} the reference got {score}, not {expected}")
                neighbour.stop()
                print(f"round {number + 1} {name:<34} "
                      f"{statistics.median(seen[name]):6.2f} s", flush=True)  # fmt: skip
    alone, beside = (statistics.median(seen[name]) for name in (ALONE, HONEST))
    print(f"\n{'beside':<34} {'median':>8} {'to alone':>9} {'to honest':>9}")
    for name, values in seen.items():
        middle = statistics.median(values)
        print(f"{name:<34} {middle:>6.2f} s {middle / alone:>8.2f}x {middle / beside:>8.2f}x")


if __name__ == "__main__":
    main()
