"""Figures of an exercise as JSON, CSV, a page and lines for the terminal."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from grader.authoring.stats import LEAST
from grader.report.html.page import make_page
from grader.report.tables import write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.authoring.stats import ExerciseStats, Figure, Item
    from grader.decisions.agreement import Estimate

__all__ = ["stats_csv", "stats_json", "stats_lines", "stats_page"]

SCHEMA = "stats/1"
_WIDTH = 300.0
_COLUMNS = (
    "kind", "name", "criterion", "title", "submissions", "passed", "share", "share_low",
    "share_high", "discrimination", "discrimination_low", "discrimination_high", "seconds_to_fail",
    "inconclusive", "suggestion",
)  # fmt: skip


def stats_json(stats: ExerciseStats) -> bytes:
    """Everything, as ``stats/1``."""
    document = {"schema": SCHEMA, **dataclasses.asdict(stats)}
    return f"{json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)}\n".encode()


def stats_csv(stats: ExerciseStats) -> bytes:
    """One row for each criterion and each check."""
    return write_csv(
        _COLUMNS,
        (
            (
                item.kind, item.name, item.criterion, item.title, item.count, item.passed,
                *_cells(item.share), *_cells(item.discrimination), item.seconds, item.inconclusive,
                item.suggestion,
            )
            for item in stats.items
        ),
    )  # fmt: skip


def _cells(figure: Figure | None) -> tuple[float | None, float | None, float | None]:
    return (figure.value, figure.low, figure.high) if figure else (None, None, None)


def stats_page(stats: ExerciseStats) -> str:
    """One HTML page with drawings, which loads nothing."""
    return make_page(
        "stats.html.j2",
        title=f"Submissions of {stats.exercise}",
        stats=stats,
        few=few(stats),
        least=LEAST,
        groups=(
            ("Criteria", [_drawn(item) for item in stats.items if item.kind == "criterion"]),
            ("Checks", [_drawn(item) for item in stats.items if item.kind == "check"]),
        ),
    )


def few(stats: ExerciseStats) -> bool:
    """Whether there are too few submissions for more than counts."""
    return stats.count < LEAST


def _drawn(item: Item) -> dict[str, object]:
    """An item with the places of its marks on axes of 300: shares 0 to 1, correlations -1 to 1."""
    return {
        "item": item,
        "share": _places(item.share, 0.0, 1.0),
        "discrimination": _places(item.discrimination, -1.0, 1.0),
        "said_share": _said(item.share),
        "said_discrimination": _said(item.discrimination),
    }


def _places(figure: Figure | None, low: float, high: float) -> tuple[float, float, float] | None:
    if figure is None:
        return None
    values = (
        figure.value,
        *(v if v is not None else figure.value for v in (figure.low, figure.high)),
    )
    value, left, right = (round((v - low) / (high - low) * _WIDTH, 1) for v in values)
    return value, left, right


def _said(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def stats_lines(stats: ExerciseStats) -> Iterator[str]:
    """What a terminal shows."""
    yield f"{stats.exercise} {', '.join(stats.versions)}: {stats.count} submissions"
    if few(stats):
        yield (
            f"fewer than {LEAST}, so there are counts only: shares and correlations would say more "
            "than they can"
        )
    for item in stats.items:
        if item.kind == "criterion":
            figures = [f"{item.passed}/{item.count} whole"]
            figures += [f"share {_said(item.share)}"] if item.share else []
            figures += (
                [f"discrimination {_said(item.discrimination)}"] if item.discrimination else []
            )
            yield f"  {item.name}: {', '.join(figures)}"
    for seniority, categories in stats.levels.items():
        for title, levels in categories.items():
            told = ", ".join(f"{count} {level}" for level, count in sorted(levels.items()))
            yield f"  {seniority}, {title}: {told}"
    yield from _agreement_lines(stats)
    for item in stats.items:
        if item.suggestion:
            yield f"  {item.kind} {item.name}: {item.suggestion}"


def _agreement_lines(stats: ExerciseStats) -> Iterator[str]:
    for row in stats.agreement:
        for between, found in (("reviewers", row.reviewers), ("machine", row.machine)):
            if found.exact is None:
                continue
            figures = (("exact", found.exact), ("kappa", found.kappa), ("alpha", found.alpha))
            told = ", ".join(f"{name} {_estimated(value)}" for name, value in figures)
            yield f"  agreement with {between}, {row.title}: {told} ({found.pairs} pairs)"
    for item in stats.overruled:
        yield (
            f"  check {item.test.id}: failed on {item.decided} submissions that people decided on, "
            f"who raised {item.raised} of them: look at the check"
        )


def _estimated(found: Estimate | None) -> str:
    if found is None or found.value is None:
        return "not defined"
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
