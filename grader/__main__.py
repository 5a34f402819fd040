"""Start the ``grade`` command: take signals first, then import what takes its time.

A signal that comes while modules are still being imported ends the command as quietly as a later
one; nothing has been started by then. One that comes when the command is through changes nothing:
Python gives signals back to the system before it ends, which would end the process by the signal.
"""

from __future__ import annotations

import signal
import sys

from grader import interrupts

__all__ = ["main"]


def main() -> int:
    """Run the command. Returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupts.received)
    try:
        code = _run()
    except KeyboardInterrupt:  # between the last line of the command and this one
        code = interrupts.EXIT_CODE
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    if code == interrupts.EXIT_CODE:
        # Python remembers an interrupt that left the `exec` of a string, as of a dataclass that is
        # being made, and ends `python -m` by SIGINT although it was caught; the next forgets it.
        exec("")  # noqa: S102
    return code


def _run() -> int:
    try:
        from grader import cli  # noqa: PLC0415 - most of the start-up time
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing had been started\n")
        return interrupts.EXIT_CODE
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
