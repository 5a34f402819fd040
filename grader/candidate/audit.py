"""Reports what runs beside the reviewed files, before it runs.

A hook of PEP 578 sees every code object before it is executed, every text before it is compiled,
and every byte string before it becomes code. It is installed in the process of a test before the
submission is loaded. Until the first report leaves only reviewed code and the image's own has run,
so that nothing unreviewed can keep a report from leaving: file names of running frames can be
trusted, and what is compiled is compared with the reviewed text, not with the name that it gives.

Reports go over a socket of their own. Unlike a pipe it cannot be read from its sending end, so what
was sent cannot be taken back. A process that cannot send ends.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from grader.candidate.audited import (
    ALLOWED,
    DENIED_PICKLES,
    DOORS,
    EVALUATORS,
    STARTERS,
    hint_shape,
    ran_inert,
    reviewed_hints,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType, ModuleType

__all__ = ["LOADED", "REPORT_BYTES", "arm"]

LOADED = "loaded"  # the kind of a report that only names a file of the submission's
REPORT_BYTES = 300
_MOST = 8  # reports of one kind; the first says it all
_FORK_EXEC = "grader.fork_exec"
_IMPORTLIB = "<frozen importlib"
_BYTECODE = "<frozen importlib._bootstrap_external>"
_HEAD = 16  # bytes of a compiled file in front of its code


def image_roots() -> tuple[str, ...]:
    """The folders of the image that code comes from; all of them are read-only."""
    paths = {os.path.abspath(path) for path in sys.path if path}  # noqa: PTH100 - text
    paths.add(os.path.dirname(os.__file__))  # noqa: PTH120
    kept = (path + "/" for path in paths if not path.startswith("/submission"))
    return tuple(sorted(kept, key=len, reverse=True))  # a folder before the one that it is in


class _Hook:
    """What the hook knows; made before the submission is loaded, reachable from nowhere after."""

    def __init__(self, fd: int, folder: str, files: Mapping[str, bytes], notebook: str) -> None:
        self._fd = fd
        self._identity = _identity(fd)
        self._folder = folder.rstrip("/") + "/"
        self._files = dict(files)
        self._cell = f"{self._folder}{notebook}, cell " if notebook else ""
        self._hints, self._hint_codes = reviewed_hints(self._files)
        self._roots = image_roots()
        self._told: dict[str, int] = {}
        self._loaded: set[str] = set()
        self._hidden: dict[str, ModuleType] = {}
        self._trusted = _cell_runners() if notebook else frozenset()
        self._write, self._exit = os.write, os._exit
        # Bound here: what a module of the library is changed to later is not asked.
        self._frame, self._exists, self._normal = sys._getframe, os.path.exists, os.path.normpath  # noqa: SLF001
        self._open, self._modules = open, sys.modules

    def handlers(self) -> dict[str, Callable[[tuple[Any, ...], FrameType], None]]:
        found: dict[str, Callable[[tuple[Any, ...], FrameType], None]] = {
            "exec": self._exec,
            "compile": self._compile,
            "import": self._import,
            "marshal.loads": self._marshal,
            "marshal.load": lambda _, at: self.tell("a code object was read from a file", at),
            "code.__new__": self._code,
            "pickle.find_class": self._pickle,
            "os.exec": lambda args, at: self._process(args[0], at),
            "os.posix_spawn": lambda args, at: self._process(args[0], at),
            "os.system": lambda _, at: self._process("/bin/sh", at),
            _FORK_EXEC: self._fork_exec,
        }
        found.update(dict.fromkeys(DOORS, self._door))
        return found

    # Where code comes from.

    def _own(self, name: str) -> str | None:
        """A path below the submission's folder, relative to it; None for any other."""
        if not name.startswith(self._folder):
            return None
        return self._normal(name)[len(self._folder) :]

    def _of_image(self, name: str) -> bool:
        return name.startswith(self._roots) and ".." not in name

    def _key(self, frame: FrameType) -> tuple[str, str]:
        """File, relative to its root in the image, and function of a frame."""
        code = frame.f_code
        for root in self._roots:
            if code.co_filename.startswith(root):
                return code.co_filename[len(root) :], code.co_qualname
        return code.co_filename, code.co_qualname

    def _caller(self, frame: FrameType | None, *passed: str) -> FrameType | None:
        """The first frame that is not of the import machinery, nor of files that are named."""
        while frame is not None:
            name = frame.f_code.co_filename
            if not name.startswith(_IMPORTLIB) and self._key(frame)[0] not in passed:
                return frame
            frame = frame.f_back
        return None

    def _place(self, frame: FrameType | None) -> str:
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(self._folder):
                sign = ", line " if self._cell and name.startswith(self._cell) else ":"
                return f"{name[len(self._folder) :]}{sign}{frame.f_lineno}"
            frame = frame.f_back
        return ""

    # Reports.

    def tell(self, what: str, frame: FrameType | None) -> None:
        """Send a report in our own words; returns when it has left."""
        count = self._told.get(what, 0)
        if count < _MOST:
            self._send(what, self._place(frame))
            self._told[what] = count + 1

    def _send(self, kind: str, place: str) -> None:
        data = f"{kind}\t{place}".encode("utf-8", "replace")[:REPORT_BYTES]
        try:
            if _identity(self._fd) == self._identity and self._write(self._fd, data) == len(data):
                return
        except OSError:
            pass
        self._exit(70)

    # One method for each event.

    def _exec(self, args: tuple[Any, ...], frame: FrameType) -> None:
        code: CodeType = args[0]
        name = code.co_filename
        if self._of_image(name) or name.startswith("<frozen "):
            return
        own = self._own(name)
        if own is not None and own in self._files:
            if own not in self._loaded and self._files[own].strip():
                self._send(LOADED, own)
                self._loaded.add(own)
            return
        if self._cell and name.startswith(self._cell):
            return  # it was compared when it was compiled
        if not self._may_evaluate(code, frame):
            self.tell("text was executed as code", frame)

    def _may_evaluate(self, code: CodeType, frame: FrameType) -> bool:
        key = self._key(frame)
        if key in EVALUATORS:
            check = EVALUATORS[key]
            if check is None or check(code, frame):
                return True
            return check is ran_inert and hint_shape(code) in self._hint_codes
        return self._importing(frame)

    def _importing(self, frame: FrameType) -> bool:
        """Whether a module of the image is being imported here, which makes what it needs."""
        at: FrameType | None = frame
        while at is not None and not at.f_code.co_filename.startswith(self._folder):
            if at.f_code.co_name == "<module>" and self._of_image(at.f_code.co_filename):
                return at.f_globals.get("__name__") != "__main__"
            at = at.f_back
        return False

    def _compile(self, args: tuple[Any, ...], frame: FrameType) -> None:
        source, name = args[0], args[1]
        key = self._key(frame)
        if key == ("ast.py", "parse"):
            return  # a tree is no code
        if key in EVALUATORS:
            return  # exec() and eval() with a text: what comes of it is seen next
        if isinstance(name, bytes):
            name = os.fsdecode(name)
        if isinstance(name, str) and isinstance(source, bytes | str):
            data = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
            own = self._own(name)
            if own is not None and self._files.get(own) == data:
                return
            if self._of_image(name) and self._content(name) == data:
                return
        if self._trusted and isinstance(name, str) and self._in_cell(name, frame):
            return
        check = ALLOWED.get(key)
        if check is not None and type(source) in {str, bytes} and self._is_hint(source):
            return
        if (check is not None and check(source, frame)) or self._importing(frame):
            return
        what = "a file that is not as it was handed in was compiled"
        own = self._own(name) if isinstance(name, str) else None
        self.tell(what if own in self._files else "text was compiled to code", frame)

    def _is_hint(self, source: str | bytes) -> bool:
        """Whether a text is a type hint of a reviewed file."""
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
        return text in self._hints

    def _in_cell(self, name: str, frame: FrameType) -> bool:
        """Whether the runner of cells compiles here, with no frame of the submission's between."""
        if not name.startswith(self._cell):
            return False
        at: FrameType | None = frame
        while at is not None and not at.f_code.co_filename.startswith(self._folder):
            if at.f_code in self._trusted:
                return True
            at = at.f_back
        return False

    def _content(self, name: str) -> bytes:
        try:
            with self._open(name, "rb") as file:
                return file.read()
        except OSError:
            return b""

    def _marshal(self, args: tuple[Any, ...], frame: FrameType) -> None:
        code = frame.f_code
        if code.co_filename == _BYTECODE and code.co_name == "_compile_bytecode":
            path = frame.f_locals.get("bytecode_path")
            name = path if type(path) is str else ""
            if self._of_image(name) and self._content(name)[_HEAD:] == bytes(args[0]):
                return
        self.tell("a code object was made from bytes", frame)

    def _code(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        if self._key(frame) != ("types.py", "coroutine"):
            self.tell("a code object was made by hand", frame)

    def _pickle(self, args: tuple[Any, ...], frame: FrameType) -> None:
        module, name = str(args[0]), str(args[1])
        root = module.partition(".")[0]
        names = DENIED_PICKLES.get(root, ())
        if root == "grader" or names is None or name.partition(".")[0] in names:
            self.tell(f"a pickle asks for {module}.{name}"[:120], frame)

    def _import(self, args: tuple[Any, ...], frame: FrameType) -> None:
        name = str(args[0])
        if name == "grader" or name.startswith("grader."):
            if self._hidden:
                hidden, self._hidden = self._hidden, {}
                self._modules.update(hidden)
            caller = self._caller(frame)
            if caller is None or not self._of_image(caller.f_code.co_filename):
                self.tell("the runner was imported", frame)
        elif name in {"_posixsubprocess", "_xxsubinterpreters", "_interpreters", "_testcapi"}:
            caller = self._caller(frame)
            if caller is None or not self._of_image(caller.f_code.co_filename):
                self.tell(f"{name} was imported", frame)

    def _process(self, path: object, frame: FrameType) -> None:
        if isinstance(path, str | bytes) and not self._exists(path):
            return  # it will fail
        caller = self._caller(frame, "subprocess.py", "os.py")
        if caller is None or self._key(caller)[0] not in STARTERS:
            self.tell("another program was started", frame)

    def _fork_exec(self, args: tuple[Any, ...], frame: FrameType) -> None:
        for path in args[0]:
            self._process(path, frame.f_back or frame)

    def _door(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        caller = self._caller(frame, "ctypes/__init__.py", "grader/candidate/audit.py")
        if caller is None or not self._of_image(caller.f_code.co_filename):
            self.tell("memory of the process was opened", frame)

    def hide_runner(self) -> None:
        """Let an import of the runner be one that the hook sees."""
        for name in [n for n in self._modules if n == "grader" or n.startswith("grader.")]:
            self._hidden[name] = self._modules.pop(name)


def _identity(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def _cell_runners() -> frozenset[CodeType]:
    from grader.candidate import cells  # noqa: PLC0415 - IPython, for notebooks only

    return frozenset({cells._in_shell.__code__, cells._executed.__code__})  # noqa: SLF001


def arm(fd: int, folder: str, files: Mapping[str, bytes], notebook: str = "") -> None:
    """Report from here on, in this process and in those that it forks.

    Args:
        fd: a socket that keeps the borders of messages; it stays open.
        folder: where the submission's files are.
        files: what was handed in, by path below that folder.
        notebook: its path, where one is graded.
    """
    hook = _Hook(fd, folder, files, notebook)
    table = hook.handlers()
    get, frame_at = table.get, sys._getframe  # noqa: SLF001

    def see(event: str, args: tuple[Any, ...]) -> None:
        handler = get(event)
        if handler is not None:
            handler(args, frame_at(1))

    _announce_programs()
    _announce_memory()
    hook.hide_runner()
    sys.addaudithook(see)


def _announce_programs() -> None:
    """Raise an event where the interpreter has none: multiprocessing starts programs by it."""
    import _posixsubprocess  # noqa: PLC0415 - not where there is no fork

    real, audit = _posixsubprocess.fork_exec, sys.audit

    def fork_exec(*args: Any) -> int:  # noqa: ANN401 - as the interpreter's
        audit(_FORK_EXEC, args[1])
        return int(real(*args))

    _posixsubprocess.fork_exec = fork_exec
    subprocess._fork_exec = fork_exec  # type: ignore[attr-defined]  # noqa: SLF001


def _announce_memory() -> None:
    """The same for the two functions of ctypes that write anywhere without an event."""
    audit = sys.audit

    def announced(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:  # noqa: ANN401 - as the library's
            audit("ctypes.call_function", 0, args)
            return real(*args)

        return call

    ctypes.memmove, ctypes.memset = announced(ctypes.memmove), announced(ctypes.memset)  # type: ignore[assignment]
