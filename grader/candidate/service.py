"""Drives the candidate's web application: one event loop in a thread, requests as plain data."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from concurrent.futures import Future, InvalidStateError, wait
from typing import TYPE_CHECKING, Any

from grader.candidate.asgi import Answer, Lifespan, ServiceError, exchange
from grader.candidate.quiet import wait_until_quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

__all__ = ["Service", "refuse_servers"]

LIFESPAN_SECONDS = 5.0
RESTLESS_CPU, RESTLESS_SECONDS = 1.5, 8.0  # after which a service that never rests is left
EXPECTED_SECONDS = 1.0  # how long calls may be late because the service waits for a clock
_END_SECONDS = 2.0


class Service:
    """The applications of one process, and the requests to them.

    Args:
        describe: makes data of an error.
        busy: whether a question back is under way.
        asked: questions back so far.
    """

    def __init__(
        self,
        describe: Callable[[BaseException], tuple[object, ...]],
        *,
        busy: Callable[[], bool],
        asked: Callable[[], int],
    ) -> None:
        self._describe = describe
        self._busy = busy
        self._asked = asked
        self._apps: list[tuple[Callable[..., Any], Lifespan]] = []
        self._open: dict[int, tuple[Future[Answer], asyncio.Event]] = {}
        self._number = 0
        self._loop = asyncio.new_event_loop()
        self._ended: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="service", daemon=True)
        self._thread.start()

    def add(self, app: Callable[..., Any]) -> int:
        """Start an application; its number.

        Raises:
            ServiceError: its lifespan fails or does not answer.
        """
        lifespan = Lifespan(app)
        self._await(lifespan.start(LIFESPAN_SECONDS))
        self._apps.append((app, lifespan))
        return len(self._apps) - 1

    def stop(self, number: int) -> None:
        """Stop an application; the same errors."""
        self._await(self._apps[number][1].stop(LIFESPAN_SECONDS))
        gc.collect()  # what a process that goes on would clear away some time tells its errors now

    def submit(self, number: int, requests: Sequence[Mapping[str, Any]]) -> list[int]:
        """Hand requests to the event loop without waiting; the requests' numbers.

        All of them are there before the application sees the first.
        """
        app, lifespan = self._apps[number]
        begun: list[Coroutine[Any, Any, None]] = []
        numbers = []
        for request in requests:
            future: Future[Answer] = Future()
            gone = asyncio.Event()
            self._number += 1
            self._open[self._number] = future, gone
            numbers.append(self._number)
            begun.append(_answered(future, exchange(app, request, lifespan.state, gone)))
        if self._ended is None:
            self._loop.call_soon_threadsafe(_begin, self._loop, begun)
            return numbers
        for opened, work in zip(numbers, begun, strict=True):
            work.close()
            _put(self._open[opened][0], Answer(error=self._death()))
        return numbers

    def leave(self, number: int) -> None:
        """Let the client of a request go away."""
        if number in self._open:
            self._loop.call_soon_threadsafe(self._open[number][1].set)

    def wait(self, number: int, seconds: float | None = None) -> None:
        """Wait until a request has its answer, at most so long."""
        if number in self._open:
            wait([self._open[number][0]], timeout=seconds)

    def settle(self, due: int) -> bool:
        """Wait until nothing here can run until something outside happens.

        Args:
            due: questions back that are expected altogether. A service that lets a moment pass
                before it asks gets that moment.

        Returns:
            False where it never comes to rest.
        """
        late = time.monotonic() + EXPECTED_SECONDS
        while True:
            quiet = wait_until_quiet(self._busy, cpu_seconds=RESTLESS_CPU, seconds=RESTLESS_SECONDS)
            if not quiet or self._asked() >= due or time.monotonic() >= late:
                return quiet
            time.sleep(0.001)

    def finished(self) -> list[tuple[int, tuple[object, ...]]]:
        """Requests that have got their answers since this was last asked, and the answers."""
        done = [number for number, (future, _) in self._open.items() if future.done()]
        return [(number, self._told(self._open.pop(number)[0].result())) for number in done]

    def end(self) -> None:
        """Stop the event loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_END_SECONDS)

    def _told(self, answer: Answer) -> tuple[object, ...]:
        error = self._describe(answer.error) if answer.error is not None else None
        if not answer.whole or isinstance(answer.error, ServiceError):
            return error or ("error", "RuntimeError", ["RuntimeError"], "no response", "")
        pairs = [list(pair) for pair in answer.headers]
        return ("response", answer.status, pairs, bytes(answer.body), error)

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        if self._ended is not None:
            work.close()
            raise self._death()
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _death(self) -> ServiceError:
        return ServiceError(f"the service has ended: {type(self._ended).__name__}")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        except BaseException as error:  # noqa: BLE001 - an exit in a task of the candidate's
            self._ended = error
            for future, _ in list(self._open.values()):
                _put(future, Answer(error=self._death()))


_tasks: set[asyncio.Task[None]] = set()


async def _answered(future: Future[Answer], work: Coroutine[Any, Any, Answer]) -> None:
    _put(future, await work)


def _begin(loop: asyncio.AbstractEventLoop, begun: Sequence[Coroutine[Any, Any, None]]) -> None:
    for work in begun:
        task = loop.create_task(work)
        _tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(_tasks.discard)


def _put(future: Future[Answer], answer: Answer) -> None:
    try:
        future.set_result(answer)
    except InvalidStateError:
        return


def refuse_servers() -> None:
    """Let ``uvicorn.run`` say in one line why no server may be started."""
    uvicorn = sys.modules.get("uvicorn")
    if uvicorn is not None:

        def run(*_args: object, **_kwargs: object) -> None:
            raise RuntimeError(
                "a server was started while the submission was loaded; start it below "
                "`if __name__ == '__main__':` only"
            )

        uvicorn.run = run  # type: ignore[attr-defined]
