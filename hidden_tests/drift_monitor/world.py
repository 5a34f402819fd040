"""Made-up phone companies: their customers, the model that scores them, and what goes wrong there.

Each run draws companies of its own from its seed: which features there are, their scales, what
they say about churn, which of them differ at weekends. Nothing that holds in the starter's data
holds here beyond the task sheet.

The model of a company is the truth about its customers: labels are drawn from its own
probabilities. So a window without an injected cause has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

NUMBERS = (
    "roaming_minutes", "tenure_months", "late_payments", "data_gb", "fee_eur", "router_age_months",
    "support_calls", "sms_sent", "discount_pct", "idle_days", "speed_mbit", "household_size",
)  # fmt: skip
TEXTS = {
    "region": ("north", "south", "east", "west", "centre"),
    "plan": ("basic", "plus", "family", "pro"),
    "channel": ("web", "store", "partner"),
    "device": ("android", "ios", "other"),
    "contract": ("monthly", "yearly", "two_years"),
    "payment": ("card", "invoice", "debit"),
}
START = pd.Timestamp("2024-01-01")  # a Monday
REFERENCE_DAYS = 28
WINDOW_DAYS = 14
WEIGHTED, PLAIN = 6, 2
RATE = 0.22
THRESHOLD = 0.35


@dataclass(frozen=True)
class Number:
    """A number's distribution: gamma, positive, `spread` its standard deviation.

    Attributes:
        mean: on working days.
        spread: on any day.
        weekend: by how many spreads it is larger at weekends.
        missing: share of rows without it.
    """

    mean: float
    spread: float
    weekend: float
    missing: float

    def draw(self, rng: np.random.Generator, weekend: NDArray[np.bool_]) -> NDArray[np.float64]:
        """One value for each day."""
        shape = (self.mean / self.spread) ** 2
        values = rng.gamma(shape, self.mean / shape, len(weekend))
        return values + self.weekend * self.spread * weekend


@dataclass(frozen=True)
class Text:
    """A text's levels and their shares on working days and at weekends."""

    levels: tuple[str, ...]
    shares: tuple[float, ...]
    weekend: tuple[float, ...]

    def draw(self, rng: np.random.Generator, weekend: NDArray[np.bool_]) -> ExtensionArray:
        """One level for each day, of dtype str."""
        plain = rng.choice(len(self.levels), len(weekend), p=self.shares)
        other = rng.choice(len(self.levels), len(weekend), p=self.weekend)
        return pd.array(self.levels, dtype="str").take(np.where(weekend, other, plain))


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-values))


def risk(model: Mapping[str, Any], frame: pd.DataFrame) -> NDArray[np.float64]:
    """The model's probabilities; a missing number or an unknown text adds nothing."""
    total = np.full(len(frame), float(model["intercept"]))
    for name, part in model["numbers"].items():
        scaled = (frame[name].to_numpy(float) - part["mean"]) / part["scale"]
        total += part["weight"] * np.nan_to_num(scaled)
    for name, weights in model["texts"].items():
        codes, levels = pd.factorize(frame[name])
        # Code -1 is a text that is missing: it takes the last one, which adds nothing.
        total += np.array([*(weights.get(level, 0.0) for level in levels), 0.0])[codes]
    return sigmoid(total)


@dataclass(frozen=True)
class World:
    """One company."""

    numbers: dict[str, Number]
    texts: dict[str, Text]
    model: dict[str, Any]

    @classmethod
    def draw(cls, rng: np.random.Generator, *, seasonal: bool = True) -> World:
        """Draw a company; if it is not seasonal, all days are alike."""
        names = [str(name) for name in rng.permutation(NUMBERS)[: WEIGHTED + PLAIN]]
        busy = {names[0], names[WEIGHTED]}  # one of them matters, the other does not
        numbers = {}
        for name in rng.permutation(names):
            mean = float(np.exp(rng.uniform(1.5, 5.0)))
            spread = mean * float(rng.uniform(0.16, 0.25))
            weekend = float(rng.uniform(1.4, 1.7)) if seasonal and name in busy else 0.0
            numbers[str(name)] = Number(mean, spread, weekend, float(rng.uniform(0.01, 0.05)))
        texts = {}
        for place, name in enumerate(rng.permutation(list(TEXTS))[:3]):
            levels = tuple(str(level) for level in rng.permutation(TEXTS[str(name)]))
            shares = rng.dirichlet(np.full(len(levels), 12.0))
            weekend = _swapped(shares) if seasonal and place == 0 else shares
            texts[str(name)] = Text(levels, tuple(shares.tolist()), tuple(weekend.tolist()))
        model = _model(rng, names[:WEIGHTED], numbers, texts)
        return cls(numbers, texts, model)

    @property
    def text_names(self) -> list[str]:
        """Texts; only the first may differ at weekends."""
        return list(self.texts)

    @property
    def features(self) -> list[str]:
        """Numbers, then texts."""
        return [*self.numbers, *self.texts]

    @property
    def heavy(self) -> list[str]:
        """Numbers that matter and are alike on all days."""
        return [
            name
            for name, part in self.model["numbers"].items()
            if part["weight"] and not self.numbers[name].weekend
        ]

    @property
    def light(self) -> list[str]:
        """Numbers that do not matter and are alike on all days."""
        return [
            name
            for name, part in self.model["numbers"].items()
            if not part["weight"] and not self.numbers[name].weekend
        ]

    def customers(self, rng: np.random.Generator, dates: NDArray[np.datetime64]) -> pd.DataFrame:
        """Features of one customer for each date, none missing yet."""
        weekend = pd.DatetimeIndex(dates).day_of_week.to_numpy() >= 5
        columns: dict[str, Any] = {"date": dates}
        columns |= {name: spec.draw(rng, weekend) for name, spec in self.numbers.items()}
        columns |= {name: spec.draw(rng, weekend) for name, spec in self.texts.items()}
        return pd.DataFrame(columns)

    def with_gaps(self, rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
        """The customers, numbers missing here and there; changes `frame`."""
        for name, spec in self.numbers.items():
            gone = rng.random(len(frame)) < spec.missing
            frame[name] = np.where(gone, np.nan, frame[name].to_numpy())
        return frame

    def log(
        self,
        rng: np.random.Generator,
        dates: NDArray[np.datetime64],
        causes: Sequence[Cause] = (),
        *,
        newest: bool = False,
    ) -> pd.DataFrame:
        """A log of these dates.

        Args:
            rng: draws everything.
            dates: one for each row.
            causes: what is wrong with it.
            newest: half of the labels of the two last days have not arrived.
        """
        frame = self.with_gaps(rng, self.customers(rng, dates))
        for cause in causes:
            frame = cause.people(rng, self, frame)
        truth = next((cause.model for cause in causes if cause.model is not None), self.model)
        chance = risk(truth, frame)
        churned = (rng.random(len(frame)) < chance).astype(float)
        for cause in causes:
            keep = cause.kept(rng, churned)
            frame, churned = frame[keep].reset_index(drop=True), churned[keep]
        for cause in causes:
            frame = cause.recorded(rng, frame)
        score = risk(self.model, frame) if causes else chance
        for cause in causes:
            score = cause.answered(rng, self, frame, score)
        arrived = rng.random(len(frame)) < _arriving(frame["date"], newest=newest)
        for cause in causes:
            arrived &= cause.arrived(rng, frame["date"], churned)
        label = np.where(arrived, churned, np.nan)
        frame.insert(1, "score", score)
        frame.insert(2, "churned", label)
        return frame

    def reference(self, rng: np.random.Generator, rows: int = 150) -> pd.DataFrame:
        """The log of four quiet weeks."""
        return self.log(rng, days(rng, 0, REFERENCE_DAYS, rows))

    def window(
        self, rng: np.random.Generator, causes: Sequence[Cause] = (), rows: int = 170
    ) -> pd.DataFrame:
        """The log of two weeks after the reference, or of weekends where a cause is the season."""
        length = REFERENCE_DAYS if any(cause.weekends for cause in causes) else WINDOW_DAYS
        dates = days(rng, REFERENCE_DAYS, length, rows * (2 if length > WINDOW_DAYS else 1))
        if length > WINDOW_DAYS:
            dates = dates[pd.DatetimeIndex(dates).day_of_week >= 5]
        return self.log(rng, dates, causes, newest=True)


def _swapped(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of which the largest gives up to 0.45 to the smallest."""
    moved = shares.copy()
    large, small = int(shares.argmax()), int(shares.argmin())
    step = min(0.45, shares[large] - 0.02)
    moved[large] -= step
    moved[small] += step
    return moved


def _model(
    rng: np.random.Generator,
    heavy: Sequence[str],
    numbers: Mapping[str, Number],
    texts: Mapping[str, Text],
) -> dict[str, Any]:
    parts = {
        name: {
            "mean": round(spec.mean, 3),
            "scale": round(spec.spread, 3),
            "weight": round(float(rng.uniform(1.15, 1.5) * rng.choice([-1, 1])), 3)
            if name in heavy
            else 0.0,
        }
        for name, spec in numbers.items()
    }
    levels = {
        name: {level: round(float(rng.normal(0, 0.4)), 3) for level in spec.levels}
        for name, spec in texts.items()
    }
    spread = np.sqrt(sum(part["weight"] ** 2 for part in parts.values()))
    draws = spread * rng.normal(size=4_000)
    low, high = -12.0, 4.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if sigmoid(middle + draws).mean() > RATE else (middle, high)
    return {
        "version": "2024-01",
        "threshold": THRESHOLD,
        "intercept": round(low, 3),
        "numbers": parts,
        "texts": levels,
    }


def _arriving(date: pd.Series, *, newest: bool) -> NDArray[np.float64]:
    late = (
        date > date.max() - pd.Timedelta(days=2)
        if newest
        else pd.Series(data=False, index=date.index)
    )
    return np.where(late, 0.5, 0.9)


def days(rng: np.random.Generator, first: int, count: int, rows: int) -> NDArray[np.datetime64]:
    """A date for each row: `count` days from day `first` on, each of about `rows` rows."""
    sizes = rng.integers(int(rows * 0.95), int(rows * 1.05) + 1, size=count)
    every = pd.date_range(START + pd.Timedelta(days=first), periods=count).to_numpy()
    return np.repeat(every, sizes)


@dataclass(frozen=True)
class Cause:
    """What goes wrong; this one is nothing.

    Attributes:
        name: as the task sheet has it.
        features: those that a diagnosis has to name.
        weekends: the window has no other days.
        model: the truth about the customers, where it is no longer the company's model.
    """

    name: str = "nothing"
    features: tuple[str, ...] = ()
    weekends: bool = False
    model: dict[str, Any] | None = None

    def people(self, _rng: np.random.Generator, _world: World, frame: pd.DataFrame) -> pd.DataFrame:
        """Who the customers are."""
        return frame

    def kept(self, _rng: np.random.Generator, churned: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Who of them is there, given whether they churn."""
        return np.ones(len(churned), dtype=bool)

    def recorded(self, _rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
        """What is known of them."""
        return frame

    def answered(
        self,
        _rng: np.random.Generator,
        _world: World,
        _frame: pd.DataFrame,
        score: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """What the service answers."""
        return score

    def arrived(
        self, _rng: np.random.Generator, date: pd.Series, _churned: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Whose label is there."""
        return np.ones(len(date), dtype=bool)


@dataclass(frozen=True)
class Shifted(Cause):
    """Other customers: numbers larger by spreads, most texts the one that was rarest."""

    name: str = "covariate_shift"
    by: float = 1.15

    def people(self, rng: np.random.Generator, world: World, frame: pd.DataFrame) -> pd.DataFrame:
        """As the class says."""
        moved = {}
        for name in self.features:
            if name in world.numbers:
                moved[name] = frame[name] + self.by * world.numbers[name].spread
            else:
                spec = world.texts[name]
                rarest = spec.levels[int(np.argmin(spec.shares))]
                moved[name] = frame[name].mask(rng.random(len(frame)) < 0.6, rarest)
        return frame.assign(**moved)


@dataclass(frozen=True)
class Defect(Cause):
    """A feature that an upstream job writes in another way."""

    name: str = "data_defect"
    change: Callable[[pd.Series, np.random.Generator], pd.Series] = lambda column, _rng: column

    def recorded(self, rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
        """As the class says."""
        return frame.assign(**{name: self.change(frame[name], rng) for name in self.features})


def unit(column: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Another unit."""
    return column * float(rng.choice([0.01, 0.05, 12.0, 60.0, 1000.0]))


def default(column: pd.Series, rng: np.random.Generator) -> pd.Series:
    """One number in the place of a part of the values."""
    return column.mask(rng.random(len(column)) < 0.5, float(rng.choice([0.0, 99_999.0])))


def lost(column: pd.Series, rng: np.random.Generator) -> pd.Series:
    """A join that came too late for a part of the rows."""
    return column.mask(rng.random(len(column)) < rng.uniform(0.35, 0.6))


def recoded(column: pd.Series, _rng: np.random.Generator) -> pd.Series:
    """Texts in another spelling."""
    return column.str.upper()


@dataclass(frozen=True)
class MoreChurn(Cause):
    """More or fewer customers churn, and each kind is as it was: label shift.

    Attributes:
        up: more of them; else two fifths.
        times: so many times as many, up to 55 %.
    """

    name: str = "label_shift"
    up: bool = True
    times: float = 2.3

    def kept(self, rng: np.random.Generator, churned: NDArray[np.float64]) -> NDArray[np.bool_]:
        """As the class says."""
        rate = churned.mean()
        due = min(0.55, self.times * rate) if self.up else rate / 2.5
        odds = due * (1 - rate) / (rate * (1 - due))
        share = np.where(churned == 1.0, min(1.0, odds), min(1.0, 1 / odds))
        return rng.random(len(churned)) < share


def concept(world: World, loss: float | None = None) -> Cause:
    """Two of the features that matter say the opposite of what they said.

    Args:
        world: the company.
        loss: they say something else, by which the AUC of the company's model falls so far.
    """
    if loss is None:
        return Cause("concept_change", model=_reweighed(world, -1.0))
    rng = np.random.default_rng(round(1e6 * abs(world.model["intercept"])))
    frame = world.customers(rng, np.repeat(START.to_datetime64(), 6_000))
    score = risk(world.model, frame)
    due = _auc(score, score) - loss
    low, high = -1.0, 1.0
    while high - low > 0.01:
        middle = (low + high) / 2
        too_little = _auc(score, risk(_reweighed(world, middle), frame)) > due
        low, high = (low, middle) if too_little else (middle, high)
    return Cause("concept_change", model=_reweighed(world, low))


def _reweighed(world: World, factor: float) -> dict[str, Any]:
    numbers = {name: dict(part) for name, part in world.model["numbers"].items()}
    for name in world.heavy[:2]:
        numbers[name]["weight"] *= factor
    return {**world.model, "numbers": numbers}


def _auc(score: NDArray[np.float64], chance: NDArray[np.float64]) -> float:
    """The AUC to be expected of scores where each customer churns by that chance."""
    ordered = chance[np.argsort(score)]
    below = np.cumsum(1 - ordered) - (1 - ordered)
    return float((ordered * below).sum() / (ordered.sum() * (1 - ordered).sum()))


@dataclass(frozen=True)
class Skewed(Cause):
    """The service gets a feature in another way than the model was trained with."""

    name: str = "serving_skew"
    feature: str = ""
    share: float = 0.6

    def answered(
        self,
        rng: np.random.Generator,
        world: World,
        frame: pd.DataFrame,
        score: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """As the class says."""
        other = risk(world.model, frame.assign(**{self.feature: np.nan}))
        return np.where(rng.random(len(score)) < self.share, other, score)


@dataclass(frozen=True)
class Rescored(Cause):
    """The service changes each score that the model gives."""

    name: str = "serving_skew"
    change: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda score: score

    def answered(
        self,
        _rng: np.random.Generator,
        _world: World,
        _frame: pd.DataFrame,
        score: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """As the class says."""
        return self.change(score)


def rounded(digits: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Scores of so many digits; from five on, the sheet calls them equal."""
    return lambda score: np.round(score, digits)


@dataclass(frozen=True)
class Delayed(Cause):
    """Of the newest week the labels of churners are there, and few others."""

    name: str = "delayed_labels"

    def arrived(
        self, rng: np.random.Generator, date: pd.Series, churned: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """As the class says."""
        late = (date > date.max() - pd.Timedelta(days=7)).to_numpy()
        return ~late | (churned == 1.0) | (rng.random(len(date)) < 0.12)
