"""The audit hook in a process of its own: what it reports, and what it leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as in the containers")

RUN = """
import os, sys
from grader.candidate import audit, reports
folder = sys.argv[1]
files = {name: open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)}
ours, theirs = reports.report_sockets()
audit.arm(theirs, folder, files)
sys.path.insert(0, folder)
pid = os.fork()
if pid == 0:
    try:
        import solution
    finally:
        os._exit(0)
os.close(theirs)
os.waitpid(pid, 0)
found = reports.Reports()
found.drain(ours)
os.write(1, repr(found.take()).encode())
"""


def reported(tmp_path: Path, code: str, **files: str) -> list[list[str]]:
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "solution.py").write_text(textwrap.dedent(code))
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-B", "-P", "-c", RUN, str(folder)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    found: list[list[str]] = eval(done.stdout.splitlines()[-1])
    return found


UNREVIEWED = {
    "text": ("exec('X = 1')", "text was compiled to code"),
    "expression": ("eval('1 + 1')", "text was compiled to code"),
    "hint-that-calls": (
        "import typing\nclass A: a: 'print(1)'\ntyping.get_type_hints(A)",
        "text was compiled to code",
    ),
    "hint-that-calls-as-text-of-another": (
        (
            "from __future__ import annotations\nimport typing\nclass A: a: list['print(1)']\n"
            "class B: pass\nB.__annotations__ = {'a': 'print(1)'}\ntyping.get_type_hints(B)"
        ),
        "text was compiled to code",
    ),
    "field-that-is-code": (
        (
            "import dataclasses\n"
            "kind = type('A', (), {'__annotations__': {'a or print(1)': int}})\n"
            "dataclasses.dataclass(init=False, repr=False)(kind)"
        ),
        "text was executed as code",
    ),
    "marshal": (
        "import marshal\nmarshal.loads(marshal.dumps((lambda: 1).__code__))",
        "a code object was made from bytes",
    ),
    "code-by-hand": (
        "(lambda: 1).__code__.replace(co_name='x')",
        "a code object was made by hand",
    ),
    "pickle": (
        "import pickle\npickle.loads(b'cbuiltins\\neval\\n(V1\\ntR.')",
        "a pickle asks for builtins.eval",
    ),
    "program": (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])",
        "another program was started",
    ),
    "program-of-multiprocessing": (
        (
            "import sys\nfrom multiprocessing.util import spawnv_passfds\n"
            "spawnv_passfds(sys.executable.encode(), [b'x', b'-c', b''], ())"
        ),
        "another program was started",
    ),
    "memory": (
        "import ctypes\nctypes.memmove(ctypes.create_string_buffer(1), b'x', 1)",
        "memory of the process was opened",
    ),
    "runner": ("from grader.candidate import runner", "the runner was imported"),
    "module-run-as-a-program": (
        (
            "import runpy, sys\nsys.argv = ['timeit', '-n', '1', '-r', '1', '1']\n"
            "runpy.run_module('timeit', run_name='__main__')"
        ),
        "text was compiled to code",
    ),
    "file-rewritten-before-its-import": (
        (
            "import pathlib\npathlib.Path(__file__).with_name('other.py').write_text('Y = 2')\n"
            "import other"
        ),
        "a file that is not as it was handed in was compiled",
    ),
    "archive-of-modules": (
        (
            "import sys, tempfile, zipfile\npath = tempfile.mktemp()\n"
            "with zipfile.ZipFile(path, 'w') as z: z.writestr('zipped.py', 'X = 1')\n"
            "sys.path.insert(0, path)\nimport zipped"
        ),
        "text was compiled to code",
    ),
}


@pytest.mark.parametrize("name", UNREVIEWED)
def test_what_was_not_reviewed_is_reported_with_its_place(name: str, tmp_path: Path) -> None:
    code, what = UNREVIEWED[name]
    found = dict(reported(tmp_path, code, other="X = 1\n"))
    assert found[what].startswith("solution.py:")


def test_files_that_are_loaded_are_named(tmp_path: Path) -> None:
    found = reported(tmp_path, "import other, empty\n", other="X = 1\n", empty="\n", idle="X = 1\n")
    assert found == [["loaded", "solution.py"], ["loaded", "other.py"]]


def test_a_closed_channel_ends_the_process(tmp_path: Path) -> None:
    found = reported(
        tmp_path, "import os\nos.closerange(3, 64)\nexec('X = 1')\nimport other\n", other="X = 1\n"
    )
    assert found == [["loaded", "solution.py"]]


def test_another_channel_in_its_place_ends_the_process(tmp_path: Path) -> None:
    code = """
        import os, socket
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for fd in range(3, 20):
            if fd not in (a.fileno(), b.fileno()):
                os.dup2(a.fileno(), fd)
        import other
        os.write(1, b"went on")
    """
    assert reported(tmp_path, code, other="X = 1\n") == [["loaded", "solution.py"]]


HONEST = """
    from __future__ import annotations
    import collections, contextlib, copy, dataclasses, enum, functools, inspect, io, logging.config
    import pickle, platform, subprocess, traceback, typing
    import joblib
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    @dataclasses.dataclass(frozen=True, slots=True, order=True)
    class Row:
        a: int = 1
        b: list[int] = dataclasses.field(default_factory=list)

    Pair = collections.namedtuple("Pair", "a b")

    class Named(typing.NamedTuple):
        x: "int | None"
        y: "list[str]" = []

    class Kind(enum.Flag):
        A = 1
        B = 2

    @functools.singledispatch
    def shown(x): return x

    @shown.register
    def _(x: int): return x

    typing.get_type_hints(Row), typing.get_type_hints(Named)
    inspect.get_annotations(Row, eval_str=True), inspect.signature(shown)
    frame = pd.DataFrame({"a": [1.0, 2.0, None] * 9, "b": ["x", "y", None] * 9})
    frame.query("a > 1").eval("c = a * 2").groupby("b").agg(["count"])
    x = np.random.rand(40, 3)
    model = make_pipeline(StandardScaler(), FunctionTransformer(np.log1p), LogisticRegression())
    model = pickle.loads(pickle.dumps(model.fit(abs(x), x[:, 0] > 0.5)))
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    joblib.load(file).predict(x)
    repr(model), copy.deepcopy(model), platform.platform(), platform.processor()
    logging.config.dictConfig({"version": 1})
    with contextlib.suppress(OSError):
        subprocess.run(["a-program-that-is-not-here"])
    import tempfile
    joblib.Memory(tempfile.mkdtemp(), verbose=0).cache(shown)(3)
    print("to its end", flush=True)
"""


def test_honest_code_is_left_alone(tmp_path: Path) -> None:
    assert reported(tmp_path, HONEST) == [["loaded", "solution.py"]]


def test_hints_of_reviewed_files_may_call(tmp_path: Path) -> None:
    code = """
    from __future__ import annotations
    import inspect, typing
    from dataclasses import field

    class Query:
        text: typing.Annotated[str, field(default=3)]

    def handler(query: typing.Annotated[Query, field(default=4)]) -> None: ...

    typing.get_type_hints(Query, include_extras=True)
    inspect.signature(handler, eval_str=True)
    """
    assert reported(tmp_path, code) == [["loaded", "solution.py"]]
