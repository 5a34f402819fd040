"""Alerts day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from churnwatch.drift import NO_FEATURES, jensen_shannon

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 0.28
WEEK = 7


@dataclass
class Silence:
    """Whether a feature may alert: not until a week after its last odd day."""

    normal_days: int = WEEK

    def begins(self, *, odd: bool) -> bool:
        """Take a day, and return whether an alert begins with it."""
        begins = odd and self.normal_days >= WEEK
        self.normal_days = 0 if odd else self.normal_days + 1
        return begins


class Monitor:
    """Compares each day with the reference's days of its kind."""

    def __init__(self, reference: pd.DataFrame) -> None:
        """Split the reference by kind of day."""
        weekend = reference["date"].dt.day_of_week >= 5
        self._usual = {True: reference[weekend], False: reference[~weekend]}
        self._silence = {
            name: Silence() for name in reference.columns if name not in NO_FEATURES
        }

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        if len(batch) < 50:
            return []
        usual = self._usual[bool(batch["date"].iloc[0].day_of_week >= 5)]
        return [
            name
            for name, silence in self._silence.items()
            if silence.begins(odd=jensen_shannon(usual[name], batch[name]) > LIMIT)
        ]
