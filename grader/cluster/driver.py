"""The client's loop: tasks go out a few at a time, results come back as folders.

Dask decides where a task runs, and runs it again if its worker is lost. Decided here is what Dask
cannot know: a result counts once, a fault of a worker is not a submission's, and a scheduler that
comes back gets what is still open.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import pickle
import queue
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from distributed import Client
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from grader import interrupts
from grader.cluster.bundle import pack
from grader.cluster.parcel import OtherImages, Wanted, images_in, published
from grader.cluster.processes import set_aside
from grader.cluster.sealed import opened, sealed
from grader.cluster.station import RESOURCE, Maker, Station, grade_one, sandbox_maker
from grader.collect.grading import Done
from grader.errors import GraderError, PlatformError, SubmissionRejected, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Future

    from grader.cluster.bundle import Bundle
    from grader.cluster.certs import Certs
    from grader.cluster.crew import LocalCrew
    from grader.collect.grading import Key, Task, Work

__all__ = ["Cluster", "grade_on"]

ATTEMPTS = 3
_STRIKES = 2
_A_SLOT = 2  # submissions in flight: one that is graded, one that waits at the worker
_FEWEST = 4
_LOOK_SECONDS = 2.0
_FETCH_SECONDS = 1.0
_CONNECT_SECONDS = 20
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where to grade.

    Attributes:
        address: ``tls://host:port``.
        certs: the client's.
        crew: local processes to look after, if they are ours.
        make: what proves a worker's machine and makes its benches: the sandbox, or a stand-in for
            tests and measurements.
    """

    address: str
    certs: Certs
    crew: LocalCrew | None = None
    make: Maker = sandbox_maker


class _Sent(NamedTuple):
    task: Task
    name: str  # of the results folder
    future: Any


class _SchedulerLost(Exception):
    """The connection broke; what is open goes out again."""


class _LostAnswer(Exception):
    """A worker was lost with the answer that it had."""


@dataclass(slots=True)
class _Ledger:
    """What is known about tasks and workers over all sessions."""

    open: dict[Key, Task]
    images: dict[str, tuple[str, str]]  # by exercise: of the first run
    bundle: Bundle
    attempts: Counter[Key] = field(default_factory=Counter)
    blamed: dict[Key, list[str]] = field(default_factory=dict)
    strikes: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)  # of workers that were set aside
    joined: set[str] = field(default_factory=set)  # addresses of workers, whatever became of them


def grade_on(
    cluster: Cluster, work: Work, say: Callable[[str], None]
) -> Iterator[tuple[Task, Done | GraderError]]:
    """Grade tasks on a cluster; yields as they end.

    Args:
        cluster: where.
        work: what.
        say: told when workers come and go.

    Raises:
        PlatformError: no scheduler, no worker, or every worker was set aside. What was yielded
            counts; the same command goes on from there.
        UsageError: the certificates cannot be used.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said here
    images = {run["exercise"]["id"]: images_in(run) for run in work.results.samples()}
    ledger = _Ledger({task.key: task for task in work.tasks}, images, pack(work.used()))
    lost_at: float | None = None
    while ledger.open:
        try:
            with _Session(cluster, work, ledger, say) as session:
                lost_at = None
                yield from session.results()
        except _SchedulerLost as error:
            lost_at = lost_at or time.monotonic()
            if time.monotonic() - lost_at > _PATIENCE_SECONDS:
                raise PlatformError(
                    f"there is no scheduler at {cluster.address} ({error}); start it and run the "
                    "same command: what was graded is kept"
                ) from error
            say(f"no connection to {cluster.address}; trying again")
            _pause(_LOOK_SECONDS)
            if cluster.crew is not None:
                cluster.crew.mend()


def _pause(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        interrupts.check()
        time.sleep(0.1)


class _Session:
    """One connection to the scheduler."""

    def __init__(
        self, cluster: Cluster, work: Work, ledger: _Ledger, say: Callable[[str], None]
    ) -> None:
        self._cluster, self._work, self._ledger, self._say = cluster, work, ledger, say
        bundle = ledger.bundle
        secret = self._secret = cluster.certs.secret()
        # The name changes with what is graded, so that two collections do not mix on a worker.
        seeds = pickle.dumps(sorted(work.seeds.items()))
        self._plugin = f"grade-{hashlib.sha256(bundle.digest.encode() + seeds).hexdigest()[:32]}"
        self._station = Station(
            sealed(bundle.data, secret, f"bundle {bundle.digest}"),
            bundle.digest,
            sealed(pickle.dumps(dict(work.seeds)), secret, "seeds"),
            cluster.make,
        )
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._sent: dict[str, _Sent] = {}
        self._workers: dict[str, int] = {}
        self._looked = 0.0
        self._alone_since = time.monotonic()

    def __enter__(self) -> Self:
        try:
            self._client = Client(
                self._cluster.address,
                security=self._cluster.certs.security(),
                timeout=_CONNECT_SECONDS,
                set_as_default=False,
                name="grade-collect",
            )
        except OSError as error:  # also time-outs, and certificates that the scheduler refuses
            raise _SchedulerLost(str(error) or type(error).__name__) from error
        try:
            self._client.register_plugin(self._station, name=self._plugin)
        except Exception as error:
            self._close()
            raise _SchedulerLost(f"{type(error).__name__}: {error}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        alive = self._client.status == "running" and kind is not _SchedulerLost
        if alive:
            try:
                self._client.cancel([sent.future for sent in self._sent.values()])
                self._client.unregister_worker_plugin(self._plugin)
            except Exception as error:  # noqa: BLE001 - the results are in their folders
                self._say(f"the workers could not be tidied up: {error}")
        self._close()

    def _close(self) -> None:
        try:
            self._client.close(timeout=5)
        except Exception as error:  # noqa: BLE001 - the connection is gone either way
            self._say(f"the connection could not be closed: {error}")

    def results(self) -> Iterator[tuple[Task, Done | GraderError]]:
        """Send, and yield what comes back, until nothing is open."""
        waiting = list(reversed(self._ledger.open.values()))
        while self._ledger.open:
            interrupts.check()
            self._look()
            room = max(_FEWEST, _A_SLOT * sum(self._workers.values())) - len(self._sent)
            while waiting and room > 0 and self._workers:
                task = waiting.pop()
                refused = self._send(task)
                room -= 1
                if refused is not None:
                    yield self._settle(task, refused)
            try:
                future = self._ended.get(timeout=0.2)
            except queue.Empty:
                continue
            sent = self._sent.pop(str(future.key), None)
            if sent is None:
                continue
            try:
                outcome = self._outcome(sent)
            except _LostAnswer:
                self._expect(sent)
                continue
            sent.future.release()
            if outcome is None:
                waiting.append(sent.task)
            else:
                yield self._settle(sent.task, outcome)

    def _settle(self, task: Task, outcome: Done | GraderError) -> tuple[Task, Done | GraderError]:
        del self._ledger.open[task.key]
        return task, outcome

    def _send(self, task: Task) -> GraderError | None:
        """Put one task on its way; what intake says now if the file changed since it was read."""
        try:
            grading = self._work.prepare(task.path)
        except GraderError as error:
            return error
        submission = grading.submission
        about = hashlib.sha256("\0".join((*task.key, self._plugin)).encode()).hexdigest()
        attempt = self._ledger.attempts[task.key]
        others = [w for w in self._workers if w not in self._ledger.blamed.get(task.key, ())]
        future = self._client.submit(
            grade_one,
            self._plugin,
            sealed(pickle.dumps((grading.exercise.id, submission)), self._secret, about),
            about,
            key=f"grade-{about}-{attempt}",
            resources={RESOURCE: 1},
            pure=False,
            workers=others if attempt and others else None,
            allow_other_workers=bool(attempt and others),
        )
        self._expect(_Sent(task, f"{submission.name}-{submission.digest[:8]}", future))
        return None

    def _expect(self, sent: _Sent) -> None:
        self._sent[str(sent.future.key)] = sent
        sent.future.add_done_callback(self._ended.put)

    def _outcome(self, sent: _Sent) -> Done | GraderError | None:
        """What came of a task; None if it has to go out again.

        Raises:
            _LostAnswer: the worker was lost with the answer, and Dask has it graded again.
        """
        key = sent.task.key
        try:
            reply = self._fetched(sent.future)
        except KilledWorker as error:
            return self._again(key, "", f"its workers were lost one after another: {error}")
        except FutureCancelledError as error:
            self._check_connection(error)
            return self._again(key, "", "the scheduler forgot it")
        except (OSError, TimeoutError) as error:
            self._check_connection(error)
            return self._again(key, "", f"its result could not be fetched: {error}")
        except (_LostAnswer, _SchedulerLost, GraderError):
            raise
        except Exception as error:  # noqa: BLE001 - of Dask's own
            return self._again(key, "", f"{type(error).__name__}: {error}")
        return self._read(sent, reply)

    def _fetched(self, future: Future[dict[str, Any]]) -> dict[str, Any]:
        """The answer of a future that has ended.

        Fetching takes long where the worker is gone, so the others are looked after meanwhile.
        """
        loop: Any = self._client.loop  # of tornado, around the one that is meant
        fetching = asyncio.run_coroutine_threadsafe(
            self._client.gather(future, asynchronous=True), loop.asyncio_loop
        )
        until = time.monotonic() + _PATIENCE_SECONDS
        try:
            while True:
                try:
                    answer: dict[str, Any] = fetching.result(timeout=_FETCH_SECONDS)
                except TimeoutError:
                    if fetching.done() or time.monotonic() > until:
                        raise
                else:
                    return answer
                if future.status in {"pending", "lost"}:
                    raise _LostAnswer
                interrupts.check()
                self._look()
        finally:
            fetching.cancel()

    def _read(self, sent: _Sent, reply: dict[str, Any]) -> Done | GraderError | None:
        key, worker, host = sent.task.key, reply["worker"], reply["host"]
        if "unfit" in reply:
            self._retire(worker, f"{host}: {reply['unfit']}")
            return None  # it was never begun, so it is no attempt
        if "error" in reply:
            kind, code, text = reply["error"]
            if kind == "rejected":
                return SubmissionRejected(code, text)
            if kind == "usage":
                return UsageError(text)
            return self._again(key, worker, f"{text} (worker {host})")
        about = sent.future.key.split("-")[1]
        try:
            archive, faults = pickle.loads(  # noqa: S301 - authenticated: a worker with our secret made it
                opened(reply["run"], self._secret, f"run of {about}")
            )
            wanted = Wanted(key, sent.name, self._ledger.images)
            folder = published(archive, wanted, self._work.results.folder, self._work.hidden_root)
        except OtherImages as error:
            self._retire(worker, f"{host}: {error}")
            return None
        except PlatformError as error:
            return self._again(key, worker, f"{error} (worker {host})")
        self._acquit(key)
        return Done(folder, faults)

    def _again(self, key: Key, worker: str, why: str) -> GraderError | None:
        """Try a task elsewhere, or give up on it."""
        self._ledger.attempts[key] += 1
        if worker:
            self._ledger.blamed.setdefault(key, []).append(worker)
        if self._ledger.attempts[key] < ATTEMPTS:
            return None
        return PlatformError(why)

    def _acquit(self, key: Key) -> None:
        """A task that went well elsewhere speaks against the workers where it failed."""
        for worker in self._ledger.blamed.pop(key, []):
            self._ledger.strikes[worker] += 1
            if self._ledger.strikes[worker] == _STRIKES:
                self._retire(worker, f"{worker}: {_STRIKES} gradings failed here and not elsewhere")

    def _retire(self, worker: str, reason: str) -> None:
        """Set a worker aside; what waits there goes to the others."""
        self._workers.pop(worker, None)
        if worker in self._ledger.reasons:
            return
        self._ledger.reasons[worker] = reason
        self._say(f"set aside: {reason}")
        try:
            self._client.run(set_aside, reason, workers=[worker], nanny=True)
            self._client.retire_workers([worker], close_workers=True)
        except Exception as error:  # noqa: BLE001 - it may be gone already
            self._say(f"{worker} could not be retired: {error}")

    def _look(self) -> None:
        """Notice workers that came or went, and a scheduler that is gone."""
        if time.monotonic() - self._looked < _LOOK_SECONDS and self._workers:
            return
        if self._cluster.crew is not None:
            self._cluster.crew.mend()
        try:
            there = self._client.scheduler_info(n_workers=-1)["workers"]
        except Exception as error:
            raise _SchedulerLost(str(error)) from error
        self._check_connection(None)
        now = {
            address: int(facts.get("resources", {}).get(RESOURCE, 0))
            for address, facts in there.items()
            if address not in self._ledger.reasons
        }
        if now != self._workers:
            self._say(f"workers: {len(now)} with {sum(now.values())} slots")
        self._workers, self._looked = now, time.monotonic()
        self._ledger.joined |= now.keys()
        if now:
            self._alone_since = time.monotonic()
        elif self._are_all_aside() or time.monotonic() - self._alone_since > _PATIENCE_SECONDS:
            crew = self._cluster.crew
            lost = "none joined" if crew is None else crew.last_words()
            told = "; ".join(self._ledger.reasons.values()) or lost
            raise PlatformError(
                f"no worker is left at {self._cluster.address} ({told}); mend them and run the "
                "same command: what was graded is kept"
            )

    def _are_all_aside(self) -> bool:
        """Whether each worker that joined was set aside; one that was lost may come back."""
        return bool(self._ledger.reasons) and self._ledger.joined <= self._ledger.reasons.keys()

    def _check_connection(self, error: BaseException | None) -> None:
        if self._client.status != "running":
            raise _SchedulerLost(str(error or self._client.status))
