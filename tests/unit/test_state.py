"""The fitted numbers of a model, whatever it is made of."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from grader.candidate.state import numbers_of

if TYPE_CHECKING:
    from collections.abc import Callable

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "amount": RNG.normal(50, 10, 60),
        "age": RNG.normal(300, 90, 60),
        "shop": RNG.choice(["a", "b", "c"], 60),
    }
)
LABELS = (np.arange(60) % 3 == 0).astype(int)


def ending(model: object, name: str) -> dict[str, list[float]]:
    """Numbers whose path ends so."""
    return {
        path: values.ravel().tolist()
        for path, values in numbers_of(model).items()
        if path.endswith(name)
    }


# Estimators.


def test_a_scaler_shows_what_it_learned() -> None:
    scaler = StandardScaler().fit(FRAME[["amount"]].to_numpy())

    found = numbers_of(scaler)

    assert found["StandardScaler.mean_"] == pytest.approx([FRAME["amount"].mean()])
    assert {values.dtype for values in found.values()} == {np.dtype("float64")}


def test_a_pipeline_shows_its_steps() -> None:
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    model.fit(FRAME[["amount", "age"]], LABELS)

    found = numbers_of(model)

    assert "Pipeline.steps[0][1].statistics_" in found
    assert "Pipeline.steps[1][1].mean_" in found
    assert "Pipeline.steps[2][1].coef_" in found


def test_a_column_transformer_shows_its_fitted_parts() -> None:
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["amount", "age"]),
            ("names", OneHotEncoder(), ["shop"]),
        ]
    )
    model = Pipeline([("columns", columns), ("classify", LogisticRegression())])
    model.fit(FRAME, LABELS)

    means = ending(model, ".mean_")

    assert len(means) == 1
    assert [*means.values()] == [pytest.approx(FRAME[["amount", "age"]].mean().tolist())]


def test_a_target_encoder_shows_its_rates() -> None:
    encoder = TargetEncoder(target_type="binary").fit(FRAME[["shop"]].to_numpy(), LABELS)

    found = numbers_of(encoder)

    assert "TargetEncoder.target_mean_" in found
    assert found["TargetEncoder.encodings_[0]"].shape == (3,)


def test_a_search_shows_its_best_model_and_no_results() -> None:
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [0.1, 1.0]},
        cv=2,
    ).fit(FRAME[["amount", "age"]], LABELS)

    paths = list(numbers_of(search))

    assert any(".best_estimator_.steps[0][1].mean_" in path for path in paths)
    assert not [path for path in paths if "score" in path or "time" in path]


def test_settings_are_not_learned() -> None:
    assert numbers_of(LogisticRegression(C=3.0, max_iter=77)) == {}


def test_a_forest_shows_its_trees() -> None:
    forest = RandomForestClassifier(n_estimators=2, random_state=0).fit(FRAME[["age"]], LABELS)

    assert any(".estimators_[1]" in path for path in numbers_of(forest))


# Objects of the candidate's own.


@dataclass
class Own:
    """As a candidate would write it."""

    medians: pd.Series
    weights: np.ndarray[Any, np.dtype[np.float64]]
    threshold: float = 0.5
    test_score: float = 0.9
    alert_rate: float = 0.05
    test_ids: list[int] = field(default_factory=lambda: [1, 2])
    evaluation: dict[str, float] = field(default_factory=lambda: {"mean": 0.4})

    def score(self, row: float) -> float:
        return row * self.threshold


class Parts(NamedTuple):
    fill: float
    name: str
    model: object


class Slotted:
    __slots__ = ("center", "unset_mean")

    def __init__(self) -> None:
        self.center = np.array([1.0, 2.0])


def test_a_dataclass_shows_its_statistics_and_not_its_evaluation() -> None:
    own = Own(FRAME[["amount", "age"]].median(), np.ones(3))

    assert list(numbers_of(own)) == ["Own.medians"]


def test_a_dict_shows_statistics_by_key() -> None:
    model = {"fill": {"amount": 37.5}, "scaler_mean": np.array([1.0]), "columns": [1, 2], 5: 3.0}

    assert numbers_of(model) == {
        "dict['fill']['amount']": np.array(37.5),
        "dict['scaler_mean']": np.array([1.0]),
    }


def test_a_named_tuple_and_a_plain_tuple_show_theirs() -> None:
    scaler = StandardScaler().fit(FRAME[["age"]].to_numpy())

    assert "tuple[0].fill" in numbers_of((Parts(3.5, "x", None), 4.0))
    assert "Parts.model.mean_" in numbers_of(Parts(3.5, "x", scaler))


def test_slots_are_looked_into() -> None:
    assert list(numbers_of(Slotted())) == ["Slotted.center"]


def _closure() -> Callable[[float], float]:
    mean, factor = 12.0, 3.0
    return lambda value: (value - mean) * factor


def test_a_closure_shows_the_statistics_that_it_holds() -> None:
    assert numbers_of(_closure()) == {"function.mean": np.array(12.0)}


def test_a_closure_with_an_empty_cell_is_walked() -> None:
    def score() -> object:
        return later_mean

    assert numbers_of(score) == {}
    later_mean = 1.0
    assert numbers_of(score) == {"function.later_mean": np.array(1.0)}


def test_a_partial_shows_its_arguments() -> None:
    def score(rows: object, *, median: float) -> tuple[object, float]:
        return rows, median

    assert numbers_of(functools.partial(score, median=2.5)) == {"partial['median']": np.array(2.5)}


def test_a_bound_method_shows_its_object() -> None:
    own = Own(pd.Series([4.0]), np.ones(1))

    assert numbers_of(own.score) == {"method.medians": np.array([4.0])}


def test_a_table_shows_its_numbers_only() -> None:
    rates = pd.DataFrame({"rate": [0.1, 0.2], "name": ["a", "b"]})

    assert numbers_of({"rates": rates})["dict['rates']"].tolist() == [[0.1], [0.2]]


def test_an_array_of_objects_is_looked_into() -> None:
    held = np.array([{"mean": 1.5}, None], dtype=object)

    assert numbers_of({"parts": held}) == {"dict['parts'][0]['mean']": np.array(1.5)}


@pytest.mark.parametrize(
    "model",
    [None, 3, "mean", b"mean", np.arange(3.0), FRAME, np, StandardScaler, [], RNG, {"mean": "x"}],
)
def test_what_is_no_model_has_no_numbers(model: object) -> None:
    assert numbers_of(model) == {}


# Bounds.


def test_a_cycle_ends() -> None:
    model: dict[str, object] = {"mean": 1.0}
    model["self"] = model
    model["list"] = [model, [model]]

    assert list(numbers_of(model)) == ["dict['mean']"]


def test_depth_is_bounded() -> None:
    deep: object = {"mean": 1.0}
    for _ in range(500):
        deep = [deep]

    assert numbers_of(deep) == {}


def test_numbers_are_bounded() -> None:
    model = {"mean": np.zeros(300_000), "median": np.zeros(300_000), "scale": np.zeros(1000)}

    assert list(numbers_of(model)) == ["dict['mean']", "dict['scale']"]


def test_objects_are_bounded() -> None:
    many = {f"k{n}": {"mean": 1.0} for n in range(30_000)}

    assert len(numbers_of(many)) <= 20_001


class Hostile:
    """Raises wherever it is touched."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise RuntimeError(name)


class HostileParts:
    """Its attributes can be read, what they hold cannot."""

    def __init__(self) -> None:
        self.mean = 1.0
        self.thing = Hostile()


class HostileArray:
    """Fails where it becomes an array."""

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise RuntimeError("no")


class HostileDict(dict[str, float]):
    """A dict that cannot be read."""

    def items(self) -> NoReturn:
        raise RuntimeError("no")


@pytest.mark.parametrize("kind", [Hostile, HostileParts, HostileDict])
def test_a_hostile_object_does_not_end_the_walk(kind: type) -> None:
    found = numbers_of({"thing": kind(), "held": [kind()], "mean": 2.0})

    assert found["dict['mean']"] == np.array(2.0)


def test_a_statistic_that_becomes_no_array_is_left_out() -> None:
    assert numbers_of({"mean": HostileArray()}) == {}


class Lazy:
    """Looks up what is asked for, and raises what a dict raises."""

    def __init__(self) -> None:
        self.learned = {"mean": 4.0}

    def __getattr__(self, name: str) -> float:
        return self.learned[name]


def test_an_object_with_odd_attribute_errors_is_walked() -> None:
    assert numbers_of(Lazy()) == {"Lazy.learned['mean']": np.array(4.0)}


def test_what_a_hostile_object_hides_is_all_that_is_lost() -> None:
    found = numbers_of({"first": Hostile(), "second": {"mean": 2.0}})

    assert found == {"dict['second']['mean']": np.array(2.0)}


def test_a_model_card_is_no_statistic() -> None:
    model = make_pipeline(SimpleImputer(), LogisticRegression())
    model.fit(FRAME[["amount", "age"]], LABELS)
    model.card = {"rows": 60, "share_flagged": 0.08}

    assert not any("card" in path for path in numbers_of(model))


def test_estimators_are_found_under_the_name_of_an_evaluation() -> None:
    scaler = StandardScaler().fit(FRAME[["amount"]])

    found = ending({"predictor": (scaler, object()), "scores": {"mean": 0.4}}, ".mean_")

    assert list(found.values()) == [pytest.approx([FRAME["amount"].mean()])]
