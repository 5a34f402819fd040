"""A sandboxed autograder for take-home coding assessments in ML-engineer hiring.

The public API is loaded on first use, so that the parts that run inside the containers can be
imported without the host's modules.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.errors import GraderError
    from grader.models import Evidence, Exercise, Level, Submission
    from grader.pipeline import Report, grade
    from grader.proof.replay import replay
    from grader.scores import ScoreCard

__all__ = [
    "Evidence",
    "Exercise",
    "GraderError",
    "Level",
    "Report",
    "ScoreCard",
    "Submission",
    "__version__",
    "grade",
    "replay",
]

__version__ = "0.1.0"

_HOME = {
    "Evidence": "grader.models",
    "Exercise": "grader.models",
    "GraderError": "grader.errors",
    "Level": "grader.models",
    "Report": "grader.pipeline",
    "ScoreCard": "grader.scores",
    "Submission": "grader.models",
    "grade": "grader.pipeline",
    "replay": "grader.proof.replay",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
