"""What real submissions say about an exercise: which criteria and checks tell candidates apart.

Discrimination is the corrected item-total correlation: the point-biserial correlation of one check
(or the correlation of a criterion's share) with the rest of the score, the item itself left out
(Henrysson, "Correction of item-total correlations in item analysis", Psychometrika 28, 1963).
Intervals are percentile bootstrap intervals over submissions (Efron, 1979). The resamples are
drawn from a fixed seed, so that the same reports give the same figures.
"""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.models import Status
from grader.report.reliability import overruled, reliability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from grader.report.model import Report
    from grader.report.reliability import Looked, Overruled, Reliability

__all__ = ["LEAST", "ExerciseStats", "Figure", "Item", "measure_exercise"]

LEAST = 30  # submissions below which there are counts only
_RESAMPLES = 400
_LOW, _HIGH = 0.025, 0.975
_UNSURE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate with its 95 % interval; `low` and `high` are None where none can be given."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A criterion or a check over all submissions.

    Attributes:
        kind: ``criterion`` or ``check``.
        count: submissions that were asked.
        passed: how many kept all of it.
        share: mean share kept, 0 to 1; None with fewer than `LEAST` submissions.
        discrimination: correlation with the rest of the score, -1 to 1; None with fewer, or where
            all submissions did alike.
        seconds: median time of a failure, of the test alone; None where nobody failed.
        inconclusive: share of submissions that the check could not decide about.
        suggestion: what to look at; empty where nothing stands out.
    """

    kind: str
    name: str
    criterion: str
    title: str
    count: int
    passed: int
    share: Figure | None = None
    discrimination: Figure | None = None
    seconds: float | None = None
    inconclusive: float = 0.0
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class ExerciseStats:
    """One exercise.

    Attributes:
        versions: of the exercise, among the submissions.
        levels: seniority → category → level → number of submissions.
        bands: seniority → band → number of submissions.
        agreement: of reviewers with each other and with the machine, where people decided.
        overruled: checks whose failures reviewers do not follow.
    """

    exercise: str
    versions: tuple[str, ...]
    count: int
    items: tuple[Item, ...]
    levels: Mapping[str, Mapping[str, Mapping[str, int]]]
    bands: Mapping[str, Mapping[str, int]]
    agreement: tuple[Reliability, ...] = ()
    overruled: tuple[Overruled, ...] = ()


def measure_exercise(reports: Sequence[Report], looked: Sequence[Looked] = ()) -> ExerciseStats:
    """Work out the figures of one exercise.

    Args:
        reports: of different submissions, at least one; the machine's.
        looked: what people decided on submissions of the exercise.
    """
    criteria = _criteria(reports)
    checks = _checks(reports)
    levels: dict[str, dict[str, Counter[str]]] = {}
    bands: dict[str, Counter[str]] = {}
    for report in reports:
        card = report.scorecard
        bands.setdefault(card.seniority, Counter())[card.band.value] += 1
        for category in card.categories:
            if category.assessed:
                of_category = levels.setdefault(card.seniority, {}).setdefault(
                    category.title, Counter()
                )
                of_category[category.level.name.lower()] += 1
    return ExerciseStats(
        reports[0].exercise_id,
        tuple(sorted({report.exercise_version for report in reports})),
        len(reports),
        (*criteria, *checks),
        {
            seniority: {title: dict(counts) for title, counts in categories.items()}
            for seniority, categories in levels.items()
        },
        {seniority: dict(counts) for seniority, counts in bands.items()},
        tuple(reliability(looked)) if looked else (),
        tuple(overruled(looked)),
    )


def _criteria(reports: Sequence[Report]) -> list[Item]:
    """Each criterion: the share of its lines that a submission kept."""
    titles: dict[str, str] = {}
    kept: list[dict[str, float]] = []
    for report in reports:
        shares = {}
        for category in report.scorecard.categories:
            for share in category.criteria:
                if share.total:
                    titles[share.id] = share.title
                    shares[share.id] = share.passed / share.total
        kept.append(shares)
    found = []
    for name, title in titles.items():
        asked = [shares for shares in kept if name in shares]
        values = [shares[name] for shares in asked]
        rest = [_mean_without(shares, name) for shares in asked]
        whole = sum(value == 1 for value in values)
        item = Item("criterion", name, name, title, len(asked), whole)
        found.append(_measured(item, values, rest))
    return found


def _mean_without(shares: Mapping[str, float], name: str) -> float:
    others = [value for key, value in shares.items() if key != name]
    return statistics.fmean(others) if others else 0.0


def _checks(reports: Sequence[Report]) -> list[Item]:
    passed = [
        {record.test.id: record.status is Status.PASSED for record in report.evidence}
        for report in reports
    ]
    totals = [sum(of_one.values()) for of_one in passed]
    known = {record.test.id: record.test for report in reports for record in report.evidence}
    seconds: dict[str, list[float]] = {}
    unsure: Counter[str] = Counter()
    for report in reports:
        for record in report.evidence:
            if record.status is not Status.PASSED and record.test.id.startswith("test_"):
                seconds.setdefault(record.test.id, []).append(record.seconds)
            unsure[record.test.id] += any(_UNSURE in r.lower() for r in record.remarks)
    found = []
    for name, test in known.items():
        asked = [n for n, of_one in enumerate(passed) if name in of_one]
        values = [float(passed[n][name]) for n in asked]
        rest = [
            (totals[n] - value) / max(len(passed[n]) - 1, 1)
            for n, value in zip(asked, values, strict=True)
        ]
        times = seconds.get(name)
        item = Item(
            "check",
            name,
            test.criterion,
            test.title,
            len(asked),
            int(sum(values)),
            seconds=statistics.median(times) if times else None,
            inconclusive=unsure[name] / len(asked),
        )
        found.append(_measured(item, values, rest))
    return sorted(found, key=lambda item: (item.criterion, item.name))


def _measured(item: Item, values: Sequence[float], rest: Sequence[float]) -> Item:
    """An item with its share, discrimination and suggestion, where there are enough submissions.

    Args:
        item: with its counts.
        values: what each submission kept of it, 0 to 1.
        rest: the rest of each submission's score, 0 to 1.
    """
    count = len(values)
    if count < LEAST:
        return item
    draw = random.Random(f"{item.kind} {item.name}")  # noqa: S311 - a bootstrap, no secret
    picks = [draw.choices(range(count), k=count) for _ in range(_RESAMPLES)]
    share = _bootstrapped(lambda pick: statistics.fmean(values[n] for n in pick), picks, count)
    discrimination = _bootstrapped(
        lambda pick: _correlation([values[n] for n in pick], [rest[n] for n in pick]), picks, count
    )
    measured = dataclasses.replace(item, share=share, discrimination=discrimination)
    return dataclasses.replace(measured, suggestion=_suggestion(measured, any(values)))


def _bootstrapped(
    estimate: Callable[[Sequence[int]], float | None], picks: Sequence[Sequence[int]], count: int
) -> Figure | None:
    value = estimate(range(count))
    if value is None:
        return None
    found = sorted(v for pick in picks if (v := estimate(pick)) is not None)
    low, high = (found[round(q * (len(found) - 1))] for q in (_LOW, _HIGH))
    return Figure(value, low, high)


def _correlation(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Pearson's; None where one side does not vary."""
    a, b = statistics.fmean(left), statistics.fmean(right)
    both = math.fsum((x - a) * (y - b) for x, y in zip(left, right, strict=True))
    spread = math.fsum((x - a) ** 2 for x in left) * math.fsum((y - b) ** 2 for y in right)
    return both / math.sqrt(spread) if spread > 1e-18 else None  # noqa: PLR2004 - rounding


def _suggestion(item: Item, kept_by_any: bool) -> str:
    if item.passed == item.count:
        return (
            "nobody fails it, so it tells nobody apart: keep it if it guards against a trick or a "
            "headline defect, else ask for more or leave it out"
        )
    if not kept_by_any:
        return (
            "nobody passes it: read its line of the task sheet as a stranger would, and see "
            "whether a correct solution in another style passes"
        )
    figure = item.discrimination
    if figure is not None and figure.high is not None and figure.high < 0:
        return (
            "those who do well elsewhere fail it: its line may say something else than the test "
            "holds; look at three of their submissions"
        )
    return ""
