"""Unusual but valid logs.

Each test also asks about a drift that every method finds, so that a refusal to answer does not
pass, and compares with the submission's own other answers where it can, so that a slip elsewhere
costs nothing here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from claims import Often, assert_few
from data import (
    ALERT_DAYS,
    assert_probe,
    assert_statistics,
    assert_watches,
    drifted,
    entries,
    first,
    numbers_of,
    probe,
    reported,
    small,
    stream,
    watched,
)
from wide import changed
from world import Defect, Delayed, MoreChurn, Shifted, World, concept, unit

from grader.judge.compare import assert_frame, assert_value

GAPS = "Send a column without any value."
SOME = "Send a text that is missing in some rows."
NEW = "Send a text that the reference does not have."
TINY = "Send a day without a row, and a day with one."
ORDER = "Shuffle the rows, and give all of them the same label."
STATE = "Let two monitors take turns."
INPUT = "Look at your arguments after the call."
BOUNDED = "What does a monitor hold after a year?"
ONE_DAY = pd.Timedelta(days=1)


def _far(world):
    """A drift that every monitor finds."""
    return Shifted(features=(world.heavy[0],), by=3.0)


def _names(told):
    return {name for names in told for name in names}


@pytest.mark.criterion("gaps", sheet="gaps", hint=GAPS)
def test_columns_without_a_value(solution, rng):
    """A feature without a value in either window is no drift; others are judged as usual."""
    source = small(rng)
    number, text, far = source.numbers[1], source.texts[0], source.numbers[0]
    empty = {name: lambda column: column.mask(column.notna()) for name in (number, text)}
    old, new = source.reference(rng), probe(source.current(rng), source, far)
    for name, change in empty.items():
        old, new = changed(old, name, change), changed(new, name, change)
    found = reported(solution.drift_report(old, new))
    flags = {name: found[name].drifted for name in (number, text, far)}
    assert_value(flags, {number: False, text: False, far: True}, what="drifted")


def _emptied(frame, *names):
    """The frame without a value in these columns, which are floats then, as in a file read anew."""
    return frame.assign(**dict.fromkeys(names, np.nan))


@pytest.mark.criterion("gaps", sheet="gaps", hint=GAPS)
@pytest.mark.parametrize("side", ["reference", "current"])
def test_columns_without_a_value_in_one_window(solution, rng, side):
    """A number and a text without a value in one of the windows are drift, and no error."""
    source = small(rng)
    empty, far = (source.numbers[1], source.texts[0]), source.numbers[0]
    old, new = source.reference(rng), probe(source.current(rng), source, far)
    if side == "reference":
        old = _emptied(old, *empty)
    else:
        new = _emptied(new, *empty)
    found = reported(solution.drift_report(old, new))
    assert_statistics(found)
    assert_value([found[name].drifted for name in (*empty, far)], [True] * 3, what="drifted")
    # Their values are missing; a dtype says nothing of a column without any.
    assert_value({found[name].kind for name in empty}, {"missing"}, what="kinds")


@pytest.mark.criterion("gaps", sheet="gaps", hint=GAPS)
def test_a_reference_without_values_in_a_column(solution, rng):
    """A monitor and a diagnosis take a number and a text of which the reference knows nothing."""
    world = World.draw(rng, seasonal=False)
    reference = _emptied(world.reference(rng), world.light[0], world.text_names[0])
    days = stream(rng, world, [(4, ()), (ALERT_DAYS, (_far(world),))])
    told = watched(solution, solution.Monitor(reference), days)
    assert_value(world.heavy[0] in _names(told), True, what="the drift is told")
    found = entries(solution.diagnose(reference, world.window(rng), world.model))
    assert_value(found[0].cause != "nothing", True, what="there is a cause")


@pytest.mark.criterion("gaps", sheet="gaps", hint=GAPS)
def test_a_log_without_labels(solution, rng):
    """The table counts rows that have no label at all, and says that they are not enough."""
    world = World.draw(rng)
    log = world.window(rng)
    name = world.text_names[0]
    table = numbers_of(solution.evaluate(log.assign(churned=np.nan), [name], 0.4))
    due = [len(log), *(int(count) for count in log[name].value_counts().sort_index())]
    assert_value(table["rows"].tolist(), due, numbers_interchangeable=True, what="rows")
    assert_value(
        [bool(flag) for flag in table["enough"].tolist()], [False] * len(due), what="enough"
    )


@pytest.mark.criterion("gaps", sheet="gaps", hint=GAPS)
def test_a_diagnosis_with_an_empty_column(solution, rng):
    """A feature that is missing in the whole window is a cause, and no error."""
    world = World.draw(rng)
    cause = Defect(features=(world.heavy[0],), change=lambda column, _rng: column.mask(column > -1))
    reply = solution.diagnose(world.reference(rng), world.window(rng, (cause,)), world.model)
    assert_value(entries(reply)[0].cause != "nothing", True, what="there is a cause")


@pytest.mark.criterion("gaps", sheet="gaps", hint=GAPS)
def test_a_diagnosis_without_a_column_in_either_window(solution, rng):
    """A number and a text that never had a value are no error of a diagnosis."""
    world = World.draw(rng)
    names = (world.light[0], world.text_names[0])
    window = world.window(rng, (Defect(features=(world.heavy[0],), change=unit),))
    pair = (_emptied(frame, *names) for frame in (world.reference(rng), window))
    found = entries(solution.diagnose(*pair, world.model))
    assert_value(found[0].cause != "nothing", True, what="there is a cause")


@pytest.mark.criterion("gaps", sheet="gaps", hint=GAPS)
def test_days_with_an_empty_column(solution, rng):
    """A monitor goes on where a feature has no value for some days, in number and text.

    Two weeks later it sees drift of this number as well.
    """
    world = World.draw(rng, seasonal=False)
    days = stream(rng, world, [(17, ()), (ALERT_DAYS, (_far(world),))])
    for name in (world.heavy[0], world.text_names[0]):
        days[:3] = [
            changed(day, name, lambda column: column.mask(column.notna())) for day in days[:3]
        ]
    told = watched(solution, solution.Monitor(world.reference(rng)), days)
    assert_value(world.heavy[0] in _names(told[17:]), True, what="the drift is told")


@pytest.mark.criterion("new_category", sheet="new-category", hint=NEW)
def test_a_few_new_texts(solution, rng):
    """Two rows with a new text are no error and no drift of a report."""
    source = small(rng)
    text, far = source.texts[0], source.numbers[0]
    new = probe(source.current(rng), source, far)
    new = changed(new, text, lambda column: column.mask(np.arange(len(column)) % 300 == 0, "oak"))
    found = reported(solution.drift_report(source.reference(rng), new))
    flags = {name: found[name].drifted for name in (text, far)}
    assert_value(flags, {text: False, far: True}, what="drifted")


@pytest.mark.criterion("new_category", sheet="new-category", hint=NEW)
def test_new_texts_in_a_diagnosis(solution, rng):
    """A diagnosis answers where some rows have a text that model and reference do not know."""
    world = World.draw(rng)
    text = world.text_names[0]
    for cause in ((), (Defect(features=(world.heavy[0],), change=unit),)):
        window = world.window(rng, cause)
        window = changed(
            window, text, lambda column: column.mask(np.arange(len(column)) % 60 == 0, "oak")
        )
        causes = [
            entry.cause
            for entry in entries(solution.diagnose(world.reference(rng), window, world.model))
        ]
    assert_value("nothing" in causes, False, what="a window with a cause has none")


RISKS = {"concept": concept, "more churn": lambda _world: MoreChurn()}


def _assert_hides_no_cause(solution, rng, make, change):
    """Hold that a cause that shows against the model's risk is told as in the windows without."""
    same = Often(5, 0.9)
    for _ in same:
        world = World.draw(rng)
        text = world.text_names[0]
        windows = world.reference(rng), world.window(rng, (make(world),))
        pairs = windows, [changed(frame, text, change) for frame in windows]
        told = [first(solution.diagnose(*pair, world.model)) for pair in pairs]
        same.add(told[0] == told[1])
    same.check("windows whose first cause stays")


@pytest.mark.criterion("new_category", sheet="new-category", hint=NEW)
@pytest.mark.parametrize("cause", RISKS)
def test_new_texts_hide_no_cause(solution, rng, cause):
    """The first cause stays where the model does not know the text of some rows."""

    def change(column):
        return column.mask(np.arange(len(column)) % 60 == 0, "oak")

    _assert_hides_no_cause(solution, rng, RISKS[cause], change)


@pytest.mark.criterion("gaps", sheet="gaps", hint=SOME)
@pytest.mark.parametrize("cause", RISKS)
def test_texts_with_gaps_hide_no_cause(solution, rng, cause):
    """The first cause stays where some rows have no text, before and after."""

    def change(column):
        return column.mask(np.arange(len(column)) % 60 == 0)

    _assert_hides_no_cause(solution, rng, RISKS[cause], change)


@pytest.mark.criterion("new_category", sheet="new-category", hint=NEW)
def test_new_texts_on_a_day(solution, rng):
    """A monitor takes days with a new text in some rows, and tells of later drift."""
    world = World.draw(rng, seasonal=False)
    text = world.text_names[0]
    days = stream(rng, world, [(4, ()), (ALERT_DAYS, (_far(world),))])
    days = [
        changed(day, text, lambda c: c.mask(np.arange(len(c)) % 60 == 0, "oak")) for day in days
    ]
    told = watched(solution, solution.Monitor(world.reference(rng)), days)
    assert_value(world.heavy[0] in _names(told), True, what="the drift is told")


@pytest.mark.criterion("small_batches", sheet="tiny-batches", hint=TINY)
@pytest.mark.parametrize("rows", [0, 1])
def test_tiny_days(solution, rng, rows):
    """Days with no row or with one alert nothing, and drift after them is told."""
    for _ in range(3):
        world = World.draw(rng, seasonal=False)
        days = stream(rng, world, [(10, ()), (ALERT_DAYS, (_far(world),))])
        days[2:10] = [day.iloc[:rows] for day in days[2:10]]
        told = watched(solution, solution.Monitor(world.reference(rng)), days)
        assert_value(_names(told[2:10]), set(), what="alerts on tiny days")
        assert_value(world.heavy[0] in _names(told[10:]), True, what="the drift is told")


def _settled(table):
    """A table without its intervals, which may be drawn by bootstrap."""
    return table.drop(columns=["low", "high"], errors="ignore").reset_index(drop=True)


def _shuffled(frame, rng, labels):
    """The rows in another order, all with one label, or with labels of text."""
    moved = frame.iloc[rng.permutation(len(frame))]
    return moved.set_axis(
        [7] * len(moved) if labels == "same" else [f"r{n}" for n in range(len(moved))]
    )


@pytest.mark.criterion("order", sheet="row-order", hint=ORDER)
@pytest.mark.parametrize("labels", ["same", "text"])
def test_rows_in_any_order(solution, rng, labels):
    """Tables and reports are the same for shuffled rows with other labels.

    Some rows of the reference are of the current window's days.
    """
    source = small(rng)
    old, new = source.reference(rng), probe(source.current(rng), source, source.numbers[0])
    old = pd.concat([old, new.iloc[-50:]], ignore_index=True)
    plain = drifted(solution.drift_report(old, new))
    mixed = drifted(solution.drift_report(_shuffled(old, rng, labels), _shuffled(new, rng, labels)))
    assert_value(mixed, plain, what="drifted")
    assert_value(source.numbers[0] in mixed, True, what="the drift is found")
    table = numbers_of(solution.evaluate(new, [source.texts[0]], 0.5))
    again = numbers_of(solution.evaluate(_shuffled(new, rng, labels), [source.texts[0]], 0.5))
    assert_frame(_settled(again), expected=_settled(table), rtol=1e-9)


@pytest.mark.criterion("order", sheet="row-order", hint=ORDER)
def test_the_incident_in_a_reference_and_the_newest_first(solution, rng):
    """Rows of the incident are left out of the reference, too, where the newest come first."""
    source = small(rng)
    name = source.numbers[0]
    new = probe(source.current(rng), source, name)
    old = pd.concat([source.reference(rng), *[new] * 40], ignore_index=True)
    for frame in (new.sort_values("date"), new.sort_values("date", ascending=False)):
        found = name in drifted(solution.drift_report(old, frame))
        if frame["date"].is_monotonic_increasing and not found:
            return  # that is another line
        assert_value(found, True, what="the drift is found")


@pytest.mark.criterion("order", sheet="row-order", hint=ORDER)
def test_a_diagnosis_in_any_order(solution, rng):
    """A cause is found in shuffled rows, also one that shows on the newest days."""
    world = World.draw(rng)
    reference = world.reference(rng)
    shuffled = _shuffled(reference, rng, "same")
    for cause in (Defect(features=(world.heavy[0],), change=unit), Delayed()):
        window = world.window(rng, (cause,))
        plain = first(solution.diagnose(reference, window, world.model))
        mixed = first(solution.diagnose(shuffled, _shuffled(window, rng, "same"), world.model))
        assert_value(mixed, plain, what="the first cause")
        found = isinstance(cause, Delayed) or mixed != "nothing"
        assert_value(found, True, what="there is a cause")


@pytest.mark.criterion("order", sheet="row-order", hint=ORDER)
def test_a_day_in_any_order(solution, rng):
    """A monitor tells the same of days whose rows are sorted by a feature."""
    wrong = 0
    for _ in range(5):
        world = World.draw(rng, seasonal=False)
        reference = world.reference(rng)
        days = stream(rng, world, [(3, ()), (4, (_far(world),))])
        ordered = [_shuffled(day.sort_values(world.heavy[1]), rng, "same") for day in days]
        ordered = [day.sort_values(world.heavy[1]) for day in ordered]
        told = watched(solution, solution.Monitor(_shuffled(reference, rng, "same")), ordered)
        assert_value(world.heavy[0] in _names(told), True, what="the drift is told")
        wrong += [name for names in told for name in names].count(world.heavy[1])
    assert_few(wrong, 0.1, "alerts of the feature that rows are sorted by")


@pytest.mark.criterion("isolation", sheet="own-state", hint=STATE)
def test_monitors_take_turns(solution, rng):
    """A monitor beside one that sees drift is silent, and each has its own reference."""
    wrong = 0
    for _ in range(5):
        world = World.draw(rng, seasonal=False)
        far = _far(world)
        name = world.heavy[0]
        moved = world.log(rng, world.reference(rng)["date"].to_numpy(), (far,))
        calm, other = solution.Monitor(world.reference(rng)), solution.Monitor(moved)
        drifting = solution.Monitor(world.reference(rng))
        told = []
        for now, then in zip(
            stream(rng, world, [(5, ())]), stream(rng, world, [(5, (far,))]), strict=True
        ):
            told += watched(solution, drifting, [then])
            silent = watched(solution, calm, [now]) + watched(solution, other, [then])
            wrong += [entry for names in silent for entry in names].count(name)
        assert_value(name in _names(told), True, what="the drift is told")
    assert_few(wrong, 0.2, "alerts of monitors that saw no drift")


@pytest.mark.criterion("isolation", sheet="own-state", hint=STATE)
def test_a_second_monitor_begins_anew(solution, rng):
    """What one monitor has told, another tells as well."""
    world = World.draw(rng, seasonal=False)
    reference, days = (
        world.reference(rng),
        stream(rng, world, [(2, ()), (ALERT_DAYS, (_far(world),))]),
    )
    for number in ("first", "second"):
        told = watched(solution, solution.Monitor(reference), days)
        assert_value(world.heavy[0] in _names(told), True, what=f"the {number} monitor tells")


@pytest.mark.criterion("isolation", sheet="own-state", hint=STATE)
def test_reports_do_not_depend_on_earlier_ones(solution, rng):
    """A report after one of other windows of the same shape and days is what it was before.

    Windows without drift have the same values, in which no method finds any.
    """
    source = small(rng)
    old = source.reference(rng)
    name = source.numbers[0]
    new = old.assign(date=old["date"] + (old["date"].max() - old["date"].min()) + ONE_DAY)
    far = probe(new, source, name)
    told = [name in drifted(solution.drift_report(old, frame)) for frame in (far, new, far)]
    same = far.assign(date=old["date"])
    told += [name in drifted(solution.drift_report(frame, far)) for frame in (same, old, same)]
    assert_value(told, [True, False, True, False, True, False], what="drifted")


@pytest.mark.criterion("inputs", sheet="arguments", hint=INPUT)
def test_logs_stay_as_they_are(solution, rng):
    """A log is the same after every function, and so is what they say of it."""
    assert_probe(solution, rng)
    world = World.draw(rng)
    here, later = (
        frame.set_axis([f"r{place}" for place in range(len(frame))])
        for frame in (world.reference(rng), world.window(rng, (_far(world),)))
    )
    names = [world.text_names[0]]
    old, new = solution.make(here), solution.make(later)
    plain = numbers_of(solution.evaluate(later, names, 0.4))
    report = reported(solution.drift_report(here, later))
    solution.evaluate(old, names, 0.4)
    solution.evaluate(new, names, 0.4)
    solution.drift_report(old, new)
    solution.diagnose(old, new, world.model)
    monitor = solution.Monitor(old)
    monitor.update(new)
    again = reported(solution.drift_report(old, new))
    assert_value(sorted(again), sorted(report), what="features of a report")
    for frame, due, what in ((old, here, "the reference"), (new, later, "the window")):
        assert_frame(frame.copy(), expected=due, what=what)
    columns = solution.make(names)
    for what in ("evaluate of a log given to others", "evaluate with the same list again"):
        table = numbers_of(solution.evaluate(new, columns, 0.4))
        assert_frame(_settled(table), expected=_settled(plain), what=what)
    assert_value(len(numbers_of(solution.evaluate(old, [], 0.4))), 1, what="rows")


@pytest.mark.criterion("inputs", sheet="arguments", hint=INPUT)
def test_the_model_stays_as_it_is(solution, rng):
    """A diagnosis says the same when it gets the same model again."""
    world = World.draw(rng)
    reference, window = (
        world.reference(rng),
        world.window(rng, (Defect(features=(world.heavy[0],), change=unit),)),
    )
    model = solution.make(world.model)
    causes = [first(solution.diagnose(reference, window, model)) for _ in range(2)]
    assert_value(causes[1], causes[0], what="the second diagnosis")
    assert_value(causes[0] != "nothing", True, what="there is a cause")
    for part in ("numbers", "texts"):
        assert_value(sorted(model[part]), sorted(world.model[part]), what=f"the model's {part}")


@pytest.mark.criterion("bounded", sheet="bounded", hint=BOUNDED)
def test_memory_does_not_grow(solution, rng, measure):
    """Of 20 large days, given after 15 others, a monitor keeps no 15 in memory.

    Measured from outside, so only in the sandbox; there a monitor that keeps all days grows by 27.
    """
    assert_watches(solution, rng)
    world = World.draw(rng, seasonal=False)
    texts = list(world.texts)
    monitor = solution.keep.Monitor(world.reference(rng).drop(columns=texts))
    rows, peaks = 10_000, []
    for day in stream(rng, world, [(35, ())], rows=rows):
        watched(solution, monitor, [day.drop(columns=texts)])
        peaks.append(solution.last.peak_bytes)
    grown = (max(peaks[-5:]) - max(peaks[10:15])) / (8 * rows * len(world.numbers))
    known = min(peaks) >= 0
    measure(
        "growth of memory in 20 days", grown if known else 0.0, "days of data", 15.0, volatile=True
    )
    if known and not grown <= 15.0:
        raise AssertionError("a monitor's memory grows with the days")
