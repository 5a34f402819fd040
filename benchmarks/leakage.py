"""What it costs to prove leaks: CPU seconds of judge and candidate for each labelled solution.

    python benchmarks/leakage.py [--only TEXT]

Prints the reference, the median and the slowest; asserts nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from grader import pipeline
from grader.authoring import labelled
from grader.sandbox.workbench import Workbench, Worker

ROOT = Path(__file__).resolve().parent.parent
EXERCISE = "leakage_debug"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds TEXT")
    options = parser.parse_args()
    cases = [
        case
        for case in labelled.load_cases(EXERCISE, ROOT)
        if options.only in case.name and not case.name.startswith("null_")
    ]
    seed = labelled.seeds(1)[0]
    found = {}
    bench = Workbench(lambda text: print(f"· {text}", file=sys.stderr))
    with tempfile.TemporaryDirectory() as folder, Worker(bench) as worker:
        for case in cases:
            below = Path(folder) / case.name
            submission = labelled.stage(case, below)
            grading = pipeline.prepare(submission, root=ROOT, exercise=EXERCISE, seed=seed)
            timings = pipeline.run(worker, bench, grading, out=below / "out").report.moment.timings
            judge, candidate = timings["judge_cpu"], timings["candidate_cpu"]
            found[case.name] = judge + candidate
            print(f"{case.name:<60} judge {judge:5.1f} s  candidate {candidate:5.1f} s", flush=True)
    if not found:
        sys.exit(f"no labelled solution of {EXERCISE} holds {options.only!r}")
    slowest = max(found, key=lambda name: found[name])
    print(f"{len(found)} solutions, CPU seconds of judge and candidate together")
    if "reference" in found:
        print(f"reference {found['reference']:.1f}")
    print(f"median {statistics.median(found.values()):.1f}")
    print(f"slowest {found[slowest]:.1f} ({slowest})")


if __name__ == "__main__":
    main()
