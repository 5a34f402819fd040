"""The parts of the task, each from a module of its own."""

from churnwatch.causes import diagnose
from churnwatch.drift import drift_report
from churnwatch.evaluation import evaluate
from churnwatch.watching import Monitor

__all__ = ["Monitor", "diagnose", "drift_report", "evaluate"]
