"""CSV that a spreadsheet opens without running any of it: every cell is quoted text."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from grader.text import CandidateText, clip, for_csv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from grader.report.dossier import Dossier

__all__ = ["Cell", "checks_csv", "write_csv"]

Cell = str | CandidateText | float | int | None
_MESSAGE_CHARS = 2000
_CHECKS = (
    "submission", "digest", "category", "criterion", "check", "title", "status", "cause", "message",
    "where",
)  # fmt: skip


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A table in UTF-8; texts are neutralised, numbers stay numbers."""
    raw = io.StringIO()
    writer = csv.writer(raw, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([for_csv(name) for name in header])
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return raw.getvalue().encode("utf-8")


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    # A number of ours may be negative; it is no formula.
    return f"{cell:.10g}" if isinstance(cell, int | float) else for_csv(cell)


def checks_csv(dossier: Dossier) -> bytes:
    """One row for each check of a run."""
    report = dossier.report
    category = {
        share.id: category.title
        for category in reversed(report.scorecard.categories)
        for share in category.criteria
    }
    return write_csv(
        _CHECKS,
        (
            (
                report.submission_name,
                report.submission_digest,
                category.get(record.test.criterion, ""),
                record.test.criterion,
                record.test.id,
                record.test.title,
                record.status.value,
                record.cause.value,
                clip(record.message, _MESSAGE_CHARS),
                record.where,
            )
            for record in report.evidence
        ),
    )
