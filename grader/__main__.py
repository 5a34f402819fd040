"""Start the ``grade`` command: take signals first, then import what takes its time.

A signal that comes while modules are still being imported ends the command as quietly as a later
one; nothing has been started by then.
"""

from __future__ import annotations

import signal
import sys

from grader import interrupts

__all__ = ["main"]

INTERRUPTED = 130


def main() -> int:
    """Run the command. Returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupts.received)
    try:
        from grader import cli  # noqa: PLC0415 - most of the start-up time
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing had been started\n")
        return INTERRUPTED
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
