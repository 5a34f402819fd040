"""Everything that the task asks for is there and answers in the form asked for."""

from __future__ import annotations

import pandas as pd
import pytest
import reference
from data import alerted, assert_statistics, entries, numbers_of, reported, small
from world import World

from grader.judge.compare import assert_kind, assert_value

HINT = "Run the sample tests: every function of the task sheet must exist and answer."


@pytest.mark.criterion("runs", sheet="groups", hint=HINT)
def test_evaluate_answers(solution, rng):
    """The table of evaluate has the columns of the sheet, all rows first."""
    world = World.draw(rng)
    log = world.reference(rng)
    table = numbers_of(solution.evaluate(log, [], 0.4))
    assert_value([str(label) for label in table.columns], reference.COLUMNS, what="columns")
    assert_value(len(table), 1, what="rows")
    assert_value([str(table["slice"].iloc[0]), str(table["value"].iloc[0])], ["all", "all"])


@pytest.mark.criterion("runs", sheet="report", hint=HINT)
def test_drift_report_answers(solution, rng):
    """drift_report speaks of each feature once, with a finite statistic, a flag and a kind."""
    source = small(rng)
    found = reported(solution.drift_report(source.reference(rng), source.current(rng)))
    assert_value(sorted(found), sorted([*source.numbers, *source.texts]), what="features")
    assert_statistics(found)
    for name, entry in found.items():
        assert_kind(entry.kind, str, f"kind of {name}")


@pytest.mark.criterion("runs", sheet="causes", hint=HINT)
def test_diagnose_answers(solution, rng):
    """A diagnosis has one to three entries with the four keys."""
    world = World.draw(rng)
    found = entries(solution.diagnose(world.reference(rng), world.window(rng), world.model))
    assert_value(bool(found[0].cause), True, what="the first cause")


@pytest.mark.criterion("runs", sheet="alert", hint=HINT)
def test_monitor_answers(solution, rng):
    """A monitor takes a day and gives a list of names."""
    world = World.draw(rng)
    log = world.window(rng)
    day = log[log["date"] == pd.Timestamp(log["date"].min())]
    alerted(solution.Monitor(world.reference(rng)).update(day))
