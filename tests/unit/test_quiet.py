"""When a process is at rest, as its threads' states and counts tell."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows threads")
PROGRAM = """
import sys, threading, time
from grader.candidate.quiet import is_quiet, wait_until_quiet

def calm():
    return wait_until_quiet(lambda: False, cpu_seconds=5, seconds=5)

{body}
"""
CASES = {
    "nothing else runs": ("print(calm())", "True"),
    "a thread waits for a lock": (
        (
            "lock = threading.Lock(); lock.acquire()\n"
            "threading.Thread(target=lock.acquire, daemon=True).start()\nprint(calm())"
        ),
        "True",
    ),
    "a thread waits for a clock": (
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint(calm())",
        "True",
    ),
    "a thread computes": (
        (
            "def spin():\n    while True: pass\n"
            "threading.Thread(target=spin, daemon=True).start()\n"
            "print(any(is_quiet(lambda: False) for _ in range(200)))"
        ),
        "False",
    ),
    "a thread computes outside of the interpreter": (
        (
            "import hashlib\n"
            "def hash_all():\n    data = bytes(1 << 27)\n    while True: hashlib.sha256(data)\n"
            "threading.Thread(target=hash_all, daemon=True).start()\ntime.sleep(0.3)\n"
            "print(any(is_quiet(lambda: False) for _ in range(100)))"
        ),
        "False",
    ),
    "two threads hand a token on without end": (
        (
            "a, b = threading.Semaphore(1), threading.Semaphore(0)\n"
            "def hand(take, give):\n    while True: take.acquire(); give.release()\n"
            "for pair in ((a, b), (b, a)):\n"
            "    threading.Thread(target=hand, args=pair, daemon=True).start()\n"
            "print(any(is_quiet(lambda: False) for _ in range(200)))"
        ),
        "False",
    ),
    "a chain of threads ends": (
        (
            "done = []\n"
            "def link(n):\n"
            "    if n: threading.Thread(target=link, args=(n - 1,)).start()\n"
            "    else: done.append(n)\n"
            "results = []\n"
            "for _ in range(50):\n"
            "    done.clear(); link(20); calm(); results.append(len(done))\n"
            "print(results == [1] * 50)"
        ),
        "True",
    ),
    "something is under way": ("print(is_quiet(lambda: True))", "False"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_rest(case: str) -> None:
    body, expected = CASES[case]
    command = [sys.executable, "-c", PROGRAM.format(body=body)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == expected
