"""The audit hook in a process of its own: what it reports, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from grader.candidate.reviewed import Reviewed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as in the containers")

RUN = """
import os, sys
from grader.candidate import audit, reports
from grader.candidate.reviewed import Reviewed
folder = sys.argv[1]
files = {name: open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)}
ours, theirs = reports.report_sockets()
audit.arm(theirs, folder, Reviewed.read(files), None, tuple(sys.argv[2:]))
sys.path.insert(0, folder)
pid = os.fork()
if pid == 0:
    try:
        import solution
    finally:
        os._exit(0)
"""
# The end of each program: what the hook in the child told.
TOLD = """
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
    return reports_of(RUN, str(folder))


def reports_of(program: str, *arguments: str, packages: Path | None = None) -> list[list[str]]:
    """What a process that runs a program was told by the hook in its child.

    Args:
        program: what it runs; `TOLD` comes behind it.
        *arguments: of the program.
        packages: a folder that belongs to the image.
    """
    path = [str(Path.cwd()), *([str(packages)] if packages else [])]
    done = subprocess.run(
        [sys.executable, "-B", "-P", "-c", program + TOLD, *arguments],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
    )
    found: list[list[str]] = eval(done.stdout.splitlines()[-1])
    return found


# A text of a class that answers for its characters.
LIAR = """
import importlib._bootstrap_external, sys
class Liar(str):
    def startswith(self, *_): return isinstance(_[0], tuple)
    def __contains__(self, part): return False
    def __eq__(self, other): return True
    def __hash__(self): return hash(importlib._bootstrap_external.__file__)
    def encode(self, *_): return b''
"""

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
        "text was executed as code",
    ),
    "timeit-of-text": (
        "import timeit\ntimeit.timeit('x = 1', number=1)",
        "text was executed as code",
    ),
    "timeit-of-a-function-and-text": (
        "import timeit\ntimeit.timeit(dict, setup='_stmt = list', number=1)",
        "text was executed as code",
    ),
    "timeit-by-another-template": (
        (
            "import timeit\ntimeit.template = 'x = 1\\ndef inner(_it, _timer{init}):\\n {stmt}'\n"
            "timeit.Timer(dict)"
        ),
        "text was executed as code",
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
    # What the hook is asked about has methods of its own.
    "name-that-says-it-is-of-the-image": (
        LIAR + "code = compile('X = 1', Liar(__file__), 'exec')",
        "a file that is not as it was handed in was compiled",
    ),
    "file-that-says-it-is-of-the-image": (
        LIAR
        + (
            "import tempfile\npath = tempfile.mktemp()\n"
            "with open(path, 'w') as file: file.write('X = 1')\n"
            "exec(compile('X = 1', Liar(path), 'exec'))"
        ),
        "text was compiled to code",
    ),
    "frame-that-says-it-is-of-the-image": (
        LIAR
        + (
            "if 'again' not in globals():\n"
            "    text = open(__file__).read()\n"
            "    exec(compile(text, Liar(__file__), 'exec'), {'again': 1, '__file__': __file__})\n"
            "else:\n"
            "    exec('X = 1')"
        ),
        "text was compiled to code",
    ),
    "module-that-says-its-name-is-another": (
        (
            "class Liar(str):\n    def __str__(self): return 'json'\n"
            "__import__(Liar('grader.candidate.runner'))"
        ),
        "the runner was imported",
    ),
    # What the hook may be made of is changed.
    "builtins-changed": (
        (
            "import builtins, dataclasses\n"
            "builtins.all = lambda _: True\n"
            "kind = type('A', (), {'__annotations__': {'a or print(1)': int}})\n"
            "dataclasses.dataclass(init=False, repr=False)(kind)"
        ),
        "text was executed as code",
    ),
    "field-whose-name-is-computed": (
        (
            "import dataclasses\n"
            "class Name:\n"
            "    def __get__(self, field, kind): return 'a or print(1)'\n"
            "    def __set__(self, field, value): pass\n"
            "dataclasses.Field.name = Name()\n"
            "kind = type('A', (), {'__annotations__': {'a': int}})\n"
            "dataclasses.dataclass(init=False, repr=False)(kind)"
        ),
        "text was executed as code",
    ),
    "trees-changed": (
        (
            "import ast, typing\n"
            "ast.walk = lambda tree: []\nast.parse = lambda *_, **__: None\n"
            "typing.get_type_hints(type('A', (), {'__annotations__': {'a': 'print(1)'}}))"
        ),
        "text was compiled to code",
    ),
    "code-under-another-files-name": (
        (
            "import _imp, collections\n"
            "def namedtuple(): exec('X = 1')\n"
            "_imp._fix_co_filename(namedtuple.__code__, collections.__file__)\nnamedtuple()"
        ),
        "a code object got another file's name",
    ),
    "program-announced-by-hand": (
        "import sys\nsys.audit('grader.fork_exec', (b'x', 1))",
        "another program was started",
    ),
    "event-raised-by-hand": (
        "import sys\nclass Code:\n    co_filename = 'x'\nsys.audit('exec', Code())",
        "an event was raised by hand",
    ),
    "event-raised-by-hand-with-nothing": (
        (
            "import sys\ntry:\n    sys.audit('open')\n"
            "except IndexError as error:\n    error.__traceback__.tb_next.tb_frame.f_locals.clear()"
        ),
        "an event was raised by hand",
    ),
    "frames": ("import sys\nsys._current_frames()", "frames of the interpreter were looked at"),
    "constants-of-the-hook": (
        (
            "import __main__, sys\nvars(__main__).get('audit', __main__)._MOST = 0\n"
            "at = sys._getframe()\n"
            "while at:\n"
            "    for held in [*at.f_globals.values()]:\n"
            "        for it in (held, *getattr(held, '__dict__', {}).values()):\n"
            "            if hasattr(it, '_MOST'): it._MOST = 0\n"
            "            if hasattr(it, 'EVALUATORS'): it.EVALUATORS.clear()\n"
            "            if hasattr(it, '_Hook'): it._Hook.tell = print\n"
            "    at = at.f_back\n"
            "exec('X = 1')"
        ),
        "text was executed as code",
    ),
    "hook-of-its-own": ("import sys\nsys.addaudithook(print)", "an audit hook was added"),
    "frames-of-an-error": (
        (
            "import sys\nfound = []\n"
            "def dive(depth):\n"
            "    dive(depth - 1) if depth else open('/dev/null', 'w').close()\n"
            "for depth in range(sys.getrecursionlimit()):\n"
            "    try:\n        dive(depth)\n"
            "    except RecursionError as error:\n"
            "        at = error.__traceback__\n"
            "        while at:\n"
            "            for value in [*at.tb_frame.f_locals.values()]:\n"
            "                if type(value).__name__ in ('_Hook', 'dict', 'method'):\n"
            "                    found.append(value)\n"
            "            at = at.tb_next\n"
            "for value in found:\n"
            "    if hasattr(value, '_told'): value._told = {}; value._write = len\n"
            "exec('X = 1')"
        ),
        "text was executed as code",
    ),
    "collection-in-the-hook": (
        (
            "import gc, sys\nfound = []\n"
            "def seen(*_):\n"
            "    at = sys._getframe(1)\n"
            "    while at:\n"
            "        found.extend(v for v in at.f_locals.values() if hasattr(v, '_told'))\n"
            "        at = at.f_back\n"
            "gc.callbacks.append(seen)\ngc.set_threshold(1)\n"
            "for _ in range(50): open('/dev/null', 'w').close()\n"
            "for value in found: value._told = {}; value._write = lambda _, data: len(data)\n"
            "exec('X = 1')"
        ),
        "text was executed as code",
    ),
    "interpreter-by-a-worker": (
        (
            "from concurrent.futures import ThreadPoolExecutor\n"
            "def tried(name):\n"
            "    try: return ThreadPoolExecutor(1).submit(__import__, name).result()\n"
            "    except ImportError: pass\n"
            "tried('_interpreters'), tried('_xxsubinterpreters')\nexec('X = 1')"
        ),
        "text was executed as code",
    ),
    "method-of-a-dataclass": (
        (
            "import dataclasses\n"
            "class Default:\n"
            "    def __get__(self, instance, owner):\n"
            "        if hasattr(dataclasses, '_FuncBuilder'):\n"
            "            made = dataclasses._FuncBuilder({})\n"
            "            made.src = [' pass', ' print(6)']\n"
            "            made.add_fns_to_class(owner)\n"
            "        else:\n"
            "            dataclasses._create_fn('f', (), [' print(6)'])\n"
            "        return 1\n"
            "@dataclasses.dataclass\n"
            "class Row:\n    x: int = Default()"
        ),
        "text was executed as code",
    ),
    "tree-that-is-code": (
        (
            "import ast\nast.PyCF_ONLY_AST = 0\n"
            "try: ast.parse('X = 1', ast.__file__)\nexcept Exception: pass"
        ),
        "text was compiled to code",
    ),
    "function-that-a-module-calls": (
        (
            "import functools, sys, threading\nsys.modules.pop('webbrowser', None)\n"
            "threading.RLock = functools.partial(exec, 'X = 1', {})\n"
            "import webbrowser"
        ),
        "text was executed as code",
    ),
    "name-of-a-named-tuple": (
        (
            "import collections\nfrom types import SimpleNamespace\n"
            "text = 'ask, frame: _tuple_new(_cls, (ask(frame, \"fillna\")(0),)) #'\n"
            "collections._sys = SimpleNamespace(\n"
            "    intern=lambda name: text if name == 'formula' else name,\n"
            "    _getframemodulename=lambda *_: 'a', _getframe=lambda *_: None)\n"
            "try: collections.namedtuple('Formula', ['formula'])\n"
            "except Exception: pass"
        ),
        "text was executed as code",
    ),
    "template-of-a-distribution-that-works": (
        (
            "from scipy.stats import rv_continuous\nmade = rv_continuous(name='gaps')\n"
            "made._parse_arg_template = 'def _parse_args(self, T, n):\\n'"
            "'    for i in T[n](n): T[i](i)\\n'\n"
            "try: made._attach_argparser_methods()\nexcept KeyError: pass"
        ),
        "text was executed as code by scipy/stats/_distn_infrastructure.py",
    ),
    "proxy-method-that-is-code": (
        (
            "from multiprocessing.managers import MakeProxyType\n"
            "MakeProxyType('P', ['f(self, T, n):\\n    for i in T[n](n): T[i](i)\\n'"
            "'    return lambda self, args, kwds: 1\\n    def g'])"
        ),
        "text was executed as code",
    ),
    "program-that-comes-to-be": (
        (
            "import os, subprocess\n"
            "try: subprocess.run(['/tmp/not-there-yet'], preexec_fn=os.getpid)\n"
            "except OSError: pass"
        ),
        "another program was started",
    ),
    "template-of-a-distribution": (
        (
            "from scipy.stats import rv_continuous\nmade = rv_continuous(name='gaps')\n"
            "made._parse_arg_template = 'print(6)'\n"
            "try: made._attach_argparser_methods()\nexcept KeyError: pass"
        ),
        "text was executed as code by scipy/stats/_distn_infrastructure.py",
    ),
    "program-by-the-library": (
        "import sys, uuid\nuuid._get_command_stdout(sys.executable, '-c', '6')",
        "another program was started",
    ),
    "module-made-twice": (
        (
            "import _imp\nfrom types import SimpleNamespace\n"
            "_imp.create_builtin(SimpleNamespace(name='_signal', origin=None))"
        ),
        "a second copy of a module was made",
    ),
    "native-code": (
        (
            "import _imp, os\nfrom types import SimpleNamespace\nfd = os.memfd_create('a')\n"
            "try: _imp.create_dynamic(SimpleNamespace(name='a', origin=f'/proc/self/fd/{fd}'))\n"
            "except ImportError: pass"
        ),
        "code of the machine was loaded",
    ),
    "bytes-that-may-change": (
        (
            "import importlib._bootstrap_external as external, importlib.util, colorsys\n"
            "data = bytearray(open(colorsys.__cached__, 'rb').read()[16:])\n"
            "external._compile_bytecode(data, 'a', colorsys.__cached__, None)"
        ),
        "a code object was made from bytes",
    ),
    "own-memory": (
        "open('/proc/self/mem', 'r+b', buffering=0).close()",
        "memory of the process was opened",
    ),
    "own-memory-by-its-folder": (
        "import os\nos.open('mem', os.O_RDWR, dir_fd=os.open('/proc/self', os.O_RDONLY))",
        "memory of the process was opened",
    ),
    "own-memory-by-a-link": (
        (
            "import os, tempfile\npath = tempfile.mktemp()\nos.symlink('/proc/self/mem', path)\n"
            "os.open(os.path.basename(path), os.O_RDWR | os.O_CREAT, "
            "dir_fd=os.open(os.path.dirname(path), os.O_RDONLY))"
        ),
        "memory of the process was opened",
    ),
    "own-memory-by-a-link-to-nowhere-yet": (
        (
            "import os, tempfile\nhome = tempfile.mkdtemp()\nos.symlink('p/mem', home + '/m')\n"
            "os.symlink('../../../../../../../../../proc/self', home + '/p')"
        ),
        "memory of the process was opened",
    ),
    "file-opened-for-writing-below-a-number": (
        (
            "import os, tempfile\n"
            "os.open('x', os.O_WRONLY | os.O_CREAT, dir_fd=os.open(tempfile.mkdtemp(), 0))"
        ),
        "memory of the process was opened",
    ),
    "where-memory-is": ("open('/proc/self/maps').close()", "memory of the process was opened"),
    "where-memory-is-by-a-link": (
        (
            "import os, tempfile\npath = tempfile.mktemp()\nos.chdir('/proc')\n"
            "os.symlink('self', path)"
        ),
        "memory of the process was opened",
    ),
    "view-beyond-its-array": (
        "import numpy as np\nnp.lib.stride_tricks.as_strided(np.zeros(3), (4,), (8,))",
        "memory of the process was opened",
    ),
    "view-before-its-array": (
        "import numpy as np\nnp.lib.stride_tricks.as_strided(np.zeros(3), (2,), (-8,))",
        "memory of the process was opened",
    ),
    "calls-that-are-shown": (
        "import sys\nsys.setprofile(lambda *_: None)\nsys.setprofile(None)",
        "calls of the process were traced",
    ),
    "lines-that-are-shown": ("import sys\nsys.settrace(None)", "calls of the process were traced"),
    "text-under-the-name-of-a-file-of-the-image": (
        (
            "import timeit\ntimeit.dummy_src_name = timeit.__file__\n"
            "timeit.template = 'def inner(_it, _timer{init}): {setup} {stmt}'\ntimeit.Timer(dict)"
        ),
        "text was compiled to code",
    ),
    "text-that-an-import-is-made-to-run": (
        (
            "import functools, threading\nfrom numpy.testing import runstring\n"
            "lock = threading.RLock\n"
            "threading.RLock = functools.partial(runstring, 'print(1)', {})\n"
            "import webbrowser\nthreading.RLock = lock"
        ),
        "text was compiled to code by numpy/testing/_private/utils.py",
    ),
    "helper-of-a-dataclass-that-was-replaced": (
        (
            "import dataclasses\ntexts = iter(['a.b(c)'])\n"
            "dataclasses._field_init = lambda *_: next(texts, None)\n"
            "fields = [(name, int, dataclasses.field(init=False)) for name in 'abc']\n"
            "dataclasses.make_dataclass('A', fields, repr=False, eq=False)"
        ),
        "text was executed as code",
    ),
    "builtin-of-a-named-tuple-that-was-replaced": (
        (
            "import collections\ncollections.repr = lambda *_: '()'\n"
            "collections.namedtuple('A', 'b')"
        ),
        "text was executed as code",
    ),
    "program-by-the-folder-that-it-starts-in": (
        "import subprocess\nsubprocess.run(['./true'], cwd='/usr/bin')",
        "another program was started",
    ),
    "program-by-the-name-of-one-that-is-known": (
        (
            "import os, platform, tempfile\nfolder = tempfile.mkdtemp()\n"
            "os.symlink('/usr/bin/true', folder + '/file')\n"
            "os.environ['PATH'] = folder\nplatform._syscmd_file('x')"
        ),
        "another program was started",
    ),
    "methods-of-a-proxy-that-are-code": (
        (
            "from multiprocessing.managers import MakeProxyType\n"
            "MakeProxyType('A', ['f(self): print(1)\\ndef g'])"
        ),
        "text was executed as code",
    ),
}


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess._fork_exec.__closure__[0].cell_contents.__closure__",
        "import ctypes\nctypes.memmove.__closure__[0].cell_contents.__wrapped__",
        "import _imp\n_imp._fix_co_filename.__wrapped__",
        "import _signal\n_signal.signal.__wrapped__",
        "import os\nos.open.__wrapped__",
        "from numpy.lib import _stride_tricks_impl\n_stride_tricks_impl.DummyArray",
    ],
)
def test_what_raises_an_event_does_not_show_what_it_stands_for(code: str, tmp_path: Path) -> None:
    first, last = code.split("\n")
    tried = f"{first}\ntry:\n    {last}\nexcept AttributeError:\n    import other\n"
    assert ["loaded", "other.py"] in reported(tmp_path, tried, other="X = 1\n")


def test_ctypes_that_a_thread_calls_is_reported(tmp_path: Path) -> None:
    code = """
    import ctypes
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ctypes.string_at, b"1")
    """
    assert ["memory of the process was opened", ""] in reported(tmp_path, code)


@pytest.mark.skipif(
    not hasattr(sqlite3.Connection, "enable_load_extension"), reason="built without extensions"
)
def test_an_extension_of_sqlite_is_reported(tmp_path: Path) -> None:
    code = "import sqlite3\nsqlite3.connect(':memory:').enable_load_extension(True)"
    assert ["code of the machine was loaded", "solution.py:2"] in reported(tmp_path, code)


@pytest.mark.parametrize("name", UNREVIEWED)
def test_what_was_not_reviewed_is_reported_with_its_place(name: str, tmp_path: Path) -> None:
    code, what = UNREVIEWED[name]
    found = dict(reported(tmp_path, code, other="X = 1\n"))
    assert found[what].startswith("solution.py:")


def test_objects_that_a_worker_asks_for_are_reported(tmp_path: Path) -> None:
    code = """
        import gc
        from concurrent.futures import ThreadPoolExecutor
        ThreadPoolExecutor(1).submit(gc.get_objects).result()
    """
    assert ["memory of the process was opened", ""] in reported(tmp_path, code)


HINTED = """from __future__ import annotations
import inspect
class A: pass
A.__annotations__ = {{"a": open("{file}").read().rpartition("a: ")[2].partition(chr(10))[0]}}
inspect.get_annotations(A, eval_str=True)
"""


@pytest.mark.parametrize("where", ["a file that was not loaded", "below the main guard"])
def test_hints_that_nobody_reviewed_are_reported(where: str, tmp_path: Path) -> None:
    hint = "a: print(6)\n"
    if where == "below the main guard":
        file = f"{tmp_path}/submission/solution.py"
        text = HINTED.format(file=file) + f'if __name__ == "__main__":\n    {hint}'
        found = reported(tmp_path, text)
    else:
        text = HINTED.format(file=f"{tmp_path}/submission/other.py")
        found = reported(tmp_path, text, other=f"from __future__ import annotations\n{hint}")
    assert "text was executed as code" in dict(found)


def test_a_text_in_another_encoding_is_what_python_reads_of_it(tmp_path: Path) -> None:
    text = '# coding: gbk\nNOTE = "\u2014\\"  # ";(print(6))\n'  # read as UTF-8 it prints
    code = """
        from pathlib import Path
        import other
        path = Path(__file__).with_name("other.py")
        compile(path.read_text("gbk"), str(path), "exec")
        compile(path.read_text("utf-8"), str(path), "exec")
    """
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "solution.py").write_text(textwrap.dedent(code))
    (folder / "other.py").write_bytes(text.encode("utf-8"))
    assert reports_of(RUN, str(folder)) == [
        ["loaded", "solution.py"],
        ["loaded", "other.py"],
        ["a file that is not as it was handed in was compiled", "solution.py:6"],
    ]


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
    import pickle, platform, subprocess, timeit, traceback, typing
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
    Nothing = collections.namedtuple("Nothing", "")

    class Named(typing.NamedTuple):
        x: "int | None"
        y: "list[str]" = []

    class Signed(typing.NamedTuple):
        a: "typing.Literal[-1, 1]"
        b: "typing.Literal['a\\tb']" = "a\\tb"

    wide = collections.namedtuple("Wide", [f"c{n}" for n in range(60)])(*range(60))
    typing.cast("typing.Literal[-1]", -1)

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
    import cProfile, multiprocessing.managers, multiprocessing.sharedctypes, os, shutil, tempfile
    import numpy.f2py, scipy.optimize, scipy.stats
    from numpy.lib import stride_tricks
    multiprocessing.managers.MakeProxyType("Proxy", ("append", "pop"))
    stride_tricks.sliding_window_view(x, 4, axis=0).sum(), stride_tricks.as_strided(x, (5, 3))
    stride_tricks.as_strided(x[2:6, 1:], shape=(2, 2), strides=(-24, 16), writeable=False)
    stride_tricks.as_strided(x[:0]), stride_tricks.as_strided(x[::-1], (40,), (-24,))
    place = tempfile.mkdtemp()
    handle = os.open(place, os.O_RDONLY)
    os.close(os.open(".", os.O_RDONLY, dir_fd=handle)), os.close(handle)
    os.open in os.supports_dir_fd, list(os.fwalk(place)), shutil.rmtree(place)
    open("/proc/self/status").close(), open("/proc/cpuinfo").close()
    cProfile.Profile().runcall(shown, 3)
    joblib.Memory(tempfile.mkdtemp(), verbose=0).cache(shown)(3)
    timeit.timeit(lambda: shown(3), number=2), timeit.repeat(dict, number=2, repeat=2)
    timeit.Timer(dict, setup=list).timeit(1)
    print("to its end", flush=True)
"""


# A package that makes functions from text, and one that hands texts on.
MAKER = """
def made(text):
    space = {}
    exec(compile(text, "<made>", "exec"), space)
    return space

def run(function, *arguments):
    return function(*arguments)
"""


@pytest.mark.parametrize(
    ("allowed", "code", "told"),
    [
        ((), "made('x = 1')", ["compiled to code by maker/core.py", "executed as code by maker"]),
        (("maker",), "made('x = 1')", []),
        (("core",), "made('x = 1')", ["compiled to code by maker/core.py", "executed as code by"]),
        (("maker",), "run(exec, 'x = 1')", ["compiled to code by maker/core.py", "executed as"]),
        (("maker",), "exec('x = 1')", ["text was compiled to code", "text was executed as code"]),
    ],
)
def test_a_package_that_the_exercise_names_may_execute_what_it_makes(
    tmp_path: Path, allowed: tuple[str, ...], code: str, told: list[str]
) -> None:
    packages, folder = tmp_path / "packages", tmp_path / "submission"
    (packages / "maker").mkdir(parents=True)
    (packages / "maker" / "__init__.py").touch()
    (packages / "maker" / "core.py").write_text(MAKER)
    folder.mkdir()
    (folder / "solution.py").write_text(f"from maker.core import made, run\n{code}\n")
    found = reports_of(RUN, str(folder), *allowed, packages=packages)
    assert found[0] == ["loaded", "solution.py"]
    assert len(found[1:]) == len(told)
    for (what, place), part in zip(found[1:], told, strict=True):
        assert part in what
        assert place == "solution.py:2"


# A package that sets itself up as it is imported: it asks which libraries are loaded, and it makes
# functions under a name of its own for exec().
SETS_UP = """
exec_ = exec

def loaded(path="/proc/self/maps"):
    with open(path) as maps:
        return [line for line in maps if "libc" in line]

def made(text):
    space = {}
    exec_(text, space)
    return space

def libraries():
    with open("/proc/self/maps") as maps:
        return [line for line in maps if "libc" in line]

LIBRARIES, FUNCTIONS = libraries(), made("x = 1")
"""


def beside_package(tmp_path: Path, **files: str) -> list[list[str]]:
    """What is told of a submission beside a package of the image, ``setter`` or ``reader``."""
    packages, folder = tmp_path / "packages", tmp_path / "submission"
    packages.mkdir()
    folder.mkdir()
    for name, text in files.items():
        (packages if name in {"setter", "reader"} else folder).joinpath(f"{name}.py").write_text(
            text
        )
    return reports_of(RUN, str(folder), packages=packages)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("", []),
        ("setter.libraries()", ["memory of the process was opened"]),
        ("setter.loaded()", ["memory of the process was opened"]),
        (
            "setter.made('x = 1')",
            ["compiled to code by setter.py", "executed as code by setter.py"],
        ),
    ],
)
def test_a_package_may_set_itself_up_as_it_is_imported(
    tmp_path: Path, code: str, told: list[str]
) -> None:
    found = beside_package(tmp_path, setter=SETS_UP, solution=f"import setter\n{code}\n")
    assert found[0] == ["loaded", "solution.py"]
    assert len(found[1:]) == len(told)
    for (what, place), part in zip(found[1:], told, strict=True):
        assert part in what
        assert place == "solution.py:2"


def test_a_path_that_a_package_is_given_is_not_its_own(tmp_path: Path) -> None:
    reader = (
        "import settings\n\ndef read(path):\n    return open(path).read()\n\nread(settings.PATH)\n"
    )
    settings = "PATH = '/proc/self/maps'\n"
    found = beside_package(tmp_path, solution="import reader\n", settings=settings, reader=reader)
    assert ["memory of the process was opened", "solution.py:1"] in found


@pytest.mark.slow
def test_honest_code_is_left_alone(tmp_path: Path) -> None:
    assert reported(tmp_path, HONEST) == [["loaded", "solution.py"]]


@pytest.mark.slow
def test_what_libraries_do_for_honest_code_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "submission"
    folder.mkdir()
    shutil.copy(Path(__file__).with_name("honest_libraries.py"), folder / "solution.py")
    found = reports_of(RUN, str(folder))
    # Jinja is on this machine alone, where scikit-learn shows estimators by it.
    assert [report for report in found if "jinja2" not in report[0]] == [["loaded", "solution.py"]]


def test_hints_of_reviewed_files_may_call(tmp_path: Path) -> None:
    code = """
    from __future__ import annotations
    import inspect, typing
    from dataclasses import field

    class Query:
        text: typing.Annotated[str, field(default=3)]

    def handler(query: typing.Annotated[Query, field(default=4)]) -> None: ...

    Ts = typing.TypeVarTuple("Ts")

    def many(*args: *Ts, n: typing.Annotated[int, lambda v: v > 0]) -> None: ...

    def sized(n: typing.Annotated[int, tuple(str(i) for i in range(3))]) -> None: ...

    typing.get_type_hints(many), typing.get_type_hints(sized)

    def apply(run: typing.Callable[[*Ts], int]) -> tuple[*Ts]: ...

    typing.get_type_hints(Query, include_extras=True)
    inspect.signature(apply, eval_str=True)
    inspect.signature(handler, eval_str=True)
    exec("came = 'to the end'")
    """
    assert reported(tmp_path, code) == [
        ["loaded", "solution.py"],
        ["text was compiled to code", "solution.py:24"],
        ["text was executed as code", "solution.py:24"],
    ]


def test_hints_of_a_notebooks_cells_are_reviewed_too() -> None:
    cells = [
        {"cell_type": "code", "source": ["from __future__ import annotations\n", "import typing"]},
        {"cell_type": "code", "source": "%time\nx: nothing_that_parses = ["},
        {"cell_type": "markdown", "source": "y: str"},
        {"cell_type": "code", "source": "class A(typing.TypedDict):\n    a: dict[str, float]\n"},
    ]
    notebook = json.dumps({"cells": cells}).encode()
    files = {"solution.ipynb": notebook}
    hints = {"dict[str, float]": frozenset(files)}
    assert Reviewed.read(files) == Reviewed(files, hints=hints)
    broken = {"solution.ipynb": b"{"}
    assert Reviewed.read(broken) == Reviewed(broken)


NOTEBOOK = """
import os, sys
from pathlib import Path
from grader.candidate import audit, cells, config, reports
from grader.candidate.reviewed import Reviewed
folder, texts = Path(sys.argv[1]), eval(sys.argv[2])
numbered = tuple(enumerate(texts, 1))
notebook = config.NotebookConfig(path="solution.ipynb", cells=numbered, cell_ms=5000)
shell = cells.the_shell()
ours, theirs = reports.report_sockets()
pid = os.fork()
if pid == 0:
    try:
        os.chdir(folder)
        audit.arm(theirs, str(folder), Reviewed.read({}, notebook), notebook)
        if sys.argv[3] == "shown":
            cells.show_run(shell, config.LoadConfig(notebook=notebook), lambda line: None)
        else:
            cells.run_cells(shell, folder, notebook)
    finally:
        os._exit(0)
"""


def reported_of_cells(tmp_path: Path, cells: list[str], how: str) -> list[list[str]]:
    return reports_of(NOTEBOOK, str(tmp_path), repr(cells), how)


WATCHED = pytest.mark.parametrize("how", ["shown", "loaded"])
HONEST_CELLS = [
    "from __future__ import annotations\nimport google.colab, json\nimport numpy as np",
    "_, counts = np.unique([1, 1, 2], return_counts=True)\ncounts",
    "print(_, In[-1], _i, _1 if '_1' in globals() else '')\n(counts +\n 1)",
    "import asyncio\nawait asyncio.sleep(0, 7)",
    "def half(x: int) -> float:\n    return x / 2\nhalf(4); half(2)",
    "from nowhere import it; a = it.b\nc = 3; c",
    "get_ipython().ast_transformers\nx = (",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "1 / 0\n",
    "# only words\n",
]


@pytest.mark.slow
@WATCHED
def test_cells_of_a_notebook_are_left_alone(how: str, tmp_path: Path) -> None:
    assert reported_of_cells(tmp_path, HONEST_CELLS, how) == []


SWAPPED = {
    "what-is-left-of-a-cell": (
        (
            "class Lacks:\n    def after(self, *_): return ['print(1)'], ''\n"
            "get_ipython().lacks = Lacks()"
        ),
        "import nothing",
    ),
    "what-compiles": (
        (
            "import functools\nshell = get_ipython()\n"
            "shell.compile = lambda *_: compile('print(1)', *_[1:])"
        ),
        "x = 1",
    ),
    "what-transforms-trees": (
        (
            "import ast\nclass Other(ast.NodeTransformer):\n"
            "    def visit_Module(self, tree): return ast.parse('print(1)')\n"
            "get_ipython().ast_transformers.append(Other())\nget_ipython().run_cell('2')"
        ),
        "x = _ = 1",
    ),
    "what-is-run-by-hand": ("get_ipython().run_cell('print(1)')",),
    "text-under-a-cells-name": (
        "import sys\ncompile('print(1)', sys._getframe().f_code.co_filename, 'exec')",
    ),
}


@WATCHED
@pytest.mark.parametrize("name", SWAPPED)
def test_what_is_put_in_the_place_of_a_cell_is_reported(
    name: str, how: str, tmp_path: Path
) -> None:
    found = reported_of_cells(tmp_path, list(SWAPPED[name]), how)
    assert found[0][0].partition(" by ")[0] == "text was compiled to code"


def test_an_error_does_not_show_what_raises_an_event(tmp_path: Path) -> None:
    code = """
        import subprocess, traceback
        try:
            subprocess._fork_exec()
        except TypeError as error:
            found = [set(frame.f_locals) for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert len(found) == 2 and found[1] == {"args", "named", "done", "value", "inner"}, found
        import other
    """
    found = reported(tmp_path, code, other="X = 1\n")
    assert ["loaded", "other.py"] in found


def test_a_signal_handler_never_runs_inside_the_hook(tmp_path: Path) -> None:
    code = """
        import signal, time
        seen, calls = [], 0
        def handler(number, frame):
            global calls
            calls += 1
            while frame is not None:
                seen.append(frame.f_code.co_name)
                frame = frame.f_back
        assert signal.signal(signal.SIGALRM, handler) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGALRM) is handler
        end = time.monotonic() + 20
        while calls < 50 and time.monotonic() < end:
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            for _ in range(200):
                open("/dev/null", "w").close()
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert signal.signal(signal.SIGALRM, signal.SIG_IGN) is handler
        assert calls >= 50 and not {"see", "_opened", "_on_proc"} & set(seen), (calls, seen)
        import other
    """
    assert reported(tmp_path, code, other="X = 1\n") == [
        ["loaded", "solution.py"], ["loaded", "other.py"],
    ]  # fmt: skip
