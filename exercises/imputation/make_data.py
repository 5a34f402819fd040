# ruff: noqa: INP001, S311 - a script beside its output; nothing here is a secret
"""Write the starter's data: five made-up weeks of a bike-share network.

The defects are those of real exports: sentinels, gaps, repeated rows, stray spaces, mixed types.

    python exercises/imputation/make_data.py [--seed N] [--out FOLDER]

The output is in the repository; the script is here so that anyone can see how it came about. With a
seed it draws other data of the same kind: `grade starter --seed` gives each candidate some of their
own.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OUT = Path(__file__).resolve().parent / "starter" / "data"
SEED = 20240301
ROWS = 480
STATIONS = {
    "S01": ("Harbour Gate", 24),
    "S02": ("Old Mill", 16),
    "S03": ("University Library", 32),
    "S04": ("Market Square", 28),
    "S05": ("Botanic Garden", 12),
    "S06": ("Stadium North", 40),
    "S07": ("Central Station", 48),
    "S08": ("Riverside Park", 18),
}
COLUMNS = (
    "station_id", "station_name", "recorded_at", "docks", "bikes_available", "ebikes_available",
    "temperature_c", "wind_kmh", "humidity_pct", "raining", "mean_trip_min", "last_service",
    "dock_firmware", "legacy_counter",
)  # fmt: skip


def _row(rng: random.Random, number: int) -> dict[str, object]:
    station = rng.choice(sorted(STATIONS))
    name, docks = STATIONS[station]
    when = datetime(2024, 3, 1) + timedelta(hours=number * 37 * 24 / ROWS)  # noqa: DTZ001 - local
    bikes = min(docks, max(0, round(rng.gauss(docks * 0.45, docks * 0.25))))
    return {
        "station_id": station,
        "station_name": name + rng.choice(["", "", "", " ", "  "]),
        "recorded_at": when.strftime("%Y-%m-%d %H:%M"),
        "docks": docks,
        "bikes_available": bikes,
        "ebikes_available": round(bikes * rng.uniform(0.0, 0.5)),
        "temperature_c": round(rng.gauss(9.0, 5.0), 1),
        "wind_kmh": round(rng.gammavariate(2.2, 6.0), 1),
        "humidity_pct": rng.randint(35, 100),
        "raining": rng.choice(["yes", "no", "no", "no"]),
        "mean_trip_min": f"{rng.lognormvariate(2.5, 0.5):.1f}",
        "last_service": (when - timedelta(days=rng.randint(1, 300))).strftime("%Y-%m-%d"),
        "dock_firmware": rng.choice(["4.1", "4.10", "4.2"]),
        "legacy_counter": "",
    }


def _damage(rng: random.Random, row: dict[str, object]) -> None:
    """What exports do to rows."""
    marks = (
        ("temperature_c", 0.08, ""), ("temperature_c", 0.04, -999), ("wind_kmh", 0.15, ""),
        ("humidity_pct", 0.05, ""), ("bikes_available", 0.03, ""), ("ebikes_available", 0.21, ""),
        ("raining", 0.06, ""), ("mean_trip_min", 0.07, "n/a"), ("mean_trip_min", 0.02, "-"),
        ("last_service", 0.12, ""), ("station_name", 0.01, ""),
    )  # fmt: skip
    row.update({name: mark for name, share, mark in marks if rng.random() < share})


def main(arguments: Sequence[str] = ()) -> None:
    """Write ``station_status.csv`` and ``station_status_april.csv``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    rows = [_row(rng, number) for number in range(ROWS)]
    for row in rows:
        _damage(rng, row)
    for place in sorted(rng.sample(range(ROWS), 12), reverse=True):
        rows.insert(place + 1, dict(rows[place]))  # the exporter sent some rows twice
    train = [row for row in rows if str(row["recorded_at"]) < "2024-04"]
    test = [row for row in rows if str(row["recorded_at"]) >= "2024-04"]
    for row in test:  # April is warmer, and two stations had no anemometer
        if isinstance(row["temperature_c"], float):
            row["temperature_c"] = round(row["temperature_c"] + 6.0, 1)
        if row["station_id"] in ("S05", "S08"):
            row["wind_kmh"] = ""
    for name, part in (("station_status.csv", train), ("station_status_april.csv", test)):
        with (options.out / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(part)


if __name__ == "__main__":
    main(sys.argv[1:])
