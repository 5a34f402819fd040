"""``grade review``: the link that it prints works, and stopping it is no error."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader.commands import review
from grader.decisions.log import Log
from grader.errors import UsageError

sys.path.insert(0, str(Path(__file__).parent))
from review_board import fill

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_printed_link_lets_in_once_and_a_signal_ends_it(tmp_path: Path) -> None:
    fill(tmp_path)
    command = [sys.executable, "-m", "grader", "review", str(tmp_path), "--as-recorded"]
    command += ["--as", "rosa", "--invite", "tom"]
    served = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert served.stdout is not None
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/enter/\S+)\n", served.stdout.readline())
        assert found is not None
        statuses = []
        for _ in range(2):
            browser = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
            browser.request("GET", found[2])
            statuses.append(browser.getresponse().status)
            browser.close()
        served.send_signal(signal.SIGINT)
        _, said = served.communicate(timeout=30)
    finally:
        served.kill()
        served.communicate()
    assert (statuses, served.returncode) == ([200, 403], 0)
    assert "5 submissions, 5 wait for rosa" in said
    assert "link for tom: http://127.0.0.1" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--public-url", "http://review.example.org"], "is an address such as https"),
        (["--public-url", "https://x.example/path"], "is an address such as https"),
        (["--proxy-user-header", "X-User"], "needs --public-url"),
        (["--as", "a\nb"], "printable"),
        (["--hook", "https://ats.example/"], "needs --hook-secret"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_served(
    tmp_path: Path, options: list[str], said: str
) -> None:
    fill(tmp_path)
    with pytest.raises(UsageError, match=said):
        review.run([str(tmp_path), "--as-recorded", *options])
    if (tmp_path / "decisions.sqlite").is_file():
        with Log(tmp_path) as log:
            assert log.last == 0
