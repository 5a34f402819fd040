"""Replays: suites run against transcripts instead of candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from grader.sandbox.analyst_box import add_review
from grader.sandbox.boxes import JudgeBox, when_ready
from grader.sandbox.engine import Engine
from grader.sandbox.relay import RunRecord, relay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.exercise.suite import Suite
    from grader.models import Exercise
    from grader.record.transcript import Recording

__all__ = ["Replayer"]


class Replayer:
    """Runs suites against transcripts, in one judge container an image."""

    def __init__(self) -> None:
        self.engine = Engine()
        self._boxes: dict[str, JudgeBox] = {}

    def run(
        self,
        image: str,
        suite: Suite,
        recording: Recording,
        exercise: Exercise,
        *,
        config: Mapping[str, object],
    ) -> RunRecord:
        """Run one suite against one transcript.

        Args:
            image: id of the judge image that the transcript was made with.
            suite: the hidden tests.
            recording: what was asked and answered.
            exercise: what was graded.
            config: the RUN frame's fields.

        Raises:
            ReplayMismatch: the judge asks something else than in the recorded run.
        """
        box = self._boxes.pop(image, None) or when_ready(JudgeBox(self.engine, image, slot=0))
        try:
            box.begin(suite.digest, suite.files, config)
            record = relay(box, recording, _no_progress)
            recording.finish()
            add_review(record, recording.reviews, exercise)
        except BaseException:
            box.remove()  # it is in the middle of a run
            raise
        self._boxes[image] = box
        return record

    def close(self) -> None:
        """Remove its containers."""
        for box in self._boxes.values():
            box.remove()
        self._boxes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _no_progress(done: int, total: int) -> None:
    del done, total
