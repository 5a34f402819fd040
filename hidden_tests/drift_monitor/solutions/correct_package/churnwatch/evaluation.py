"""Metrics of all rows and of slices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Sequence


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return metrics of all rows and of each value of the columns in `slices`."""
    tables = [_group_metrics(log, pd.Series("all", index=log.index), threshold, "all")]
    for name in slices:
        values = log[name].astype(object).where(log[name].notna(), None)
        table = _group_metrics(log, values.map(str, na_action="ignore"), threshold, name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _group_metrics(
    log: pd.DataFrame, values: pd.Series, threshold: float, name: str
) -> pd.DataFrame:
    """Return the metrics of the groups that `values` makes, missing ones last."""
    frame = pd.DataFrame(
        {
            "value": values.to_numpy(),
            "score": log["score"].to_numpy(),
            "labelled": log["churned"].notna().to_numpy(),
            "churner": (log["churned"] == 1).to_numpy(),
        }
    )
    frame["flagged"] = (frame["score"] >= threshold) & frame["labelled"]
    frame["hit"] = frame["flagged"] & frame["churner"]
    groups = frame.groupby("value", dropna=False, sort=True)
    table = groups.agg(
        rows=("score", "size"), labelled=("labelled", "sum"), churners=("churner", "sum"),
        flagged=("flagged", "sum"), hits=("hit", "sum"),
    )  # fmt: skip
    table["auc"] = groups.apply(_auc)
    table["precision"] = table["hits"] / table["flagged"].where(table["flagged"] > 0)
    table["recall"] = table["hits"] / table["churners"].where(table["churners"] > 0)
    table["low"], table["high"] = _agresti_coull(table["hits"], table["churners"])
    table["enough"] = (table["churners"] >= 10) & (table["labelled"] - table["churners"] >= 10)
    measured = ["auc", "precision", "recall", "low", "high"]
    table[measured] = table[measured].where(table["enough"], axis=0)
    table = table.drop(columns=["flagged", "hits"]).reset_index()
    table["value"] = table["value"].astype(object).where(table["value"].notna(), "(missing)")
    table.insert(0, "slice", name)
    return table


def _auc(group: pd.DataFrame) -> float:
    known = group[group["labelled"]]
    if known["churner"].nunique() < 2:
        return math.nan
    return float(roc_auc_score(known["churner"], known["score"]))


def _agresti_coull(hits: pd.Series, count: pd.Series) -> tuple[pd.Series, pd.Series]:
    z = norm.ppf(0.975)
    share = (hits + z**2 / 2) / (count + z**2)
    half = z * np.sqrt(share * (1 - share) / (count + z**2))
    return (share - half).clip(0, 1), (share + half).clip(0, 1)
