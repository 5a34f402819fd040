"""Missing values of tabular data: how many there are, and medians in their place."""

from .median import MedianImputer, impute
from .report import missing_report

__all__ = ["MedianImputer", "impute", "missing_report"]
