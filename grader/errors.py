"""Every error that this package raises on purpose, and whose fault each one is.

::

    GraderError
    ├── UsageError             the caller's: a wrong option, an unknown exercise       exit 2
    ├── ExerciseError          the exercise author's: a broken TOML file or suite      exit 2
    ├── SubmissionRejected     the candidate's: the archive cannot be graded           exit 4
    └── PlatformError          ours or the machine's: no score, the run can be redone  exit 3
        ├── PrerequisiteError  something is not installed or not running
        ├── SetAsideError      a cluster's worker that the client retired            exit 5
        ├── SandboxError       the engine refused or lost a container
        ├── JudgeError         the judge crashed or broke the protocol
        │   └── AnsweredJudgeError   … after an answer: tried again in a fresh judge
        ├── ReplayMismatch     a transcript does not lead to the recorded verdicts
        └── UnforeseenError    a defect of this program, met on one submission

A candidate's wrong, slow or crashing code is no error here: it is a low score.
"""

from __future__ import annotations

import traceback
from pathlib import Path

__all__ = [
    "AnsweredJudgeError",
    "ExerciseError",
    "GraderError",
    "JudgeError",
    "PlatformError",
    "PrerequisiteError",
    "ReplayMismatch",
    "SandboxError",
    "SetAsideError",
    "SubmissionRejected",
    "UnforeseenError",
    "UsageError",
    "unforeseen",
]

_SAID_CHARS = 300  # of an error's own words, which may quote a candidate


class GraderError(Exception):
    """Base of all errors of this package.

    Attributes:
        exit_code: what the command line returns for it.
    """

    exit_code = 3


class UsageError(GraderError):
    """The command was called in a way that cannot work; the message says how to call it."""

    exit_code = 2


class ExerciseError(GraderError):
    """An exercise's own files are wrong; the message names file, key and fix."""

    exit_code = 2


class SubmissionRejected(GraderError):
    """A submission that no container is started for.

    Args:
        code: a stable, short, kebab-case reason (``bad-name``, ``symlink``, ``no-solution``, …).
        message: what is wrong, where, and how to mend it.
    """

    exit_code = 4

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PlatformError(GraderError):
    """The machine or this program failed; never a candidate's fault, never a score."""

    exit_code = 3


class PrerequisiteError(PlatformError):
    """Something is not installed or not running; the message holds the command that mends it."""


class SetAsideError(PlatformError):
    """The client retired this worker; it fails again until its machine is mended."""

    exit_code = 5


class SandboxError(PlatformError):
    """The container engine refused, lost or misconfigured a container."""


class JudgeError(PlatformError):
    """The judge crashed, timed out or broke the protocol: the run is void."""


class AnsweredJudgeError(JudgeError):
    """A fault of the judge's that followed an answer of the candidate's, who may have caused it.

    Attributes:
        test: the hidden test that was running.
        crashed: the judge as a whole is gone, and not that test alone.
    """

    def __init__(self, message: str, test: str, *, crashed: bool) -> None:
        super().__init__(message)
        self.test = test
        self.crashed = crashed


class ReplayMismatch(PlatformError):
    """A replay asked other questions or reached other verdicts than the recorded run."""


class UnforeseenError(PlatformError):
    """An error that nobody foresaw: a defect of this program, whatever a submission did to it."""


def unforeseen(error: Exception) -> UnforeseenError:
    """An unexpected error as a fault of the platform's, which names its type, words and place.

    The place is the innermost line of this package, and where it was raised if that is elsewhere.
    """
    package = Path(__file__).resolve().parent
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if package in Path(frame.filename).resolve().parents]
    named = dict.fromkeys(_place(frame, package) for frame in (*ours[-1:], *frames[-1:]))
    said = str(error)
    said = said if len(said) <= _SAID_CHARS else f"{said[:_SAID_CHARS]}..."
    found = UnforeseenError(
        f"the grader itself failed here, which is a defect of it and no score: "
        f"{type(error).__name__}: {said} (at {', '.join(named) or 'an unknown place'}); "
        "please report it"
    )
    found.__cause__ = error
    return found


def _place(frame: traceback.FrameSummary, package: Path) -> str:
    path = Path(frame.filename)
    inside = package in path.resolve().parents
    name = path.resolve().relative_to(package.parent).as_posix() if inside else path.name
    return f"{name}:{frame.lineno} in {frame.name}"
