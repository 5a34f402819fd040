"""An error of the submission as data: what it is called, what it says, where it came from."""

from __future__ import annotations

import builtins
import errno
import locale
import socket
import traceback
from pathlib import Path

from grader.wire.errors import LISTED_ERRORS, MAX_MESSAGE, MAX_TYPE, MAX_WHERE

__all__ = ["describe_error"]

_CELL, _LINE = ", cell ", ", line "  # a notebook's cells are files of that name


def _location(error: BaseException, folder: Path) -> str:
    """The innermost line of the submission's own that an error went through."""
    if isinstance(error, SyntaxError) and error.filename:
        name = Path(error.filename)
        shown = str(name.relative_to(folder)) if name.is_relative_to(folder) else name.name
        return f"{shown}{_LINE if _CELL in shown else ':'}{error.lineno or 0}"[:MAX_WHERE]
    where = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = Path(frame.f_code.co_filename)
        if name.is_relative_to(folder):
            shown = f"{name.relative_to(folder)}{_LINE if _CELL in name.name else ':'}{line}"
            where = f"{shown} in {frame.f_code.co_name}"
    return where[:MAX_WHERE]


_NO_NETWORK = "the sandbox has no network"
_CLOSED = {
    errno.ENETUNREACH: _NO_NETWORK,
    errno.EHOSTUNREACH: _NO_NETWORK,
    errno.EROFS: "in the sandbox only /tmp and the folder of the submission can be written to",
}


def _closed_here(error: BaseException) -> str:
    """What to say where an error comes from the sandbox and not from the code."""
    # Of urllib, around the error itself. Not by `getattr`, which may run code of the candidate's.
    reason = vars(error).get("reason") if type(error).__module__ == "urllib.error" else None
    for item in (error, reason):
        if isinstance(item, socket.gaierror):
            return _NO_NETWORK
        if isinstance(item, OSError) and item.errno in _CLOSED:
            return _CLOSED[item.errno]
    if isinstance(error, locale.Error):
        return "the sandbox has the locales C.UTF-8 and en_US.UTF-8"
    if isinstance(error, BlockingIOError) and any(
        frame.f_code.co_name in {"fork", "_launch", "fork_exec", "_execute_child"}
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ):
        return "the sandbox limits how many processes run"
    return ""


def describe_error(error: BaseException, folder: Path) -> tuple[object, ...]:
    """An error as data: ``("error", type, listed built-in bases, message, where)``."""
    kind = type(error)
    bases = [
        base.__name__
        for base in kind.__mro__
        if base.__name__ in LISTED_ERRORS and getattr(builtins, base.__name__) is base
    ]
    try:
        message = str(error.msg) if isinstance(error, SyntaxError) else str(error)
    except Exception:  # noqa: BLE001 - whatever a candidate's __str__ raises
        message = "<the error's own __str__ failed>"
    if closed := _closed_here(error):
        message = f"{message[: MAX_MESSAGE - len(closed) - 2]}; {closed}"
    message = message[:MAX_MESSAGE].encode("utf-8", "replace").decode()
    return ("error", kind.__name__[:MAX_TYPE], bases, message, _location(error, folder))
