"""A notebook in place of a module: its cells run top to bottom in an IPython shell.

The shell is made in PID 1 before anything is forked, and used in children only. Cells come as
plain Python: magics were taken out on the host, so the shell's own are off. A cell that fails ends
itself and no other, as in Jupyter; what it left undefined is told when a test asks for it. Only an
import of a package that is not here ends nothing but itself; see `grader.candidate.lacking`.

Jupyter's semantics that matter are kept: the folder is the notebook's own, ``await`` works at top
level, figures show at the end of their cell, and an error or ``sys.exit()`` in one cell does not
keep the later ones from running. In the run for the report ``__name__`` is ``"__main__"``; for a
test the notebook is loaded as a module is, so that what stands below ``if __name__ ==
"__main__":`` is shown once and not repeated for each test.
"""

from __future__ import annotations

import ast
import codeop
import importlib
import inspect
import json
import linecache
import os
import re
import signal
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from grader.candidate import parts
from grader.candidate.config import CellFailure
from grader.candidate.described import describe_error
from grader.candidate.lacking import Lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from grader.candidate.config import LoadConfig, NotebookConfig

__all__ = ["draw_with", "run_cells", "show_run", "the_shell"]

_TEXT_CHARS = 1 << 16
_RUN_BYTES = 12 << 20
_HISTORY = re.compile(r"\b(_+|_i?\d+|In|Out)\b")  # names that only the shell's bookkeeping binds
_BACKEND = "module://matplotlib_inline.backend_inline"


class CellTimeout(BaseException):
    """A cell took longer than its limit; not an Exception, so that no loop swallows it."""


CellTimeout.__name__ = "CellTimeout"


class _Compiler(CachingCompiler):
    """Gives each cell a file name that says which cell it is."""

    current = ""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:  # noqa: ARG002
        return self.current


class _Hook(DisplayHook):
    """Keeps the value of a cell's last line, and hands it on where somebody watches."""

    def __call__(self, result: object = None) -> None:
        if result is None:
            return
        shell: Any = self.shell
        shell.user_ns["_"] = result
        if shell.watcher and not shell.ends_quietly:
            data, _metadata = shell.display_formatter.format(result)
            shell.watcher.add({"output_type": "execute_result", "data": data})


class _Publisher(DisplayPublisher):
    """``display(...)``: handed on where somebody watches, otherwise nothing."""

    def publish(
        self,
        data: Any,  # noqa: ANN401 - IPython's own signature
        metadata: object = None,
        source: object = None,
        **kwargs: object,
    ) -> None:
        """Take what is displayed."""
        del metadata, source, kwargs
        shell: Any = self.shell
        if shell.watcher:
            shell.watcher.add({"output_type": "display_data", "data": data})

    def clear_output(self, wait: bool = False) -> None:
        """Forget what the cell has shown so far."""
        shell: Any = self.shell
        if shell.watcher and not wait:
            shell.watcher.outputs.clear()


class _Shell(InteractiveShell):
    compiler_class = Type(_Compiler)
    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    watcher: _Watcher | None = None
    ends_quietly = False
    lacks = Lacking()

    def transform_cell(self, raw_cell: str) -> str:
        """Cells are plain already."""
        return raw_cell

    def enable_gui(self, gui: object = None) -> None:
        """There is no display."""

    def showtraceback(self, *_args: object, **_kwargs: object) -> None:
        """Errors are taken from the result of a cell."""

    def showsyntaxerror(self, *_args: object, **_kwargs: object) -> None:
        """As for other errors."""

    def system(self, cmd: object) -> None:
        """Shell commands do nothing here."""

    system_piped = system_raw = system

    def getoutput(self, cmd: object, *_args: object, **_kwargs: object) -> list[str]:  # noqa: ARG002
        """Shell commands do nothing here."""
        return []

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> None:
        """Magics that are called by hand do nothing, as those that are written with %."""

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> None:
        """See `run_line_magic`."""


def the_shell() -> _Shell:
    """The shell of this process; PID 1 makes it before it forks, and leaves nothing on disk."""
    if _Shell.initialized():
        return _Shell.instance()
    config = Config()
    config.HistoryManager.enabled = False
    with tempfile.TemporaryDirectory(prefix="ipython-") as folder:
        os.environ["IPYTHONDIR"] = folder
        shell = _Shell.instance(config=config, colors="nocolor")
        del os.environ["IPYTHONDIR"]
    flags = shell.compile.flags & ~codeop.PyCF_ALLOW_INCOMPLETE_INPUT  # type: ignore[attr-defined]
    shell.compile.flags = flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    # What is set up on first use is set up here.
    shell.run_cell("pass")  # type: ignore[no-untyped-call]
    return shell


def draw_with(backend: str) -> None:
    """Choose where figures go, whether matplotlib is loaded already or later."""
    os.environ["MPLBACKEND"] = backend
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None:
        return
    matplotlib.use(backend)
    if backend == _BACKEND:  # what an import under the shell's eyes does by itself
        importlib.import_module("IPython.core.pylabtools").activate_matplotlib(backend)
        inline = importlib.import_module("matplotlib_inline.backend_inline")
        inline.configure_inline_support(the_shell(), backend)


@dataclass
class _Watcher:
    """What one cell shows, bounded."""

    outputs: list[dict[str, object]] = field(default_factory=list)
    left: int = _RUN_BYTES

    def add(self, output: dict[str, object]) -> None:
        if self.left > 0 and len(self.outputs) < 200:  # noqa: PLR2004 - more than anybody reads
            self.left -= 200 + sum(
                len(text) for text in _values(output.get("data")) if isinstance(text, str)
            )
            self.outputs.append(output)

    def write(self, name: str, text: str) -> None:
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") != "stream" or last.get("name") != name:
            last = {"output_type": "stream", "name": name, "text": ""}
            self.add(last)
        room = max(min(_TEXT_CHARS - len(str(last["text"])), self.left), 0)
        self.left -= len(text[:room])
        last["text"] = str(last["text"]) + text[:room]


def _values(data: object) -> list[object]:
    return list(data.values()) if isinstance(data, dict) else []


class _Stream:
    """sys.stdout or sys.stderr of a watched cell; the rest of a file's methods come from it."""

    def __init__(self, watcher: _Watcher, name: str, file: object) -> None:
        self._watcher, self._name, self._file = watcher, name, file

    def write(self, text: str) -> int:
        self._watcher.write(self._name, str(text))
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def run_cells(
    shell: _Shell,
    folder: Path,
    notebook: NotebookConfig,
    done: Callable[[int, CellFailure | None], None] | None = None,
    begin: Callable[[int], None] | None = None,
) -> tuple[Mapping[str, object], tuple[CellFailure, ...]]:
    """Run all cells in order.

    Args:
        shell: a shell that has run nothing yet.
        folder: where the submission's files are.
        notebook: its path, cells and limit.
        done: told of each cell that ended.
        begin: told of each cell that is about to start.

    Returns:
        The names that the cells defined, and the failures of cells.
    """
    if not begin:  # for a test: as a module
        name = Path(notebook.path).stem
        path = folder / notebook.path
        if path.with_suffix(".py").exists() or path.with_suffix("").is_dir():
            name += "_notebook"  # an import of the name loads what is beside it, as in Jupyter
        shell.user_ns["__name__"] = name
        sys.modules[name] = shell.user_module
    here = (folder / notebook.path).parent
    os.chdir(here)
    sys.path.insert(0, str(here))
    if here != folder:
        sys.path.append(str(folder))
    failures = []
    watched = begin is not None or any(_HISTORY.search(text) for _, text in notebook.cells)
    signal.signal(signal.SIGALRM, _too_long)
    for number, text in notebook.cells:
        if begin:
            begin(number)
        failure = _run_cell(shell, folder, notebook, number, text, watched=watched)
        if failure:
            failures.append(failure)
        if done:
            done(number, failure)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return shell.user_ns, tuple(failures)


def _too_long(_number: int, _frame: FrameType | None) -> NoReturn:
    raise CellTimeout


def _shown(shell: _Shell, text: str, *, last: bool) -> BaseException | None:
    """Run a part of a cell under the shell's eyes, and show the cell's value."""
    before, value = parts.shown(text) if last else (text, "")
    with shell.builtin_trap, shell.display_trap:
        failure = _executed(shell, before)
        if value and failure is None:
            failure = _executed(shell, value, shown=True)
        return failure


def _executed(shell: _Shell, text: str, *, shown: bool = False) -> BaseException | None:
    """Run a part of a cell, with the text that the audit hook knows.

    Returns:
        An error that a notebook may go on after; any other is raised.
    """
    name = _Compiler.current
    try:
        code = shell.compile(f"{text}\n", name, "eval" if shown else "exec")
        value = eval(code, shell.user_ns)  # noqa: S307 - the candidate's own code, in its own process
        if code.co_flags & inspect.CO_COROUTINE:  # `await` at top level
            value = shell.loop_runner(value)
        if shown:
            sys.displayhook(value)
    except (ImportError, NameError) as error:
        return error
    return None


def _run_parts(
    shell: _Shell, text: str, name: str, *, watched: bool
) -> tuple[BaseException | None, str]:
    """Run a cell, and what of it is left where it can do without a statement that failed.

    Returns:
        The first error, and the package that is not here where that is why.
    """
    first: BaseException | None = None
    gone = ""
    left = [text]
    while left:
        part = left.pop(0)
        try:
            error = _shown(shell, part, last=not left) if watched else _executed(shell, part)
        except BaseException as raised:  # noqa: BLE001 - whatever the cell raises
            return (first, gone) if first and not isinstance(raised, CellTimeout) else (raised, "")
        if error is None:
            continue
        first = first or error
        others, lacking = shell.lacks.after(part, error, _line(error, name))
        gone = gone or lacking
        left = [*others, *left] if others is not None else []
    return first, gone


def _run_cell(
    shell: _Shell,
    folder: Path,
    notebook: NotebookConfig,
    number: int,
    text: str,
    *,
    watched: bool,
) -> CellFailure | None:
    name = _Compiler.current = f"{folder / notebook.path}, cell {number}"
    # What is left of a cell has its lines where the whole cell has them.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    shell.execution_count = number
    if watched:
        shell.history_manager.store_inputs(number, text)  # type: ignore[union-attr]
    shell.ends_quietly = text.rstrip().endswith(";")
    signal.setitimer(signal.ITIMER_REAL, notebook.cell_ms / 1000)
    try:
        try:
            error, gone = _run_parts(shell, text, name, watched=watched)
        finally:
            if watched:
                shell.events.trigger("post_execute")  # figures show at the end of their cell
    except BaseException as raised:  # noqa: BLE001 - the cell, or an alarm in the shell
        error, gone = raised, ""
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if error is None:
        return None
    if isinstance(error, CellTimeout):
        message = f"the cell took longer than {notebook.cell_ms / 1000:g} s"
        return CellFailure(number, _line(error, name), "CellTimeout", message)
    described = describe_error(error, folder)
    line = _line(error, name)
    message = f"{gone} is not available here" if gone else str(described[3])
    return CellFailure(number, line, str(described[1]), message)


def _line(error: BaseException, name: str) -> int:
    """The innermost line of the cell itself that an error went through; 0 where there is none."""
    if isinstance(error, SyntaxError) and error.filename == name:
        return error.lineno or 0
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == name
    ]
    return lines[-1] if lines else 0


def show_run(shell: _Shell, config: LoadConfig, write: Callable[[bytes], None]) -> None:
    """Run a notebook and write one line of JSON when a cell begins and one when it has ended."""
    assert config.notebook is not None  # noqa: S101 - the supervisor asks for notebooks only
    watcher = _Watcher()
    shell.watcher = watcher
    real = sys.stdout, sys.stderr
    draw_with(_BACKEND)

    def say(record: dict[str, object]) -> None:
        write(json.dumps(record, default=_as_text).encode() + b"\n")

    def begin(number: int) -> None:
        say({"begin": number})
        watcher.outputs = []
        sys.stdout, sys.stderr = (
            _Stream(watcher, "stdout", real[0]),
            _Stream(watcher, "stderr", real[1]),
        )

    def done(number: int, failure: CellFailure | None) -> None:
        sys.stdout, sys.stderr = real
        error = None
        if failure:
            error = {"line": failure.line, "type": failure.type, "message": failure.message}
        say({"done": number, "outputs": watcher.outputs, "error": error})

    run_cells(shell, Path.cwd(), config.notebook, done, begin)
    say({"end": True})


def _as_text(value: object) -> str:
    """What a formatter made that JSON has no form for: pictures, as base64."""
    import base64  # noqa: PLC0415 - for pictures only

    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)[:1000]
