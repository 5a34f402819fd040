"""Questions for the interview, drawn from what a run found.

They are prompts for a person, made of authors' words, counts and figures. They move no score and
hold no text of the candidate's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.models import Cause, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from grader.models import Evidence, Measurement
    from grader.report.model import Report
    from grader.scores import CategoryScore

__all__ = ["Question", "questions"]

_MOST = 8
_MOST_CRITERIA = 4
_NARROW = 0.1  # of the threshold
_LIMITS = {
    Cause.TIMEOUT: "ran into its deadline",
    Cause.WALL_LIMIT: "came after the time for the whole run was used up",
    Cause.MEMORY: "ran out of memory",
    Cause.TOO_LARGE: "gave an answer that was too large",
    Cause.DIED: "ended with the process gone",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        text: what to ask.
        because: what was found.
        tests: ids of the checks that it rests on.
    """

    text: str
    because: str
    tests: tuple[str, ...] = ()


def questions(report: Report) -> tuple[Question, ...]:
    """At most eight, the most telling first; the last asks what no check can see."""
    failed = [record for record in report.evidence if record.status is not Status.PASSED]
    found = [
        *_loading(failed),
        *_limits(failed),
        *_criteria(report, failed),
        *_claims(report),
        *_inconclusive(report),
        *_narrow(report),
        *_static(failed),
    ]
    last = list(_provisional(report.scorecard.categories))
    return (*found[: _MOST - len(last)], *last)


def _ids(records: Sequence[Evidence]) -> tuple[str, ...]:
    return tuple(record.test.id for record in records[:3])


def _checks(count: int) -> str:
    return "1 check" if count == 1 else f"{count} checks"


def _loading(failed: Sequence[Evidence]) -> Iterator[Question]:
    records = [record for record in failed if record.cause is Cause.LOAD_ERROR]
    if records:
        yield Question(
            "How did you run the code before you handed it in, and with which packages?",
            f"It could not be loaded in {_checks(len(records))}.",
            _ids(records),
        )


def _limits(failed: Sequence[Evidence]) -> Iterator[Question]:
    for cause, what in _LIMITS.items():
        records = [record for record in failed if record.cause is cause]
        if records:
            yield Question(
                "What grows with the size of the input here, and how would you find out which "
                "line it is?",
                f"{_checks(len(records)).capitalize()} {what}; the first: {_title(records[0])}.",
                _ids(records),
            )


def _criteria(report: Report, failed: Sequence[Evidence]) -> Iterator[Question]:
    """One for each criterion with failures of its own making, in the rubric's order."""
    seen: set[str] = set()
    told = {Cause.LOAD_ERROR, *_LIMITS}
    for share in (s for c in report.scorecard.categories for s in c.criteria):
        records = [
            record
            for record in failed
            if record.test.criterion == share.id
            and record.cause not in told
            and not _is_static(record)
        ]
        if not records or share.id in seen or len(seen) >= _MOST_CRITERIA:
            continue
        seen.add(share.id)
        effect = next((m for record in records for m in record.measurements if _beyond(m)), None)
        because = f"{share.title}: {share.passed} of {share.total} {share.unit} kept"
        if effect is not None:
            yield Question(
                f"The check “{_title(records[0])}” measured an effect. Which step of your pipeline "
                "carries it, and how would you test that it is gone?",
                f"{because}; {effect.name} was {effect.value:.3g} {effect.unit}".rstrip()
                + f" against a limit of {effect.threshold:.3g}.",
                _ids(records),
            )
            continue
        hint = records[0].test.hint
        lead = f"“{_title(records[0])}” did not hold. "
        ask = f"{hint} " if hint.endswith("?") else ""
        yield Question(
            f"{lead}{ask}Walk me through what your code does there, and what you would change.",
            f"{because}.",
            _ids(records),
        )


def _beyond(measurement: Measurement) -> bool:
    return (
        measurement.threshold is not None
        and not measurement.volatile
        and measurement.value > measurement.threshold
    )


def _claims(report: Report) -> Iterator[Question]:
    if report.findings is None or report.findings.text is None:
        return
    file = report.findings.file
    told = [claim for claim in report.findings.claims if claim.lines and not claim.passed]
    silent = [claim for claim in report.findings.claims if claim.passed and not claim.lines]
    if told:
        lines = ", ".join(str(number) for number, _ in told[0].lines)
        records = [
            record
            for record in report.evidence
            if record.test.criterion == told[0].criterion and record.status is not Status.PASSED
        ]
        fact = f"; “{_title(records[0])}” did not hold" if records else ""
        yield Question(
            "How did you check this, and what would have shown you that it does not hold?",
            f"{file}, line {lines}, seems to be about “{told[0].title}”{fact}.",
            _ids(records),
        )
    if silent:
        titles = "; ".join(claim.title for claim in silent[:3])
        yield Question(
            "Which of the defects did you look for, and which went away on the side?",
            f"Repaired, yet no line of {file} seems to be about it: {titles}.",
        )


def _inconclusive(report: Report) -> Iterator[Question]:
    records = [record for record in report.evidence if record.remarks]
    if records:
        yield Question(
            "Where does your code draw random numbers, and what would make a run repeatable?",
            f"A check left a remark: {_title(records[0])}.",
            _ids(records),
        )


def _narrow(report: Report) -> Iterator[Question]:
    for record in report.evidence:
        for m in record.measurements:
            if record.status is not Status.PASSED or m.volatile or not m.threshold:
                continue
            if "[" not in m.name and abs(m.value - m.threshold) < _NARROW * abs(m.threshold):
                yield Question(
                    f"What would you try next to improve {m.name}, and how would you know that it "
                    "helped?",
                    f"It passed narrowly: {m.value:.3g} with a threshold of {m.threshold:.3g}.",
                    (record.test.id,),
                )
                return


def _static(failed: Sequence[Evidence]) -> Iterator[Question]:
    records = [record for record in failed if _is_static(record)]
    if records:
        hints = " ".join(record.test.hint for record in records[:2])
        yield Question(
            f"Suppose a colleague's review said this about your code: {hints} What would you "
            "change, and what would you leave?",
            f"{_checks(len(records)).capitalize()} on the source found something.",
            _ids(records),
        )


def _provisional(categories: Sequence[CategoryScore]) -> Iterator[Question]:
    for category in categories:
        if category.provisional and category.assessed:
            yield Question(
                "Which other ways did you consider, why this one, and what would you do "
                "differently with a hundred times the data?",
                f"{category.title} is provisional: it stays at most Strong until you confirm it.",
            )


def _is_static(record: Evidence) -> bool:
    return record.test.id.startswith("static::")


def _title(record: Evidence) -> str:
    return record.test.title or record.test.id
