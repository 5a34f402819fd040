"""Author mode: the same suite in one plain process, without isolation.

Answers go through the same codec and the same session code as in the sandbox, so a value that
cannot cross there cannot cross here. For the author's own code and for benchmarks only.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from grader.wire import codec
from grader.wire.frames import Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grader.judge.errors import ChannelFailure

__all__ = ["LocalChannel"]


class LocalChannel:
    """Serves requests by a session in this process.

    Temporary files of a test's solution go to a folder that is gone after the test.

    Args:
        folder: the submission's folder; its entry file must be there.
        entry: file name of the module.
    """

    def __init__(self, folder: Path, entry: str = "solution.py") -> None:
        # Only here: the judge image does not hold the candidate's side.
        runner = importlib.import_module("grader.candidate.runner")
        self.over: ChannelFailure | None = None
        self._session_class: Callable[..., object] = runner.Session
        self._config = runner.LoadConfig(entry=entry)
        self._folder = folder.resolve()
        self._session: object = None
        self._items: Callable[[int], bytes] | None = None
        self._scratch = ""
        self._leave_scratch: Callable[[], object] = lambda: None

    def serve_items(self, source: Callable[[int], bytes]) -> None:
        """See :class:`grader.judge.channel.Channel`."""
        self._items = source

    def begin(self) -> bytes | None:
        """See :class:`grader.judge.channel.Channel`."""
        inside = f"{self._folder}{os.sep}"
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(inside):
                del sys.modules[name]
        self._leave_scratch()  # of a test that did not end
        self._scratch = tempfile.mkdtemp(prefix="solution-")
        self._leave_scratch = weakref.finalize(self, shutil.rmtree, self._scratch, True)
        self._session = self._session_class(self._folder, self._config, self._pull)
        path, argv, cwd = sys.path[:], sys.argv[:], Path.cwd()
        os.chdir(self._folder)
        try:
            with self._in_scratch():
                error: bytes | None = self._session.load()  # type: ignore[attr-defined]
        finally:
            sys.argv[:] = argv
            sys.path[:] = [str(self._folder), *path]
            os.chdir(cwd)
        return error

    def request(self, body: bytes, spent_ns: int = 0) -> tuple[bytes, Measure]:
        """See :class:`grader.judge.channel.Channel`."""
        del spent_ns  # there are no deadlines here
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        with self._in_scratch():
            answer: bytes = self._session.handle(body)  # type: ignore[attr-defined]
        return answer, Measure(time.perf_counter_ns() - wall, time.process_time_ns() - cpu)

    def end(self) -> bool:
        """See :class:`grader.judge.channel.Channel`."""
        self._session = None
        self._leave_scratch()
        while str(self._folder) in sys.path:
            sys.path.remove(str(self._folder))
        return False

    @contextlib.contextmanager
    def _in_scratch(self) -> Iterator[None]:
        before, tempfile.tempdir = tempfile.tempdir, self._scratch
        try:
            yield
        finally:
            tempfile.tempdir = before

    def clock(self) -> Measure:
        """See :class:`grader.judge.channel.Channel`."""
        return Measure(time.perf_counter_ns(), time.process_time_ns())

    def _pull(self, stream_id: int) -> object:
        if self._items is None:
            raise RuntimeError("no test is running")
        match codec.decode(self._items(stream_id)):
            case ("item", value):
                return value
            case _:
                raise StopIteration
