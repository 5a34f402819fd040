"""What the task asks for; the work is done in the package beside this file."""

from imputing.estimator import MedianImputer
from imputing.report import missing_report


def impute(df):
    """Fill numeric gaps with the medians of the same frame."""
    return MedianImputer().fit_transform(df)
