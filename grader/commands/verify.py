"""``grade verify``: whether an exercise may be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.authoring.labelled import Bench, cheapest_last, load_cases, seeds
from grader.authoring.mutation.page import lines_of, page_of
from grader.authoring.mutation.prove import prove
from grader.authoring.rules import RULES, chosen_rules, explained
from grader.authoring.sheet_lint import named_doubts
from grader.authoring.suite_lint import lint_suite
from grader.authoring.verdicts import Verdicts
from grader.authoring.verify import chosen, doubts, gate
from grader.commands._common import checkout, count, parser
from grader.errors import UsageError
from grader.exercise.contract import load_exercise
from grader.files import write_whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from grader.models import Exercise

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("verify", "Hold an exercise against its labelled solutions and a lint.")
    made.add_argument("exercise", metavar="EXERCISE", nargs="?")
    made.add_argument(
        "--explain",
        metavar="RULE",
        choices=tuple(RULES),
        help="print what a rule of the lint is for, and end",
    )
    made.add_argument(
        "--select", metavar="RULE,…", type=_names, default=(), help="hold these rules only"
    )
    made.add_argument(
        "--ignore", metavar="RULE,…", type=_names, default=(), help="leave these rules out"
    )
    made.add_argument(
        "--quick", action="store_true", help="the nulls, the starter and the reference only"
    )
    made.add_argument("--seeds", type=count, default=1, metavar="N", help="for each of them")
    made.add_argument("--jobs", type=count, default=2, metavar="K")
    made.add_argument(
        "--fresh", action="store_true", help="also those that were graded before and did not change"
    )
    made.add_argument(
        "--mutants",
        action="store_true",
        help="in place of labelled solutions: small defects of correct ones, which the hidden "
        "tests must find; needs no Docker",
    )
    made.add_argument(
        "--every-test",
        action="store_true",
        help="with --mutants: go on after the first test that fails, which shows what each test "
        "finds alone",
    )
    made.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("results"),
        help="with --mutants: where the page and the JSON go; default: results",
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Lint the hidden tests and grade labelled solutions; 1 if anything speaks against the use."""
    options = arguments().parse_args(argv)
    if options.explain:
        Console(highlight=False).print(explained(options.explain), markup=False, soft_wrap=True)
        return 0
    if options.exercise is None:
        raise UsageError("name an exercise, or a rule with --explain; grade list shows exercises")
    root = checkout(options)
    exercise = load_exercise(options.exercise, root=root)
    console, progress = Console(highlight=False), Console(stderr=True, highlight=False)

    def say(text: str) -> None:
        progress.print(f"· {text}", markup=False)

    if exercise.environment.fault:
        raise UsageError(exercise.environment.fault)
    bad = _lint(exercise, chosen_rules(options.select, options.ignore), console)
    if options.mutants:
        bad += _mutants(exercise, options, console, say)
        verdict = "passes" if not bad else f"does not pass: {bad} findings"
        console.print(f"{exercise.id} {exercise.version} {verdict} (lint and mutants)")
        return 1 if bad else 0
    cases = load_cases(exercise.id, root)
    if missing := gate(cases):
        raise UsageError(
            f"{exercise.id} has no labelled {missing}; a verdict needs null_… cases and a "
            f"reference in {exercise.hidden_dir / 'solutions'}"
        )
    cases = cheapest_last(chosen(cases, quick=options.quick))
    runs = [(case, seed) for seed in seeds(options.seeds) for case in cases]

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


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _lint(exercise: Exercise, rules: frozenset[str], console: Console) -> int:
    """Print what the lints find; returns how much it is."""
    found = [
        f"lint: {complaint}"
        for complaint in lint_suite(exercise.hidden_dir)
        if complaint.rule in rules
    ]
    found += [
        f"sheet: {text} ({rule})"
        for rule, text in named_doubts(exercise.hidden_dir, exercise.sheet)
        if rule in rules
    ]
    for line in found:
        console.print(line, markup=False, soft_wrap=True)
    return len(found)


def _mutants(
    exercise: Exercise,
    options: argparse.Namespace,
    console: Console,
    say: Callable[[str], None],
) -> int:
    """Run the mutants, write the page and the document; returns the number of findings."""
    document = prove(
        exercise,
        checkout(options),
        seed=seeds(1)[0],
        jobs=options.jobs,
        every_test=options.every_test,
        say=say,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    stem = options.out / f"mutants-{exercise.id}"
    data = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    write_whole(stem.with_suffix(".json"), f"{data}\n".encode())
    write_whole(stem.with_suffix(".html"), page_of(document).encode())
    for line in lines_of(document):
        console.print(line, markup=False, soft_wrap=True)
    say(f"the matrix is in {stem}.html, all of it in {stem}.json")
    return len(document["findings"])
