"""A monitor tells of lasting drift within a week, once, and lets people sleep.

Companies are not seasonal, except in the tests of weekends, so that a monitor whose only defect is
its alarm on Saturdays loses nothing else.
"""

from __future__ import annotations

import pytest
from claims import Often, assert_few
from data import ALERT_DAYS, assert_watches, lasting, stream, watched
from world import REFERENCE_DAYS, MoreChurn, Shifted, World

from grader.judge.compare import assert_value

STREAMS = 6
ALERT = "Let a feature move on some day, and count the days until its alert."
BUDGET = "How many alerts do 28 quiet days give, on average?"
WEEKENDS = "With which days of the reference is a Saturday compared?"
OTHERS = "What may the alert of one feature change for the others?"
COLUMNS = "Which columns of a log are features?"
ONCE = "What happens on the day after an alert, and when the drift comes back?"


def _of(told, names):
    """Alerts of some features: day and name."""
    return [(day, name) for day, group in enumerate(told) for name in group if name in names]


@pytest.mark.criterion("alerts", sheet="alert", hint=ALERT)
def test_lasting_drift_alerts_within_a_week(solution, rng, measure):
    """A number and two texts move by a distance of 0.4: each alerts within seven days."""
    hits, delays = Often(3 * STREAMS, 0.9), []
    for _ in hits:
        world = World.draw(rng, seasonal=False)
        features = (world.heavy[0], *world.text_names[:2])
        cause = Shifted(features=features, by=float(rng.choice([-1.3, 1.3])))
        days = stream(rng, world, [(4, ()), (ALERT_DAYS, (cause,))])
        told = watched(solution, solution.Monitor(world.reference(rng)), days)
        for name in features:
            late = [day for day, _ in _of(told[4:], {name})]
            hits.add(bool(late))
            delays += late[:1]
    if delays:
        measure("mean delay", 1 + sum(delays) / len(delays), "days", float(ALERT_DAYS))
    hits.check("features that alert within seven days")


@pytest.mark.criterion("alerts", sheet="alert", hint=ALERT)
def test_drift_that_just_has_to_alert(solution, rng):
    """Three numbers move by one standard deviation, a distance of 0.38: so do these."""
    hits = Often(3 * STREAMS, 0.9)
    for _ in hits:
        world = World.draw(rng, seasonal=False)
        features = tuple(world.heavy[:3])
        cause = Shifted(features=features, by=float(rng.choice([-1.0, 1.0])))
        days = stream(rng, world, [(4, ()), (ALERT_DAYS, (cause,))])
        told = watched(solution, solution.Monitor(world.reference(rng)), days)
        hits.add(len({name for _, name in _of(told[4:], set(features))}), len(features))
    hits.check("features that alert within seven days")


@pytest.mark.criterion("budget", sheet="budget", hint=BUDGET)
def test_quiet_months(solution, rng, measure):
    """Four quiet months of 28 days have four alerts at most, give or take chance."""
    months, alerts = 4, 0
    assert_watches(solution, rng)
    for _ in range(months):
        world = World.draw(rng, seasonal=False)
        told = watched(
            solution, solution.Monitor(world.reference(rng)), stream(rng, world, [(28, ())])
        )
        alerts += sum(map(len, told))
    measure("alerts per quiet month", alerts / months, "alerts", 1.0)
    assert_few(alerts, float(months), "alerts in quiet months")


@pytest.mark.criterion("weekends", sheet="weekends", hint=WEEKENDS)
def test_weekends_like_those_of_the_reference(solution, rng, measure):
    """Companies whose weekends differ, as they always did, alert no more than others."""
    streams, alerts = 6, 0
    assert_watches(solution, rng)
    for _ in range(streams):
        world = World.draw(rng)
        told = watched(
            solution, solution.Monitor(world.reference(rng)), stream(rng, world, [(14, ())])
        )
        alerts += sum(map(len, told))
    measure("alerts per quiet month", 2 * alerts / streams, "alerts", 1.0)
    assert_few(alerts, streams * 14 / REFERENCE_DAYS, "alerts in quiet weeks with weekends")


@pytest.mark.criterion("weekends", sheet="weekends", hint=WEEKENDS)
def test_weekends_where_days_are_missing(solution, rng):
    """A day is what its dates say, also where the first days and some later ones never came."""
    streams, alerts = 4, 0
    assert_watches(solution, rng)
    for _ in range(streams):
        world = World.draw(rng)
        days = stream(rng, world, [(16, ())])
        del days[9], days[:3]
        alerts += sum(map(len, watched(solution, solution.Monitor(world.reference(rng)), days)))
    assert_few(alerts, streams * 12 / REFERENCE_DAYS, "alerts in quiet weeks with weekends")


@pytest.mark.criterion("storm", sheet="once", hint=ONCE)
def test_a_lasting_drift_alerts_once(solution, rng):
    """In three weeks of drift a feature alerts once."""
    streams, alerts = 3, 0
    assert_watches(solution, rng)
    for _ in range(streams):
        world = World.draw(rng, seasonal=False)
        cause = lasting(world)
        days = stream(rng, world, [(3, ()), (21, (cause,))])
        told = watched(solution, solution.Monitor(world.reference(rng)), days)
        alerts += len(_of(told, set(cause.features)))
    assert_few(max(0, alerts - streams), 0.5, "alerts beyond the first of a lasting drift")


@pytest.mark.criterion("storm", sheet="once", hint=ONCE)
def test_drift_that_comes_and_goes_alerts_once(solution, rng):
    """Drift that goes for one to six days and comes again is one alert a feature."""
    plans = [(1, 1, 8), (2, 2, 6), (3, 3, 4), (2, 5, 5), (2, 6, 5), (2, 6, 5)]
    alerts = 0
    assert_watches(solution, rng)
    for there, away, times in plans:
        world = World.draw(rng, seasonal=False)
        cause = lasting(world)
        days = stream(rng, world, [(3, ()), *[(there, (cause,)), (away, ())] * times])
        told = watched(solution, solution.Monitor(world.reference(rng)), days)
        alerts += max(0, len(_of(told, set(cause.features))) - 1)
    assert_few(alerts, 0.5, "alerts beyond the first of one drift")


@pytest.mark.criterion("storm", sheet="once", hint=ONCE)
def test_drift_that_comes_back_alerts_again(solution, rng):
    """After fourteen normal days the same drift is news."""
    hits = Often(STREAMS, 0.9)
    for _ in hits:
        world = World.draw(rng, seasonal=False)
        cause = lasting(world)
        plan = [(2, ()), (ALERT_DAYS, (cause,)), (14, ()), (ALERT_DAYS, (cause,))]
        told = watched(solution, solution.Monitor(world.reference(rng)), stream(rng, world, plan))
        again = _of(told[-ALERT_DAYS:], set(cause.features))
        hits.add(bool(again))
    hits.check("drifts that alert again")


@pytest.mark.criterion("storm", sheet="once", hint=OTHERS)
def test_a_second_feature_alerts_as_well(solution, rng):
    """While one feature drifts, and has been told, another begins to: it alerts within a week."""
    hits = Often(STREAMS, 0.9)
    for _ in hits:
        world = World.draw(rng, seasonal=False)
        earlier, later = (Shifted(features=(name,), by=1.3) for name in world.heavy[:2])
        plan = [(1, ()), (ALERT_DAYS, (earlier,)), (ALERT_DAYS, (earlier, later))]
        told = watched(solution, solution.Monitor(world.reference(rng)), stream(rng, world, plan))
        hits.add(bool(_of(told[-ALERT_DAYS:], set(later.features))))
    hits.check("later drifts that alert within seven days")


@pytest.mark.criterion("storm", sheet="once", hint=COLUMNS)
def test_only_features_alert(solution, rng):
    """Dates, scores and labels alert on no day, also where they are not what they were.

    A number moves so far that the scores follow, or more customers leave.
    """
    others = set()
    for far in (True, False):
        world = World.draw(rng, seasonal=False)
        name = world.heavy[0]
        cause = Shifted(features=(name,), by=3.0) if far else MoreChurn()
        days = stream(rng, world, [(3, ()), (ALERT_DAYS, (cause,))])
        told = watched(solution, solution.Monitor(world.reference(rng)), days)
        others |= {alert for _, alert in _of(told, set(days[0].columns) - set(world.features))}
        if far:
            assert_value(bool(_of(told, {name})), True, what="an alert")
    assert_value(sorted(others), [], what="columns that alert and are no features")
