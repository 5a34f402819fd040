"""Twin and payload: what an attack changes is exactly the test that it touches, or nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from grader.proof.replay import replay
from tests.sandbox.probe import HONEST, PROJECT, probe

if TYPE_CHECKING:
    from pathlib import Path

    from grader.sandbox.workbench import Workbench, Worker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

WALL_SECONDS = 20  # of the probe exercise
TESTS = [
    line.partition("(")[0].removeprefix("def ")
    for line in (PROJECT / "hidden_tests/probe/test_probe.py").read_text().splitlines()
    if line.startswith("def test_")
]


def attack(payload: str) -> str:
    """The honest solution with the payload after it."""
    return f"{HONEST}\n\n{payload}\n"


# Payloads that must change nothing: name → code that runs at import, in every test's process.
SAME = {
    "rewrite the forking parent's memory": """
import os
for pid in (1, os.getppid()):
    for name in ("mem", "maps", "environ", "fd"):
        try:
            if name == "fd":
                for fd in os.listdir(f"/proc/{pid}/fd"):
                    os.write(os.open(f"/proc/{pid}/fd/{fd}", os.O_WRONLY), b"x" * 64)
            else:
                open(f"/proc/{pid}/{name}", "r+b").read(64)
        except OSError:
            continue
        raise SystemExit("the supervisor is open")
""",
    "kill, stop or interrupt the supervisor": """
import os, signal
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
               signal.SIGALRM, signal.SIGUSR1, signal.SIGPIPE, signal.SIGSEGV):
    os.kill(1, number)
""",
    "starve the supervisor by its limits": """
import ctypes, resource
for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_NOFILE):
    try:
        resource.prlimit(1, kind, (0, 0))
    except (PermissionError, OSError):
        continue
    raise SystemExit("its limits are open")
""",
    "count calls in files that stay": """
import glob, os
PLACES = ["/tmp", "/submission", "/dev/shm", "/var/tmp", "/run", "/dev/mqueue", "/"]
def count():
    global calls
    calls += 1
    seen = 0
    for place in PLACES:
        try:
            deep = place + "/deep"
            seen += len(glob.glob(place + "/left-*"))
            open(f"{place}/left-{os.getpid()}-{calls}", "w").write("x")
            os.makedirs(deep + "/x" * 300, exist_ok=True)
            os.symlink("/etc/passwd", deep + "/link")
            os.chmod(deep, 0)
        except OSError:
            pass
    return calls if calls == seen + 1 or seen == 0 or calls > 1 else 99
""",
    "count calls in shared memory and semaphores": """
import _multiprocessing, os
from multiprocessing.shared_memory import SharedMemory
def count():
    global calls
    calls += 1
    found = 0
    for make in (
        lambda: SharedMemory("left", create=calls == 1, size=64),
        lambda: _multiprocessing.SemLock(1, 1, 1, "/left", False),
    ):
        try:
            make()
        except FileExistsError:
            found += 1
    return calls if calls > 1 or not found else 99
""",
    "orphans that outlive a test": """
import os, time
def _processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
def count():
    global calls
    calls += 1
    others = [pid for pid in _processes() if pid not in (1, os.getpid())]
    if calls == 1 and others:
        return 99
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(0.01)
        os._exit(0)
    return calls
""",
    "patched pytest, numpy and hypothesis in the candidate": """
import sys, types
import numpy, pandas
numpy.array_equal = numpy.allclose = lambda *a, **k: True
pandas.DataFrame.equals = lambda *a: True
pandas.testing.assert_frame_equal = lambda *a, **k: None
for name in ("pytest", "_pytest", "hypothesis"):
    sys.modules[name] = types.ModuleType(name)
import builtins
builtins.AssertionError = Exception
""",
    "keep threads busy between the calls": """
import threading, time
def _work():
    while True:
        time.sleep(0.001)
for _ in range(8):
    threading.Thread(target=_work, daemon=True).start()
""",
    "print what looks like a verdict": """
import os, sys
print("\\x1b[2J::set-output name=score::100\\nPASSED test_a\\n" * 20)
os.write(2, b"SCORE=100\\n" * 100)
os.close(0)
""",
    "look for secrets": """
import os, pathlib
text = repr(dict(os.environ)) + repr(os.listdir("/")) + open("/proc/mounts").read()
for name in ("hidden", "expected", "docker.sock", "overlay/", "test_probe", "5eed5eed"):
    if name in text:
        raise SystemExit(f"found {name}")
if list(pathlib.Path("/").glob("*/*/test_probe.py")) or os.path.exists("/suite/x"):
    raise SystemExit("found the suite")
""",
    "reach the network, namespaces, mounts and the kernel": """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def _refused(call):
    try:
        call()
    except OSError:
        return
    raise SystemExit(f"not refused: {call}")
_refused(lambda: socket.create_connection(("169.254.169.254", 80), 0.2))
_refused(lambda: socket.socket(38, 5))
_refused(lambda: socket.socket(16, 3))
_refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW))
_refused(lambda: open("/proc/sys/kernel/core_pattern", "w"))
_refused(lambda: open("/opt/site/evil.pth", "w"))
_refused(lambda: os.mknod("/tmp/dev", 0o600 | 0o020000, os.makedev(1, 5)))
_refused(lambda: os.chroot("/tmp"))
for call in ((libc.unshare, 0x10000000), (libc.mount, b"none", b"/tmp", b"tmpfs", 0, None),
             (libc.ptrace, 16, 1, 0, 0), (libc.personality, 0x0040000),
             (libc.shmget, 5, 4096, 0o1600), (libc.syscall, 250, 0, 0)):
    if call[0](*call[1:]) != -1:
        raise SystemExit(f"not refused: {call}")
status = open("/proc/self/status").read()
for line in ("CapEff:\\t0000000000000000", "NoNewPrivs:\\t1", "Seccomp:\\t2"):
    if line not in status:
        raise SystemExit(f"missing: {line}")
""",
    "files, links and folders with hostile names": """
import os
for name in ("-rf", "a\\nb", "\\x1b[2J", "=1+1", "ü" * 20):
    open("/tmp/" + name, "w").close()
os.symlink("/", "/tmp/root")
try:
    os.mkfifo("/tmp/fifo")
except PermissionError:
    pass
path = "/tmp"
for _ in range(60):
    path += "/d" * 10
    os.makedirs(path, exist_ok=True)
""",
}

# Payloads that cost exactly the tests that they touch: name → (code, failed tests → cause).
COSTS = {
    "a dead candidate under raises": (
        "def refuse(x):\n    import os; os._exit(0)",
        {"test_e_raises": "died"},
    ),
    "exit of the interpreter under raises": (
        "def refuse(x):\n    raise SystemExit(0)",
        {"test_e_raises": "wrong-value"},
    ),
    "an object equal to everything": (
        (
            "class Yes:\n    def __eq__(self, other): return True\n"
            "    def __len__(self): return 3\n"
            "def double(x): return Yes()\ndef fill(df): return Yes()"
        ),
        {
            "test_a_value": "wrong-value",
            "test_f_frame": "wrong-value",
            "test_g_neighbour": "wrong-value",
            "test_i_threads": "wrong-value",
            "test_k_handles": "candidate-error",
        },
    ),
    "errors by the names of pytest's outcomes": (
        (
            "class Exit(BaseException): pass\nclass Skipped(BaseException): pass\n"
            "Exit.__module__ = Skipped.__module__ = '_pytest.outcomes'\n"
            "def refuse(x): raise Skipped('skip')\ndef fill(df): raise Exit('all is well')\n"
            "def count(): raise KeyboardInterrupt\n"
        ),
        {
            "test_b_count": "candidate-error",
            "test_c_count_again": "candidate-error",
            "test_d_fresh": "candidate-error",
            "test_e_raises": "wrong-value",
            "test_f_frame": "candidate-error",
            "test_k_handles": "candidate-error",
        },
    ),
    "an empty frame where rows are due": (
        "def fill(df): return df.iloc[0:0]",
        {"test_f_frame": "wrong-value", "test_k_handles": "wrong-value"},
    ),
    "NaN everywhere": (
        (
            "def fill(df):\n"
            "    nan = float('nan')\n"
            "    return df * nan if 'b' not in df else df.assign(a=nan)\n"
            "def double(x): return float('nan')"
        ),
        {
            "test_a_value": "wrong-value",
            "test_f_frame": "wrong-value",
            "test_g_neighbour": "wrong-value",
            "test_i_threads": "wrong-value",
        },
    ),
    "a reply of 10 GB": (
        "def double(x): return 'A' * 10**10",
        {
            "test_a_value": "memory",
            "test_g_neighbour": "memory",
            "test_i_threads": "memory",
        },
    ),
    "a reply above the limit": (
        "def double(x): return 'A' * (9 << 20)",
        {
            "test_a_value": "too-large",
            "test_g_neighbour": "too-large",
            "test_i_threads": "candidate-error",
        },
    ),
    "memory until it is killed": (
        "def double(x):\n    hoard = []\n    while True: hoard.append(bytearray(1 << 20))",
        {
            "test_a_value": "memory",
            "test_g_neighbour": "memory",
            "test_i_threads": "memory",
        },
    ),
    "an endless loop": (
        "def refuse(x):\n    while True: pass",
        {"test_e_raises": "timeout"},
    ),
    "a fork bomb": (
        (
            "def refuse(x):\n    import os\n    while True:\n        try: os.fork()\n"
            "        except OSError: pass"
        ),
        {"test_e_raises": "timeout"},
    ),
    "stopping itself": (
        "def refuse(x):\n    import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        {"test_e_raises": "timeout"},
    ),
    "half a gigabyte of output": (
        (
            "def refuse(x):\n    import os\n    block = b'x' * (1 << 20)\n"
            "    for _ in range(512): os.write(1, block)\n    raise ValueError('negative')"
        ),
        {},
    ),
    "a frame before its question": (
        """
import os, struct, threading
def _channel():
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"):
                os.write(fd, b"")
                yield fd
        except OSError:
            pass
def refuse(x):
    def late():
        import time; time.sleep(0.05)
        for fd in _channel():
            os.write(fd, struct.pack(">IIQB3x", 3, 0, 99, 19) + b"abc")
    threading.Thread(target=late).start()
    import time; time.sleep(0.01)
    raise ValueError("negative")
def double(x):
    for fd in _channel():
        os.write(fd, struct.pack(">IIQB3x", 3, 0, 1 << 40, 19) + b"abc")
    return 2 * x
""",
        {
            "test_a_value": "bad-reply",
            "test_g_neighbour": "bad-reply",
            "test_i_threads": "bad-reply",
        },
    ),
    "a length that lies": (
        """
import os, struct
def double(x):
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"):
                for number in range(64):
                    os.write(fd, struct.pack(">IIQB3x", 0xFFFFFFFF, 0, number, 19))
        except OSError:
            pass
    return 2 * x
""",
        {
            "test_a_value": "*",
            "test_g_neighbour": "*",
            "test_i_threads": "*",
        },
    ),
    "closing the channel": (
        "def refuse(x):\n    import os; os.closerange(0, 256)\n    while True: pass",
        {"test_e_raises": "died"},
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_attack_changes_no_verdict(
    name: str, worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    probed = probe(worker, bench, attack(SAME[name]), tmp_path)
    assert probed.failed == {}, [(e.test.id, e.message) for e in probed.report.evidence]


@pytest.mark.parametrize("name", COSTS)
def test_attack_costs_its_own_tests_only(
    name: str, worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    payload, expected = COSTS[name]
    probed = probe(worker, bench, attack(payload), tmp_path)
    seen = {key: "*" if expected.get(key) == "*" else cause for key, cause in probed.failed.items()}
    assert seen == expected, [(e.test.id, e.message) for e in probed.report.evidence]
    assert probed.report.moment.timings["tests"] < WALL_SECONDS + 2


def test_every_collected_test_has_a_verdict_when_import_exits(
    worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    probed = probe(worker, bench, "import os\nos._exit(0)\n", tmp_path)
    assert probed.failed == dict.fromkeys(TESTS, "died")


def test_import_that_never_ends_is_waited_for_twice(
    worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    clock = time.monotonic()
    probed = probe(worker, bench, "while True: pass\n", tmp_path)
    assert set(probed.failed.values()) == {"timeout"}
    assert len(probed.failed) == len(TESTS)
    assert time.monotonic() - clock < 2 * 4 + 6


def test_wall_limit_ends_the_run(worker: Worker, bench: Workbench, tmp_path: Path) -> None:
    slow = "import time\ntime.sleep(3)\n" + HONEST  # a busy machine needs some of the 4 s to load
    probed = probe(worker, bench, slow, tmp_path)
    causes = [str(item.cause) for item in probed.report.evidence]
    assert causes.count("wall-limit") > 1
    assert causes[causes.index("wall-limit") :] == ["wall-limit"] * causes.count("wall-limit")
    assert probed.report.moment.timings["tests"] < WALL_SECONDS + 2
    assert len(replay(probed.folder, root=PROJECT)) == len(causes)


@pytest.mark.parametrize(
    ("source", "where", "words"),
    [
        ("x = 1\ndef double(x:\n", "solution.py:2", "SyntaxError"),
        ("import polars\n", "solution.py:1", "polars is not available; the exercise provides:"),
        ("from pandas import nothing\n", "solution.py:1", "ImportError"),
        ("x = 1\n\nraise OSError('no such file')\n", "solution.py:3", "no such file"),
    ],
)
def test_load_error_names_file_and_line(
    source: str, where: str, words: str, worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    probed = probe(worker, bench, source, tmp_path)
    first = probed.report.evidence[0]
    assert set(probed.failed.values()) == {"load-error"}
    assert first.where.startswith(where)
    assert words in first.message


def test_missing_function_is_named(worker: Worker, bench: Workbench, tmp_path: Path) -> None:
    probed = probe(worker, bench, HONEST.replace("def double", "def other"), tmp_path)
    assert probed.failed["test_a_value"] == "candidate-error"
    message = next(e.message for e in probed.report.evidence if e.status == "failed")
    assert "solution.py does not define double" in message


def test_wrong_signature_is_named(worker: Worker, bench: Workbench, tmp_path: Path) -> None:
    probed = probe(worker, bench, HONEST.replace("def double(x)", "def double()"), tmp_path)
    assert probed.failed["test_a_value"] == "candidate-error"
    message = next(e.message for e in probed.report.evidence if e.status == "failed")
    assert "double() takes 0 positional arguments but 1 was given" in message
