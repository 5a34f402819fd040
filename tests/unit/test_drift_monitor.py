"""What the judge of `drift_monitor` draws is as strong, or as quiet, as the task sheet says."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = Path(__file__).resolve().parents[2] / "hidden_tests" / "drift_monitor"
SEEDS = range(6)


def load(name: str) -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location(f"drift_{name}", HIDDEN / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its data classes look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def claims() -> Iterator[Any]:
    yield from load("claims")


@pytest.fixture(scope="module")
def wide() -> Iterator[Any]:
    yield from load("wide")


@pytest.fixture(scope="module")
def world() -> Iterator[Any]:
    yield from load("world")


@pytest.fixture(scope="module")
def reference() -> Iterator[Any]:
    yield from load("reference")


def test_the_bounds_are_those_of_the_binomial_distribution(claims: Any) -> None:
    assert [claims.fewest(trials, 0.9) for trials in (3, 4, 6, 18)] == [0, 1, 2, 10]
    assert [claims.most(trials, 0.05) for trials in (4, 14)] == [3, 5]
    assert [claims.most_of_mean(mean) for mean in (0.2, 5.0)] == [3, 15]


def test_a_claim_is_refuted_beyond_its_bound_only(claims: Any) -> None:
    claims.assert_often(10, 18, 0.9, "found")
    claims.assert_seldom(5, 14, 0.05, "false alarms")
    claims.assert_few(15, 5.0, "alerts")
    with pytest.raises(AssertionError, match=r"found: 9 of 18; chance explains 10 or more"):
        claims.assert_often(9, 18, 0.9, "found")
    with pytest.raises(AssertionError, match=r"false alarms: 6 of 14"):
        claims.assert_seldom(6, 14, 0.05, "false alarms")
    with pytest.raises(AssertionError, match=r"alerts: 16; chance explains 15 or fewer"):
        claims.assert_few(16, 5.0, "alerts")


def test_a_count_ends_with_the_verdict_of_all_trials(claims: Any) -> None:
    for outcomes in itertools.product([0, 1], repeat=6):
        often, left = claims.Often(6, 0.9), list(outcomes)
        for _ in often:
            often.add(left.pop(0))
        kept = sum(outcomes) >= 2
        with contextlib.nullcontext() if kept else pytest.raises(AssertionError):
            often.check("found")


def test_a_count_takes_no_more_trials_than_it_needs(claims: Any) -> None:
    hits, misses, groups = claims.Often(6, 0.9), claims.Often(6, 0.9), claims.Often(18, 0.9)
    for _ in hits:
        hits.add(1)
    for _ in misses:
        misses.add(0)
    for _ in groups:
        groups.add(2, 3)
    assert hits.share == 1.0
    with pytest.raises(AssertionError, match=r"found: 0 of 5; of 6 chance explains 2 or more"):
        misses.check("found")
    groups.check("found")
    assert groups.share == pytest.approx(10 / 15)


@pytest.mark.parametrize("seed", SEEDS)
def test_drift_that_must_be_found_is_beyond_the_stated_distance(
    wide: Any, reference: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    source = wide.Wide(rng, 3, 1)
    old, new = source.reference(rng, 40_000), source.current(rng, 40_000)
    first, second, third = source.numbers
    new = wide.moved(new, source, first, 1.1)
    new = wide.moved(new, source, second, -1.1)
    new = wide.two_humps(new, old, rng, third)
    new = wide.mixed(new, rng, source.texts[0], 0.48)

    assert min(reference.distances(old, new).values()) > 0.32


@pytest.mark.parametrize("seed", SEEDS)
def test_drift_that_must_not_be_found_is_below_the_stated_distance(
    wide: Any, reference: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    source = wide.Wide(rng, 2, 1)
    old, new = source.reference(rng, 40_000), source.current(rng, 40_000)
    for name, spreads in zip(source.numbers, (0.085, -0.085), strict=True):
        new = wide.moved(new, source, name, spreads)
    new = wide.mixed(new, rng, source.texts[0], 0.035)

    assert max(reference.distances(old, new).values()) < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_two_humps_have_the_mean_and_the_spread_of_the_reference(wide: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = wide.Wide(rng, 1, 1)
    old, new = source.reference(rng, 40_000), source.current(rng, 40_000)
    (name,) = source.numbers
    new = wide.two_humps(new, old, rng, name)

    assert new[name].mean() == pytest.approx(old[name].mean(), rel=0.02)
    assert new[name].std() == pytest.approx(old[name].std(), rel=0.02)


@pytest.mark.parametrize("seed", SEEDS)
def test_causes_are_as_strong_as_the_sheet_says(world: Any, reference: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    company = world.World.draw(rng)
    usual = company.window(rng, rows=900)
    shift = world.Shifted(features=(company.heavy[0], company.text_names[1]))
    moved = reference.distances(usual, company.window(rng, (shift,), rows=900))
    rates = [
        company.window(rng, (cause,), rows=900)["churned"].mean() / usual["churned"].mean()
        for cause in (world.MoreChurn(), world.MoreChurn(up=False))
    ]
    aucs = [
        reference.evaluate(log, [], 0.5)["auc"][0]
        for log in (usual, company.window(rng, (world.concept(company),), rows=900))
    ]

    assert min(moved[name] for name in shift.features) > 0.35
    assert rates[0] > 1.8
    assert rates[1] < 0.55
    assert aucs[0] - aucs[1] > 0.15


@pytest.mark.parametrize("seed", SEEDS)
def test_a_quiet_window_is_like_its_reference(world: Any, reference: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    company = world.World.draw(rng)
    moved = reference.distances(company.reference(rng, 600), company.window(rng, rows=900))

    assert max(moved.values()) < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_a_milder_concept_costs_what_it_says(world: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    company = world.World.draw(rng)
    changed = world.concept(company, loss=0.18).model
    dates = np.repeat(world.START.to_datetime64(), 20_000)
    frame = company.customers(rng, dates)
    score = world.risk(company.model, frame)
    lost = world._auc(score, score) - world._auc(score, world.risk(changed, frame))
    assert 0.16 < lost < 0.2
