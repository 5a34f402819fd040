"""One submission's experiment, asked for again and again, each time in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import data as d
import numpy as np
import pandas as pd

from grader.judge.compare import assert_kind
from grader.judge.leakage import Movement, moved_state, movement
from grader.judge.metrics import row_scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from grader.judge.proxy import Solution

__all__ = ["Experiment", "Run", "as_ids", "as_run", "as_split"]

_PROBE_CARDS = 52


def as_ids(reply: object, what: str) -> list[Any]:
    """Row labels as a list, from any kind of one-dimensional list."""
    assert_kind(reply, (list, tuple, np.ndarray, pd.Index, pd.Series), what)
    return [*reply] if isinstance(reply, list | tuple) else reply.tolist()


def as_split(reply: object) -> list[d.Fold]:
    """What `split` gave: at least one pair of row labels."""
    assert_kind(reply, (list, tuple), "split")
    if not reply:
        raise AssertionError("split gave no fold")
    folds = []
    for number, pair in enumerate(reply, 1):
        assert_kind(pair, (list, tuple), f"fold {number} of split")
        if len(pair) != 2:
            raise AssertionError(f"fold {number} of split is no pair (train_ids, test_ids)")
        train, test = (as_ids(ids, f"fold {number} of split") for ids in pair)
        if not train or not test:
            raise AssertionError(f"fold {number} of split has an empty side")
        folds.append(d.Fold(train, test))
    return folds


@dataclass(frozen=True)
class Run:
    """What `run` reported, checked for form only."""

    folds: list[dict[str, Any]]
    metric: str
    value: float
    final_model: object = None

    @property
    def model(self) -> object:
        """The model of the last fold."""
        return self.folds[-1]["model"]


def _number(value: object, what: str) -> float:
    assert_kind(value, (int, float, np.integer, np.floating), what)
    if not np.isfinite(value):
        raise AssertionError(f"{what} is {value}, not a finite number")
    return float(value)


def as_run(reply: object) -> Run:
    """What `run` gave."""
    assert_kind(reply, dict, "run")
    for key in ("folds", "metric", "value"):
        if key not in reply:
            raise AssertionError(f"the dict that run gives has no key {key!r}")
    assert_kind(reply["folds"], (list, tuple), 'run()["folds"]')
    assert_kind(reply["metric"], str, 'run()["metric"]')
    if not reply["folds"]:
        raise AssertionError('run()["folds"] is empty')
    folds = []
    for number, fold in enumerate(reply["folds"], 1):
        what = f'run()["folds"][{number - 1}]'
        assert_kind(fold, dict, what)
        for key in ("train_ids", "test_ids", "model", "test_score"):
            if key not in fold:
                raise AssertionError(f"{what} has no key {key!r}")
        score = _number(fold["test_score"], f"{what}['test_score']")
        ids = {key: as_ids(fold[key], f"{what}[{key!r}]") for key in ("train_ids", "test_ids")}
        folds.append({**fold, **ids, "test_score": score})
    return Run(
        folds, reply["metric"], _number(reply["value"], "run()['value']"), reply.get("final_model")
    )


@dataclass(frozen=True)
class _Answers:
    """What one run gave: scores on later cards, scores on its test rows, its fitted numbers."""

    probe: NDArray[np.float64]
    test: NDArray[np.float64]
    state: dict[str, NDArray[np.float64]]


@dataclass
class Experiment:
    """The frames of a run and what the submission made of them.

    Attributes:
        solution: the running test's.
        rng_for: the fixture.
        memory: shared by all tests of a run, so that the untouched frame is not run every time.
    """

    solution: Solution
    rng_for: Callable[[str], np.random.Generator]
    memory: dict[str, Any] = field(default_factory=dict)

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.memory:
            self.memory[name] = make()
        return self.memory[name]

    @property
    def world(self) -> d.World:
        """Merchants and their risk."""
        return self._once("world", lambda: d.World.draw(self.rng_for("world")))

    @property
    def frame(self) -> pd.DataFrame:
        """A history of 110 cards, about 2,600 payments."""
        return self._once("frame", lambda: self.world.payments(self.rng_for("frame"), 110))

    @property
    def small(self) -> pd.DataFrame:
        """A history of 60 cards, about 1,450 payments, for questions of form."""
        return self._once("small", lambda: self.world.payments(self.rng_for("small"), 60))

    @property
    def fold(self) -> d.Fold:
        """One split of `frame` as the brief asks for."""
        return self._once("fold", lambda: d.brief_folds(self.frame, 0.55)[0])

    @property
    def probe(self) -> pd.DataFrame:
        """Payments of later, unseen cards, as they are in production; about 1,250 rows."""
        return self._once("probe", lambda: d.in_production(self.later("probe", _PROBE_CARDS)))

    def later(self, name: str, cards: int) -> pd.DataFrame:
        """Labelled payments of other cards, after all of the history."""
        return self.world.payments(self.rng_for(name), cards, begin=d.DAYS, days=90)

    def run(self, frame: pd.DataFrame, folds: list[d.Fold]) -> Run:
        """Run the experiment in a fresh process, which stays for `predict`."""
        pairs = [(list(fold.train_ids), list(fold.test_ids)) for fold in folds]
        return as_run(self.solution.fresh().run(frame, pairs))

    def predict(self, model: object, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Scores of rows without labels, checked."""
        return row_scores(self.solution.predict(model, rows), rows.index)

    def answers(self, frame: pd.DataFrame) -> _Answers:
        """Run on a frame with the judge's fold and ask for scores and state."""
        run = self.run(frame, [self.fold])
        rows = d.drop_label(self.frame.loc[self.fold.test_ids])
        return _Answers(
            self.predict(run.model, self.probe),
            self.predict(run.model, rows),
            self.solution.state(run.model),
        )

    @property
    def before(self) -> _Answers:
        """On the frame as it is."""
        return self._once("before", lambda: self.answers(self.frame))

    @property
    def again(self) -> _Answers:
        """The same once more: the noise floor."""
        return self._once("again", lambda: self.answers(self.frame))

    def moved(self, after: _Answers) -> Movement:
        """How far scores of later cards moved against the frame as it is."""
        return movement(self.before.probe, self.again.probe, after.probe)

    def assert_state_still(self, after: _Answers, altered: str) -> None:
        """Hold that no fitted number moved, though no score shows it (a scaler before trees)."""
        names = moved_state(self.before.state, self.again.state, after.state)
        if names:
            raise AssertionError(
                f"{len(names)} fitted attributes of the model, {names[0]} among them, change when "
                f"only {altered} are altered: something was learned from the test set."
            )

    @property
    def power(self) -> Movement:
        """What altered training rows do: the control for all checks that hold something still."""

        def measure() -> Movement:
            rng = self.rng_for("power")
            frame = d.numbers_altered(self.frame, self.fold.train_ids, rng)
            labels = self.world.with_labels(frame.loc[self.fold.train_ids], rng)[d.LABEL]
            frame.loc[self.fold.train_ids, d.LABEL] = labels
            return self.moved(self.answers(frame))

        return self._once("power", measure)
