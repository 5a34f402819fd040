"""What a candidate wrote down, beside what the machine saw.

Some exercises ask for a file in which each defect is named. It is shown to the reviewer next to the
verdicts. Finding a word in it is a help for a reader and never moves a score: a list of words is
written in a minute, and a good explanation may use others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.models import Status
from grader.text import CandidateText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.models import Evidence, Rubric, Submission

__all__ = ["Claim", "Findings", "findings_of"]

_MAX_CHARS = 20_000
_MAX_LINES = 3  # quoted for one criterion


@dataclass(frozen=True, slots=True)
class Claim:
    """One criterion: the machine's verdict, and lines of the file that seem to be about it."""

    criterion: str
    title: str
    passed: bool
    lines: tuple[tuple[int, CandidateText], ...]  # (line number from 1, the line)


@dataclass(frozen=True, slots=True)
class Findings:
    """The candidate's file; `text` is None where there is none or it is no UTF-8 text."""

    file: str
    text: CandidateText | None
    claims: tuple[Claim, ...]


def findings_of(
    submission: Submission, rubric: Rubric, evidence: Sequence[Evidence]
) -> Findings | None:
    """Put a submission's findings beside the evidence; None where the exercise asks for none."""
    rule = rubric.findings
    if rule is None:
        return None
    data = next((file.data for file in submission.files if file.path == rule.file), None)
    text = _text(data)
    lines = text.splitlines() if text is not None else []
    return Findings(
        file=rule.file,
        text=None if text is None else CandidateText(text),
        claims=tuple(
            Claim(
                criterion=name,
                title=rubric.criteria[name],
                passed=_clean(name, evidence),
                lines=_about(lines, words),
            )
            for name, words in rule.words.items()
        ),
    )


def _text(data: bytes | None) -> str | None:
    if data is None:
        return None
    try:
        return data.decode("utf-8-sig")[:_MAX_CHARS]
    except UnicodeDecodeError:
        return None


def _clean(criterion: str, evidence: Sequence[Evidence]) -> bool:
    statuses = {record.status for record in evidence if record.test.criterion == criterion}
    return statuses == {Status.PASSED}


def _about(lines: Sequence[str], words: Sequence[str]) -> tuple[tuple[int, CandidateText], ...]:
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + ")", re.IGNORECASE)
    found = [
        (n, CandidateText(line.strip())) for n, line in enumerate(lines, 1) if pattern.search(line)
    ]
    return tuple(found[:_MAX_LINES])
