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
import threading
import time
import tomllib
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from grader.wire import codec
from grader.wire.frames import Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from grader.judge.errors import ChannelFailure

__all__ = ["LocalChannel", "told_of"]


def told_of(exercise: Path) -> dict[str, object]:
    """What an exercise's folder says about a web application and stand-ins; {} without a folder.

    ``grade verify`` checks the file; here it is taken at its word.
    """
    file = exercise / "exercise.toml"
    if not file.is_file():
        return {}
    told = tomllib.loads(file.read_text("utf-8"))
    stand_ins = [
        {**item, "source": (exercise / "starter" / f"{item['module']}.py").read_text("utf-8")}
        for item in told.get("stand_in", [])
    ]
    return {"app": told.get("app"), "stand_ins": stand_ins}


class LocalChannel:
    """Serves requests by a session in this process.

    Temporary files of a test's solution go to a folder that is gone after the test.

    Args:
        folder: the submission's folder; its entry file must be there.
        entry: file name of the module.
        meta: ``app`` and ``stand_ins`` as the header of a submission tells them.
    """

    def __init__(
        self, folder: Path, entry: str = "solution.py", *, meta: Mapping[str, object] | None = None
    ) -> None:
        # Only here: the judge image does not hold the candidate's side.
        runner = importlib.import_module("grader.candidate.runner")
        self.over: ChannelFailure | None = None
        self._session_class: Callable[..., object] = runner.Session
        told = meta or {}
        self._config = runner.LoadConfig(
            entry=entry,
            app=runner.AppConfig.from_meta(told.get("app")),
            stand_ins=runner.StandInConfig.all_from_meta(told.get("stand_ins")),
        )
        self._folder = folder.resolve()
        self._session: object = None
        self._questions: Callable[[bytes], bytes] | None = None
        self._turn = threading.Condition()
        self._open = False  # whether a question is; only meanwhile may one be put back
        self._scratch = ""
        self._leave_scratch: Callable[[], object] = lambda: None

    def serve_questions(self, source: Callable[[bytes], bytes]) -> None:
        """See :class:`grader.judge.channel.Channel`."""
        self._questions = source

    def begin(self) -> bytes | None:
        """See :class:`grader.judge.channel.Channel`."""
        inside = f"{self._folder}{os.sep}"
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(inside):
                del sys.modules[name]
        self._leave_scratch()  # of a test that did not end
        self._scratch = tempfile.mkdtemp(prefix="solution-")
        self._leave_scratch = weakref.finalize(self, shutil.rmtree, self._scratch, True)
        self._session = self._session_class(self._folder, self._config, self._ask_back)
        path, argv, cwd = sys.path[:], sys.argv[:], Path.cwd()
        os.chdir(self._folder)
        try:
            with self._in_scratch(), self._question():
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
        with self._in_scratch(), self._question():
            answer: bytes = self._session.handle(body)  # type: ignore[attr-defined]
        return answer, Measure(time.perf_counter_ns() - wall, time.process_time_ns() - cpu)

    def end(self) -> bool:
        """See :class:`grader.judge.channel.Channel`."""
        if self._session is not None:
            self._session.close()  # type: ignore[attr-defined]
        self._session = None
        self._leave_scratch()
        while str(self._folder) in sys.path:
            sys.path.remove(str(self._folder))
        return False

    @contextlib.contextmanager
    def _question(self) -> Iterator[None]:
        with self._turn:
            self._open = True
            self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._open = False

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

    def _ask_back(self, question: bytes) -> object:
        with self._turn:
            self._turn.wait_for(lambda: self._open)
            if self._questions is None:
                raise RuntimeError("no test is running")
            return codec.decode(self._questions(question))
