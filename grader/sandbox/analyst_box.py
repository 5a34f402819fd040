"""The analyst container: reads one submission as text, beside the tests, and is destroyed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from grader.errors import SandboxError
from grader.notebook.facts import for_analyst
from grader.sandbox.hardening import ContainerSpec
from grader.sandbox.stream import StreamClosedError, StreamTimeoutError
from grader.wire.frames import Frame, FrameError, Kind, pack_bundle, pack_json, unpack_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.models import Exercise, Submission
    from grader.notebook.fresh import FreshRun
    from grader.sandbox.engine import Container, Engine
    from grader.sandbox.relay import RunRecord

__all__ = [
    "CODE_CRITERIA",
    "NOTEBOOK_CRITERION",
    "STATIC_CRITERIA",
    "AnalystBox",
    "add_review",
    "wants_review",
]

NOTEBOOK_CRITERION = "notebook_hygiene"

_READY_SECONDS = 60.0
_REVIEW_SECONDS = 30.0  # the analyst's own budget is 10
_FRAME = 25 << 20
_LIFETIME = 7200.0
_PREFIX = "static::"
STATIC_CRITERIA = frozenset(
    {
        *("clarity_lint", "clarity_structure", "clarity_docs"),
        *("proficiency_idiom", "proficiency_typing", "proficiency_vectors"),
        NOTEBOOK_CRITERION,
    }
)
CODE_CRITERIA = STATIC_CRITERIA - {NOTEBOOK_CRITERION}


class AnalystBox:
    """One analyst container, used for one submission.

    Args:
        slot: a number that no other analyst alive has.

    Attributes:
        page: after a review, a notebook as a fragment of HTML; it is not to be trusted.
        departure: after a review, how a notebook departs from its nbformat; nor is this.
        read: after a review, the files that it looked at; None where it could not look.
    """

    def __init__(self, engine: Engine, image: str, *, slot: int) -> None:
        spec = ContainerSpec.analyst(image, slot=slot, labels={})
        self.container: Container = engine.start(spec, lifetime=_LIFETIME)
        self._collected = Frame(Kind.COLLECTED, 0)
        self.page = self.departure = ""
        self.read: list[str] | None = None

    def wait_ready(self) -> None:
        """Wait for the list of checks, which comes before any submission.

        Raises:
            SandboxError: it did not come.
        """
        try:
            frame = self._read(_READY_SECONDS)
            tests = _objects(unpack_json(frame.body).get("tests"))
        except (StreamClosedError, StreamTimeoutError, FrameError) as error:
            told = self.container.stream.stderr_tail.decode("utf-8", "replace").strip()
            raise SandboxError(
                f"the analyst container did not come up ({type(error).__name__}): {told[-2000:]}"
            ) from error
        if frame.kind is not Kind.COLLECTED or not tests:
            raise SandboxError(f"the analyst container began with {frame.kind.name}")
        self._collected = frame

    def review(
        self, exercise: Exercise, submission: Submission, fresh: FreshRun | None = None
    ) -> list[Frame]:
        """Hand over the submission and take what comes back.

        Args:
            exercise: what it is graded by.
            submission: what is read.
            fresh: a notebook's run for the report.

        Returns:
            A COLLECTED frame and one EVIDENCE frame for each check, as the transcript keeps them.
            From the hand-over on, silence, death and disorder are the submission's doing: every
            check has then failed.

        Raises:
            SandboxError: the container does not take the submission.
        """
        functions = exercise.functions
        meta = {
            "entry": exercise.entry,
            "names": [function.name for function in functions],
            "methods": {f.name: list(f.methods) for f in functions if f.methods},
            "service": exercise.app is not None,
            "notebook": for_analyst(submission.notebook, fresh)
            if submission.notebook and fresh
            else None,
        }
        # Compiled files go along as names only: that they are there is all that matters.
        files = {
            file.path: file.data if file.path.endswith(".py") else b""
            for file in submission.files
            if file.path.endswith((".py", ".pyc", ".so", ".pyd"))
        }
        if submission.notebook:
            path = submission.notebook.path
            files[path] = next(file.data for file in submission.files if file.path == path)
        body = pack_bundle(meta, files)
        deadline = time.monotonic() + _READY_SECONDS
        try:
            self.container.stream.send(Frame(Kind.SUBMISSION, 1, body).pack(), deadline=deadline)
        except (StreamClosedError, StreamTimeoutError) as error:
            raise SandboxError(f"the analyst does not take the submission: {error}") from error
        tests = _objects(unpack_json(self._collected.body).get("tests"))
        if submission.notebook is None:
            tests = [test for test in tests if test["criterion"] != NOTEBOOK_CRITERION]
        collected = Frame(Kind.COLLECTED, 0, pack_json({"tests": tests}))
        try:
            return [collected, *self._records([str(test["id"]) for test in tests])]
        except StreamTimeoutError:
            return [collected, *_all_failed(tests, "timeout")]
        except (StreamClosedError, FrameError):
            state = self.container.state()
            if state.get("Running"):
                raise SandboxError("the engine closed the stream of a running analyst") from None
            return [collected, *_all_failed(tests, "died")]

    def _records(self, wanted: Sequence[str]) -> list[Frame]:
        end = time.monotonic() + _REVIEW_SECONDS
        found: list[Frame] = []
        while True:
            frame = self._read(end - time.monotonic())
            if frame.kind is Kind.FINISHED and len(found) == len(wanted):
                read = unpack_json(frame.body).get("read")
                self.read = [str(path) for path in read] if isinstance(read, list) else None
                return found
            if frame.kind is Kind.PAGE and len(found) == len(wanted):
                self.departure, _, self.page = frame.body.decode("utf-8", "replace").partition("\n")
                continue
            if frame.kind is not Kind.EVIDENCE or len(found) == len(wanted):
                raise FrameError(f"{frame.kind.name} out of turn")
            if unpack_json(frame.body).get("id") != wanted[len(found)]:
                raise FrameError("a record of another check")
            found.append(frame)

    def _read(self, seconds: float) -> Frame:
        return self.container.stream.read_frame(
            deadline=time.monotonic() + max(seconds, 0.001), limit=_FRAME
        )

    def remove(self) -> None:
        """Kill and remove the container."""
        self.container.remove()


def came_to_nothing(frames: Sequence[Frame]) -> bool:
    """Whether a review ended before it could say anything of the code."""
    causes = {
        unpack_json(frame.body).get("cause") for frame in frames if frame.kind is Kind.EVIDENCE
    }
    return bool(causes) and causes <= {"died", "timeout", "memory"}


def _objects(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise FrameError("the analyst's checks are no list of objects")
    return value


def _all_failed(tests: Sequence[dict[str, object]], cause: str) -> list[Frame]:
    verdict = {
        "status": "failed",
        "cause": cause,
        "message": "the code brought the review down",
        "where": "",
        "calls": 0,
        "measurements": [],
        "wall_ns": 0,
    }
    return [Frame(Kind.EVIDENCE, 1, pack_json({**test, **verdict})) for test in tests]


def wants_review(exercise: Exercise) -> bool:
    """True when the rubric names a criterion that static checks count for."""
    return not STATIC_CRITERIA.isdisjoint(exercise.rubric.criteria)


def add_review(record: RunRecord, frames: Sequence[Frame], exercise: Exercise) -> None:
    """Append the static checks that the exercise's rubric has a criterion for.

    Args:
        record: of the hidden tests; changed.
        frames: what :meth:`AnalystBox.review` gave, or a transcript holds.
        exercise: whose rubric decides which checks count.

    Raises:
        SandboxError: frames that are no review.
    """
    criteria = exercise.rubric.criteria
    for frame in frames:
        told = unpack_json(frame.body)
        if frame.kind is Kind.COLLECTED:
            tests = _objects(told.get("tests"))
            if not all(str(test.get("id")).startswith(_PREFIX) for test in tests):
                raise SandboxError("the analyst names a check that is none of its own")
            record.tests += [test for test in tests if test.get("criterion") in criteria]
        elif frame.kind is Kind.EVIDENCE:
            if told.get("criterion") in criteria:
                record.evidence.append(told)
        else:
            raise SandboxError(f"a review holds no {frame.kind.name}")
