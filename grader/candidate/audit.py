"""Reports what runs beside the reviewed files, before it runs.

A hook of PEP 578 sees every code object before it is executed, every text before it is compiled,
and every byte string before it becomes code. It is installed in the process of a test before the
submission is loaded. Until the first report leaves only reviewed code and the image's own has run,
so that nothing unreviewed can keep a report from leaving: file names of running frames can be
trusted, and what is compiled is compared with the reviewed text, not with the name that it gives.

Reviewed code may still lie. So the hook calls nothing that the submission can replace or has made:
no function of a module written in Python, no method of an object that it was given (a text may be
of a class of its own), no builtin by its name.

Reports go over a socket of their own. Unlike a pipe it cannot be read from its sending end, so what
was sent cannot be taken back. A process that cannot send ends.
"""

from __future__ import annotations

import builtins
import collections
import ctypes
import dataclasses
import gc
import inspect
import os
import posix
import sys
import timeit
import typing
from types import ModuleType
from typing import TYPE_CHECKING, Any

from grader.candidate.announced import (
    BUILTIN,
    FAR,
    FORK_EXEC,
    OPENED_BELOW,
    RENAMED,
    SEALED_FRAMES,
    announce,
    keep_out_of,
    kept,
)
from grader.candidate.audited import (
    ALLOWED,
    DENIED_PICKLES,
    DOORS,
    EVALUATES,
    EVALUATORS,
    FOREIGN,
    KNOWN,
    LISTS_LIBRARIES,
    PROGRAMS,
    STARTERS,
    hint_code,
    hint_shape,
    ran_inert,
)
from grader.candidate.parts import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType

    from grader.candidate.config import NotebookConfig
    from grader.candidate.reviewed import Reviewed

__all__ = ["LOADED", "REPORT_BYTES", "arm"]

# Functions below take their builtins from here, so that a changed one is not theirs.
globals()["__builtins__"] = dict(vars(builtins))

LOADED = "loaded"  # the kind of a report that only names a file of the submission's
REPORT_BYTES = 300
_MOST = 8  # reports of one kind; the first says it all
_WRITABLE = os.O_WRONLY | os.O_RDWR
_IMPORTLIB = "<frozen importlib"
_BYTECODE = "<frozen importlib._bootstrap_external>"
_BY_HAND = "an event was raised by hand"
_HEAD = 16  # bytes of a compiled file in front of its code
_FOLDERS = frozenset({"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin"})
_SEARCHED = _FOLDERS | {"/usr/local/sbin"}
_MAPS = frozenset({"maps", "smaps", "numa_maps", "pagemap", "auxv", "mem", "map_files"})
_PROFILERS = frozenset({"cProfile.py"})
_ONLY_AST = 0x400  # the flag of compile() with which it makes a tree
_MAKERS = (collections, dataclasses, inspect, timeit, typing)  # of functions out of text
_PUBLIC = [value for name, value in vars(ctypes).items() if not name.startswith("_")]
_CTYPES = frozenset(map(id, [ctypes, *filter(callable, _PUBLIC)]))  # what a file has that uses it
_OURS = (
    *("grader.candidate.audit", "grader.candidate.audited", "grader.candidate.announced"),
    "grader.candidate.reviewed",
)


def image_roots() -> tuple[str, ...]:
    """The folders of the image that code comes from; all of them are read-only."""
    paths = {os.path.abspath(path) for path in sys.path if path}  # noqa: PTH100 - text
    paths.add(os.path.dirname(os.__file__))  # noqa: PTH120
    kept = (path + "/" for path in paths if not path.startswith("/submission"))
    return tuple(sorted(kept, key=len, reverse=True))  # a folder before the one that it is in


class _Hook:
    """What the hook knows; made before the submission is loaded, reachable from nowhere after."""

    def __init__(
        self,
        fd: int,
        folder: str,
        reviewed: Reviewed,
        notebook: NotebookConfig | None,
        generators: tuple[str, ...],
    ) -> None:
        self._fd = fd
        self._identity = _identity(fd)
        self._folder = folder.rstrip("/") + "/"
        self._files = dict(reviewed.files)
        self._texts = dict(reviewed.texts)
        self._cell = f"{self._folder}{notebook.path}, cell " if notebook else ""
        self._hints = dict(reviewed.hints)
        self._hint_codes: dict[tuple[object, ...], frozenset[str]] = {}
        for text in reviewed.active:
            code = hint_code(text)
            if code:
                self._hint_codes[hint_shape(code)] = reviewed.hints[text]
        self._evaluators, self._allowed = dict(EVALUATORS), dict(ALLOWED)
        self._pickles, self._starters = dict(DENIED_PICKLES), STARTERS
        self._programs, self._foreign, self._evaluates = PROGRAMS, FOREIGN, EVALUATES
        self._listing = LISTS_LIBRARIES
        self._ctypes = _CTYPES
        self._generators, self._known = frozenset(generators), KNOWN
        self._roots = image_roots()
        self._library = os.path.dirname(os.__file__) + "/"  # noqa: PTH120 - text
        self._told: dict[str, int] = {}
        self._loaded = {notebook.path} if notebook else set()  # and so reviewed
        self._hidden: dict[str, ModuleType] = {}
        self._parts = reviewed.parts
        self._parts_of = {id(vars(module)): _parts_of(module) for module in _MAKERS}
        self._write, self._exit = os.write, os._exit
        # Bound here: what a module of the library is changed to later is not asked.
        self._normal: Callable[[str], str] = posix._path_normpath  # type: ignore[attr-defined]  # noqa: SLF001
        self._open, self._modules, self._stat = open, sys.modules, os.stat
        self._proc = self._stat("/proc/self").st_dev
        self.announcer: CodeType | None = None

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
            FORK_EXEC: self._fork_exec,
            RENAMED: self._renamed,
            BUILTIN: self._made_builtin,
            "sys._current_frames": self._frames,
            "sys._current_exceptions": self._frames,
            "sys.addaudithook": lambda _, at: self.tell("an audit hook was added", at),
            "sys.setprofile": self._traced,
            "sys.settrace": self._traced,
            "sys.monitoring.register_callback": self._monitored,
            "open": self._opened,
            OPENED_BELOW: self._opened_below,
            FAR: lambda _, at: self.tell("memory of the process was opened", at),
            "os.symlink": self._linked,
        }
        for name in ("enable_load_extension", "load_extension"):
            found[f"sqlite3.{name}"] = lambda _, at: self.tell("code of the machine was loaded", at)
        found.update(dict.fromkeys(DOORS, self._door))
        for name in ("get_objects", "get_referrers", "get_referents"):
            found[f"gc.{name}"] = lambda _, at: self.tell("memory of the process was opened", at)
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
        name, function = _file(frame.f_code), _text(frame.f_code.co_qualname)
        for root in self._roots:
            if name.startswith(root):
                return name[len(root) :], function
        return name, function

    def _caller(self, frame: FrameType | None, *passed: str) -> FrameType | None:
        """The first frame that is not of the import machinery, nor of files that are named."""
        while frame is not None:
            if not _file(frame.f_code).startswith(_IMPORTLIB) and self._key(frame)[0] not in passed:
                return frame
            frame = frame.f_back
        return None

    def _place(self, frame: FrameType | None) -> str:
        while frame is not None:
            name = _file(frame.f_code)
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
        if type(code) is not type(frame.f_code):
            self.tell(_BY_HAND, frame)
            return
        name = _file(code)
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
            self.tell(f"text was executed as code{self._by(frame)}", frame)

    def _may_evaluate(self, code: CodeType, frame: FrameType) -> bool:
        check = self._evaluators.get(self._key(frame))
        if check is None:
            return self._generates(frame) or self._importing(frame)
        return (self._is_whole(frame) and check(code, frame)) or (
            check is ran_inert and self._has_run(self._hint_codes.get(hint_shape(code)))
        )

    def _is_whole(self, frame: FrameType) -> bool:
        """Whether nothing that a module calls to make its text was replaced since the start."""
        known = self._parts_of.get(id(frame.f_globals), ())
        return all(_unchanged(names, kept) for names, kept in known)

    def _has_run(self, files: frozenset[str] | None) -> bool:
        """Whether one of some files has been loaded, so that it was reviewed as well."""
        return files is not None and not self._loaded.isdisjoint(files)

    def _generates(self, frame: FrameType) -> bool:
        """Whether a function evaluates whose package the exercise allows to."""
        package = self._package(frame)
        return package in self._generators and not self._evaluates.isdisjoint(frame.f_code.co_names)

    def _package(self, frame: FrameType) -> str:
        return self._key(frame)[0].partition("/")[0].removesuffix(".py")

    def _is_known(self, frame: FrameType) -> bool:
        """Whether all that a file evaluates is told: the library's, and of the base packages."""
        name = _file(frame.f_code)
        root = next((root for root in self._roots if name.startswith(root)), "")
        return root == self._library or self._package(frame) in self._known

    def _by(self, frame: FrameType) -> str:
        """The file of a package that evaluates, for an author who wants to allow it."""
        name = _file(frame.f_code)
        if not self._of_image(name) or self._key(frame)[0] == name[len(self._library) :]:
            return ""
        return f" by {self._key(frame)[0]}"

    def _importing(self, frame: FrameType) -> bool:
        """Whether a package beyond the base environment is imported, which makes what it needs.

        The function that evaluates has to say so itself: one that a submission put in the place of
        another is called from code that evaluates nothing. And it is of the package that is
        imported: a submission that replaces what another one calls gets no text past this.
        """
        return not self._evaluates.isdisjoint(frame.f_code.co_names) and self._is_set_up(frame)

    def _is_set_up(self, frame: FrameType) -> bool:
        """Whether a package beyond the base environment runs its own code as it is imported."""
        if self._is_known(frame):
            return False
        at: FrameType | None = frame
        while at is not None and not _file(at.f_code).startswith(self._folder):
            if at.f_code.co_name == "<module>" and self._of_image(_file(at.f_code)):
                name = _text(dict.get(at.f_globals, "__name__"))
                return name != "__main__" and self._package(at) == self._package(frame)
            at = at.f_back
        return False

    def _compile(self, args: tuple[Any, ...], frame: FrameType) -> None:
        source = args[0]
        key = self._key(frame)
        if key == ("ast.py", "parse") and self._makes_a_tree(frame):
            return  # which is no code
        name = _path(args[1])
        believed = self._is_believed(name)
        if key in self._evaluators and key not in self._allowed and not believed:
            return  # exec() and eval() with a text: what comes of it is seen next
        if type(source) in {bytes, str}:
            data = source if type(source) is bytes else source.encode("utf-8", "surrogatepass")
            own = self._own(name)
            if own is not None and self._content_of(own, frame) == data:
                return
            if self._of_image(name) and self._content(name) == data:
                return
            if self._cell and name.startswith(self._cell) and self._is_of_cells(data):
                return
        if not believed and self._may_compile(source, key, frame):
            return
        what = "a file that is not as it was handed in was compiled"
        text = f"text was compiled to code{self._by(frame)}"
        self.tell(what if self._own(name) in self._files else text, frame)

    def _is_believed(self, name: str) -> bool:
        """Whether code is not looked at again that says it is of this file."""
        return (
            self._of_image(name)
            or name.startswith("<frozen ")
            or self._own(name) in self._files
            or bool(self._cell and name.startswith(self._cell))
        )

    def _may_compile(self, source: object, key: tuple[str, str], frame: FrameType) -> bool:
        check = self._allowed.get(key)
        if check is not None and type(source) in {str, bytes} and self._is_hint(source):  # type: ignore[arg-type]
            return True
        if check is not None and check(source, frame):
            return True
        return self._generates(frame) or self._importing(frame)

    def _content_of(self, own: str, frame: FrameType) -> bytes | None:
        """A file, or its text in UTF-8 where it is in another encoding.

        What is compiled arrives as bytes, also where it is characters, for which the encoding that
        a file names does not count. Only an import is known to take the file as it is.
        """
        if own in self._texts and not _file(frame.f_code).startswith(_IMPORTLIB):
            return self._texts[own]
        return self._files.get(own)

    @staticmethod
    def _makes_a_tree(frame: FrameType) -> bool:
        flags = frame.f_locals.get("flags")
        return type(flags) is int and bool(flags & _ONLY_AST)

    def _is_hint(self, source: str | bytes) -> bool:
        """Whether a text is a type hint of a reviewed file."""
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
        return self._has_run(self._hints.get(text))

    def _is_of_cells(self, source: bytes) -> bool:
        """Whether a text is a cell of the notebook, or a part of one that is run by itself."""
        return normal(source.decode("utf-8", "surrogatepass")) in self._parts

    def _content(self, name: str) -> bytes:
        try:
            with self._open(name, "rb") as file:
                return file.read()
        except OSError:
            return b""

    def _marshal(self, args: tuple[Any, ...], frame: FrameType) -> None:
        if _reads_bytecode(frame):
            path = frame.f_locals.get("bytecode_path")
            name = path if type(path) is str else ""
            data = frame.f_locals.get("data")
            data = data.obj if type(data) is memoryview else data
            # What can be changed while it is compared is not what is loaded.
            if (
                type(data) is bytes
                and self._of_image(name)
                and self._content(name)[_HEAD:] == bytes(args[0])
            ):
                return
        self.tell("a code object was made from bytes", frame)

    def _renamed(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        caller = self._asked_by(frame)
        if caller is frame or not _reads_bytecode(caller):
            self.tell("a code object got another file's name", caller)

    def _asked_by(self, frame: FrameType) -> FrameType:
        """Who called what stands for a function of C; the frame itself if it is none of ours."""
        at: FrameType | None = frame
        if frame.f_code is self.announcer:
            for _ in range(SEALED_FRAMES):
                at = at and at.f_back
        return at or frame

    def _code(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        if self._key(frame) != ("types.py", "coroutine"):
            self.tell("a code object was made by hand", frame)

    def _pickle(self, args: tuple[Any, ...], frame: FrameType) -> None:
        module, name = _text(args[0]), _text(args[1])
        root = module.partition(".")[0]
        names = self._pickles.get(root, ())
        if root == "grader" or names is None or name.partition(".")[0] in names:
            self.tell(f"a pickle asks for {module}.{name}"[:120], frame)

    def _import(self, args: tuple[Any, ...], frame: FrameType) -> None:
        name = _text(args[0])
        if name == "grader" or name.startswith("grader."):
            if self._hidden:
                hidden, self._hidden = self._hidden, {}
                self._modules.update(hidden)
            caller = self._caller(frame)
            if caller is None or not self._key(caller)[0].startswith("grader/"):
                self.tell("the runner was imported", frame)
        elif name in self._foreign:
            self.tell(f"{name} was imported", frame)
        path = _path(args[1]) if len(args) > 1 else ""
        if path and not self._of_image(path):
            self.tell("code of the machine was loaded", frame)

    def _made_builtin(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        caller = self._asked_by(frame)
        if caller is frame or not _file(caller.f_code).startswith(_IMPORTLIB):
            self.tell("a second copy of a module was made", caller)

    def _process(self, path: object, frame: FrameType) -> None:
        plain = _path(path)
        folder, _, name = plain.rpartition("/")
        caller = self._caller(frame, "subprocess.py", "os.py")
        asks = caller is not None and self._key(caller)[0] in self._starters
        if (folder in _SEARCHED or asks) and not self._found(plain):
            return  # it will fail: in the image nobody can put a file there meanwhile
        if not asks or name not in self._programs or folder not in _FOLDERS:
            self.tell("another program was started", frame)

    def _fork_exec(self, args: tuple[Any, ...], frame: FrameType) -> None:
        paths = args[0][1] if type(args[0]) is tuple and len(args[0]) > 1 else None
        caller = self._asked_by(frame)
        if not (type(paths) is tuple or type(paths) is list):
            self.tell("another program was started", caller)
            return
        for path in paths:
            self._process(path, caller)

    def _traced(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        """A function would be shown every frame, also those of this hook."""
        self.tell("calls of the process were traced", frame)

    def _monitored(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        caller = self._caller(frame)
        if caller is None or self._key(caller)[0] not in _PROFILERS:
            self.tell("calls of the process were traced", frame)

    def _opened(self, args: tuple[Any, ...], frame: FrameType) -> None:
        """A file is opened: to write into memory by /proc needs no event of its own.

        A file that tells where memory is may not be read either.
        """
        path, flags = args[0], args[2]
        if type(flags) is not int or type(path) is int or not issubclass(type(path), (str, bytes)):
            return
        plain = _path(path)
        writes = flags & _WRITABLE
        on_proc = self._on_proc(path) if writes else self._is_on_proc(self._found(plain))
        if on_proc and not writes and plain in frame.f_code.co_consts and self._lists(frame):
            return
        if on_proc and (writes or self._name(plain) in _MAPS or not plain.startswith("/proc/")):
            self.tell("memory of the process was opened", frame)

    def _lists(self, frame: FrameType) -> bool:
        """Whether a package asks which libraries are loaded, in a function that names the file."""
        return self._key(frame) in self._listing or self._is_set_up(frame)

    def _opened_below(self, args: tuple[Any, ...], frame: FrameType) -> None:
        """A file is opened below a folder that is known by its number alone."""
        path, flags, found = args
        if flags & _WRITABLE or self._is_on_proc(found) or self._name(_path(path)) in _MAPS:
            self.tell("memory of the process was opened", self._asked_by(frame))

    def _linked(self, args: tuple[Any, ...], frame: FrameType) -> None:
        source = args[0]
        if issubclass(type(source), (str, bytes)) and (
            self._on_proc(source) or "proc" in _path(source).split("/")
        ):
            self.tell("memory of the process was opened", frame)

    def _on_proc(self, path: object) -> bool:
        """Whether a path is on /proc, or may be where it does not begin at the root."""
        plain = _path(path)
        if self._name(plain) == "mem" and not plain.startswith("/"):
            return True  # below a folder that is not known here
        return self._is_on_proc(self._found(plain))

    def _is_on_proc(self, found: os.stat_result | None) -> bool:
        return found is not None and found.st_dev == self._proc

    @staticmethod
    def _name(path: str) -> str:
        return path.rpartition("/")[2]

    def _found(self, path: str) -> os.stat_result | None:
        try:
            return self._stat(path)
        except (OSError, ValueError):
            return None

    def _door(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        caller = self._caller(frame, "ctypes/__init__.py", "grader/candidate/announced.py")
        if caller is None or not self._of_image(_file(caller.f_code)) or self._hands_on(caller):
            self.tell("memory of the process was opened", frame)

    def _hands_on(self, caller: FrameType) -> bool:
        """Whether a file of the image knows nothing of ctypes, and calls what it was given."""
        return not any(id(value) in self._ctypes for value in dict.values(caller.f_globals))

    def _frames(self, _args: tuple[Any, ...], frame: FrameType) -> None:
        if not self._of_image(_file(frame.f_code)):
            self.tell("frames of the interpreter were looked at", frame)

    def hide_runner(self) -> None:
        """Let an import of the runner be one that the hook sees; the runner is the main module."""
        for name in [n for n in self._modules if n == "grader" or n.startswith("grader.")]:
            self._hidden[name] = self._modules.pop(name)
        main = self._modules["__main__"]
        self._modules["__main__"] = ModuleType("__main__")
        for module in (main, *self._hidden.values()):
            _forget(module)


def _forget(module: ModuleType) -> None:
    """Take from a module of the runner what leads to this one: its frames show what it holds."""
    names = vars(module)
    if names.get("__name__") in _OURS[:3]:
        return  # nothing leads here any more, and its functions need each other
    for name, value in list(names.items()):
        of = value.__name__ if type(value) is ModuleType else getattr(value, "__module__", None)
        if of in _OURS and of != names.get("__name__"):
            del names[name]


def _parts_of(
    module: ModuleType,
) -> tuple[tuple[Mapping[str, object], Mapping[str, object]], ...]:
    """The names of a module, of its classes and of the builtins, and what they are now."""
    own = [kind for kind in vars(module).values() if type(kind) is type]
    own = [kind for kind in own if vars(kind).get("__module__") == module.__name__]
    spaces = [(names, dict(names)) for names in (vars(module), *map(vars, own))]
    made = {name: value for name, value in vars(builtins).items() if type(value) in _BUILT_IN}
    return *spaces, (vars(builtins), made)


def _unchanged(names: Mapping[str, object], kept: Mapping[str, object]) -> bool:
    """Whether names are what they were, and no new one hides a builtin."""
    return all(names.get(name) is value for name, value in kept.items()) and (
        names is vars(builtins)
        or not any(name in _BUILTIN_NAMES for name in names if name not in kept)
    )


_BUILT_IN = (type(len), type)  # others, as `exit`, are a shell's
_BUILTIN_NAMES = frozenset(vars(builtins))


def _identity(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def _text(value: object) -> str:
    """The characters of a text, whatever its class says of them; nothing of anything else."""
    return str.__str__(value) if issubclass(type(value), str) else ""


def _path(value: object) -> str:
    """The same of a path, which may be bytes."""
    if issubclass(type(value), bytes):
        return bytes.decode(value, "utf-8", "surrogateescape")  # type: ignore[arg-type]
    return _text(value)


def _file(code: CodeType) -> str:
    return _text(code.co_filename)


def _reads_bytecode(frame: FrameType) -> bool:
    return _file(frame.f_code) == _BYTECODE and frame.f_code.co_name == "_compile_bytecode"


def arm(
    fd: int,
    folder: str,
    reviewed: Reviewed,
    notebook: NotebookConfig | None = None,
    generators: tuple[str, ...] = (),
) -> None:
    """Report from here on, in this process and in those that it forks.

    Args:
        fd: a socket that keeps the borders of messages; it stays open.
        folder: where the submission's files are.
        reviewed: what was handed in.
        notebook: its path and cells, where one is graded.
        generators: packages whose functions may execute text that they make.
    """
    hook = _Hook(fd, folder, reviewed, notebook, generators)
    table = hook.handlers()
    watched, frame_at = frozenset(table), sys._getframe  # noqa: SLF001
    pause, resume, is_on = gc.disable, gc.enable, gc.isenabled

    def looked(event: str, args: tuple[Any, ...], frame: FrameType) -> None:
        collects = is_on()
        pause()  # what a collection calls would run among these frames
        try:
            table[event](args, frame)
        except (RecursionError, MemoryError):
            raise  # what raised the event does not happen
        except BaseException:  # noqa: BLE001 - of the arguments, which a caller may have made
            hook.tell(_BY_HAND, frame)
        finally:
            if collects:
                resume()

    inner = kept(looked)

    def see(event: str, args: tuple[Any, ...]) -> None:
        if event in watched:
            done, value = inner(event, args, frame_at(1))
            if not done:
                raise value

    hook.announcer = announce()
    keep_out_of(see.__code__)
    hook.hide_runner()
    sys.addaudithook(see)
