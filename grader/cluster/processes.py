"""The long-running programs: ``grade cluster scheduler`` and ``grade cluster worker``."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import dask
from distributed import Nanny, Scheduler

from grader.cluster.station import CERTS, RESOURCE
from grader.errors import SetAsideError, UsageError
from grader.files import write_whole
from grader.sandbox.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from grader.cluster.certs import Certs

__all__ = ["SETTINGS", "run_scheduler", "run_worker", "set_aside"]

_RETRY_SECONDS = 2.0
_START_SECONDS = 120  # that the process of a worker may take to start, on a machine with other work

# A submission never runs in a worker's process, so a lost worker says nothing against a submission.
SETTINGS = {
    "distributed.scheduler.allowed-failures": 10,
    "distributed.scheduler.work-stealing": False,  # a grading that is handed on may run twice
    "distributed.admin.large-graph-warning-threshold": "1GB",  # a task carries its submission
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.comm.timeouts.connect": "30s",
}

_aside: list[str] = []


def set_aside(reason: str) -> None:
    """Tell this worker why it is about to be retired; the client runs it in the worker's parent."""
    _aside.append(reason)


def run_scheduler(
    certs: Certs,
    *,
    host: str,
    port: int,
    dashboard: str | None,
    write: Path | None,
    say: Callable[[str], None],
    while_stdin: bool,
) -> int:
    """Serve until a signal comes."""

    async def serve(stop: asyncio.Event) -> int:
        try:
            scheduler = await Scheduler(
                host=host,
                port=port,
                protocol="tls",
                security=certs.security(),
                dashboard=dashboard is not None,
                dashboard_address=dashboard,
            )
        except OSError as error:
            raise UsageError(
                f"{host}:{port} cannot be listened on ({error.strerror or error}); choose another "
                "--host or --port"
            ) from error
        async with scheduler:
            say(f"scheduler at {scheduler.address}")
            if write is not None:
                write_whole(write, f"{scheduler.address}\n".encode())
            await stop.wait()
        return 0

    with dask.config.set(SETTINGS):
        return asyncio.run(_until_stopped(serve, while_stdin=while_stdin))


def run_worker(
    certs: Certs,
    address: str,
    *,
    name: str | None,
    slots: int,
    say: Callable[[str], None],
    while_stdin: bool,
) -> int:
    """Serve until a signal comes; a lost scheduler is waited for.

    Raises:
        PrerequisiteError: this machine has no container engine, so it never joins.
        SetAsideError: the client set this worker aside.
    """
    facts = Engine().facts
    say(f"{facts.product} {facts.version}; waiting for {address}")

    async def serve(stop: asyncio.Event) -> int:
        with tempfile.TemporaryDirectory(prefix="grade-dask-") as folder:
            while not stop.is_set():
                await _one_life(stop, folder)
                if _aside:
                    raise SetAsideError(f"the client set this worker aside: {_aside[-1]}")
                if not stop.is_set():
                    say(f"no scheduler at {address}; trying again")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
        return 0

    async def _one_life(stop: asyncio.Event, folder: str) -> None:
        options: dict[str, Any] = {
            "nthreads": slots,
            "resources": {RESOURCE: slots},
            "name": name,
            "security": certs.security(),
            "protocol": "tls",
            "local_directory": folder,
            "memory_limit": 0,
            "death_timeout": _START_SECONDS,
            "dashboard": False,
            "env": {CERTS: str(certs.folder)},
        }
        try:
            nanny = await Nanny(address, **options)
        except (OSError, TimeoutError, RuntimeError, AssertionError):
            # No scheduler there yet; or the worker's process did not start in time, over which
            # the nanny trips in closing and leaves that process behind.
            for child in multiprocessing.active_children():
                child.kill()
            return
        async with nanny:
            say(f"joined {address} with {slots} slots")
            ended = asyncio.ensure_future(nanny.finished())
            stopped = asyncio.ensure_future(stop.wait())
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            stopped.cancel()

    with dask.config.set(SETTINGS):
        return asyncio.run(_until_stopped(serve, while_stdin=while_stdin))


async def _until_stopped(serve: Callable[[asyncio.Event], Any], *, while_stdin: bool) -> int:
    """Run `serve` with an event that a signal, or the end of standard input, sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if while_stdin:

        def watch() -> None:
            while os.read(sys.stdin.fileno(), 4096):
                pass
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(stop.set)

        threading.Thread(target=watch, daemon=True).start()
    return int(await serve(stop))
