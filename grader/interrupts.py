"""Ctrl-C and SIGTERM, remembered.

The exception that a handler raises is lost where Python happens to run code whose errors it
ignores, such as a finalizer. A command that waits therefore asks `check` again and again.
"""

from __future__ import annotations

import threading
from typing import NoReturn

__all__ = ["EXIT_CODE", "check", "received"]

EXIT_CODE = 130  # 128 and the number of SIGINT, as shells say it

_received = threading.Event()


def received(number: int, frame: object) -> NoReturn:
    """Handle a signal: remember it, and raise KeyboardInterrupt."""
    del number, frame
    _received.set()
    raise KeyboardInterrupt


def check() -> None:
    """Raise KeyboardInterrupt where a signal has come, though its own exception was lost."""
    if _received.is_set():
        raise KeyboardInterrupt
