"""What came out of a grading, put into the label; what it means is the author's to check."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from grader.authoring.labels import LABEL, known_costs, label_text
from grader.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from grader.authoring.labelled import Outcome
    from grader.authoring.labels import Case

__all__ = ["write_labels"]


def write_labels(outcomes: Iterable[tuple[Case, Outcome]], root: Path) -> list[Case]:
    """Rewrite the labels that say something else, those that others add to first.

    Args:
        outcomes: what each labelled solution got.
        root: the checkout.

    Returns:
        The cases whose label changed.

    Raises:
        ValueError: a case costs less than the one that it adds to.
        UsageError: a label cannot be written.
    """
    changed = []
    for case, outcome in sorted(outcomes, key=lambda item: bool(item[0].base)):
        seen = dataclasses.replace(
            case,
            failing=outcome.failing,
            tests=None if case.tests is None else outcome.tests,
            band=outcome.band,
            levels=outcome.levels,
        )
        path = case.folder / LABEL
        text = label_text(seen, known_costs(case, root))
        if path.read_text(encoding="utf-8") != text:
            write_whole(path, text.encode("utf-8"))
            changed.append(case)
    return changed
