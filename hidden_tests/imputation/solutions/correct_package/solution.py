"""Report and fill missing values. The task is in README.md.

The work is done in the package `gapfill`:

* `gapfill.validation`: what is refused,
* `gapfill.dtypes`: what is numeric, and which dtype a filled column has,
* `gapfill.report`: `missing_report`,
* `gapfill.median`: `impute` and `MedianImputer`.
"""

from gapfill import MedianImputer, impute, missing_report

__all__ = ["MedianImputer", "impute", "missing_report"]
