"""Values in messages: short, one line, and harmless wherever they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pandas as pd

from grader.wire.values import Handle, KeptDict, KeptList, Record

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_MESSAGE = 2000
MAX_VALUE = 80
_MAX_DIGITS_BITS = 256
_FEW = 4


def fail(what: str, message: str) -> NoReturn:
    """Raise the `AssertionError` of a check, cut to 2,000 characters."""
    text = f"{what}: {message}"
    raise AssertionError(text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 1]}…")


def cut(text: str, limit: int = MAX_VALUE) -> str:
    """Cut a text that is safe already."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def show(value: object) -> str:
    """Show a value in 80 characters, without ever writing out more of it than that.

    ``repr`` escapes control characters and the invisible ones that turn text around.
    """
    if isinstance(value, str | bytes | bytearray):
        if len(value) <= MAX_VALUE:
            return cut(repr(value))
        return f"{cut(repr(value[: MAX_VALUE // 2]), MAX_VALUE // 2)} ({len(value)} in all)"
    if type(value) is int and value.bit_length() > _MAX_DIGITS_BITS:
        return f"an int of {value.bit_length()} bits"
    if isinstance(value, list | tuple | set | frozenset):
        return _few(value)
    if type(value) in _PLAIN or isinstance(value, np.generic):
        return cut(repr(value))
    return kind(value)


def _few(items: Collection[object]) -> str:
    """Show a short flat collection, name a long or nested one."""
    if len(items) > _FEW or any(type(item) not in _PLAIN for item in items):
        return kind(items)
    inner = ", ".join(map(show, items))
    if isinstance(items, list):
        return cut(f"[{inner}]")
    if isinstance(items, tuple):
        return cut(f"({inner}{',' if len(items) == 1 else ''})")
    return cut(f"{{{inner}}}")


_PLAIN = (
    type(None), bool, int, float, complex, str, type(pd.NA), type(pd.NaT), pd.Timestamp,
    pd.Timedelta, pd.Period,
)  # fmt: skip


def cell(value: object) -> str:
    """Show a cell of an array or a column, whose dtype the reader knows: ``1.0``, not its class."""
    return show(value.item() if isinstance(value, np.number | np.bool_) else value)


def kind(value: object) -> str:
    """Name the kind of a value: ``a DataFrame of shape (3, 2)``, ``None``, ``a list of 5``."""
    if value is None:
        return "None"
    if isinstance(value, Handle | Record):
        what = "an object" if isinstance(value, Handle) else "a record"
        return f"{what} of type {cut(repr(value.type_name))}"
    name = _NAMES.get(type(value)) or type(value).__name__
    article = "an" if name[:1] in "aeiouAEIO" else "a"
    size = ""
    if isinstance(value, np.ndarray | pd.DataFrame):
        size = f" of shape {value.shape}"
    elif isinstance(value, list | tuple | dict | set | frozenset | pd.Series | pd.Index):
        size = f" of length {len(value)}"
    return f"{article} {name}{size}"


_NAMES: dict[type, str] = {KeptDict: "dict", KeptList: "list"}


def name_of(cls: type | tuple[type, ...]) -> str:
    """Name a class, or several to choose from, for ``expected …``."""
    if isinstance(cls, tuple):
        return " or ".join(map(name_of, cls))
    if cls is type(None):
        return "None"
    return f"{'an' if cls.__name__[:1] in 'aeiouAEIO' else 'a'} {cls.__name__}"
