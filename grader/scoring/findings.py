"""What a candidate wrote down, beside what the machine saw.

Some exercises ask for a file in which each defect is named, or how something was verified. It is
shown to the reviewer next to the verdicts, with comments and docstrings about the same. Finding a
word there is a help for a reader and never moves a score: a list of words is written in a minute,
and a good explanation may use others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.models import Status
from grader.text import CandidateText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from grader.models import Evidence, Rubric, Submission

__all__ = ["Claim", "Findings", "Note", "findings_of"]

_MAX_CHARS = 20_000
_MAX_LINES = 3  # quoted for one criterion
_MAX_NOTES = 12  # quoted of the code
_QUOTES = re.compile(r"\"\"\"|'''")


@dataclass(frozen=True, slots=True)
class Claim:
    """One criterion: the machine's verdict, and lines of the file that seem to be about it.

    Attributes:
        lines: (line number from 1, the line).
        facts: titles of the checks of this criterion that did not hold.
    """

    criterion: str
    title: str
    passed: bool
    lines: tuple[tuple[int, CandidateText], ...]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A comment, or a line of a text in triple quotes, that holds one of the words."""

    path: str
    line: int
    text: CandidateText


@dataclass(frozen=True, slots=True)
class Findings:
    """The candidate's file; `text` is None where there is none or it is no UTF-8 text.

    Attributes:
        notes: what the code says about the same.
    """

    file: str
    text: CandidateText | None
    claims: tuple[Claim, ...]
    notes: tuple[Note, ...] = ()


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
                facts=_facts(name, evidence),
            )
            for name, words in rule.words.items()
        ),
        notes=tuple(_notes(submission, rule.code)),
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


def _facts(criterion: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    titles = [
        record.test.title or record.test.id
        for record in evidence
        if record.test.criterion == criterion and record.status is not Status.PASSED
    ]
    return tuple(titles[:_MAX_LINES])


def _notes(submission: Submission, words: Sequence[str]) -> Iterator[Note]:
    """Comments and docstrings that hold one of the words.

    The text is searched line by line and never parsed: a parser on this machine would be one more
    thing that a submission can attack. A ``#`` in a string may pass for a comment.
    """
    if not words:
        return
    left = _MAX_NOTES
    for file in submission.files:
        text = _text(file.data) if file.path.endswith(".py") else None
        spoken = dict(_spoken(text.splitlines())) if text is not None else {}
        for number, line in _about(
            [spoken.get(n, "") for n in range(1, len(spoken) + 1)], words, left
        ):
            yield Note(file.path, number, line)
            left -= 1


def _spoken(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What each line says in a comment or within triple quotes."""
    inside = ""
    for number, line in enumerate(lines, 1):
        said = line if inside else ""
        if inside and inside in line:
            inside = ""
        elif not inside:
            opened = _QUOTES.search(line)
            if opened:
                said = line[opened.end() :]
                inside = "" if opened[0] in said else opened[0]
            elif "#" in line:
                said = line[line.index("#") :]
        yield number, said.strip(" \t#\"'")


def _about(
    lines: Sequence[str], words: Sequence[str], most: int = _MAX_LINES
) -> tuple[tuple[int, CandidateText], ...]:
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + ")", re.IGNORECASE)
    found = [
        (n, CandidateText(line.strip())) for n, line in enumerate(lines, 1) if pattern.search(line)
    ]
    return tuple(found[:most])
