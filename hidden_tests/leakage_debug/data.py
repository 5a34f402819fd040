"""Card payments: the judge's frames, and the file that candidates get.

    python hidden_tests/leakage_debug/data.py     # writes the starter's data/payments.csv

One row is one payment. A card is used for some months and makes at least 20 payments; whether one
of them is fraud depends on the payment, on its merchant and on a risk of the card's own. About 8 %
of the rows are fraud. Every frame that the judge sends is drawn by the same code, also those in
which it has changed something: they cannot be told apart by looking.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CATEGORICAL", "FORBIDDEN", "GROUP", "LABEL", "NUMERIC", "TIME", "Fold", "World", "brief_folds",
    "cards_redrawn", "categories_altered", "drop_label", "in_coarse_time", "in_production",
    "labels_opposed", "labels_shuffled", "measures_altered", "numbers_altered", "with_gaps",
]  # fmt: skip

LABEL = "is_fraud"
GROUP = "card_id"
TIME = "paid_at"
FORBIDDEN = "review_minutes"
NUMERIC = (
    "amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days",
    "failed_pins_24h", "credit_limit_eur",
)  # fmt: skip
CATEGORICAL = ("merchant_id", "merchant_category", "channel", "country")
COLUMNS = (GROUP, TIME, *CATEGORICAL, *NUMERIC, FORBIDDEN, LABEL)

OUT = Path(__file__).resolve().parents[2] / "exercises/leakage_debug/starter/data"
SHIPPED_SEED = 20250114
START = pd.Timestamp("2024-01-01")
DAYS = 300  # of history; what comes after is the hold-out
_MERCHANTS = 240
_CATEGORIES = ("grocery", "fuel", "travel", "electronics", "fashion", "gaming", "dining", "health")
_CATEGORY_RISK = (-0.5, -0.4, 0.4, 0.6, 0.1, 0.5, -0.3, -0.4)
_CHANNELS = ("chip", "contactless", "online", "phone")
_CHANNEL_RISK = (-0.5, -0.3, 0.5, 0.6)
_COUNTRIES = ("DE", "FR", "NL", "ES", "IT", "PL", "GB", "US", "TR")
_COUNTRY_RISK = (-0.2, 0.0, -0.2, 0.0, 0.1, 0.0, 0.2, 0.4, 0.5)


class Fold(NamedTuple):
    """Row labels of one train-test split."""

    train_ids: list[int]
    test_ids: list[int]


@dataclass(frozen=True)
class World:
    """What stays the same over all frames of one run: merchants, and how risky each of them is.

    Attributes:
        risk: log-odds of each merchant, shape ``(240,)``.
        category: index into the eight categories, shape ``(240,)``.
        popularity: share of payments, shape ``(240,)``.
    """

    risk: NDArray[np.float64]
    category: NDArray[np.int64]
    popularity: NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> World:
        """A world of its own."""
        popularity = rng.gamma(1.2, size=_MERCHANTS) + 0.15
        return cls(
            risk=rng.normal(0.0, 0.8, _MERCHANTS),
            category=rng.integers(0, len(_CATEGORIES), _MERCHANTS),
            popularity=popularity / popularity.sum(),
        )

    def payments(
        self, rng: np.random.Generator, cards: int, *, begin: int = 0, days: int = DAYS
    ) -> pd.DataFrame:
        """A history of `cards` cards over `days` days, with the labels and the forbidden column.

        The rows are in the order of their labels, which says nothing about time.
        """
        counts = rng.integers(20, 29, cards)
        card = np.repeat(np.arange(cards), counts)
        rows = len(card)
        active = np.minimum(rng.uniform(35, 80, cards), days * 0.4)
        first = rng.uniform(0, 1, cards) * (days - active)
        day = begin + first[card] + rng.uniform(0, 1, rows) * active[card]
        minute = np.round(day * 1440).astype("int64")
        frame = pd.DataFrame(
            {
                GROUP: np.char.add("C", (rng.permutation(90_000)[:cards] + 10_000).astype(str))[
                    card
                ],
                TIME: START + pd.to_timedelta(minute, unit="min"),
            }
        )
        frame = self.with_categories(frame, rng)
        frame = with_numbers(frame, rng)
        frame[LABEL] = 0
        frame[FORBIDDEN] = 0.0
        frame = self.with_labels(frame, rng)
        frame = with_reviews(frame, rng)[list(COLUMNS)]
        frame.index = pd.Index(
            np.sort(rng.permutation(9 * rows)[:rows] + 100_000), name="payment_id"
        )
        shuffled = frame.iloc[rng.permutation(rows)]
        return shuffled.set_axis(frame.index)

    def with_categories(self, frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Draw merchants, channels and countries anew."""
        rows = len(frame)
        merchant = rng.choice(_MERCHANTS, rows, p=self.popularity)
        return frame.assign(
            merchant_id=_merchant_names(merchant),
            merchant_category=np.array(_CATEGORIES)[self.category[merchant]],
            channel=rng.choice(_CHANNELS, rows, p=[0.35, 0.3, 0.28, 0.07]),
            country=rng.choice(
                _COUNTRIES, rows, p=[0.5, 0.09, 0.09, 0.07, 0.07, 0.06, 0.05, 0.04, 0.03]
            ),
        )

    def log_odds(self, frame: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.float64]:
        """How likely each payment is fraud, without the card's own share; shape ``(rows,)``."""
        merchant = frame["merchant_id"].str[1:].astype(int).to_numpy() - 1000
        amount = np.log(frame["amount_eur"].fillna(40).to_numpy())
        gap = np.log1p(frame["minutes_since_last"].fillna(3000).to_numpy())
        distance = np.log1p(frame["distance_km"].fillna(8).to_numpy())
        device = np.log1p(frame["device_age_days"].fillna(200).to_numpy())
        hour = frame[TIME].dt.hour.to_numpy()
        codes, cards = pd.factorize(frame[GROUP])
        own = rng.normal(0.0, 0.7, len(cards))
        return (
            -4.05
            + 1.30 * (amount - 3.7)
            - 0.45 * (gap - 7.8)
            + 0.80 * (distance - 2.2)
            - 0.55 * (device - 4.8)
            + 0.95 * frame["failed_pins_24h"].to_numpy()
            + 0.90 * ((hour < 6) | (hour >= 23))
            + 0.60 * self.risk[merchant]
            + np.array(_CATEGORY_RISK)[self.category[merchant]]
            + _effect(frame["channel"], _CHANNELS, _CHANNEL_RISK)
            + _effect(frame["country"], _COUNTRIES, _COUNTRY_RISK)
            + own[codes]
        )

    def with_labels(self, frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Draw the labels anew."""
        chance = 1 / (1 + np.exp(-self.log_odds(frame, rng)))
        return frame.assign(**{LABEL: (rng.uniform(size=len(frame)) < chance).astype("int64")})


def _merchant_names(number: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.char.add("M", (number + 1000).astype(str))


def _effect(
    values: pd.Series, names: tuple[str, ...], effects: tuple[float, ...]
) -> NDArray[np.float64]:
    return values.map(dict(zip(names, effects, strict=True))).to_numpy(dtype="float64")


def with_numbers(
    frame: pd.DataFrame, rng: np.random.Generator, *, scale: float = 1.0, missing: float = 1.0
) -> pd.DataFrame:
    """Draw the numeric columns anew.

    Args:
        frame: payments; needs card and time.
        rng: source of the draws.
        scale: factor on amounts, distances, ages and limits: a busier, richer month.
        missing: factor on the share of missing values.
    """
    rows = len(frame)
    codes, cards = pd.factorize(frame[GROUP])
    spending = rng.normal(0, 0.5, len(cards))[codes]
    age = rng.gamma(2.0, 300, len(cards))[codes]
    limit = np.round(rng.lognormal(7.9, 0.5, len(cards)) * scale, -2)[codes]
    home = rng.lognormal(2.0, 0.6, len(cards))[codes]
    device = rng.gamma(1.5, 160, len(cards))[codes]
    by_time = frame[[GROUP, TIME]].sort_values(TIME, kind="stable")
    gap = by_time.groupby(GROUP, sort=False)[TIME].diff().dt.total_seconds().div(60)
    gap = gap.reindex(frame.index).to_numpy() * rng.uniform(0.6, 1.0, rows) * scale
    numbers = {
        "amount_eur": np.round(np.exp(rng.normal(3.6, 0.95, rows) + spending) * scale, 2),
        "minutes_since_last": np.round(gap),
        "distance_km": np.round(home * rng.lognormal(0.1, 0.9, rows) * scale, 1),
        "device_age_days": np.round((device + rng.uniform(0, 60, rows)) * scale),
        "card_age_days": np.round(age * scale + (frame[TIME] - START).dt.days.to_numpy()),
        "failed_pins_24h": rng.poisson(0.22 * scale, rows),
        "credit_limit_eur": limit,
    }
    rates = {
        "amount_eur": 0.02,
        "distance_km": 0.14,
        "device_age_days": 0.22,
        "credit_limit_eur": 0.06,
    }
    for name, rate in rates.items():
        gone = rng.uniform(size=rows) < rate * missing
        numbers[name] = np.where(gone, np.nan, numbers[name])
    return frame.assign(**numbers)


def with_reviews(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The minutes that the back office spent on each payment, filled in once the case is closed."""
    rows, fraud = len(frame), frame[LABEL].to_numpy() == 1
    looked = rng.uniform(size=rows) < np.where(fraud, 0.97, 0.03)
    minutes = np.where(fraud, rng.lognormal(3.6, 0.4, rows), rng.lognormal(1.8, 0.5, rows))
    return frame.assign(**{FORBIDDEN: np.where(looked, np.round(minutes, 1), 0.0)})


# What the judge alters. Every function changes rows `ids` only, and gives a new frame.


def numbers_altered(
    frame: pd.DataFrame,
    ids: list[int],
    rng: np.random.Generator,
    *,
    scale: float = 1.8,
    missing: float = 2.0,
) -> pd.DataFrame:
    """Other numbers in these rows, by default as of a richer month; all else stays."""
    return _put(
        frame, ids, with_numbers(frame.loc[ids], rng, scale=scale, missing=missing), NUMERIC
    )


def measures_altered(frame: pd.DataFrame, ids: list[int], rng: np.random.Generator) -> pd.DataFrame:
    """Other numbers in these rows, other times, and reviews of other cases; labels stay.

    Times are stretched: their order stays, and none gets earlier than the first of them was.
    """
    rows = frame.loc[ids]
    begin = rows[TIME].min()
    late = rows.assign(**{TIME: begin + ((rows[TIME] - begin) * 1.5).dt.round("min")})
    others = rows.assign(**{LABEL: rng.permutation(rows[LABEL].to_numpy())})
    late[FORBIDDEN] = with_reviews(others, rng)[FORBIDDEN]
    return numbers_altered(_put(frame, ids, late, (TIME, FORBIDDEN)), ids, rng)


def categories_altered(
    frame: pd.DataFrame, ids: list[int], rng: np.random.Generator
) -> pd.DataFrame:
    """Other categories in these rows, from a skewed mix; no value appears or disappears.

    The row in which a value comes first keeps it, and other rows get values that came before, both
    in the frame's order and in that of time: a list of names is the same however it is made.
    """
    new = frame.loc[ids].copy()
    place = pd.Series(np.arange(len(frame)), index=frame.index)
    time = frame[TIME].rank(method="first")
    for names in (["merchant_id", "merchant_category"], ["channel"], ["country"]):
        codes = frame.groupby(names, sort=False).ngroup()
        known = frame[names].groupby(codes).first()
        weights = rng.gamma(0.3, size=len(known)) + 1e-3
        allowed = np.ones((len(ids), len(known)), dtype=bool)
        first = np.zeros(len(ids), dtype=bool)
        for order in (place, time):
            begin = order.groupby(codes).min()
            mine = order.loc[ids].to_numpy()
            allowed &= begin.to_numpy() < mine[:, np.newaxis]
            first |= begin.loc[codes.loc[ids]].to_numpy() == mine
        reach = np.cumsum(allowed * weights, axis=1)
        first |= reach[:, -1] == 0
        drawn = (reach < (rng.uniform(size=len(ids)) * reach[:, -1])[:, np.newaxis]).sum(axis=1)
        drawn = np.where(first, codes.loc[ids], drawn)
        new[names] = known.to_numpy()[drawn]
    return _put(frame, ids, new, CATEGORICAL)


def cards_redrawn(frame: pd.DataFrame, ids: list[int], rng: np.random.Generator) -> pd.DataFrame:
    """Other cards in these rows, of those in them: some pay more often, and none disappears."""
    rows = frame.loc[ids, [GROUP]]
    cards = rows[GROUP].unique()
    weights = rng.gamma(0.3, size=len(cards)) + 1e-3
    drawn = rng.choice(cards, len(rows), p=weights / weights.sum())
    kept = ~rows[GROUP].duplicated()
    return _put(frame, ids, rows.assign(**{GROUP: rows[GROUP].where(kept, drawn)}), (GROUP,))


def in_coarse_time(frame: pd.DataFrame, freq: str = "7D") -> pd.DataFrame:
    """The same payments as an export gives them that knows their week: many at the same time."""
    return frame.assign(**{TIME: frame[TIME].dt.floor(freq)})


def labels_opposed(
    frame: pd.DataFrame, ids: list[int], scores: NDArray[np.float64]
) -> pd.DataFrame:
    """As many positives in these rows, but those with the lowest scores."""
    labels = np.zeros(len(ids), dtype="int64")
    labels[np.argsort(scores, kind="stable")[: int(frame.loc[ids, LABEL].sum())]] = 1
    return _put(frame, ids, frame.loc[ids].assign(**{LABEL: labels}), (LABEL,))


def labels_gathered(
    frame: pd.DataFrame, ids: list[int], column: str, rng: np.random.Generator
) -> pd.DataFrame:
    """As many positives in these rows, but those of some values of a column, in random order."""
    rows = frame.loc[ids]
    values = pd.Index(rows[column].unique())
    order = pd.Series(rng.permutation(len(values)), index=values)
    ranks = rows[column].map(order).to_numpy() + rng.uniform(size=len(rows))
    return labels_opposed(frame, ids, ranks)


def labels_shuffled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Labels go from card to card as whole blocks, and to another row within them."""
    shuffled = frame.iloc[rng.permutation(len(frame))].sort_values(GROUP, kind="stable")
    blocks = [block.to_numpy() for _, block in shuffled.groupby(GROUP, sort=False)[LABEL]]
    moved = np.concatenate([blocks[k] for k in rng.permutation(len(blocks))])
    return frame.assign(**{LABEL: pd.Series(moved, index=shuffled.index)})


def _put(
    frame: pd.DataFrame, ids: list[int], rows: pd.DataFrame, names: tuple[str, ...]
) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[ids, list(names)] = rows[list(names)].astype(frame[list(names)].dtypes.to_dict())
    return changed


def drop_label(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows as ``predict`` gets them, the forbidden column as it is in `frame`."""
    return frame.drop(columns=LABEL)


def in_production(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows as they are in production: no label, and nobody has looked at the case yet."""
    return drop_label(frame).assign(**{FORBIDDEN: np.nan})


def with_gaps(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows, with three in ten values missing in every column in which they can be."""
    names = (*NUMERIC, *CATEGORICAL)
    gone = {name: frame[name].where(rng.uniform(size=len(frame)) > 0.3) for name in names}
    return frame.assign(**gone)


def brief_folds(frame: pd.DataFrame, *cuts: float) -> list[Fold]:
    """Splits as the brief asks for: test cards are new, and later than all of train.

    Args:
        frame: payments.
        cuts: quantiles of the time at which test begins, one for each fold.
    """
    first = frame.groupby(GROUP)[TIME].transform("min")
    folds = []
    for cut in cuts:
        at = frame[TIME].quantile(cut)
        train, test = frame.index[frame[TIME] < at], frame.index[first >= at]
        folds.append(Fold(train.tolist(), test.tolist()))
    return folds


def leaving_cards_out(frame: pd.DataFrame, fold: Fold, rng: np.random.Generator) -> Fold:
    """The fold without a third of its training cards, whose rows are nobody's then."""
    cards = frame.loc[fold.train_ids, GROUP]
    left = rng.permutation(cards.unique())[::3]
    return Fold(cards.index[~cards.isin(left)].tolist(), fold.test_ids)


def main() -> None:
    """Write the starter's file."""
    rng = np.random.default_rng(SHIPPED_SEED)
    frame = World.draw(rng).payments(rng, 260)
    frame.to_csv(OUT / "payments.csv", date_format="%Y-%m-%d %H:%M", lineterminator="\n")


if __name__ == "__main__":
    main()
