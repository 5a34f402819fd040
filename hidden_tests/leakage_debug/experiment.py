"""One submission's experiment, asked for again and again, each time in a process of its own."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import data as d
import numpy as np
import pandas as pd

from grader.judge.compare import assert_kind
from grader.judge.leakage import Movement, Verdict, moved_state, movement
from grader.judge.metrics import row_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from grader.judge.proxy import Solution

__all__ = ["Experiment", "Run", "as_ids", "as_run", "as_split"]

_PROBE_CARDS = 52
_SURE, _SURE_ALTERED = 7, 3  # runs that agree: what differs then is no chance
_LOOKS = ((10, 4), (20, 8))  # runs of a submission that draws random numbers, until one tells
_MORE_DRAWS = 5
_OTHER_DRAWS = 100  # random numbers that no run on the frame as it is has had
_QUICK_SECONDS = 12.0  # a slower one is not repeated: the whole run has a limit


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

    @property
    def models(self) -> list[object]:
        """That one, and the refit for production where there is one."""
        return [self.model, *([] if self.final_model is None else [self.final_model])]


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
    """What one run gave: scores of later cards, then of its test rows as they were; its numbers.

    Attributes:
        first: scores of later cards by the model of the first fold.
    """

    scores: NDArray[np.float64]
    test: NDArray[np.float64]
    first: NDArray[np.float64]
    state: dict[str, NDArray[np.float64]]
    seconds: float

    def of_first_fold(self) -> _Answers:
        """The same of the first fold's model, without its numbers."""
        return dataclasses.replace(self, scores=self.first, state={})


def _movement(before: list[_Answers], after: list[_Answers]) -> Movement:
    return movement([run.scores for run in before], [run.scores for run in after])


def _agree(runs: list[_Answers]) -> bool:
    """Whether no score and no fitted number differs between runs."""
    if _movement(runs[:1], runs).verdict is not Verdict.STILL:
        return False
    return not any(moved_state([runs[0].state], [run.state]) for run in runs[1:])


def _at_least(runs: int, known: list[_Answers], ask: Callable[[int], _Answers]) -> list[_Answers]:
    """Runs on one frame, those that are known and more, until there are so many.

    The first two get the same random numbers, which shows what comes from elsewhere; each later one
    gets others.
    """
    while len(known) < runs:
        known.append(ask(max(len(known) - 1, 0)))
    return known


def _repeated(
    base: Callable[[int], list[_Answers]],
    ask: Callable[[int], _Answers],
    *,
    control: bool = False,
    looks: Sequence[tuple[int, int]] = _LOOKS,
) -> list[_Answers]:
    """Ask as often as it takes to tell a change from chance.

    A submission that draws from NumPy's global generator may draw another number of times on
    altered rows, and then all that follows moves. So where anything moves, runs with other random
    numbers are made of both kinds, and where those differ among themselves a permutation decides.

    Args:
        base: gives at least so many runs to compare with.
        ask: makes one run of the other kind, with these random numbers.
        control: see :meth:`Experiment.answers`.
        looks: how many runs of both kinds are made where they differ among themselves.
    """
    before, after = base(2), [ask(0)]
    if _agree([*before, *after]) or (control and _agree(before)):
        return after
    if _agree(before):  # is it the change, or chance?
        after += [ask(_OTHER_DRAWS + n) for n in range(len(after), _SURE_ALTERED)]
        before = base(_SURE)
    if _agree(before) and _agree(after):
        return after
    for look, (runs, altered) in enumerate(looks, 1):
        if max(run.seconds for run in before) * look >= _QUICK_SECONDS:
            break
        before = base(runs)
        after += [ask(_OTHER_DRAWS + n) for n in range(len(after), altered)]
        if _movement(before, after).verdict is Verdict.MOVED:
            break
    return after


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
        """A history of 100 cards, about 2,400 payments."""
        return self._once("frame", lambda: self.world.payments(self.rng_for("frame"), 100))

    @property
    def small(self) -> pd.DataFrame:
        """A history of 60 cards, about 1,450 payments, for questions of form."""
        return self._once("small", lambda: self.world.payments(self.rng_for("small"), 60))

    @property
    def folds(self) -> list[d.Fold]:
        """Two splits of `frame` as the brief asks for; the model of the later one is watched.

        What is altered is in the training rows of neither. An honest run without a seed of its own
        takes random numbers from NumPy's global generator, as many as the training rows of the
        first fold make it take: were these altered, the second fold would get other numbers.
        """
        return self._once("folds", lambda: d.brief_folds(self.frame, 0.35, 0.45))

    @property
    def fold(self) -> d.Fold:
        """The split whose model is watched."""
        return self.folds[-1]

    @property
    def outside(self) -> list[int]:
        """All rows that the watched model may not have learned from."""
        return self.frame.index.difference(self.fold.train_ids).tolist()

    @property
    def probe(self) -> pd.DataFrame:
        """Payments of later, unseen cards, as they are in production; about 1,250 rows."""
        return self._once("probe", lambda: d.in_production(self.later("probe", _PROBE_CARDS)))

    def later(self, name: str, cards: int) -> pd.DataFrame:
        """Labelled payments of other cards, after all of the history."""
        return self.world.payments(self.rng_for(name), cards, begin=d.DAYS, days=90)

    def run(self, frame: pd.DataFrame, folds: Sequence[d.Fold], draw: int = 0) -> Run:
        """Run the experiment in a fresh process, which stays for `predict`.

        Args:
            frame: what `run` gets.
            folds: of the judge's own.
            draw: which numbers NumPy's global generator and `random` give.
        """
        pairs = [(list(fold.train_ids), list(fold.test_ids)) for fold in folds]
        return as_run(self.solution.fresh(draw=draw).run(frame, pairs))

    def predict(self, model: object, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Scores of rows without labels, checked."""
        return row_scores(self.solution.predict(model, rows), rows.index)

    def _answers(self, frame: pd.DataFrame, draw: int = 0) -> _Answers:
        """Run on a frame with the judge's folds; scores and state of the watched model."""
        run = self.run(frame, self.folds, draw)
        seconds = self.solution.last.wall_ns / 1e9
        probe = self.predict(run.model, self.probe)
        test = self.predict(run.model, d.drop_label(self.frame.loc[self.fold.test_ids]))
        first = self.predict(run.folds[0]["model"], self.probe)
        state = self.solution.state(run.model)
        return _Answers(np.concatenate([probe, test]), test, first, state, seconds)

    def _of_later_cards(self, frame: pd.DataFrame, folds: Sequence[d.Fold], draw: int) -> _Answers:
        """Run on a frame with these folds; scores of later cards by the last one's model."""
        run = self.run(frame, folds, draw)
        seconds = self.solution.last.wall_ns / 1e9
        scores = self.predict(run.model, self.probe)
        return _Answers(scores, scores, scores, {}, seconds)

    def moved_in_long_history(
        self, frame: pd.DataFrame, altered: pd.DataFrame, folds: list[d.Fold]
    ) -> Movement:
        """How far scores of later cards move when another history is altered.

        Args:
            frame: a history of its own.
            altered: the same with rows changed that the model may not have learned from.
            folds: of both; the last one's model is watched.
        """
        known: list[_Answers] = []

        after = _repeated(
            lambda runs: _at_least(
                runs, known, lambda draw: self._of_later_cards(frame, folds, draw)
            ),
            lambda draw: self._of_later_cards(altered, folds, draw),
            looks=_LOOKS[:1],
        )
        return _movement(known, after)

    def base(self, runs: int = 1) -> list[_Answers]:
        """Runs on the frame as it is, at least so many."""
        known = self._once("base", list)
        return _at_least(runs, known, lambda draw: self._answers(self.frame, draw))

    def _base_of_first_fold(self, runs: int = 1) -> list[_Answers]:
        return [answers.of_first_fold() for answers in self.base(runs)]

    def answers(self, frame: pd.DataFrame, *, control: bool = False) -> list[_Answers]:
        """Runs on an altered frame, repeated where something moved or moves by itself.

        Args:
            frame: what `run` gets.
            control: something is meant to move: one run is enough where none moves by itself.
        """
        return _repeated(self.base, lambda draw: self._answers(frame, draw), control=control)

    def moved(self, after: list[_Answers]) -> Movement:
        """How far scores moved against the frame as it is."""
        return _movement(self.base(), after)

    @property
    def opposed(self) -> Movement:
        """What happens when the test rows that the model likes least are made the frauds."""

        def measure() -> Movement:
            ids, scores = self.fold.test_ids, self.base()[0].test
            return self.moved(self.answers(d.labels_opposed(self.frame, ids, scores)))

        return self._once("opposed", measure)

    @property
    def without_other_folds(self) -> Movement:
        """How far the first fold's model moves when `run` gets that fold alone.

        It is trained first either way, so that random numbers of NumPy's global generator are the
        same.
        """

        def measure() -> Movement:
            alone = _repeated(
                self._base_of_first_fold,
                lambda draw: self._of_later_cards(self.frame, self.folds[:1], draw),
            )
            return _movement(self._base_of_first_fold(), alone)

        return self._once("without other folds", measure)

    @property
    def after_another_fold(self) -> Movement | None:
        """How far the first fold's model moves when `run` gets a later fold before it.

        Nothing where the model hangs on random numbers, which the other fold's model draws first.
        """

        def ask(draw: int) -> _Answers:
            return self._of_later_cards(self.frame, self.folds[::-1], draw)

        def measure() -> Movement | None:
            after = [ask(0)]
            moved = _movement(self._base_of_first_fold(2), after)
            if moved.verdict is Verdict.STILL:
                return moved
            known = self._base_of_first_fold(_SURE)
            after += [ask(_OTHER_DRAWS + n) for n in range(len(after), _SURE_ALTERED)]
            return moved if _agree(known) and _agree(after) else None

        return self._once("after another fold", measure)

    def with_same_numbers(self, frames: Sequence[pd.DataFrame]) -> Movement | None:
        """The first movement on altered frames, where chance is the same in all runs.

        Only the watched fold is run: what a later fold's model draws may hang on how the first was
        scored.

        Args:
            frames: all of the same training rows.

        Returns:
            Nothing where runs on the same frame differ, with the same random numbers.
        """
        ask = functools.partial(self._of_later_cards, folds=[self.fold], draw=0)
        known = [ask(self.frame) for _ in range(2)]
        if not _agree(known):
            return None
        slow = known[0].seconds >= _QUICK_SECONDS / 2
        still = None
        for frame in frames[: 1 if slow else None]:
            after = [ask(frame)]
            still = _movement(known, after)
            if still.verdict is Verdict.MOVED:  # or it draws where it cannot be told
                known += [ask(self.frame) for _ in range(len(known), _SURE)]
                after += [ask(frame) for _ in range(len(after), _SURE_ALTERED)]
                return still if _agree(known) and _agree(after) else None
        return still

    def first_to_move(self, alter: Callable[[], pd.DataFrame]) -> list[_Answers]:
        """Runs on an altered frame, and on others like it where a choice may hide what matters.

        Where labels of test rows matter, settings may have been chosen by a score on these rows.
        Their features matter then as well, but one alteration need not change the choice.

        Args:
            alter: draws an altered frame.
        """
        after = self.answers(alter())
        for _ in range(_MORE_DRAWS):
            if self.moved(after).verdict is Verdict.MOVED or (
                self.opposed.verdict is not Verdict.MOVED
            ):
                break
            after = self.answers(alter())
        return after

    @property
    def other_measures(self) -> list[_Answers]:
        """Runs on a frame with other numbers, times and reviews outside training."""
        rng = self.rng_for("measures")
        return self._once(
            "measures",
            lambda: self.first_to_move(lambda: d.measures_altered(self.frame, self.outside, rng)),
        )

    def assert_state_still(self, after: list[_Answers], altered: str) -> None:
        """Hold that no fitted statistic moved, though no score shows it (a scaler before trees)."""
        names = moved_state([run.state for run in self.base()], [run.state for run in after])
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
            # Of an ordinary month: about as many frauds as the task sheet says.
            frame = d.numbers_altered(self.frame, self.fold.train_ids, rng, scale=1, missing=1)
            labels = self.world.with_labels(frame.loc[self.fold.train_ids], rng)[d.LABEL]
            frame.loc[self.fold.train_ids, d.LABEL] = labels
            return self.moved(self.answers(frame, control=True))

        return self._once("power", measure)
