"""``grade verify``: whether an exercise may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from grader.authoring.labelled import Bench, cheapest_last, load_cases, seeds
from grader.authoring.sheet_lint import lint_sheet
from grader.authoring.suite_lint import lint_suite
from grader.authoring.verdicts import Verdicts
from grader.authoring.verify import chosen, doubts, gate
from grader.commands._common import checkout, count, parser
from grader.errors import UsageError
from grader.exercise.contract import load_exercise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("verify", "Hold an exercise against its labelled solutions and a lint.")
    made.add_argument("exercise", metavar="EXERCISE")
    made.add_argument(
        "--quick", action="store_true", help="the nulls, the starter and the reference only"
    )
    made.add_argument("--seeds", type=count, default=1, metavar="N", help="for each of them")
    made.add_argument("--jobs", type=count, default=2, metavar="K")
    made.add_argument(
        "--fresh", action="store_true", help="also those that were graded before and did not change"
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Lint the hidden tests and grade labelled solutions; 1 if anything speaks against the use."""
    options = arguments().parse_args(argv)
    root = checkout(options)
    exercise = load_exercise(options.exercise, root=root)
    console, progress = Console(highlight=False), Console(stderr=True, highlight=False)
    bad = 0
    if exercise.environment.fault:
        raise UsageError(exercise.environment.fault)
    for complaint in lint_suite(exercise.hidden_dir):
        console.print(f"lint: {complaint}", markup=False, soft_wrap=True)
        bad += 1
    for doubt in lint_sheet(exercise.hidden_dir, exercise.sheet):
        console.print(f"sheet: {doubt}", markup=False, soft_wrap=True)
        bad += 1
    cases = load_cases(exercise.id, root)
    if missing := gate(cases):
        raise UsageError(
            f"{exercise.id} has no labelled {missing}; a verdict needs null_… cases and a "
            f"reference in {exercise.hidden_dir / 'solutions'}"
        )
    cases = cheapest_last(chosen(cases, quick=options.quick))
    runs = [(case, seed) for seed in seeds(options.seeds) for case in cases]

    def say(text: str) -> None:
        progress.print(f"· {text}", markup=False)

    with Bench(options.jobs, say, root=root) as bench:
        verdicts = Verdicts(root, ("sandbox", *bench.facts([exercise.id])), fresh=options.fresh)
        for done, (case, seed, outcome) in enumerate(verdicts.through(bench.grade, runs), 1):
            found = doubts(case, outcome, exercise.rubric)
            bad += bool(found)
            say(f"{done}/{len(runs)} {case.name} {outcome.overall:.2f}")
            for line in found:
                console.print(f"{case.name} (seed {seed[:8]}): {line}", markup=False)
    say(verdicts.told())
    verdict = "passes" if not bad else f"does not pass: {bad} findings"
    console.print(f"{exercise.id} {exercise.version} {verdict} ({len(runs)} gradings)")
    return 1 if bad else 0
