"""Functions that raise an event before they do what the interpreter has no event for.

They stand for functions that change or start code, or reach into memory. Nothing that they hold can
be had from them, so that a submission cannot call the real ones.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import builtins
import ctypes
import functools
import operator
import os
import posix
import subprocess
import sys
from _thread import interrupt_main as _again
from _thread import start_new_thread as _start
from time import sleep as _sleep
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

__all__ = [
    "BUILTIN",
    "FAR",
    "FORK_EXEC",
    "OPENED_BELOW",
    "RENAMED",
    "SEALED_FRAMES",
    "announce",
    "keep_out_of",
    "kept",
]

# As in `grader.candidate.audit`, whose hook these call.
globals()["__builtins__"] = dict(vars(builtins))

FORK_EXEC = "grader.fork_exec"
RENAMED = "grader.fix_co_filename"
BUILTIN = "grader.create_builtin"
OPENED_BELOW = "grader.open_below"
FAR = "grader.stride_beyond_array"
SEALED_FRAMES = 3  # of a function that `_sealed` made
_WRITTEN = "ctypes.call_function"  # as other functions of C
_MOMENT = 0.001  # seconds


def announce() -> CodeType:
    """Put them in the place of the real ones.

    Returns:
        The inner code of those that stand for a function of C: the caller is some frames above.
    """
    import _imp  # noqa: PLC0415 - together with the next one
    import _posixsubprocess  # noqa: PLC0415 - not where there is no fork

    # multiprocessing starts programs by it
    fork_exec, announcer = _announcing(FORK_EXEC, _posixsubprocess.fork_exec)
    _posixsubprocess.fork_exec = fork_exec
    subprocess._fork_exec = fork_exec  # type: ignore[attr-defined]  # noqa: SLF001
    for event, name in ((RENAMED, "_fix_co_filename"), (BUILTIN, "create_builtin")):
        setattr(_imp, name, _announcing(event, getattr(_imp, name))[0])
    # These two write anywhere.
    ctypes.memmove, _ = _announcing(_WRITTEN, ctypes.memmove)  # type: ignore[assignment]
    ctypes.memset, _ = _announcing(_WRITTEN, ctypes.memset)  # type: ignore[assignment]
    _watch_open()
    _watch_strides()
    return announcer


def _sealed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, from which nothing that it holds can be had.

    A function shows what it holds, and an error the frames that it left.
    """
    inner = kept(function)

    def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - as the real one's
        done, value = inner(*args, **named)
        if not done:
            raise value
        return value

    return call


def kept(function: Callable[..., Any]) -> Callable[..., tuple[bool, Any]]:
    """The function in a cache of no entries, which shows nothing; an error comes as a value."""

    def tried(*args: Any, **named: Any) -> tuple[bool, Any]:  # noqa: ANN401 - as the real one's
        try:
            return True, function(*args, **named)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            error.__context__ = error.__cause__ = None
            return False, error.with_traceback(None)

    cache: Callable[..., Callable[..., tuple[bool, Any]]] = functools._lru_cache_wrapper  # noqa: SLF001
    return cache(tried, 0, False, None)


def _announcing(event: str, real: Callable[..., Any]) -> tuple[Callable[..., Any], CodeType]:
    """A function that raises an event before it does what another one does, and its inner code."""
    audit = sys.audit

    def announced(*args: Any) -> Any:  # noqa: ANN401 - as the real one's
        audit(event, args)
        return real(*args)

    return _sealed(announced), announced.__code__


def _watch_open() -> None:
    """Raise an event for a file that is opened below a folder which only its number tells."""
    audit, real, stat = sys.audit, posix.open, posix.stat

    def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:  # noqa: ANN401
        if dir_fd is not None:
            path = os.fspath(path)  # asked for once
            try:
                found = stat(path, dir_fd=dir_fd)
            except (OSError, ValueError):
                found = None
            audit(OPENED_BELOW, path, flags, found)
        return real(path, flags, mode, dir_fd=dir_fd)

    watched = functools.update_wrapper(_sealed(opened), real)
    del watched.__wrapped__
    posix.open = os.open = watched
    os.supports_dir_fd = {watched, *(os.supports_dir_fd - {real})}


def _watch_strides() -> None:
    """Raise an event for a view that reaches beyond the array that it is of.

    NumPy makes such a view of any memory. A sliding window stays within its array.
    """
    import numpy as np  # noqa: PLC0415 - loaded already
    from numpy.lib import _stride_tricks_impl as home  # noqa: PLC0415
    from numpy.lib import stride_tricks as shown  # noqa: PLC0415

    audit, index, make, kind = sys.audit, operator.index, np.array, np.ndarray
    # The class that takes any address is the real function's alone.
    names = {**vars(home), "DummyArray": home.DummyArray}
    real = FunctionType(home.as_strided.__code__, names, None, home.as_strided.__defaults__)
    del home.DummyArray

    def span(array: Any, shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, int]:  # noqa: ANN401
        """The first address of a view and the one behind its last."""
        start = kind.__array_interface__.__get__(array)["data"][0]
        if 0 in shape:
            return start, start
        reach = [(size - 1) * step for size, step in zip(shape, strides, strict=True)]
        end = start + sum(step for step in reach if step > 0)
        return (
            start + sum(step for step in reach if step < 0),
            end + kind.itemsize.__get__(array),
        )

    def as_strided(
        x: Any,  # noqa: ANN401 - as the real one's
        shape: Any = None,  # noqa: ANN401
        strides: Any = None,  # noqa: ANN401
        subok: Any = False,  # noqa: ANN401
        writeable: Any = True,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        x = make(x, copy=None, subok=subok)
        own = kind.shape.__get__(x), kind.strides.__get__(x)
        size = own[0] if shape is None else tuple(map(index, shape))
        step = own[1] if strides is None else tuple(map(index, strides))
        whole = x
        while issubclass(type(below := kind.base.__get__(whole)), kind):
            whole = below
        if len(size) == len(step):
            low, high = span(x, size, step)
            first, last = span(whole, kind.shape.__get__(whole), kind.strides.__get__(whole))
            if low < first or high > last:
                audit(FAR)
        return real(x, size, step, subok, writeable)

    watched = functools.update_wrapper(_sealed(as_strided), home.as_strided)
    del watched.__wrapped__
    home.as_strided = shown.as_strided = watched


class _Handler:
    """A signal handler of the submission's, which never runs inside the hook."""

    __slots__ = ("_code", "handler")

    def __init__(self, handler: Callable[..., object], code: CodeType) -> None:
        self.handler, self._code = handler, code

    def __call__(self, number: int, frame: FrameType | None) -> None:
        at = frame
        while at is not None:
            if at.f_code is self._code:
                _start(_later, (number,))
                return
            at = at.f_back
        self.handler(number, frame)


def _later(number: int) -> None:
    """Let a signal arrive again, when the hook is through."""
    _sleep(_MOMENT)
    _again(number)  # type: ignore[arg-type]


def keep_out_of(code: CodeType) -> None:
    """Let no signal handler see frames of the hook."""
    real, asked = _signal.signal, _signal.getsignal

    def plain(handler: Any) -> Any:  # noqa: ANN401 - as the library's
        return handler.handler if type(handler) is _Handler else handler

    def signal(number: int, handler: Any) -> Any:  # noqa: ANN401
        if type(number) is not int:
            raise TypeError("the number of a signal must be an int")
        simple = handler is None or type(handler) is type(_again) or issubclass(type(handler), int)
        return plain(real(number, handler if simple else _Handler(handler, code)))

    def getsignal(number: int) -> Any:  # noqa: ANN401
        return plain(asked(number))

    _signal.signal, _signal.getsignal = _sealed(signal), _sealed(getsignal)
