"""``grade review``."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import re
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.collect.hooks import put_decided
from grader.commands._common import add_hook_options, checkout, hook_of, parser
from grader.errors import PrerequisiteError, UsageError
from grader.hooks.outbox import Outbox
from grader.hooks.send import Sender
from grader.text import CandidateText, for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grader.review.board import Board

__all__ = ["arguments", "run"]

_EPILOG = """\
Open the link that is printed: it works once, in one browser. Nothing is sent anywhere, and nobody
but this machine can reach the pages. Decisions are in decisions.sqlite beside the table; no
report.json ever changes. Stop with Ctrl+C.

For a team, put a proxy with TLS before it, name the address with --public-url, and invite everybody
with --invite; docs/reviewer.md says how.
"""


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("review", "Decide on levels in a local web app.")
    made.epilog = _EPILOG
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument(
        "collected", metavar="COLLECTED", type=Path, help="a folder that grade collect filled"
    )
    made.add_argument("--as", dest="who", metavar="NAME", help="your name; default: your login")
    made.add_argument("--port", metavar="N", type=_port, default=0, help="default: a free one")
    made.add_argument(
        "--opinions", metavar="N", type=_opinions, default=1,
        help="of how many reviewers a provisional level needs a decision (default: 1)",
    )  # fmt: skip
    made.add_argument(
        "--as-recorded", action="store_true", help="keep scores also if the rubric has changed"
    )
    add_hook_options(made)
    team = made.add_argument_group("for a team")
    team.add_argument(
        "--invite", metavar="NAME", action="append", default=[],
        help="print a link for this colleague, which works once within seven days",
    )  # fmt: skip
    team.add_argument(
        "--public-url", metavar="URL", help="address of a proxy before it, such as https://host"
    )
    team.add_argument(
        "--proxy-user-header", metavar="NAME", default="",
        help="header in which that proxy, and nobody else, names who is logged in",
    )  # fmt: skip
    return made


def run(argv: Sequence[str]) -> int:
    """Serve the app until it is stopped."""
    options = arguments().parse_args(argv)
    if options.proxy_user_header and not options.public_url:
        raise UsageError("--proxy-user-header needs --public-url: without a proxy anybody sets it")
    if options.public_url and not re.fullmatch(r"https://[A-Za-z0-9.:-]+/?", options.public_url):
        raise UsageError("--public-url is an address such as https://review.example.org")
    try:
        import uvicorn  # noqa: PLC0415 - an extra

        from grader.review.app import make_app, nobody  # noqa: PLC0415 - an extra
        from grader.review.board import Board  # noqa: PLC0415 - an extra
        from grader.review.guard import Origin  # noqa: PLC0415 - an extra
        from grader.review.sessions import Person, Sessions, checked_name, invite  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise PrerequisiteError(
            f"grade review needs the package {error.name}: pip install 'takehome-grader[review]'"
        ) from error
    say = Console(stderr=True, highlight=False)
    root = None if options.as_recorded else checkout(options)
    who = checked_name(options.who or getpass.getuser())
    board = Board(options.collected, root, opinions=options.opinions, progress=_progress(say))
    board.warm()
    hook = hook_of(options)
    try:
        with socket.socket() as listener, contextlib.ExitStack() as stack:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", options.port))
                listener.listen(128)  # before the link is printed: who is quick waits a moment
            except OSError as error:
                raise UsageError(f"port {options.port} cannot be used: {error.strerror}") from error
            port = listener.getsockname()[1]
            local = f"http://127.0.0.1:{port}"
            url = (options.public_url or local).rstrip("/")
            origin = Origin(url, *([f"localhost:{port}"] if url == local else []))
            sessions = Sessions(board, who)
            sender = None
            if hook is not None:
                outbox = stack.enter_context(Outbox(board.folder))
                sender = Sender(outbox, hook, partial(put_decided, outbox, hook.url, board.log))
                stack.callback(sender.close)
            app = make_app(
                board, origin=origin, sessions=sessions, root=root,
                header=options.proxy_user_header,
                told=(lambda _alias, _event: sender.wake()) if sender else nobody,
            )  # fmt: skip
            for name in options.invite:
                _print(say, f"link for {name}: {url}/enter/{invite(board, name, who)}")
            _tell(say, board, who)
            token = sessions.link(Person(who, organiser=True))
            Console(highlight=False).print(f"{url}/enter/{token}", soft_wrap=True)
            config = uvicorn.Config(
                app, access_log=False, log_level="warning", server_header=False,
                proxy_headers=False, timeout_keep_alive=30, limit_concurrency=64, lifespan="off",
                h11_max_incomplete_event_size=32 << 10,
            )  # fmt: skip
            with contextlib.suppress(KeyboardInterrupt):  # the way to stop it
                uvicorn.Server(config).run(sockets=[listener])
    finally:
        board.close()
    return 0


def _tell(console: Console, board: Board, who: str) -> None:
    """How much waits, and what is wrong with the log."""
    waiting = sum(bool(board.needs(case, who)) for case in board.cases.values())
    _print(console, f"{len(board.cases)} submissions, {waiting} wait for {who}")
    for problem in board.broken:
        _print(console, f"the log of decisions is not as it was written: {problem}")


def _print(console: Console, text: str) -> None:
    console.print(f"· {for_terminal(CandidateText(text))}", markup=False, soft_wrap=True)


def _progress(console: Console) -> Callable[[int, int], None]:
    def told(done: int, of: int) -> None:
        if of > 200 and done % 200 == 0:  # noqa: PLR2004 - a second's work
            console.print(f"· {done} of {of} read", markup=False)

    return told


def _port(text: str) -> int:
    if not text.isdigit() or not 1024 <= int(text) <= 65535:  # noqa: PLR2004 - the range of ports
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1024 to 65535")
    return int(text)


def _opinions(text: str) -> int:
    if text not in {"1", "2", "3"}:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 3")
    return int(text)
