"""Serves calls into the candidate's code, inside the process that runs it.

Everything here is at the candidate's mercy once the submission is loaded, and nothing here is
trusted: the judge only ever learns "a value (or an error) for this request".
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import itertools
import random
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from grader.candidate.childpipe import ChildPipe
from grader.candidate.config import AppConfig, LoadConfig, StandInConfig
from grader.candidate.described import describe_error
from grader.wire import codec, recipes
from grader.wire.errors import MAX_MESSAGE, MAX_TYPE
from grader.wire.frames import Kind
from grader.wire.values import FileTree, Handle, Recipe, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from grader.candidate.config import CellFailure, NotebookConfig

__all__ = [
    "AppConfig",
    "LoadConfig",
    "Session",
    "StandInConfig",
    "load_parts",
    "part",
    "prepare",
    "serve",
    "warm_up",
]

_MAX_QUESTION = 1 << 20
_SWITCH_SECONDS = 1e-4  # repeated calls on threads: few of them show what threads share


class AskBack(Protocol):
    """Puts an encoded question back to the judge and gives its decoded answer.

    Any thread may ask: it waits for its turn.
    """

    def __call__(self, question: bytes, /) -> object: ...


def warm_up() -> None:
    """Touch what every session needs, so that a forked child finds it loaded."""
    codec.decode(codec.encode(("value", np.zeros(3))))


@functools.cache
def part(name: str) -> Any:  # noqa: ANN401 - a module
    """A module of this package that not every process needs.

    ``cells`` loads IPython, ``state`` pandas, ``service`` asyncio. Where the submission's imports
    are watched, it has to be asked for before: to import it later would open the runner to the
    submission as well.
    """
    return importlib.import_module(f"grader.candidate.{name}")


def load_parts(config: LoadConfig) -> None:
    """Import the parts that a submission needs, once for the processes of all its tests."""
    if config.notebook:
        part("cells").the_shell()  # loads IPython
    if "pandas" in sys.modules:
        part("state")
    if config.app or config.stand_ins:
        part("service")
        part("standins")


def prepare(config: LoadConfig) -> None:
    """Make the stand-ins, before the submission's imports are watched."""
    if config.app or config.stand_ins:
        part("standins").prepare(config.stand_ins)


class Session:
    """One loaded submission and the handles that it gave out.

    Args:
        folder: where the submission's files are.
        config: how to load it.
        ask_back: how to ask the judge for an item of a stream, or for the answer of a stand-in.
    """

    def __init__(self, folder: Path, config: LoadConfig, ask_back: AskBack) -> None:
        self._folder = folder
        self._config = config
        self._ask_back = ask_back
        self._asking: set[int] = (
            set()
        )  # threads that wait for the judge's answer to a question back
        self._namespace: Mapping[str, object] = {}
        self._failures: tuple[CellFailure, ...] = ()
        self._handles: dict[int, object] = {}
        self._draw = 0

    def load(self) -> bytes | None:
        """Import the submission. Returns None, or the encoded error that stopped it."""
        if self._config.stand_ins:
            self._standins  # noqa: B018 - imports of the submission's find them
        if self._config.app:
            part("service").refuse_servers()
        if self._config.notebook:
            self._load_notebook(self._config.notebook)
            return None
        sys.path.insert(0, str(self._folder))
        sys.argv = [self._config.entry]
        sys.path_importer_cache.pop(str(self._folder), None)
        name = Path(self._config.entry).stem
        sys.modules.pop(name, None)
        try:
            spec = importlib.util.spec_from_file_location(name, self._folder / self._config.entry)
            if spec is None or spec.loader is None:
                raise ImportError(f"{self._config.entry} cannot be imported")  # noqa: TRY301
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
        except BaseException as error:  # noqa: BLE001 - SystemExit at import is an error too
            return self._encode(self._explain_import(error))
        self._namespace = vars(sys.modules.get(name, module))
        return None

    def _load_notebook(self, notebook: NotebookConfig) -> None:
        """Run its cells. One that fails keeps no other from defining what the tests ask for."""
        cells = part("cells")
        sys.argv = [notebook.path]
        cells.draw_with("agg")  # nobody looks at the figures of this process
        self._namespace, self._failures = cells.run_cells(cells.the_shell(), self._folder, notebook)

    def _explain_import(self, error: BaseException) -> tuple[object, ...]:
        described = describe_error(error, self._folder)
        if isinstance(error, ModuleNotFoundError) and error.name:
            root = error.name.partition(".")[0]
            offered = ", ".join(self._config.packages)
            text = f"{root} is not available; the exercise provides: {offered}"
            described = (*described[:3], text[:MAX_MESSAGE], described[4])
        return described

    def _explain(self, error: BaseException) -> tuple[object, ...]:
        """An error as data; a name that a failed cell left undefined is told with its cause."""
        described = describe_error(error, self._folder)
        if isinstance(error, NameError) and self._failures:
            text = f"{described[3]}; {self._failures[0]}"
            described = (*described[:3], text[:MAX_MESSAGE], described[4])
        return described

    def handle(self, request: bytes) -> bytes:
        """Serve one encoded request; always returns one encoded answer."""
        try:
            asked = codec.decode(request)
            if not isinstance(asked, tuple):
                raise TypeError("a request that is no tuple")  # noqa: TRY301
            operation, *arguments = asked
            answer = getattr(self, f"_do_{operation}")(*arguments)
        except BaseException as error:  # noqa: BLE001 - exits and interrupts are errors as well
            return self._encode(self._explain(error))
        try:
            return self._encode(("value", answer))
        except codec.EncodeTooLargeError as error:
            return self._encode(("oversize", str(error)[:MAX_MESSAGE]))
        except BaseException as error:  # noqa: BLE001 - a value that cannot cross
            return self._encode(describe_error(error, self._folder))

    def _encode(self, value: object, *, origins: bool = True) -> bytes:
        return codec.encode(
            value,
            handle=self._to_handle,
            origins=origins,
            max_bytes=self._config.reply_bytes,
        )

    def _to_handle(self, value: object) -> Handle:
        key = id(value)
        self._handles[key] = value
        return Handle(key, type(value).__name__[:MAX_TYPE], callable(value))

    def _from_wire(self, value: object) -> object:
        if isinstance(value, Handle):
            return self._handles[value.id]
        if isinstance(value, FileTree):
            return self._plant(value)
        if isinstance(value, Stream):
            return _Stream(lambda: self._pull(value.id))
        if isinstance(value, Recipe) and value.kind == recipes.STAND_IN:
            return self._standins.function(value.params["number"])
        if isinstance(value, Recipe):
            return recipes.build(value)
        if type(value) is list:
            return [self._from_wire(item) for item in value]
        if type(value) is tuple:
            return tuple(self._from_wire(item) for item in value)
        if type(value) is dict:
            return {key: self._from_wire(item) for key, item in value.items()}
        return value

    # Questions back, from any thread.

    def _ask(self, *question: object) -> object:
        body = codec.encode(question, handle=self._to_handle, max_bytes=_MAX_QUESTION)
        thread = threading.get_ident()
        self._asking.add(thread)
        try:
            return self._ask_back(body)
        finally:
            self._asking.discard(thread)

    def _pull(self, stream: int) -> object:
        match self._ask("pull", stream):
            case ("item", value):
                return self._from_wire(value)
            case _:
                raise StopIteration

    @functools.cached_property
    def _standins(self) -> Any:  # noqa: ANN401 - of a part
        made = part("standins").take(self._config.stand_ins)
        made.ask = lambda name, arguments: self._ask("call", name, arguments)
        return made

    @functools.cached_property
    def _service(self) -> Any:  # noqa: ANN401 - of a part
        return part("service").Service(
            self._explain,
            busy=lambda: bool(self._asking),
            asked=lambda: self._standins.asked,
        )

    def close(self) -> None:
        """End what a service has running, where no process ends with the session."""
        if "_standins" in vars(self):
            self._standins.end()
        if "_service" in vars(self):
            self._service.end()

    def _plant(self, tree: FileTree) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="folder-"))
        for name, data in tree.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder

    def _target(self, target: object) -> Callable[..., object]:
        if isinstance(target, Handle):
            found = self._handles[target.id]
        elif target in self._namespace:
            found = self._namespace[str(target)]
        else:
            failed = f"; {self._failures[0]}" if self._failures else ""
            raise _MissingNameError(f"{self._file} does not define {target}{failed}")
        if not callable(found):
            raise _MissingNameError(f"{target} in {self._file} is not callable")
        return found

    @property
    def _file(self) -> str:
        notebook = self._config.notebook
        return notebook.path if notebook else self._config.entry

    # One method for each operation of the protocol.

    def _do_call(
        self,
        target: object,
        args: list[object],
        kwargs: dict[str, object],
        options: dict[str, object],
    ) -> object:
        function = self._target(target)
        positional = [self._from_wire(item) for item in args]
        named = {key: self._from_wire(item) for key, item in kwargs.items()}
        random.seed(self._draw)
        np.random.seed(self._draw)  # noqa: NPY002 - candidates use the global generator
        if "times" in options:
            return self._repeat(function, positional, named, options)
        result = function(*positional, **named)
        return self._to_handle(result) if options.get("keep") else result

    def _repeat(
        self,
        function: Callable[..., object],
        args: list[object],
        kwargs: dict[str, object],
        options: dict[str, object],
    ) -> list[object]:
        """Call N times on K threads; equal answers are sent once, with their counts in order."""
        times, threads = int(str(options["times"])), int(str(options.get("threads", 1)))
        answers: list[bytes] = [b""] * times
        counter = itertools.count()

        def work() -> None:
            while (index := next(counter)) < times:
                try:
                    value = function(*args, **kwargs)
                    if options.get("items"):
                        value = list(value)  # type: ignore[call-overload]
                    outcome: tuple[object, ...] = ("value", value)
                    # Without origins: equal answers must be equal bytes.
                    answers[index] = self._encode(outcome, origins=False)
                except BaseException as error:  # noqa: BLE001 - each call's own outcome
                    answers[index] = self._encode(describe_error(error, self._folder))

        pool = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
        interval = sys.getswitchinterval()
        if threads > 1:
            sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            for thread in pool:
                thread.start()
            for thread in pool:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        distinct = list(dict.fromkeys(answers))
        order = {answer: index for index, answer in enumerate(distinct)}
        return [distinct, [order[answer] for answer in answers]]

    def _do_service(self, operation: str, *arguments: object) -> object:
        """One operation on the exercise's web application, and the responses there are by now."""
        if operation == "add":
            value = self._service.add(self._application(*arguments))
        elif operation == "resolve":
            value = self._standins.resolve(*arguments)
        else:
            value = getattr(self._service, operation)(*arguments)
        return [value, self._service.finished()]

    def _application(self, args: object = (), kwargs: object = None) -> object:
        contract = self._config.app
        if contract is None:
            raise _MissingNameError("the exercise has no app")
        if contract.name:
            return self._target(contract.name)
        made = self._do_call(contract.factory, list(args), dict(kwargs or {}), {})  # type: ignore[call-overload]
        if not callable(made):
            kind = type(made).__name__
            raise TypeError(f"{contract.factory}() gave a {kind}, which is no ASGI application")
        return made

    def _do_each(self, target: object, items: list[object]) -> object:
        function = self._target(target)
        arguments = [self._from_wire(item) for item in items]
        random.seed(self._draw)
        np.random.seed(self._draw)  # noqa: NPY002 - as for a call
        return [function(argument) for argument in arguments]

    def _do_draw(self, number: int) -> object:
        """Other numbers of the global generators, for the calls to come."""
        self._draw = number
        return None

    def _do_items(self, handle: Handle) -> object:
        return list(self._handles[handle.id])  # type: ignore[call-overload]

    def _do_make(self, value: object) -> object:
        return self._to_handle(self._from_wire(value))

    def _do_state(self, handle: Handle) -> object:
        return part("state").numbers_of(self._handles[handle.id])

    def _do_getattr(self, handle: Handle, name: str) -> object:
        return getattr(self._handles[handle.id], name)

    def _do_getitem(self, handle: Handle, key: object) -> object:
        return self._handles[handle.id][self._from_wire(key)]  # type: ignore[index]

    def _do_len(self, handle: Handle) -> object:
        return len(self._handles[handle.id])  # type: ignore[arg-type]

    def _do_iter(self, handle: Handle) -> object:
        return self._to_handle(iter(self._handles[handle.id]))  # type: ignore[call-overload]

    def _do_next(self, handle: Handle) -> object:
        try:
            return ("item", next(self._handles[handle.id]))  # type: ignore[call-overload]
        except StopIteration:
            return ("end",)


class _Stream:
    """Items that the judge holds. Several threads may take them in turns, as of a queue."""

    def __init__(self, take: Callable[[], object]) -> None:
        self._take = take

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> object:
        return self._take()


class _MissingNameError(Exception):
    """The submission lacks a name that the exercise asks for."""


_MissingNameError.__name__ = "MissingName"


def serve(request_fd: int, reply_fd: int, config: LoadConfig) -> None:
    """Load the submission in the current folder, then answer requests until end of input."""
    pipe = ChildPipe(request_fd, reply_fd)
    session = Session(Path.cwd(), config, pipe.ask_back)
    first = pipe.read()  # says that the load may start
    if first is not None and first.kind is Kind.RUN_NOTEBOOK:
        part("cells").show_run(part("cells").the_shell(), config, pipe.write_raw)
        return
    error = session.load()
    if error is not None:
        pipe.write(Kind.LOAD_ERROR, error)
    else:
        pipe.write(Kind.LOADED, b"")
    while (frame := pipe.question()) is not None:
        pipe.answer(session.handle(frame.body))
