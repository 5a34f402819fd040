"""Every error that this package raises on purpose, and whose fault each one is.

::

    GraderError
    ├── UsageError             the caller's: a wrong option, an unknown exercise       exit 2
    ├── ExerciseError          the exercise author's: a broken TOML file or suite      exit 2
    ├── SubmissionRejected     the candidate's: the archive cannot be graded           exit 4
    └── PlatformError          ours or the machine's: no score, the run can be redone  exit 3
        ├── PrerequisiteError  something is not installed or not running
        ├── SandboxError       the engine refused or lost a container
        ├── JudgeError         the judge crashed or broke the protocol
        └── ReplayMismatch     a transcript does not lead to the recorded verdicts

A candidate's wrong, slow or crashing code is no error here: it is a low score.
"""

from __future__ import annotations

__all__ = [
    "ExerciseError",
    "GraderError",
    "JudgeError",
    "PlatformError",
    "PrerequisiteError",
    "ReplayMismatch",
    "SandboxError",
    "SubmissionRejected",
    "UsageError",
]


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


class SandboxError(PlatformError):
    """The container engine refused, lost or misconfigured a container."""


class JudgeError(PlatformError):
    """The judge crashed, timed out or broke the protocol: the run is void."""


class ReplayMismatch(PlatformError):
    """A replay asked other questions or reached other verdicts than the recorded run."""
