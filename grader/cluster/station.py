"""The worker's side: a Dask plugin that sets up the sandbox once, and the task that grades.

The plugin carries the encrypted bundle, so that a worker which joins later gets it too. It never
raises: what is wrong with a worker is its answer to the tasks that it gets, and the client sets it
aside. A run comes back sealed, so that only a worker with the cluster's secret can have made it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from grader.cluster.bundle import Carried, unpack
from grader.cluster.certs import read_certs
from grader.cluster.parcel import packed
from grader.cluster.sealed import opened, sealed
from grader.collect.grading import Sandbox
from grader.errors import GraderError, PlatformError, SubmissionRejected, UsageError, unforeseen
from grader.pipeline import Grading
from grader.sandbox.selfcheck import self_check
from grader.sandbox.workbench import Workbench

if TYPE_CHECKING:
    from grader.collect.grading import Bench

__all__ = ["CERTS", "RESOURCE", "Maker", "Station", "grade_one", "sandbox_maker"]

RESOURCE = "docker"
CERTS = "GRADER_CLUSTER_CERTS"

# A worker without work keeps its containers for so long: the client may be gone.
IDLE_SECONDS = 120.0

_SLOTS = 8
_PROCESSES = 15  # user ids reach for so many workers on one machine

_log = logging.getLogger(__name__)

Maker = Callable[[Carried], Callable[[int], "Bench"]]


def sandbox_maker(carried: Carried) -> Callable[[int], Bench]:
    """Prove this machine's engine, build what is missing, and say what makes a bench.

    Raises:
        PlatformError: there is no engine, or its sandbox lets something through.
    """
    bench = Workbench(_log.info)
    for exercise in carried.exercises.values():
        images = bench.images_for(exercise)
    for finding in self_check(bench.engine, images, exercise.limits, fill_judge=False):
        if finding.state == "error":
            raise PlatformError(f"{finding.name}: {finding.text}")
    first = os.getpid() % _PROCESSES * _SLOTS
    return lambda number: Sandbox(bench, first + number % _SLOTS)


class Station(WorkerPlugin):
    """What one worker process holds for one collection.

    Args:
        bundle: exercises and hidden tests, sealed.
        digest: of the bundle.
        seed: sealed.
        make: proves the machine and makes benches; the sandbox unless a benchmark gives another.
    """

    def __init__(
        self,
        bundle: bytes,
        digest: str,
        seeds: bytes,
        make: Maker = sandbox_maker,
    ) -> None:
        self.digest = digest
        self._bundle, self._seeds, self._make = bundle, seeds, make
        self.fault = "it is not set up yet"

    async def setup(self, worker: object) -> None:
        """Unpack, prove, and remember what went wrong."""
        del worker
        await asyncio.to_thread(self._set_up)

    def _set_up(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="grade-worker-"))
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[Bench] = queue.SimpleQueue()
        self._busy, self._made = 0, 0
        self._timer: threading.Timer | None = None
        try:
            self.key = read_certs(Path(os.environ.get(CERTS, "")), "worker").secret()
            carried = unpack(opened(self._bundle, self.key, f"bundle {self.digest}"), self._folder)
            self._bundle = b""
            self._seed_of = pickle.loads(opened(self._seeds, self.key, "seeds"))  # noqa: S301 - authenticated
            self._carried = carried
            self._new = self._make(carried)
            self.fault = ""
        except GraderError as error:
            self.fault = str(error)
        except Exception as error:  # noqa: BLE001 - a worker says what is wrong with it
            self.fault = str(unforeseen(error))
        if self.fault:
            _log.error("this worker cannot grade: %s", self.fault)

    def teardown(self, worker: object) -> None:
        """Remove containers and files."""
        del worker
        self.fault = self.fault or "it was taken down"
        self._close_idle()
        shutil.rmtree(self._folder, ignore_errors=True)

    def grade(self, task: bytes, about: str) -> bytes:
        """Grade one sealed submission; the sealed archive of its run.

        Raises:
            GraderError: there is no score.
        """
        name, submission = pickle.loads(opened(task, self.key, about))  # noqa: S301 - authenticated
        carried = self._carried
        grading = Grading(
            submission, carried.exercises[name], carried.suites[name], self._seed_of[name]
        )
        bench, whole = self._take(), False
        out = Path(tempfile.mkdtemp(prefix="run-", dir=self._folder))
        try:
            done = bench.grade(grading, out, last=False)
            answer = pickle.dumps((packed(done.folder), done.faults))
            whole = True
        finally:
            self._give_back(bench, whole=whole)
            shutil.rmtree(out, ignore_errors=True)
        return sealed(answer, self.key, f"run of {about}")

    def _take(self) -> Bench:
        with self._lock:
            self._busy += 1
            if self._timer is not None:
                self._timer.cancel()
            try:
                return self._idle.get_nowait()
            except queue.Empty:
                self._made += 1
                number = self._made
        return self._new(number)

    def _give_back(self, bench: Bench, *, whole: bool) -> None:
        if not whole:  # its containers may be in any state
            with contextlib.suppress(GraderError):
                bench.close()
        with self._lock:
            self._busy -= 1
            if whole:
                self._idle.put(bench)
            if not self._busy:
                self._timer = threading.Timer(IDLE_SECONDS, self._close_idle)
                self._timer.daemon = True
                self._timer.start()

    def _close_idle(self) -> None:
        while True:
            try:
                bench = self._idle.get_nowait()
            except queue.Empty:
                return
            with contextlib.suppress(GraderError):
                bench.close()


def grade_one(plugin: str, task: bytes, about: str) -> dict[str, Any]:
    """The task: never raises for a reason that is ours.

    Args:
        plugin: the name under which the worker holds its `Station`.
        task: the sealed submission.
        about: what it is, as it was sealed.

    Returns:
        ``worker`` and one of ``run`` (sealed), ``unfit`` (why this worker grades nothing) or
        ``error`` (class, code, message).
    """
    worker = get_worker()
    reply: dict[str, Any] = {
        "worker": worker.address,
        "host": f"{worker.name} ({os.uname().nodename})",
    }
    station = worker.plugins.get(plugin)
    if not isinstance(station, Station):
        return reply | {"unfit": "it does not know this collection"}
    if station.fault:
        return reply | {"unfit": station.fault}
    try:
        return reply | {"run": station.grade(task, about)}
    except SubmissionRejected as error:
        return reply | {"error": ("rejected", error.code, str(error))}
    except UsageError as error:
        return reply | {"error": ("usage", "", str(error))}
    except GraderError as error:
        return reply | {"error": ("platform", "", str(error))}
    except Exception as error:  # noqa: BLE001 - a defect of ours costs one submission
        return reply | {"error": ("platform", "", str(unforeseen(error)))}
