"""Drafts of events, to test what follows from decisions."""

from __future__ import annotations

from typing import Any

from grader.decisions.events import Draft, Kind

RUN, SCORING = "1" * 64, "2" * 64


def draft(kind: Kind = Kind.OVERRULE, **changes: Any) -> Draft:
    """A decision on the clarity of case ``bcdfghjkmn``, unless told otherwise."""
    values: dict[str, Any] = {
        "by": "ann",
        "case": "bcdfghjkmn",
        "exercise": "imputation",
        "category": "code_clarity",
        "level": 3,
        "machine": 2,
        "run": RUN,
        "scoring": SCORING,
        "text": "the names are good",
    }
    return Draft(kind, **{**values, **changes})


def confirmation(**changes: Any) -> Draft:
    return draft(Kind.CONFIRM, **{"level": 2, "text": "", **changes})
