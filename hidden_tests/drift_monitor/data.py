"""Answers of a submission, read strictly, and the windows that several tests ask about.

What an answer holds beyond the task sheet's form does not matter, so that one slip costs one
criterion: a test of false alarms reads `drifted` only, whatever `kind` says.

A test that doing nothing would pass also asks about a drift that every method finds (`probe`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from wide import Wide, changed
from world import REFERENCE_DAYS, Cause, Shifted, World, days

from grader.judge.compare import assert_kind, assert_value

if TYPE_CHECKING:
    from collections.abc import Sequence

ALERT_DAYS = 7


@dataclass(frozen=True)
class Found:
    """What a report says of one feature."""

    statistic: object
    drifted: bool
    kind: object


@dataclass(frozen=True)
class Diagnosis:
    """One entry of a diagnosis."""

    cause: str
    features: frozenset[str]
    evidence: str
    experiment: str


def reported(reply: object) -> dict[str, Found]:
    """A report by feature."""
    assert_kind(reply, pd.DataFrame, "the report")
    columns = {name: _column(reply, name) for name in ("statistic", "drifted", "kind")}
    names = [str(name) for name in reply.index]
    assert_value(len(set(names)), len(names), what="number of different features in the index")
    found = {}
    for place, name in enumerate(names):
        drifted = columns["drifted"][place]
        assert_kind(drifted, (bool, np.bool_), f"drifted of {name}")
        found[name] = Found(columns["statistic"][place], bool(drifted), columns["kind"][place])
    return found


def _column(frame: pd.DataFrame, name: str) -> list[Any]:
    column = frame.get(name)
    assert_kind(column, pd.Series, f"the column {name}")
    return column.tolist()


def drifted(reply: object) -> set[str]:
    """The features that a report calls drifted."""
    return {name for name, found in reported(reply).items() if found.drifted}


def entries(reply: object) -> list[Diagnosis]:
    """A diagnosis, likeliest cause first."""
    assert_kind(reply, (list, tuple), "the diagnosis")
    assert_value(1 <= len(reply) <= 3, True, what="one to three causes")
    return [_entry(entry) for entry in reply]


def _entry(entry: object) -> Diagnosis:
    assert_kind(entry, dict, "an entry of the diagnosis")
    kinds = {"cause": str, "features": (list, tuple), "evidence": str, "experiment": str}
    for key, kind in kinds.items():
        assert_kind(entry.get(key), kind, f"{key} of an entry")
    for name in entry["features"]:
        assert_kind(name, str, "a name in features")
    return Diagnosis(
        entry["cause"], frozenset(entry["features"]), entry["evidence"], entry["experiment"]
    )


def first(reply: object) -> str:
    """The likeliest cause."""
    return entries(reply)[0].cause


def alerted(reply: object) -> list[str]:
    """The names that one update gave."""
    assert_kind(reply, (list, tuple), "an update")
    for name in reply:
        assert_kind(name, str, "a name in an update")
    return list(reply)


def watched(solution: Any, monitor: Any, batches: Sequence[pd.DataFrame]) -> list[list[str]]:
    """What a monitor says of days, one after the other."""
    return [alerted(reply) for reply in solution.each(monitor.update, list(batches))]


def by_day(log: pd.DataFrame) -> list[pd.DataFrame]:
    """The log of each day, in order."""
    return [part.reset_index(drop=True) for _, part in log.groupby("date")]


def stream(
    rng: np.random.Generator,
    world: World,
    plan: Sequence[tuple[int, Sequence[Cause]]],
    rows: int = 150,
) -> list[pd.DataFrame]:
    """Days after the reference: of each part of the plan so many days, and what is wrong."""
    parts, start = [], REFERENCE_DAYS
    for count, causes in plan:
        parts += by_day(world.log(rng, days(rng, start, count, rows), causes))
        start += count
    return parts


def lasting(world: World, count: int = 1) -> Shifted:
    """A drift that every monitor finds, in the first steady numbers of a company."""
    return Shifted(features=tuple(world.heavy[:count]), by=1.3)


def small(rng: np.random.Generator) -> Wide:
    """A source of windows with eight features."""
    return Wide(rng, 6, 2)


def probe(frame: pd.DataFrame, source: Wide, name: str) -> pd.DataFrame:
    """A number so far from where it was that every method finds it."""
    return changed(frame, name, lambda column: column + 2.5 * source.mean(name))


def assert_probe(
    solution: Any,
    rng: np.random.Generator,
    source: Wide | None = None,
    rows: tuple[int, int] = (1400, 560),
) -> None:
    """Hold that `drift_report` finds a far move, beside what doing nothing would pass.

    Args:
        solution: the submission.
        rng: draws the windows and the feature.
        source: of windows that look like those that nothing may be found in.
        rows: of the reference and of the current window, like theirs as well.
    """
    source = source or small(rng)
    name = str(rng.choice(source.numbers))
    current = probe(source.current(rng, rows[1]), source, name)
    report = solution.drift_report(source.reference(rng, rows[0]), current)
    assert_value(name in drifted(report), True, what=name)


def assert_watches(solution: Any, rng: np.random.Generator) -> None:
    """The same for a monitor."""
    world = World.draw(rng, seasonal=False)
    moved = Shifted(features=(world.heavy[0],), by=3.0)
    monitor = solution.Monitor(world.reference(rng))
    told = watched(solution, monitor, stream(rng, world, [(3, ()), (ALERT_DAYS, (moved,))]))
    assert_value(
        world.heavy[0] in {name for names in told for name in names}, True, what="an alert"
    )


def numbers_of(reply: object) -> pd.DataFrame:
    """The table that `evaluate` gives, checked to be one."""
    assert_kind(reply, pd.DataFrame, "the table")
    return reply


def assert_statistics(found: dict[str, Found]) -> None:
    """Hold that every statistic is a finite number."""
    for name, entry in found.items():
        assert_kind(entry.statistic, (int, float, np.integer, np.floating), f"statistic of {name}")
        assert_value(math.isfinite(entry.statistic), True, what=f"statistic of {name} is finite")
