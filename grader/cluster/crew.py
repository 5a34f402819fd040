"""Scheduler and workers as processes of this machine: ``--cluster local:N``.

They are the same programs as on other machines, over TLS with certificates of their own, and end
when this process does. One that dies is started again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from grader.cluster.certs import Certs, make_certs, read_certs
from grader.errors import PlatformError, SetAsideError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LocalCrew"]

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class LocalCrew:
    """A scheduler and workers of one slot each.

    Args:
        count: of workers.
        say: told when a process is started again.
    """

    def __init__(self, count: int, say: Callable[[str], None]) -> None:
        self._count, self._say = count, say
        self.folder = Path(tempfile.mkdtemp(prefix="grade-cluster-"))
        self.certs = self.folder / "certs"
        self.address = ""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            make_certs(self.certs, days=30)
            self._start_scheduler()
            for number in range(1, self._count + 1):
                self._start_worker(f"local-{number}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        until = time.monotonic() + _STOP_SECONDS
        scheduler = self._processes.pop("scheduler", None)
        self._stop(list(self._processes.values()), until)
        if scheduler is not None:  # last: a worker that has lost it takes seconds to end
            self._stop([scheduler], until)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _stop(processes: list[subprocess.Popen[bytes]], until: float) -> None:
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()  # its end tells the process to stop
            process.terminate()
        for process in processes:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def certificates(self) -> Certs:
        """The client's."""
        return read_certs(self.certs, "client")

    def pids(self) -> dict[str, int]:
        """Process ids by name: ``scheduler``, ``local-1``, …."""
        return {name: process.pid for name, process in self._processes.items()}

    def mend(self) -> None:
        """Start again what has died; a scheduler gets its former port."""
        for name, process in list(self._processes.items()):
            if process.poll() is None or process.returncode == SetAsideError.exit_code:
                continue
            self._say(f"{name} ended with code {process.returncode}; it is started again")
            if name == "scheduler":
                self._start_scheduler()
            else:
                self._start_worker(name)

    def last_words(self) -> str:
        """What each worker wrote last."""
        names = sorted(self._processes.keys() - {"scheduler"})
        return "; ".join(f"{name}: {self._told(name) or 'silent'}" for name in names)

    def _told(self, name: str) -> str:
        return self._log(name).read_text("utf-8", "replace")[-500:].strip()

    def _start_scheduler(self) -> None:
        file = self.folder / "address"
        file.unlink(missing_ok=True)
        port = self.address.rpartition(":")[2] or "0"
        options = ("--host", "127.0.0.1", "--port", port, "--write", str(file))
        self._start("scheduler", *options)
        until = time.monotonic() + _START_SECONDS
        while not file.is_file():
            ended = self._processes["scheduler"].poll()
            if ended is not None and ended < 0 and time.monotonic() < until:  # it was killed
                self._start("scheduler", *options)
            elif ended is not None or time.monotonic() > until:
                raise PlatformError(f"the local scheduler did not start: {self._told('scheduler')}")
            time.sleep(0.05)
        self.address = file.read_text("ascii").strip()

    def _start_worker(self, name: str) -> None:
        self._start("worker", self.address, "--name", name, "--slots", "1", process=name)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _start(self, what: str, *options: str, process: str = "") -> None:
        name = process or what
        argv = [sys.executable, "-m", "grader", "cluster", what, *options]
        argv += ["--certs", str(self.certs), "--while-stdin"]
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own program
                argv,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # Ctrl-C goes to the client, which ends them in order
            )
