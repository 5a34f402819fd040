"""A ``mutants/1`` document for people: a page with the matrix, and lines for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.authoring.mutation.report import SURVIVED
from grader.report.html.page import make_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["lines_of", "page_of"]

_WORDS = {
    "x": "failed",
    "o": "passed",
    "-": "left out, an earlier test failed",
    ".": "does not reach the change",
}


def page_of(document: Mapping[str, Any]) -> str:
    """One HTML page that loads nothing."""
    return make_page(
        "mutants.html.j2",
        title=f"Mutants of {document['exercise']} {document['version']}",
        document=document,
        survivors=[(s, m) for s in document["solutions"] for m in _left(s)],
        words=_WORDS,
        idle=[test["id"] for test in document["tests"] if test["own"] == 0],
    )


def lines_of(document: Mapping[str, Any]) -> Iterator[str]:
    """What a terminal shows: counts, survivors as diffs, then what speaks against the exercise."""
    for solution in document["solutions"]:
        counts = solution["counts"]
        yield (
            f"{solution['name']}: {solution['rate']:.1%} of {counts['mutants']} mutants found "
            f"(bar {solution['bar']:.1%}); {counts['killed']} by a failed test, "
            f"{counts['timed-out']} by the time limit, {counts['equivalent']} equivalent, "
            f"{counts['free']} free, {counts['survived'] + counts['unreached']} left"
        )
    for solution in document["solutions"]:
        levels = ", ".join(f"{name} {level}" for name, level in solution["levels"].items())
        left = _left(solution)
        if left:
            yield f"\nSurvivors of {solution['name']}; hidden tests would give each: {levels}"
        for mutant in left:
            reach = "" if mutant["state"] == "survived" else ", which no test reaches"
            yield f"\n{mutant['digest']} {mutant['operator']}{reach}\n{mutant['diff'].rstrip()}"
    yield from _late(document)
    if document["every_test"]:
        yield from _idle(document)
    for finding in document["findings"]:
        yield f"mutants: {finding}"


def _late(document: Mapping[str, Any]) -> Iterator[str]:
    for solution in document["solutions"]:
        for mutant in solution["mutants"]:
            if mutant["state"] == "timed-out":
                yield (
                    f"time limit: {solution['name']} {mutant['digest']} "
                    f"({mutant['path']}:{mutant['line']}, {mutant['operator']})"
                )


def _idle(document: Mapping[str, Any]) -> Iterator[str]:
    for test in document["tests"]:
        if not test["own"]:
            yield f"finds nothing alone: {test['id']}"
    for item in document["misplaced"]:
        yield (
            f"found by another criterion: {item['solution']} {item['digest']} belongs to "
            f"{', '.join(item['own'])}, and is found by {', '.join(item['killed_by'])} only"
        )


def _left(solution: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [mutant for mutant in solution["mutants"] if mutant["state"] in SURVIVED]
