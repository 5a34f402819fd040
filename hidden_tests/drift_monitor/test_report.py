"""Drift that is large enough to hurt is found, and named for what it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from claims import Often
from data import assert_statistics, drifted, probe, reported, small
from wide import Wide, changed, mixed, moved, replaced, two_humps

from grader.judge.compare import assert_kind, assert_value

FOUND = "Move a number, or the shares of a text, by the distance that the sheet names."
SHAPE = "What of a distribution do a mean and a standard deviation not see?"
SHARES = "Let many texts move a little each."
KINDS = "Go through the list of kinds in its order."
CLEAN = "On which days do the reference's rows lie?"
STATISTIC = "Compare the statistics of a small and of a large drift."
WINDOWS = 6


@pytest.mark.criterion("power", sheet="found", hint=FOUND)
def test_large_drift_is_found(solution, rng, measure):
    """Numbers up or down by a distance of 0.35 or more, and texts with other shares, are found."""
    hits = Often(3 * WINDOWS, 0.9)
    for _ in hits:
        source = Wide(rng, 8, 4)
        current = moved(source.current(rng), source, source.numbers[0], 1.1)
        current = moved(current, source, source.numbers[1], -1.1)
        current = mixed(current, rng, source.texts[0], 0.48)
        due = {*source.numbers[:2], source.texts[0]}
        found = drifted(solution.drift_report(source.reference(rng), current))
        hits.add(len(due & found), len(due))
    measure("drift found", hits.share, "share", 0.9, better="high")
    hits.check("features whose drift is found")


@pytest.mark.criterion("power", sheet="report", hint=STATISTIC)
def test_statistics_grow_with_the_drift(solution, rng):
    """A number that moved far has a larger statistic than one that did not; both are finite."""
    for _ in range(2):
        source = small(rng)
        name = source.numbers[2]
        current = moved(source.current(rng), source, name, 1.5)
        found = reported(solution.drift_report(source.reference(rng), current))
        assert_statistics(found)
        still = found[source.numbers[3]].statistic
        if not found[name].statistic > still:
            raise AssertionError(
                "the statistic of a drifted number is no larger than a quiet one's"
            )


@pytest.mark.criterion("shape", sheet="shape", hint=SHAPE)
def test_a_change_of_shape_is_found(solution, rng, measure):
    """Two humps in the place of one, with the same mean and standard deviation, are drift."""
    hits = Often(3 * WINDOWS, 0.9)
    for _ in hits:
        source = small(rng)
        old, current = source.reference(rng), source.current(rng)
        due = set(source.numbers[:3])
        for name in sorted(due):
            current = two_humps(current, old, rng, name)
        found = drifted(solution.drift_report(old, probe(current, source, source.numbers[5])))
        hits.add(len(due & found), len(due))
    measure("changes of shape found", hits.share, "share", 0.9, better="high")
    hits.check("changes of shape that are found")


@pytest.mark.criterion("shape", sheet="shape", hint=SHARES)
def test_drift_that_no_single_text_shows(solution, rng):
    """Of twelve texts six are more frequent by 0.06 each and six less: a distance of 0.36."""
    towns = np.array([f"town {number}" for number in rng.permutation(40)[:12]], dtype=object)
    step = np.repeat([0.06, -0.06], 6)
    hits = Often(WINDOWS, 0.9)
    for _ in hits:
        source = small(rng)
        old, new = source.reference(rng), source.current(rng)
        old = old.assign(town=pd.Series(rng.choice(towns, len(old))).astype("str"))
        shares = 1 / 12 + step
        new = new.assign(town=pd.Series(rng.choice(towns, len(new), p=shares)).astype("str"))
        hits.add("town" in drifted(solution.drift_report(old, new)))
    hits.check("reports that find the drift")


def _unit(rng, source):
    name = source.numbers[0]
    factor = float(rng.choice([0.001, 0.02, 12.0, 100.0]))
    return name, lambda frame: changed(frame, name, lambda column: column * factor)


def _default(rng, source):
    name = source.numbers[1]
    value = float(rng.choice([0.0, 1e6]))
    return name, lambda frame: changed(
        frame, name, lambda column: column.mask(rng.random(len(column)) < 0.4, value)
    )


def _missing(rng, source):
    name = str(rng.choice([source.numbers[2], source.texts[1]]))
    return name, lambda frame: changed(
        frame, name, lambda column: column.mask(rng.random(len(column)) < 0.3)
    )


def _categories(rng, source):
    name = source.texts[0]
    return name, lambda frame: changed(
        frame, name, lambda column: column.mask(rng.random(len(column)) < 0.4, "oak")
    )


def _gone(_rng, source):
    name = source.numbers[3]
    return name, lambda frame: frame.drop(columns=name)


def _new(rng, _source):
    return "added", lambda frame: frame.assign(added=rng.random(len(frame)))


def _retyped(_rng, source):
    name = source.numbers[4]
    return name, lambda frame: changed(frame, name, lambda column: column.round(2).astype("str"))


def _values(_rng, source):
    name = source.numbers[5]
    return name, lambda frame: probe(frame, source, name)


CHANGES = {
    "unit": (_unit, "scale"),
    "default": (_default, "default"),
    "lost": (_missing, "missing"),
    "recoded": (_categories, "categories"),
    "gone": (_gone, "schema"),
    "new": (_new, "schema"),
    "retyped": (_retyped, "schema"),
    "values": (_values, "values"),
}


@pytest.mark.criterion("kinds", sheet="kinds", hint=KINDS)
@pytest.mark.parametrize("change", CHANGES)
def test_the_kind_of_a_drift(solution, rng, change):
    """A feature that changed in one way is drifted, of that kind, and keeps a finite statistic."""
    for _ in range(2):
        make, kind = CHANGES[change]
        source = small(rng)
        name, alter = make(rng, source)
        current = alter(source.current(rng))
        found = reported(solution.drift_report(source.reference(rng), current))
        assert_value(set(found), {*source.numbers, *source.texts, name}, what="features")
        assert_value(found[name].drifted, True, what="drifted")
        assert_value(found[name].kind, kind, what="kind")
        assert_statistics(found)


def _replaced(frame, name, share, value):
    """Just this share of a feature's rows that have a value gets another, or none."""
    places = np.flatnonzero(frame[name].notna())
    places = places[np.diff(np.floor(share * np.arange(len(places) + 1))) > 0]  # evenly
    return replaced(frame, name, np.isin(np.arange(len(frame)), places), value)


def _scaled(frame, names, factor):
    return changed(frame, names[0], lambda column: column * factor)


def _lost(frame, names, share):
    return _replaced(frame, names[0], share, None)


def _defaulted(frame, names, share):
    return _replaced(frame, names[0], share, 0.0)


def _renamed(frame, names, share):
    return _replaced(frame, names[1], share, "oak")


LIMITS = {  # beyond, below, the change, the share of rows without a value in both windows
    "missing": (0.13, 0.07, _lost, 0.0),
    "categories": (0.13, 0.07, _renamed, 0.0),
    "categories among gaps": (0.14, 0.06, _renamed, 0.4),
    "default": (0.24, 0.16, _defaulted, 0.0),
    "default among gaps": (0.25, 0.15, _defaulted, 0.4),
    "scale": (5.7, 4.4, _scaled, 0.0),
    "scale down": (1 / 5.7, 1 / 4.4, _scaled, 0.0),
}


@pytest.mark.criterion("kinds", sheet="kinds", hint=KINDS)
@pytest.mark.parametrize("limit", LIMITS)
def test_the_limit_of_a_kind(solution, rng, limit):
    """A change somewhat beyond the limit of a kind is of that kind, one somewhat below is not.

    Shares are of rows with a value: where all rows have one, and where two fifths have none.
    """
    beyond, below, alter, gaps = LIMITS[limit]
    kind = limit.partition(" ")[0]
    source = small(rng)
    names = (source.numbers[0], source.texts[0])
    old, new = source.reference(rng), source.current(rng)
    for name in names:
        old, new = (
            changed(frame, name, lambda column: column.ffill().bfill()) for frame in (old, new)
        )
        old, new = (_replaced(frame, name, gaps, None) for frame in (old, new))
    told = []
    for size in (beyond, below):
        found = reported(solution.fresh().drift_report(old, alter(new, names, size)))
        told.append(found[names[kind == "categories"]].kind == kind)
    assert_value(told, [True, False], what=f"{kind} beyond and below its limit")


def _every(frame, name, step, value):
    """Each row whose place is a multiple of `step` has this value."""
    return replaced(frame, name, np.arange(len(frame)) % step == 0, value)


def _trees(frame, rng, name, *levels):
    """A text whose levels are equally frequent."""
    values = rng.choice(np.array(levels, dtype=object), len(frame))
    return frame.assign(**{name: pd.Series(values).astype("str")})


@pytest.mark.criterion("kinds", sheet="kinds", hint=KINDS)
def test_what_is_new_to_the_reference(solution, rng):
    """A text that the reference has in no row is new, also where only its case differs.

    One that is rare there, or gone from the current window, is not new. A number that is rare in
    the reference can be a default.
    """
    source = small(rng)
    number = source.numbers[0]
    old, new = source.reference(rng), source.current(rng)
    old = _every(_trees(old, rng, "rare", "ash", "elm"), "rare", 200, "oak")
    new = _every(_trees(new, rng, "rare", "ash", "elm"), "rare", 2, "oak")
    old = _trees(old, rng, "gone", "ash", "elm", "oak")
    new = _trees(new, rng, "gone", "ash", "elm")
    old = _trees(old, rng, "case", "ash", "elm", "oak")
    new = _trees(new, rng, "case", "Ash", "elm", "oak")
    old, new = _every(old, number, 200, 0.0), _every(new, number, 2, 0.0)
    found = reported(solution.drift_report(old, new))
    due = {"rare": False, "gone": False, "case": True}
    told = {name: found[name].kind == "categories" for name in due}
    assert_value(told, due, what="new texts")
    assert_value(found[number].kind, "default", what="kind")


@pytest.mark.criterion("kinds", sheet="kinds", hint=KINDS)
@pytest.mark.parametrize("side", ["current", "reference"])
def test_one_huge_value_is_no_other_scale(solution, rng, side):
    """A value that is a million times as large moves the mean, and not the median."""
    source = small(rng)
    name = source.numbers[0]
    old, new = source.reference(rng), source.current(rng)
    huge = 1e6 * source.mean(name)
    if side == "current":
        new = _every(new, name, len(new), huge)
    else:
        old = _every(old, name, len(old), huge)
    found = reported(solution.drift_report(old, new))
    assert_value(found[name].kind == "scale", False, what="another scale")
    far = reported(solution.fresh().drift_report(old, probe(new, source, source.numbers[1])))
    assert_value(far[source.numbers[1]].drifted, True, what="drifted")


@pytest.mark.criterion("kinds", sheet="kinds", hint=KINDS)
def test_values_that_are_missing_no_more(solution, rng):
    """A share missing that fell by three tenths moved as one that rose."""
    source = small(rng)
    names = [source.numbers[2], source.texts[1]]
    old = source.reference(rng)
    for name in names:
        old = changed(old, name, lambda column: column.mask(rng.random(len(column)) < 0.4))
    found = reported(solution.drift_report(old, source.current(rng)))
    assert_value({found[name].kind for name in names}, {"missing"}, what="kinds")


@pytest.mark.criterion("kinds", sheet="kinds", hint=KINDS)
def test_the_first_kind_that_fits(solution, rng):
    """Of two kinds that fit, the one that comes first is named."""
    source = small(rng)
    number, text = source.numbers[0], source.texts[0]
    current = source.current(rng)
    current = changed(current, number, lambda column: column * 40)
    current = changed(current, number, lambda column: column.mask(rng.random(len(column)) < 0.4))
    current = changed(current, text, lambda column: column.str.upper())
    current = changed(current, text, lambda column: column.mask(rng.random(len(column)) < 0.4))
    other = source.numbers[1]
    current = changed(current, other, lambda column: column * 40)
    current = changed(
        current, other, lambda column: column.mask(rng.random(len(column)) < 0.4, 7.0)
    )
    found = reported(solution.drift_report(source.reference(rng), current))
    kinds = {name: found[name].kind for name in (number, text, other)}
    assert_value(kinds, {number: "missing", text: "missing", other: "default"})


@pytest.mark.criterion("kinds", sheet="kinds", hint=KINDS)
def test_a_quiet_feature_has_no_kind(solution, rng):
    """What is not drifted is of kind none, and the other way round."""
    source = small(rng)
    current = moved(source.current(rng), source, source.numbers[0], 1.5)
    found = reported(solution.drift_report(source.reference(rng), current))
    for name, entry in found.items():
        assert_kind(entry.kind, str, f"kind of {name}")
        assert_value(entry.kind != "none", entry.drifted, what=f"{name}: a kind and drifted")


@pytest.mark.criterion("clean_reference", sheet="clean-reference", hint=CLEAN)
@pytest.mark.parametrize("lie", ["on all days", "on the first day"])
def test_a_reference_that_holds_the_incident(solution, rng, lie):
    """Reference rows from the current window's first day on make no difference to what is found.

    They lie on its days and after its last one, or all on its first day.
    """
    hits = Often(2 * WINDOWS, 0.9)
    for _ in hits:
        source = small(rng)
        due = {source.numbers[0], source.texts[0]}
        quiet = source.reference(rng)
        after = source.window(rng, 12_000, first=28, weeks=6)
        after = mixed(moved(after, source, source.numbers[0], 1.4), rng, source.texts[0], 0.6)
        days = after["date"] < after["date"].min() + pd.Timedelta(days=14)
        current = after[days].sample(700, random_state=int(rng.integers(2**31)))
        current = current.assign(date=np.sort(current["date"].to_numpy()))
        if lie == "on the first day":
            after = after.assign(date=after["date"].min())
        both = pd.concat([quiet, after], ignore_index=True)
        found = drifted(solution.drift_report(both, current))
        hits.add(len(due & found), len(due))
    hits.check("features whose drift is found")
