"""The summary of a run for a page that renders GitHub's Markdown. For reviewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.models import Band, Status
from grader.scoring.final import beside, counted
from grader.text import clip, for_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from grader.models import Evidence
    from grader.report.dossier import Dossier
    from grader.scores import CategoryScore, ScoreCard

__all__ = ["MOST_BYTES", "capped", "github_summary"]

MOST_BYTES = 1024 * 1024 - 1024  # GitHub drops a step summary of more than 1024 KiB altogether
_MESSAGE_CHARS = 300
_CUT = "\n… cut here: GitHub shows no more. The results folder holds everything.\n"


def github_summary(dossier: Dossier) -> bytes:
    """Score, levels with their reasons, and failed checks."""
    report = dossier.report
    card = report.scorecard
    failed = [record for record in report.evidence if record.status is not Status.PASSED]
    lines = [
        (
            f"## {report.exercise_title}: {card.overall:.2f} of 4, "
            f"{card.band.value} {card.seniority} expectations"
        ),
        "",
        (
            f"Submission {for_markdown(report.submission_name)}, digest "
            f"`{report.submission_digest[:12]}`."
        ),
        *_missed(card),
        *([] if report.machine is None else ["", f"{counted(card, report.machine)}."]),
        "",
        "| category | level | weight | decided by |",
        "|---|---|---|---|",
        *(_row(category) for category in card.categories),
        "",
        f"### {len(failed)} of {len(report.evidence)} hidden checks failed",
        "",
        *(_failure(record) for record in failed),
        *_notes(dossier),
        "",
    ]
    return capped(lines)


def capped(lines: Iterable[str], most: int = MOST_BYTES) -> bytes:
    """Lines as UTF-8; what is over the limit goes, whole lines at a time, and that is said."""
    kept: list[bytes] = []
    room = most - len(_CUT.encode())
    for line in lines:
        data = f"{line}\n".encode("utf-8", "backslashreplace")
        room -= len(data)
        if room < 0:
            return b"".join(kept) + _CUT.encode()
        kept.append(data)
    return b"".join(kept)


def _missed(card: ScoreCard) -> list[str]:
    if not card.missed:
        return []
    higher = "exceed" if card.band is Band.MEETS else "meet"
    return ["", f"To {higher} {card.seniority} it lacks {'; '.join(card.missed)}."]


def _row(category: CategoryScore) -> str:
    if not category.assessed:
        return f"| {category.title} | not assessed | | |"
    level = f"{category.level.name.capitalize()} ({int(category.level)})"
    mark = ", provisional" if category.provisional else ""
    reason = category.decided_by.partition(": ")[2] or category.decided_by
    if told := beside(category):
        reason = f"{for_markdown(told)}. The machine: {reason}"
    return f"| {category.title} | {level}{mark} | {category.weight * 100:.0f} % | {reason} |"


def _failure(record: Evidence) -> str:
    message = clip(" ".join(record.message.split()), _MESSAGE_CHARS)
    said = f": {for_markdown(message)}" if message.raw else ""
    where = f" at {for_markdown(record.where)}" if record.where else ""
    return f"- **{record.test.title or record.test.id}** ({record.cause.value}){said}{where}"


def _notes(dossier: Dossier) -> Iterator[str]:
    report = dossier.report
    notes = (*report.submission_notes, *report.run.judge_notes)
    if notes:
        yield ""
        yield "### Notes"
        yield ""
        yield from (f"- {for_markdown(note)}" for note in notes)
