# ruff: noqa: INP001 - a script beside its output
"""Draw the starter's logs: the shipped ones, or with a seed others of the same company.

    python exercises/drift_monitor/make_data.py [--seed N] [--out FOLDER]

The company is drawn by ``hidden_tests/drift_monitor/world.py``; no hidden test asks about it. The
incident: from the second week on the billing feed writes 0 for many fees, and labels of the newest
days are there for churners first. ``model.json`` is the same for all candidates, as the model card
describes it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(__file__).resolve().parent / "starter" / "data"
sys.path.insert(0, str(ROOT / "hidden_tests" / "drift_monitor"))

import world as w  # noqa: E402 - found through the line above

SEED = 20240226
ROWS = 120
ZEROS = 0.6  # of the fees, from the second week on
NUMBERS = {  # mean, spread, larger at weekends by, weight
    "idle_days": (9.0, 2.0, 0.0, 1.2),
    "data_gb": (14.0, 3.0, 1.5, -0.95),
    "sms_sent": (22.0, 4.5, 0.0, 0.0),
    "fee_eur": (36.0, 7.5, 0.0, 1.45),
    "household_size": (2.4, 0.5, 1.4, 0.0),
    "tenure_months": (41.0, 8.0, 0.0, -1.0),
    "late_payments": (1.6, 0.35, 0.0, 1.05),
    "support_calls": (3.1, 0.7, 0.0, 1.15),
}
TEXTS = {  # level: share, share at weekends, weight
    "plan": {
        "basic": (0.34, 0.34, 0.3), "plus": (0.3, 0.3, 0.0), "family": (0.2, 0.2, -0.4),
        "pro": (0.16, 0.16, 0.1),
    },
    "channel": {"web": (0.52, 0.8, -0.1), "store": (0.3, 0.02, 0.2), "partner": (0.18, 0.18, 0.1)},
    "region": dict.fromkeys(("north", "east", "south", "west", "centre"), (0.2, 0.2, 0.0)),
}  # fmt: skip
INTERCEPT = -2.25


def company() -> w.World:
    """The company of the starter."""
    numbers = {
        name: w.Number(mean, spread, weekend, 0.02)
        for name, (mean, spread, weekend, _) in NUMBERS.items()
    }
    texts = {
        name: w.Text(tuple(levels), *(tuple(part[n] for part in levels.values()) for n in (0, 1)))
        for name, levels in TEXTS.items()
    }
    model = {
        "version": "2024-01",
        "threshold": 0.35,
        "intercept": INTERCEPT,
        "numbers": {
            name: {"mean": mean, "scale": spread, "weight": weight}
            for name, (mean, spread, _, weight) in NUMBERS.items()
        },
        "texts": {
            name: {level: part[2] for level, part in levels.items()}
            for name, levels in TEXTS.items()
        },
    }
    return w.World(numbers, texts, model)


def _zeros(fees: pd.Series, rng: np.random.Generator) -> pd.Series:
    return fees.mask(rng.random(len(fees)) < ZEROS, 0.0)


def main(arguments: Sequence[str] = ()) -> None:
    """Write ``reference.csv`` and ``log.csv``, and beside the shipped ones ``model.json``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    rng, there = np.random.default_rng(options.seed), company()
    zeros = w.Defect(features=("fee_eur",), change=_zeros)
    first = there.log(rng, w.days(rng, w.REFERENCE_DAYS, 7, ROWS))
    rest = there.log(
        rng, w.days(rng, w.REFERENCE_DAYS + 7, 21, ROWS), (zeros, w.Delayed()), newest=True
    )
    logs = {"reference": there.reference(rng, ROWS), "log": pd.concat([first, rest])}
    for name, log in logs.items():
        rounded = log.round(dict.fromkeys(NUMBERS, 2))
        rounded["score"] = w.risk(there.model, rounded).round(7)
        rounded.to_csv(options.out / f"{name}.csv", index=False, lineterminator="\n")
    if options.out == OUT:
        text = json.dumps(there.model, indent=2)
        (OUT.parent / "model.json").write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
