"""What the mutants of an exercise say, as one document: nothing in it hangs on time or machine.

``mutants/1``::

    exercise, version, suite, seed     what was run
    every_test                         whether tests after the first that failed were run as well
    tests                              id, criterion, line, title, own (mutants that it alone kills)
    solutions                          name, bar, rate, levels, band, counts, mutants
      mutants                          digest, path, line, operator, diff, state, killed_by, cells
    misplaced                          mutants that only tests of other criteria kill
    findings                           one sentence each; none if the exercise passes

``cells`` has one character for each test: ``x`` failed, ``o`` passed, ``-`` left out after a test
that failed, ``.`` does not reach the change. ``own`` and ``misplaced`` need every test, and are
null without.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from grader.authoring.mutation.notes import NOTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from grader.authoring.mutation.notes import Note, Notes
    from grader.authoring.mutation.run import Result, Study
    from grader.models import Exercise

__all__ = ["SCHEMA", "SURVIVED", "document"]

SCHEMA = "mutants/1"
SURVIVED = ("survived", "unreached")
_COUNTED_OUT = ("equivalent", "free")


def document(
    exercise: Exercise,
    studies: Sequence[Study],
    notes: Notes,
    *,
    seed: str,
    suite: str,
    every: bool,
) -> dict[str, Any]:
    """Put together what was found.

    Args:
        exercise: whose.
        studies: of the reference and of other styles.
        notes: of ``mutants.toml``.
        seed: that they were run with, 32 hexadecimal digits.
        suite: digest of the hidden tests.
        every: whether all tests were run on each mutant.
    """
    tests = {test.id: test for study in studies for test in study.tests}
    order = sorted(tests)
    solutions = [_solution(study, notes, order) for study in studies]
    findings = [*_stale(solutions, notes), *_below_bar(solutions)]
    alone = _kills_alone(studies)
    return {
        "schema": SCHEMA,
        "exercise": exercise.id,
        "version": exercise.version,
        "suite": suite,
        "seed": seed,
        "every_test": every,
        "tests": [
            {
                "id": test,
                "criterion": tests[test].criterion,
                "line": tests[test].line,
                "title": tests[test].title,
                "own": alone[test] if every else None,
            }
            for test in order
        ],
        "solutions": solutions,
        "misplaced": _misplaced(studies) if every else None,
        "findings": findings,
    }


def _solution(study: Study, notes: Notes, order: Sequence[str]) -> dict[str, Any]:
    name = study.case.name
    mutants = [
        _mutant(result, study, notes.notes.get((name, result.mutant.digest)), order)
        for result in study.results
    ]
    counts = Counter(mutant["state"] for mutant in mutants)
    counted = len(mutants) - sum(counts[state] for state in _COUNTED_OUT)
    killed = counts["killed"] + counts["timed-out"]
    return {
        "name": name,
        "bar": notes.bar(name),
        "rate": round(killed / counted, 6) if counted else 1.0,
        "levels": dict(study.case.levels),
        "band": study.case.band,
        "counts": {
            "mutants": len(mutants),
            **{state: counts[state] for state in ("killed", "timed-out", *SURVIVED, *_COUNTED_OUT)},
        },
        "mutants": mutants,
    }


def _mutant(
    result: Result, study: Study, note: Note | None, order: Sequence[str]
) -> dict[str, Any]:
    mutant = result.mutant
    state = _state(result, note)
    places = {(mutant.path, line) for line in mutant.lines}
    around = {(mutant.path, line) for line in mutant.function}
    near = {t.id for t in study.tests if t.lines & places}
    near = near or {t.id for t in study.tests if t.lines & around}

    def cell(test: str) -> str:
        if test in result.failed:
            return "x"
        if test in result.passed:
            return "o"
        return "-" if test in near else "."

    return {
        "digest": mutant.digest,
        "path": mutant.path,
        "line": mutant.line,
        "operator": mutant.operator,
        "diff": mutant.diff,
        "state": state,
        "reason": note.reason if note and state == note.kind else "",
        "killed_by": list(result.failed),
        "broken": result.broken,
        "cells": "".join(map(cell, order)),
    }


def _state(result: Result, note: Note | None) -> str:
    """What a mutant counts as. That a noted one is slow, on a busy machine too, refutes no note."""
    if note is not None and (result.late or not result.killed):
        return note.kind
    if result.killed:
        return "timed-out" if result.late else "killed"
    return "survived" if result.reached else "unreached"


def _stale(solutions: Sequence[Mapping[str, Any]], notes: Notes) -> Iterator[str]:
    """Entries of ``mutants.toml`` that say nothing true."""
    known = {(s["name"], m["digest"]): m for s in solutions for m in s["mutants"]}
    names = {solution["name"] for solution in solutions}
    for (name, digest), note in sorted(notes.notes.items()):
        place = f"{NOTES}: [[{note.kind}]] {digest} of {name}"
        mutant = known.get((name, digest))
        if name not in names:
            yield f"{place}: {name} is not mutated; remove the entry, or add it to styles"
        elif mutant is None:
            yield f"{place}: there is no such mutant any more; remove the entry"
        elif mutant["state"] != note.kind:
            by = ", ".join(mutant["killed_by"]) or "the judge"
            yield f"{place}: {by} tells it from the original; remove the entry"


def _below_bar(solutions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for solution in solutions:
        if solution["rate"] < solution["bar"]:
            left = sum(solution["counts"][state] for state in SURVIVED)
            yield (
                f"{solution['name']}: hidden tests find {solution['rate']:.1%} of its mutants, "
                f"the bar is {solution['bar']:.1%}; {left} are left: extend a test, or note each "
                f"in {NOTES} as equivalent or free, with the reason"
            )


def _kills_alone(studies: Sequence[Study]) -> Counter[str]:
    """Test → mutants that no other test kills."""
    return Counter(
        result.failed[0] for study in studies for result in study.results if len(result.failed) == 1
    )


def _misplaced(studies: Sequence[Study]) -> list[dict[str, Any]]:
    """Mutants that are killed, but by no test of the criterion that their code belongs to.

    It belongs to the criterion whose tests reach it far more often than tests in general do.
    """
    found = []
    for study in studies:
        sizes = Counter(test.criterion for test in study.tests)
        criteria = {test.id: test.criterion for test in study.tests}
        for result in study.results:
            places = {(result.mutant.path, line) for line in result.mutant.lines}
            near = Counter(test.criterion for test in study.tests if test.lines & places)
            if not near or not result.failed:
                continue
            shares = {name: count / sizes[name] for name, count in near.items()}
            most = max(shares.values())
            own = sorted(name for name, share in shares.items() if share == most)
            by = sorted({criteria[test] for test in result.failed})
            if not set(own) & set(by):
                found.append(
                    {
                        "solution": study.case.name,
                        "digest": result.mutant.digest,
                        "own": own,
                        "killed_by": by,
                    }
                )
    return found
