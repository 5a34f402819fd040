"""A worker whose containers are not there."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from grader.errors import SandboxError
from grader.sandbox.workbench import Worker
from grader.wire.frames import Frame, Kind, pack_json

if TYPE_CHECKING:
    from grader.models import Submission


class Box:
    """A container that takes a submission, or does not."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes, self.removed = takes, False

    def give(self, submission: object, *, wall_seconds: float) -> None:
        del submission, wall_seconds
        if not self.takes:
            raise OSError("no")

    def remove(self) -> None:
        self.removed = True


def worker_of(box: Box, come: threading.Event) -> Any:
    """One whose next container is `box`, once `come` is set."""

    def start(_exercise: object, *, notebook: bool) -> Box:
        del notebook
        assert come.wait(10)
        return box

    worker: Any = object.__new__(Worker)
    worker._pool = ThreadPoolExecutor(max_workers=1)
    worker._start_candidate = start
    return worker


SUBMISSION: Any = SimpleNamespace(notebook=None)


def test_a_replacement_that_comes_too_late_is_not_waited_for_and_removed() -> None:
    box, come = Box(), threading.Event()
    worker = worker_of(box, come)
    assert worker._replacement(None, SUBMISSION, 0.05) is None
    assert not box.removed
    come.set()
    worker._pool.shutdown(wait=True)
    assert box.removed


def test_a_replacement_in_time_is_given_the_submission() -> None:
    box, come = Box(), threading.Event()
    come.set()
    worker = worker_of(box, come)
    assert worker._replacement(None, SUBMISSION, 10.0) is box
    worker._pool.shutdown(wait=True)
    assert not box.removed


def test_a_replacement_that_does_not_take_the_submission_is_removed() -> None:
    box, come = Box(takes=False), threading.Event()
    come.set()
    worker = worker_of(box, come)
    with pytest.raises(OSError, match="no"):
        worker._replacement(None, SUBMISSION, 10.0)
    assert box.removed


class Stuck(Box):
    """A container that the engine does not remove."""

    def remove(self) -> None:
        raise SandboxError("the engine is gone")


def test_closing_tries_every_container_before_it_complains() -> None:
    first, last = Stuck(), Box()
    worker = worker_of(first, threading.Event())
    worker._lock, worker._closed = threading.Lock(), False
    futures: list[Future[Box]] = [Future(), Future()]
    futures[0].set_result(first)
    futures[1].set_result(last)
    worker._next, worker._next_analyst = (("x", False), futures[0]), None
    worker._judges = {"sha256:1": futures[1]}
    with pytest.raises(SandboxError, match="the engine is gone"):
        worker.close()
    assert last.removed


class Analyst(Box):
    """An analyst whose every check ends in one way."""

    def __init__(self, cause: str) -> None:
        super().__init__()
        self._cause = cause

    def review(self, exercise: object, submission: Submission) -> list[Frame]:
        del exercise
        assert submission.files
        told = [
            Frame(Kind.COLLECTED, 0, pack_json({"tests": []})),
            Frame(Kind.EVIDENCE, 1, pack_json({"id": "static::a", "cause": self._cause})),
        ]
        return told if self._cause else told[:1]


def tried(box: Analyst) -> None:
    worker: Any = object.__new__(Worker)
    worker._bench = SimpleNamespace(images_for=lambda _: SimpleNamespace(analyst="sha256:3"))
    worker._start_analyst = lambda image: box if image == "sha256:3" else None
    worker._try_analyst(None)
    assert box.removed


@pytest.mark.parametrize("cause", ["died", "memory", "timeout"])
def test_an_analyst_that_can_review_nothing_is_our_fault(cause: str) -> None:
    box = Analyst(cause)
    with pytest.raises(SandboxError, match="cannot review any code"):
        tried(box)
    assert box.removed


@pytest.mark.parametrize("cause", ["none", "finding", ""])
def test_an_analyst_that_reviews_other_code_is_in_order(cause: str) -> None:
    tried(Analyst(cause))
