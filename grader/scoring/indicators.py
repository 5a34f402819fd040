"""The sentences of a score card: what decided a level, and the evidence for and against it.

Sentences hold an author's titles and counts only, and no volatile figure. What a check expected and
saw stands apart, in `Indicator.detail`: it may quote the candidate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from grader.models import Cause, Level, Status
from grader.scores import Indicator
from grader.scoring.series import point_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.models import CategoryRule, Evidence
    from grader.scores import CriterionShare

__all__ = ["CAUSES", "HELD_BACK", "explain", "indicators"]

HELD_BACK = "Poor: held back until the code does what it is for"

CAUSES = {
    Cause.NONE: "failed",
    Cause.WRONG_VALUE: "another value than expected",
    Cause.CANDIDATE_ERROR: "raised an error",
    Cause.LOAD_ERROR: "the submission does not load",
    Cause.NO_RECORD: "no answer was recorded",
    Cause.SKIPPED: "skipped, which counts as failed",
    Cause.TEST_ERROR: "the check itself stopped",
    Cause.DIED: "the process died",
    Cause.TIMEOUT: "too slow: stopped at its deadline",
    Cause.MEMORY: "out of memory",
    Cause.BAD_REPLY: "the answer is not valid data",
    Cause.TOO_LARGE: "the answer is too large",
    Cause.WALL_LIMIT: "the time for the whole run was used up",
    Cause.FINDING: "found in the code",
}
_SAID_BY_THE_MESSAGE = {Cause.WRONG_VALUE, Cause.CANDIDATE_ERROR, Cause.LOAD_ERROR, Cause.FINDING}
_DETAIL = 200
_ONE = {"lines": "line", "checks": "check", "criteria": "criterion"}


def explain(category: CategoryRule, shares: Mapping[str, CriterionShare], reached: Level) -> str:
    """One sentence: the rule that was reached, and what the next higher one lacked.

    Args:
        category: the category's rules.
        shares: all criteria.
        reached: the level by the rules alone, before a provisional category is capped.
    """
    needs = {n: s for n, s in category.needs.items() if not _enough(shares[n], s)}
    if needs:
        wanted = _join(_wanted(needs, shares))
        return f"{HELD_BACK}; that takes {wanted}"
    parts = [_join(_met(r.shares, shares)) for r in category.rules if r.level == reached]
    if category.provisional and reached is Level.EXCELLENT:
        parts.append("capped at Strong until a reviewer confirms it")
        return f"Strong: {'; '.join(parts)}"
    for rule in category.rules:
        if rule.level == reached + 1:
            lacking = {n: s for n, s in rule.shares.items() if not _enough(shares[n], s)}
            parts.append(f"{_name(rule.level)} needs {_join(_wanted(lacking, shares))}")
    return f"{_name(reached)}: {'; '.join(parts)}"


def _enough(share: CriterionShare, wanted: float) -> bool:
    return bool(share.total) and share.passed >= wanted * share.total - 1e-9


def _wanted(lacking: Mapping[str, float], shares: Mapping[str, CriterionShare]) -> list[str]:
    found = []
    for name, wanted in lacking.items():
        share = shares[name]
        if not share.total:
            found.append(f"{_quoted(share)}, which has no test")
        elif wanted >= 1:
            had = f"(kept: {share.passed} of {share.total})"
            found.append(f"every {_ONE[share.unit]} of {_quoted(share)} {had}")
        else:
            least = math.ceil(wanted * share.total - 1e-9)
            whole = f"{least} of the {share.total} {share.unit} of {_quoted(share)}"
            found.append(f"{whole} (kept: {share.passed})")
    return found


def _met(wanted: Mapping[str, float], shares: Mapping[str, CriterionShare]) -> list[str]:
    full = [name for name in wanted if shares[name].passed == shares[name].total]
    found = [f"{_join([_quoted(shares[name]) for name in full])} kept in full"] if full else []
    found += [
        f"{shares[name].passed} of {shares[name].total} {shares[name].unit} of "
        f"{_quoted(shares[name])} kept"
        for name in wanted
        if name not in full
    ]
    return found


def _quoted(share: CriterionShare) -> str:
    return f'"{share.title}"'


def _join(parts: Sequence[str]) -> str:
    if len(parts) < 2:  # noqa: PLR2004 - "a", "a and b", "a, b and c"
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _name(level: Level) -> str:
    return level.name.capitalize()


def indicators(
    own: Sequence[str], shares: Mapping[str, CriterionShare], evidence: Sequence[Evidence]
) -> tuple[Indicator, ...]:
    """Evidence for and against a level: negative ones first, the most weighty criterion first.

    A criterion weighs more the lower the level that asks for it. A positive indicator stands for
    a criterion that passed as a whole, or for a passed test with a figure that cleared its
    threshold (points of a series are left to drawings); a negative one for each failed test.

    Args:
        own: the category's criteria, most weighty first.
        shares: all criteria.
        evidence: all records of the run.
    """
    negative: list[Indicator] = []
    positive: list[Indicator] = []
    for name in own:
        share = shares[name]
        records = [record for record in evidence if record.test.criterion == name]
        if share.total and share.passed == share.total:
            count = f" (all {share.total} {share.unit})" if share.total > 1 else ""
            positive.append(Indicator(f"{share.title}{count}", True, name))
        for record in records:
            title = record.test.title or record.test.id
            if record.status is not Status.PASSED:
                negative.append(_negative(record, title))
                continue
            figures = [
                f"{m.name} {m.value:g} {m.unit}".rstrip() + f" (threshold {m.threshold:g})"
                for m in record.measurements
                if m.threshold is not None and not m.volatile and point_of(m) is None
            ]
            if figures:
                text = f"{title}: {', '.join(figures)}"
                positive.append(Indicator(text, True, name, record.test.id))
    return (*negative, *positive)


def _negative(record: Evidence, title: str) -> Indicator:
    """A failed check: what was expected and seen, or why nothing could be seen."""
    detail = next((line for line in record.message.splitlines() if line.strip()), "")
    if record.cause in _SAID_BY_THE_MESSAGE and detail:
        text = title
    else:
        text, detail = f"{title}: {CAUSES[record.cause]}", ""
    return Indicator(text, False, record.test.criterion, record.test.id, detail[:_DETAIL])
