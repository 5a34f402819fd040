"""Grade every labelled solution in the real sandbox and compare with what its label says.

    python scripts/corpus.py [--exercise ID] [--seeds N|A-B] [--jobs K] [--only TEXT]
                             [--write] [--as-notebooks | --author-mode]

Without ``--exercise`` it grades those of all exercises, each with as many seeds as `SEEDS` says.
With ``--as-notebooks`` every module is handed in as a notebook of the same code, and must get the
same levels. What a label holds is said in `grader.authoring.labels`.

Exit code 0 when every label holds on every seed, 1 otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from pathlib import Path

from grader.authoring.author_mode import grade_all, needs_sandbox
from grader.authoring.labelled import ENTRY, Bench, Outcome, cheapest_last, problems, seeds
from grader.authoring.labels import Case, exercises, load_cases, sources
from grader.authoring.relabel import write_labels

ROOT = Path(__file__).resolve().parent.parent
SEEDS = {"imputation": 20, "inference_pipeline": 20}  # their tests draw the most; the others get
OTHER_SEEDS = 5


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr)


def seed_range(text: str) -> range:
    """``3`` is the first three seeds, ``3-5`` the third to the fifth."""
    match = re.fullmatch(r"(?:(\d+)-)?(\d+)", text)
    found = range(int(match[1] or 1), int(match[2]) + 1) if match else range(0)
    if not found or found[0] < 1:
        raise argparse.ArgumentTypeError(f"{text}: write a number from 1, or two as in 2-5")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exercise", choices=exercises(ROOT), metavar="ID", help="only this one")
    parser.add_argument(
        "--seeds",
        type=seed_range,
        metavar="N|A-B",
        help="as many for every exercise, or some of them",
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="K")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds TEXT")
    parser.add_argument(
        "--write",
        action="store_true",
        help="rewrite the labels with what comes out; then read the difference",
    )
    parser.add_argument(
        "--as-notebooks", action="store_true", help="hand in modules as notebooks of the same code"
    )
    parser.add_argument(
        "--author-mode",
        action="store_true",
        help="without containers: quicker, and without the cases that only the sandbox can tell",
    )
    return parser


def main() -> int:
    """Run from the command line."""
    options = _parser().parse_args()
    chosen = [options.exercise] if options.exercise else exercises(ROOT)
    cases = [c for name in chosen for c in load_cases(name, ROOT) if options.only in c.name]
    if options.as_notebooks:
        cases = [c for c in cases if ENTRY in sources(c)]
    if options.author_mode:
        cases = [c for c in cases if not needs_sandbox(c)]
    if not cases:
        sys.stderr.write(f"corpus: no labelled solution of {', '.join(chosen)} matches\n")
        return 2
    asked = {name: options.seeds or range(1, SEEDS.get(name, OTHER_SEEDS) + 1) for name in chosen}
    runs = [
        (case, seed)
        for number, seed in enumerate(seeds(max(numbers[-1] for numbers in asked.values())), 1)
        for case in cheapest_last(cases)
        if number in asked[case.exercise]
    ]
    started, wrong, test_seconds = time.perf_counter(), 0, []
    costs: list[tuple[float, str]] = []
    outcomes: list[tuple[Case, Outcome]] = []
    with contextlib.ExitStack() as stack:
        if options.author_mode:
            graded = grade_all(runs, root=ROOT, jobs=options.jobs)
        else:
            bench = Bench(options.jobs, _say, root=ROOT, as_notebooks=options.as_notebooks)
            graded = stack.enter_context(bench).grade(runs)
        width = max(len(case.name) for case in cases)
        print(f"{'':>9}  {'case':<{width}} {'score':>5} {'s':>5} {'CPU s':>5}  failing criteria")
        for done, (case, seed, outcome) in enumerate(graded, 1):
            outcomes.append((case, outcome))
            found = [] if options.write else problems(case, outcome)
            wrong += bool(found)
            test_seconds.append(outcome.test_seconds)
            if outcome.cpu_seconds >= 0:
                costs.append((outcome.cpu_seconds, case.name))
            mark = "!" if found else " "
            failing = ", ".join(sorted(outcome.failing)) or "none"
            print(
                f"{done:>4}/{len(runs):<4}{mark} {case.name:<{width}} {outcome.overall:>5.2f} "
                f"{outcome.seconds:>5.1f} {outcome.cpu_seconds:>5.1f}  {failing}",
                flush=True,
            )
            for line in found:
                print(f"{'':>12}seed {seed}: {line}")
    if options.write:
        write_labels(outcomes, ROOT)
    middle = sorted(test_seconds)[len(test_seconds) // 2]
    print(
        f"{len(cases)} labelled solutions, {len(runs)} gradings: {len(runs) - wrong} as labelled, "
        f"{wrong} not; {time.perf_counter() - started:.0f} s, {middle:.1f} s of tests (median)"
    )
    if costs:
        most, dearest = max(costs)
        print(f"most CPU: {most:.1f} s of judge and candidate together ({dearest})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
