"""Programs in forks of one process that has imported what they need.

A Python of its own spends a second or two on imports, and a tenth of one on its test.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300  # after which a program is killed
SERVER = """
import json, os, signal, sys, tempfile, threading, traceback
sys.path.insert(0, os.getcwd())
exec(sys.argv[1])
for line in sys.stdin:
    job = json.loads(line)
    if (pid := os.fork()) == 0:
        code = 99
        try:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            for descriptor, path in ((1, job["out"]), (2, job["err"])):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
            os.environ.clear()
            os.environ.update(job["environment"])
            tempfile.tempdir = None
            os.chdir(job["folder"])
            sys.argv[:] = ["-c", *job["arguments"]]
            exec(job["program"], {"__name__": "__main__"})
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
            code = 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    timer = threading.Timer(job["seconds"], os.kill, (pid, signal.SIGKILL))
    timer.start()
    status = os.waitpid(pid, 0)[1]
    timer.cancel()
    timer.join()
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Forks:
    """A process that has run `imports`, and forks for each program; it starts with the first."""

    def __init__(self, imports: str) -> None:
        self._imports = imports
        self._server: subprocess.Popen[str] | None = None

    def run(
        self, program: str, *arguments: str, folder: Path, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program in a fork, in that folder and environment, and wait for its end."""
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-c", SERVER, self._imports],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self._server.kill)
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with tempfile.TemporaryDirectory() as scratch:
            out, err = Path(scratch, "out"), Path(scratch, "err")
            job = {
                "program": program,
                "arguments": arguments,
                "folder": str(folder),
                "environment": environment,
                "out": str(out),
                "err": str(err),
                "seconds": SECONDS,
            }
            self._server.stdin.write(json.dumps(job) + "\n")
            self._server.stdin.flush()
            code = int(self._server.stdout.readline())
            return subprocess.CompletedProcess(
                [program, *arguments], code, out.read_bytes(), err.read_bytes()
            )
