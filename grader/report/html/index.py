"""A page that leads to the reports of several submissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.report.html.page import make_page
from grader.scoring.final import beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.scores import ScoreCard

__all__ = ["IndexRow", "index_page"]


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One submission.

    Attributes:
        who: whose it is, or what it is called.
        link: relative address of its report; empty where there is none.
        card: its score, where it has one; the one that counts.
        machine: the machine's score, where people decided on levels.
    """

    who: str
    state: str
    name: str = ""
    link: str = ""
    card: ScoreCard | None = None
    notes: tuple[str, ...] = ()
    machine: ScoreCard | None = None

    @property
    def decided(self) -> dict[str, str]:
        """Category → what people decided beside the machine, and which counts."""
        categories = self.card.categories if self.card else ()
        return {c.title: beside(c) for c in categories if c.decision}

    @property
    def levels(self) -> dict[str, str]:
        """Category → level, of those that are assessed."""
        categories = self.card.categories if self.card else ()
        return {c.title: c.level.name.capitalize() for c in categories if c.assessed}


def index_page(title: str, rows: Sequence[IndexRow]) -> str:
    """One table with a link to each report."""
    categories = list(dict.fromkeys(title for row in rows for title in row.levels))
    return make_page(
        "index.html.j2",
        title=title,
        rows=rows,
        categories=categories,
        graded=sum(row.card is not None for row in rows),
    )
