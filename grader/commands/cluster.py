"""``grade cluster``: certificates, the scheduler and the workers of a cluster."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.cluster.certs import DAYS, make_certs, read_certs
from grader.commands._common import count
from grader.errors import PrerequisiteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CERTS", "arguments", "local_workers", "needs_dask", "run"]

CERTS = Path("cluster-certs")
_MOST = 64
_PORTS = 65_536


def needs_dask() -> None:
    """Fail with the command that mends it where the extra is not installed.

    Raises:
        PrerequisiteError: Dask is not there.
    """
    try:
        import distributed  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise PrerequisiteError(
            'a cluster needs Dask: pip install "takehome-grader[cluster]"'
        ) from error


def local_workers(address: str) -> int:
    """How many workers ``local:N`` asks for; 0 for an address of a scheduler.

    Raises:
        UsageError: it is neither, or a scheduler without TLS.
    """
    if match := re.fullmatch(r"local:([1-9][0-9]?)", address):
        number = int(match[1])
        if number <= _MOST:
            return number
    if re.fullmatch(r"tls://[^\s/:]+:[0-9]{1,5}|tls://\[[0-9a-fA-F:]+\]:[0-9]{1,5}", address):
        return 0
    if address.startswith("tcp://"):
        raise UsageError(
            f"{address} is a scheduler without TLS: whoever reaches it could run code on every "
            "worker; start it with grade cluster scheduler, and give its tls:// address"
        )
    raise UsageError(
        f"{address!r} is no cluster; give tls://HOST:PORT of a scheduler, or local:N for N workers "
        f"on this machine (at most {_MOST})"
    )


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = argparse.ArgumentParser(
        prog="grade cluster",
        description="Certificates, the scheduler and the workers of a cluster for grade collect.",
    )
    parts = made.add_subparsers(dest="what", required=True, metavar="WHAT")
    certs = parts.add_parser("certs", help="make certificates for one cluster")
    certs.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=CERTS)
    certs.add_argument("--days", type=count, default=DAYS, help=f"how long valid ({DAYS})")
    scheduler = parts.add_parser("scheduler", help="run the scheduler")
    scheduler.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - mutual TLS
    scheduler.add_argument("--port", type=_port, default=8786)
    scheduler.add_argument(
        "--dashboard",
        metavar="ADDRESS",
        help="serve Dask's dashboard, such as 127.0.0.1:8787; it has no password, and needs bokeh",
    )
    scheduler.add_argument("--write", metavar="FILE", type=Path, help="write its address there")
    worker = parts.add_parser("worker", help="run a worker on a machine with a container engine")
    worker.add_argument("address", metavar="tls://HOST:PORT")
    worker.add_argument("--slots", type=count, default=1, help="gradings at a time (1)")
    worker.add_argument("--name", help="how the client calls it; default: its address")
    for part in (scheduler, worker):
        part.add_argument("--certs", metavar="DIR", type=Path, default=CERTS)
        part.add_argument("--while-stdin", action="store_true", help=argparse.SUPPRESS)
    return made


def run(argv: Sequence[str]) -> int:
    """Make certificates, or serve."""
    options = arguments().parse_args(argv)
    console = Console(highlight=False)

    def say(text: str) -> None:
        console.print(f"· {text}", markup=False, soft_wrap=True)

    if options.what == "certs":
        make_certs(options.folder.absolute(), days=options.days)
        console.print(
            f"{options.folder}: copy scheduler/, worker/ and client/ to where each runs; whoever "
            "has one of them can run code on the workers",
            markup=False,
            soft_wrap=True,
        )
        return 0
    needs_dask()
    from grader.cluster import processes  # noqa: PLC0415 - an extra

    certs = read_certs(options.certs.absolute(), options.what)
    if options.what == "scheduler":
        return processes.run_scheduler(
            certs,
            host=options.host,
            port=options.port,
            dashboard=options.dashboard,
            write=options.write,
            say=say,
            while_stdin=options.while_stdin,
        )
    if local_workers(options.address):
        raise UsageError(f"{options.address}: a worker joins a scheduler, tls://HOST:PORT")
    return processes.run_worker(
        certs,
        options.address,
        name=options.name,
        slots=options.slots,
        say=say,
        while_stdin=options.while_stdin,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= _PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)
