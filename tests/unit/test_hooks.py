"""Hooks: signed, sent once or again until they arrive, given up in the end, and nothing lost."""

from __future__ import annotations

import http.server
import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.collect.hooks import put_decided
from grader.commands import collect, hooks
from grader.decisions.log import Log
from grader.errors import UsageError
from grader.hooks.outbox import MOST_ATTEMPTS, Outbox
from grader.hooks.send import Hook, Sender, hook_from, is_genuine, send_due, signature

sys.path.insert(0, str(Path(__file__).parent))
from decided import confirmation, draft
from test_collect import arguments, fast, submission

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = b"a secret of the team's own"


class Receiver:
    """A service on this machine that writes down what it gets; `answers` are used up in order."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                receiver.got.append((dict(self.headers), body))
                status = receiver.answers.pop(0) if receiver.answers else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path, Clock()) as made:
        yield made


def test_a_message_is_signed_and_names_its_key(outbox: Outbox, receiver: Receiver) -> None:
    outbox.put("k" * 64, receiver.url, {"kind": "graded"})
    assert send_due(outbox, Hook(receiver.url, SECRET)) == 1
    ((headers, body),) = receiver.got
    assert json.loads(body) == {"id": "k" * 64, "kind": "graded"}
    assert headers["Idempotency-Key"] == "k" * 64
    assert is_genuine(SECRET, headers["X-Grade-Signature"], body, time.time())


@pytest.mark.parametrize(
    ("secret", "body", "later"),
    [(b"another secret!!", "{}", 0), (SECRET, "{ }", 0), (SECRET, "{}", 301), (SECRET, "{}", -301)],
)
def test_a_forged_changed_or_old_message_is_not_genuine(
    secret: bytes, body: str, later: int
) -> None:
    assert is_genuine(SECRET, signature(SECRET, 1000, "{}"), "{}", 1000)
    assert not is_genuine(SECRET, signature(secret, 1000, "{}"), body, 1000 + later)


def test_a_signature_is_the_one_that_the_guide_describes() -> None:
    assert signature(b"key-of-16-letters", 1700000000, "{}") == (
        "t=1700000000,v1=f8de8ff20b47a7964f8352e57300a99012dca8ae3da913972a8d6aac2a264e69"
    )


def test_what_is_put_in_twice_is_sent_once(outbox: Outbox, receiver: Receiver) -> None:
    assert outbox.put("k", receiver.url, {"n": 1})
    assert not outbox.put("k", receiver.url, {"n": 1})
    send_due(outbox, Hook(receiver.url, SECRET))
    send_due(outbox, Hook(receiver.url, SECRET))
    assert len(receiver.got) == 1


def test_a_failure_is_tried_again_with_the_same_key_and_growing_pauses(
    outbox: Outbox, receiver: Receiver
) -> None:
    clock = outbox._clock
    assert isinstance(clock, Clock)
    receiver.answers = [500, 503, 204]
    outbox.put("k", receiver.url, {})
    waits = []
    for _ in range(2):
        send_due(outbox, Hook(receiver.url, SECRET))
        due = outbox.next_due()
        assert due is not None
        waits.append(due - clock.now)
        assert send_due(outbox, Hook(receiver.url, SECRET)) == 0
        clock.now = due
    assert send_due(outbox, Hook(receiver.url, SECRET)) == 1
    assert waits == [2.0, 4.0]
    assert {headers["Idempotency-Key"] for headers, _ in receiver.got} == {"k"}


def test_it_is_given_up_after_eight_attempts_and_can_be_revived(
    outbox: Outbox, receiver: Receiver
) -> None:
    clock = outbox._clock
    assert isinstance(clock, Clock)
    receiver.answers = [500] * MOST_ATTEMPTS
    outbox.put("k", receiver.url, {})
    for _ in range(MOST_ATTEMPTS + 2):
        send_due(outbox, Hook(receiver.url, SECRET))
        clock.now += 3600
    (message,) = outbox.all()
    assert (message.state, message.attempts, message.said) == ("dead", 8, "answered 500")
    assert outbox.revive() == 1
    assert send_due(outbox, Hook(receiver.url, SECRET)) == 1


@pytest.mark.parametrize(("status", "state"), [(400, "dead"), (410, "dead"), (429, "waiting")])
def test_a_refusal_is_given_up_at_once(
    outbox: Outbox, receiver: Receiver, status: int, state: str
) -> None:
    receiver.answers = [status]
    outbox.put("k", receiver.url, {})
    send_due(outbox, Hook(receiver.url, SECRET))
    assert [message.state for message in outbox.all()] == [state]


def test_a_redirect_is_not_followed(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answers = [302]
    outbox.put("k", receiver.url, {})
    assert send_due(outbox, Hook(receiver.url, SECRET)) == 0
    assert len(receiver.got) == 1


def test_nobody_at_the_other_end_is_a_failure_like_others(outbox: Outbox) -> None:
    outbox.put("k", "http://127.0.0.1:1/", {})
    assert send_due(outbox, Hook("http://127.0.0.1:1/", SECRET)) == 0
    (message,) = outbox.all()
    assert message.said.startswith("ConnectionRefusedError")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://x.example/", "is no address"),
        ("http://ats.example/hook", "use https for another machine"),
        ("https://user:word@ats.example/", "is no address"),
    ],
)
def test_an_address_that_would_leak_is_refused(tmp_path: Path, url: str, said: str) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    with pytest.raises(UsageError, match=said):
        hook_from(url, tmp_path / "secret")


def test_a_secret_is_needed_and_has_a_length(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--hook-secret"):
        hook_from("https://ats.example/", None)
    (tmp_path / "secret").write_text("short\n")
    with pytest.raises(UsageError, match="fewer than 16"):
        hook_from("https://ats.example/", tmp_path / "secret")


def test_every_decision_is_told_also_one_that_was_made_while_nothing_ran(
    tmp_path: Path, receiver: Receiver
) -> None:
    with Log(tmp_path) as log, Outbox(tmp_path) as outbox:
        log.add(draft(text="before anybody listened"))
        put_decided(outbox, receiver.url, log)
        log.add(confirmation(by="bob"))
        log.add(draft(text="a reason that stays here"))
        put_decided(outbox, receiver.url, log)
        put_decided(outbox, receiver.url, log)
        assert send_due(outbox, Hook(receiver.url, SECRET)) == 2
    told = [json.loads(body) for _, body in receiver.got]
    assert [(item["kind"], item["event"], item["level"]) for item in told] == [
        ("decided", 2, 2),
        ("decided", 3, 3),
    ]
    assert not any("reason" in body for _, body in receiver.got)


def test_a_sender_sends_when_it_is_woken_and_before_it_ends(
    tmp_path: Path, receiver: Receiver
) -> None:
    with Log(tmp_path) as log, Outbox(tmp_path) as outbox:
        put_decided(outbox, receiver.url, log)
        hook = Hook(receiver.url, SECRET)
        sender = Sender(outbox, hook, lambda: put_decided(outbox, receiver.url, log))
        log.add(draft())
        sender.wake()
        until = time.monotonic() + 10
        while not receiver.got and time.monotonic() < until:
            time.sleep(0.01)
        log.add(draft(by="bob"))
        sender.close()
        assert len(receiver.got) == 2


def test_a_collection_tells_what_it_graded_once_and_names_nobody(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    submission(tmp_path / "in" / "ann.lee", "x = 1\n")
    (tmp_path / "secret").write_bytes(SECRET)
    out = tmp_path / "out"
    argv = arguments(tmp_path / "in", out, "--hook", receiver.url)
    argv += ["--hook-secret", str(tmp_path / "secret")]
    for _ in range(2):
        collect.run(argv, benches=fast(out))
    ((_, body),) = receiver.got
    told = json.loads(body)
    assert (told["kind"], told["exercise"], told["score"]) == ("graded", "imputation", 3.9)
    assert "ann" not in body
    capsys.readouterr()
    assert hooks.run([str(out)]) == 0
    assert capsys.readouterr().out == "1 sent\n"
