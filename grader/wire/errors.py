"""The built-in error types that may cross: what a candidate raised, as data."""

from __future__ import annotations

__all__ = ["LISTED_ERRORS", "MAX_MESSAGE", "MAX_TYPE", "MAX_WHERE"]

MAX_TYPE = 80
MAX_MESSAGE = 2000
MAX_WHERE = 200

# No SystemExit, KeyboardInterrupt or GeneratorExit, and nothing of pytest's: those would be obeyed.
LISTED_ERRORS = (
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BufferError",
    "EOFError",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "ImportError",
    "IndexError",
    "IsADirectoryError",
    "KeyError",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "RecursionError",
    "RuntimeError",
    "SyntaxError",
    "TimeoutError",
    "TypeError",
    "UnicodeError",
    "ValueError",
    "ZeroDivisionError",
)
