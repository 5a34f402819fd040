"""Functions of the judge's in the candidate's process: each call is a question back.

A call waits until the judge answers it, which may be at once or at any later time of the test.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import functools
import inspect
import os
import sys
import threading
from concurrent.futures import Future, InvalidStateError
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grader.candidate.config import StandInConfig

__all__ = ["StandIns", "prepare", "take"]

_prepared: list[StandIns] = []


class StandIns:
    """The modules that the judge stands in for, and the calls that it has not answered yet.

    Attributes:
        asked: calls so far.
        ask: puts a question to the judge and gives its answer; set before anything is called.
    """

    def __init__(self, specs: Sequence[StandInConfig]) -> None:
        self.asked = 0
        self.ask: Callable[[str, dict[str, object]], object] | None = None
        self._held: dict[int, tuple[Future[object], ModuleType | None]] = {}
        self._count = threading.Lock()
        self._pid = os.getpid()
        self._ended = False
        self._modules: dict[str, ModuleType] = {}
        for spec in specs:
            module = ModuleType(spec.module)
            code = compile(spec.source, f"<{spec.module} of the exercise>", "exec")
            exec(code, vars(module))  # noqa: S102 - the exercise's own source
            for name in spec.functions:
                original = getattr(module, name)
                setattr(module, name, self._stub(f"{spec.module}.{name}", original, module))
            self._modules[spec.module] = module

    def install(self) -> None:
        """Let imports of these modules find them."""
        self._pid = os.getpid()
        sys.modules.update(self._modules)

    def function(self, number: int) -> Callable[..., object]:
        """A function that is an argument of a call."""

        def asks_back(*args: object, **kwargs: object) -> object:
            return self._call(f"#{number}", {"args": list(args), **kwargs}, None).result()

        return asks_back

    def resolve(self, outcomes: Sequence[tuple[int, object]]) -> None:
        """Answer calls that were held."""
        held = [(self._held.pop(number, None), outcome) for number, outcome in outcomes]
        for call, outcome in held:
            if call is not None:
                _settle(*call, outcome)

    def end(self) -> None:
        """End every call that waits, and refuse those to come."""
        self._ended = True
        ended = ("raise", "RuntimeError", "the test has ended")
        self.resolve([(number, ended) for number in list(self._held)])

    def _stub(
        self, name: str, original: Callable[..., Any], module: ModuleType
    ) -> Callable[..., Any]:
        signature = inspect.signature(original)

        def begin(args: tuple[object, ...], kwargs: dict[str, object]) -> Future[object]:
            bound = signature.bind(*args, **kwargs)  # a TypeError as of the function itself
            return self._call(name, dict(bound.arguments), module)

        if inspect.iscoroutinefunction(original):

            async def awaited(*args: object, **kwargs: object) -> object:
                return await asyncio.wrap_future(begin(args, kwargs))

            stub: Any = awaited
        else:

            def called(*args: object, **kwargs: object) -> object:
                return begin(args, kwargs).result()

            stub = called
        functools.update_wrapper(stub, original)
        del stub.__wrapped__
        stub.__signature__ = signature
        return stub  # type: ignore[no-any-return]

    def _call(
        self, name: str, arguments: dict[str, object], module: ModuleType | None
    ) -> Future[object]:
        if os.getpid() != self._pid:
            raise RuntimeError(f"{name} can be called in the service's own process only")
        if self._ended or self.ask is None:
            raise RuntimeError(f"{name} was called after the end of the test")
        with self._count:
            self.asked += 1
        future: Future[object] = Future()
        match self.ask(name, arguments):
            case ("hold", int(number)):
                self._held[number] = future, module
            case outcome:
                _settle(future, module, outcome)
        return future


def _settle(future: Future[object], module: ModuleType | None, outcome: object) -> None:
    with contextlib.suppress(InvalidStateError):  # whoever asked has gone
        match outcome:
            case ("return", value):
                future.set_result(value)
            case ("raise", str(name), str(message)):
                kind = getattr(module, name, None) or getattr(builtins, name, None)
                known = isinstance(kind, type) and issubclass(kind, Exception)
                future.set_exception((kind if known else RuntimeError)(message))  # type: ignore[misc]
            case _:
                future.set_exception(RuntimeError("the judge gave no answer"))


def prepare(specs: Sequence[StandInConfig]) -> None:
    """Make the modules ahead, before the code that runs here is watched."""
    _prepared[:] = [StandIns(specs)]


def take(specs: Sequence[StandInConfig]) -> StandIns:
    """Those that were made ahead, or new ones; imports find them from here on."""
    made = _prepared.pop() if _prepared else StandIns(specs)
    made.install()
    return made
