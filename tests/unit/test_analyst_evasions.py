"""Code that is kept from the analyst's eyes earns nothing; honest code that looks like it may."""

from __future__ import annotations

from textwrap import indent

import pytest

from grader.analyst.analysis import analyse
from grader.analyst.checks import CHECKS
from grader.analyst.reach import Contract
from tests.unit.static_cases import CONTRACT, failed

CLEAN = '''"""A median imputer."""

import pandas as pd


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill the gaps of each column with its median."""
    return df.fillna(df.median())
'''
MESSY = "def work(df, xs=[]):\n    try:\n        print(df, xs)\n    except:\n        pass\n"
SEEN = {"errors-kept", "no-traps"}  # what is found where MESSY is read
ALL = len(CHECKS)
ADD = "sys.path.insert(0, str({}))\nimport engine\n"


def found(text: str, **others: str) -> set[str]:
    """Failed checks; in names of other files ``__`` is a slash."""
    files = {f"{name.replace('___', '/')}.py": other.encode() for name, other in others.items()}
    return failed({"solution.py": text.encode(), **files})


def is_refused(text: str, **others: str) -> bool:
    return len(found(text, **others)) == ALL


def calling(call: str, head: str = "") -> str:
    """A module whose `impute` does nothing but call something."""
    return f"{head}\n\ndef impute(df):\n    return {call}\n"


# What is imported.


def test_module_beside_a_package_of_its_name_is_refused() -> None:
    text = calling("engine.work(df)", "import engine")
    assert is_refused(text, engine=CLEAN, engine_____init__=MESSY)
    assert found(text, engine_____init__=MESSY) >= SEEN


def test_compiled_module_beside_its_decoy_is_refused() -> None:
    files = {
        "solution.py": calling("engine.impute(df)", "import engine").encode(),
        "engine.py": CLEAN.encode(),
        "engine.cpython-311-x86_64-linux-gnu.so": b"",
    }
    assert len(failed(files)) == ALL


@pytest.mark.parametrize(
    "head",
    [
        "import sys\nsys.path.insert(0, 'z')\nimport engine",
        "import sys as s\ns.path.insert(0, 'z')\nimport engine",
        "from sys import path\npath.insert(0, 'z')\nimport engine",
        "import sys\nfrom pathlib import Path\nH = Path(__file__)\n" + ADD.format("H.parent / 'z'"),
        "import os, sys\nsys.path[:0] = [os.path.join(os.getcwd(), 'z')]\nimport engine",
        "import sys\nsys.path = ['z'.lower(), *sys.path]\nimport engine",
        "import sys\nfor p in ['z']:\n    sys.path.insert(0, p)\nimport engine",
        "import sys\nPath = lambda _: 'z'\nsys.path.insert(0, Path(__file__))\nimport engine",
        "import sys\nfound = sys.path\nfound.insert(0, 'z')\nimport engine",
    ],
)
def test_decoy_that_a_changed_path_hides_is_refused(head: str) -> None:
    text = calling("engine.work(df)", head)
    assert is_refused(text, engine=CLEAN, z___engine=MESSY)
    assert not is_refused(text, z___engine=MESSY)


@pytest.mark.parametrize(
    "added", ["'data.zip'", "'model/archive'", "str(Path(__file__).parent / 'x.bin')", "f()"]
)
def test_archive_on_the_path_is_refused(added: str) -> None:
    head = f"import sys\nfrom pathlib import Path\nsys.path.insert(0, {added})\nimport engine\n"
    assert is_refused(calling("engine.work(df)", head))


@pytest.mark.parametrize("added", ["'..'", "'../shared'", "'/srv/project'"])
def test_folder_that_is_not_handed_in_costs_nothing(added: str) -> None:
    head = f"import sys\n\nimport pandas as pd\n\nsys.path.append({added})\n"
    assert not is_refused(calling("pd.isna(df)", head))


@pytest.mark.parametrize(
    "folder",
    [
        "str(Path(__file__).parent)",
        "str(Path(__file__).resolve().parents[0])",
        "os.path.dirname(os.path.abspath(__file__))",
        "str(HERE)",
        "'.'",
        "os.getcwd()",
    ],
)
def test_own_folder_on_the_path_costs_nothing(folder: str) -> None:
    head = (
        "import os\nimport sys\nfrom pathlib import Path\n\nHERE = Path(__file__).parent\n"
        f"if {folder} not in sys.path:\n    sys.path.insert(0, {folder})\nimport engine\n"
    )
    text = calling("engine.impute(df)", head)
    assert not is_refused(text, engine=CLEAN, tests___engine=MESSY)


def test_source_folder_on_the_path_is_the_one_that_is_read() -> None:
    head = "import sys\nsys.path.insert(0, 'src')\nimport engine"
    text = calling("engine.work(df)", head)
    assert found(text, app___engine=CLEAN, src___engine=MESSY) >= SEEN
    assert not is_refused(text, app___engine=CLEAN, src___engine=MESSY)


def test_notebook_takes_modules_from_its_own_folder_first() -> None:
    contract = Contract("nb/solution.py", CONTRACT.names, CONTRACT.methods)
    files = {
        "nb/solution.py": calling("engine.work(df)", "import engine").encode(),
        "nb/engine.py": MESSY.encode(),
        "engine.py": CLEAN.encode(),
    }
    told = {str(r["id"]).rpartition("::")[2] for r in analyse(files, contract) if r["message"]}
    assert told >= SEEN


PACKAGES = {
    "a package that patches its file": (
        calling("core.impute(df)", "import engine.core as core"),
        {"engine___core": CLEAN, "engine_____init__": MESSY + "work(1)\n"},
    ),
    "a function of the package above": (
        calling("engine.work(df)", "import engine.core"),
        {"engine___core": CLEAN, "engine_____init__": MESSY},
    ),
    "a file of a package as its attribute": (
        calling("engine.core.work(df)", "import engine"),
        {"engine_____init__": "from . import core\n", "engine___core": MESSY},
    ),
    "a file that another file imports": (
        calling("engine.core.work(df)", "import engine, other"),
        {"engine_____init__": "", "engine___core": MESSY, "other": "import engine.core\n"},
    ),
    "a star import of files": (
        calling("core.work(df)", "from engine import *"),
        {"engine_____init__": "__all__ = ['core']\n", "engine___core": MESSY},
    ),
    "names that a module makes up": (
        calling("made(df)", "from engine import made"),
        {"engine": "def __getattr__(name):\n    return work\n\n\n" + MESSY},
    ),
    "a module's own dictionary": (
        calling("engine.__dict__['w' 'ork'](df)", "import engine"),
        {"engine": MESSY},
    ),
    "getattr under another name": (
        calling("ask(engine, chr(119) + 'ork')(df)", "import engine\nask = getattr"),
        {"engine": MESSY},
    ),
    "a dotted name in a text": (
        calling(
            "attrgetter('core.work')(engine)(df)", "import engine\nfrom operator import attrgetter"
        ),
        {"engine_____init__": "from . import core\n", "engine___core": MESSY},
    ),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_code_of_a_package_is_read(name: str) -> None:
    text, others = PACKAGES[name]
    assert found(text, **others) >= SEEN


# How a class is found without its name.
KINDS = "class {}(type):\n    def __init__(cls, *rest):\n        FOUND.append(cls)\n\n\n"
FOUND = {
    "a field of a formatter": ("string.Formatter().get_field('0.Engine', (module,), {})", "", ""),
    "an expression for pandas": ("df.eval('@Engine').work(df)", "", ""),
    "an expression that is made": ("df.query(expr=made()).work(df)", "", ""),
    "a pickle": ("pd.read_pickle('data.bin').work(df)", "", ""),
    "a dump of joblib": ("joblib.load('data.bin').work(df)", "", ""),
    "a configurator": ("DictConfigurator({}).resolve('solution.Engine').work(df)", "", ""),
    "the members of a module": ("inspect.getmembers_static(module)[0][1].work(df)", "", ""),
    "a metaclass that is called": ("FOUND[0].work(df)", KINDS.format("Kinds"), "(Base)"),
    "a metaclass of a known name": (
        "FOUND[0].work(df)",
        KINDS.format("MyABCMeta"),
        "(metaclass=MyABCMeta)",
    ),
    "an accessor of pandas": ("df.gaps.work(df)", "@register_dataframe_accessor('gaps')\n", ""),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_class_that_is_found_without_its_name_is_read(name: str) -> None:
    call, head, base = FOUND[name]
    engine = f"{head}class Engine{base}:\n{indent(MESSY, '    ')}"
    assert found(engine + calling(call)) >= SEEN


@pytest.mark.parametrize("base", ["", "(object)", "(Base)"])
def test_methods_of_a_class_that_nothing_reaches_are_dead_code(base: str) -> None:
    body = "        y = 1\n        return y\n"
    methods = "".join(f"    def f{n}(self):\n{body}" for n in range(20))
    assert "no-dead-code" in found(f"{CLEAN}\n\nclass Engine{base}:\n{methods}")


def test_functions_that_look_like_markers_are_dead_code() -> None:
    functions = "".join(f"def __f{n}(x):\n    y = x\n    return y\n" for n in range(20))
    assert "no-dead-code" in found(f"{CLEAN}\n\n{functions}")
    markers = "def __dir__():\n    return ['impute']\n"
    assert "no-dead-code" not in found(f"{CLEAN}\n\n{markers * 20}")


def test_star_import_of_computed_names_is_refused() -> None:
    text = calling("core.work(df)", "from engine import *")
    package = "__all__ = ['co' + 're']\n"
    assert is_refused(text, engine_____init__=package, engine___core=MESSY)


# What runs on import.


RUNS = {
    "a decorator of its own": "def keep(f):\n    STORE.append(f)\n    return f\n\n\n@keep\n"
    + MESSY,
    "a default value": f"{MESSY}\n\ndef other(x=STORE.append(work)):\n    return x\n",
    "a class body that patches": MESSY + "\n\nclass Patch:\n    STORE.first = work\n",
    "a class body that calls": MESSY + "\n\nclass Patch:\n    kept = STORE.append(work)\n",
    "a condition that calls": MESSY + "\n\nif STORE.append(work):\n    pass\n",
    "a patch in a tuple": MESSY + "\n\nSTORE.first, rest = work, 1\n",
    "an item of its own class": "class Shelf:\n    def __class_getitem__(cls, item):\n"
    f"        STORE.append(item)\n\n\n{MESSY}\n\nshelf = Shelf[work]\n",
    "an operator": f"{MESSY}\n\nclass Patch:\n    kept = STORE + [work]\n",
    "an attribute that is told its class": "class Told:\n    def __set_name__(self, owner, name):\n"
    f"        STORE.append(owner.work)\n\n\ntold = Told()\n\n\nclass Hidden:\n"
    f"    told = told\n{indent(MESSY, '    ')}",
    "a subclass": "class Base:\n    def __init_subclass__(cls):\n        STORE.append(cls.work)\n\n"
    f"\nclass Hidden(Base):\n{indent(MESSY, '    ')}",
}


# Methods that nothing calls by name, but a base class or the text of a format string.
CALLED = {
    "by a base class": (
        "import threading\n\n\nclass Loader(threading.Thread):\n{method}\n\nx = Loader()"
    ),
    "by a formatter": "import string\n\n\nclass Hook(string.Formatter):\n{method}\n\nx = Hook()",
    "by a field": "class Loader:\n{method}\n\nx = '{{0.work}}'.format(Loader())",
    "by a field of a field": (
        "class Loader:\n{method}\n\nx = 'a {{b[0].c.work!r:>9}}'.format(Loader())"
    ),
}


@pytest.mark.parametrize("name", CALLED)
def test_method_that_is_called_by_no_name_is_read(name: str) -> None:
    text = CALLED[name].format(method=indent(MESSY, "    "))
    assert found(CLEAN + "\n\n" + text + "\n") >= SEEN


@pytest.mark.parametrize("name", RUNS)
def test_code_that_an_import_runs_is_read(name: str) -> None:
    text = "STORE = []\n\n\n" + RUNS[name] + calling("STORE[0](df)")
    assert found(text) >= SEEN


def test_function_that_a_library_decorates_is_not_used_by_that() -> None:
    text = CLEAN + "\n\n@functools.lru_cache(maxsize=None)\n" + MESSY
    assert not found(text.replace("import pandas", "import functools\n\nimport pandas")) & SEEN


def test_form_feed_ends_a_block_as_in_python() -> None:
    guard = 'if __name__ == "__main__":\n    pass\n   \fimport engine\n'
    assert found(guard + calling("engine.work(df)"), engine=MESSY) >= SEEN


# The main guard.


GUARD = '\n\nif __name__ == "__main__":\n    import engine\n'
NAMED = {
    "assigned": "__name__ = '__main__'",
    "in a tuple": "a, __name__ = 1, '__main__'",
    "a walrus": "(__name__ := '__main__')",
    "a loop": "for __name__ in ['__main__']:\n    pass",
    "imported": "from string import capwords as __name__",
    "a function": "def __name__(): ...",
    "a class": "class __name__: ...",
    "global": "def f():\n    global __name__\n    __name__ = '__main__'\n\n\nf()",
    "with": "with open('a') as __name__:\n    pass",
    "caught": "try:\n    f()\nexcept ValueError as __name__:\n    pass",
    "matched": "match '__main__':\n    case __name__:\n        pass",
    "deleted": "del __name__",
    "by another file": "import other",
    "by a star import": "from other import *",
    "setattr": "import solution\nsetattr(solution, '__name__', '__main__')",
    "setattr of a name": "import solution\nKEY = '__name__'\nsetattr(solution, KEY, '__main__')",
}
OTHER = "import solution\n\nsolution.__name__ = '__main__'\n"


@pytest.mark.parametrize("name", NAMED)
def test_what_a_renamed_module_guards_is_read(name: str) -> None:
    other = "__name__ = '__main__'\n__all__ = ['__name__']\n" if "star" in name else OTHER
    text = NAMED[name] + GUARD + calling("engine.work(df)")
    assert found(text, engine=MESSY, other=other) >= SEEN


@pytest.mark.parametrize("tail", ["STORE.append(work)", "", "pass"])
def test_what_is_defined_below_the_main_guard_is_read(tail: str) -> None:
    guard = f'STORE = []\n\nif __name__ == "__main__":\n{indent(MESSY + tail, "    ")}\n'
    assert found(guard + calling("STORE[0](df)")) >= SEEN


def test_notebook_that_imports_itself_is_read_as_itself() -> None:
    parts = f"class Parts:\n{indent(MESSY, '    ')}\n\n"
    cells = f"{parts}from solution import Parts as Tools\n\nkept = Tools()\n"
    contract = Contract("solution.ipynb", CONTRACT.names)
    files = {"solution.ipynb": (cells + calling("getattr(kept, 'work')(df)")).encode()}
    told = {str(r["id"]).rpartition("::")[2] for r in analyse(files, contract) if r["message"]}
    assert told >= SEEN


def test_notebook_that_is_named_main_guards_nothing() -> None:
    contract = Contract("__main__.py", CONTRACT.names)
    files = {
        "__main__.py": (GUARD + calling("engine.work(df)")).encode(),
        "engine.py": MESSY.encode(),
    }
    told = {str(r["id"]).rpartition("::")[2] for r in analyse(files, contract) if r["message"]}
    assert told >= SEEN


# Code from text, and what only looks like it.


MADE = [
    "match print:\n    case object(__self__=x): ...",
    "match print:\n    case object(sys=object(modules=x)): ...",
    "match print:\n    case object(tb_frame=x): ...",
    "match print:\n    case object(exec=x): ...",
    "match print:\n    case __array_interface__: ...",
    "match {}:\n    case {**__array_struct__}: ...",
    "from types import SimpleNamespace\nSimpleNamespace(__array_interface__={})",
    "class __array_interface__: ...",
    "import numpy as __array_struct__",
    "import importlib.metadata\nm = importlib.import_module('messy')",
    "from importlib import import_module, metadata",
    "from importlib.metadata import EntryPoint",
    "from importlib.metadata import entry_points",
    "from importlib.resources import files\nfiles('messy')",
    "from importlib import resources\nresources.files('messy')",
    "from pydoc import locate",
    "import doctest\ndoctest.testmod()",
    "from doctest import testmod",
    "import doctest\nx = doctest",
    "class A:\n    __array_interface__ = {'data': (1, False)}",
    "class A:\n    @property\n    def __array_struct__(self): ...",
    "class A: ...\na = A()\na.__array_interface__ = {}",
    "class A: ...\nsetattr(A, '__array_interface__', {})",
    "import pyarrow\npyarrow.foreign_buffer(1, 2)",
    "def g(x: 'Literal[print()]'): ...",
    "from typing import List as Literal\ndef g(x: Literal['print()']): ...",
    "from typing import Annotated\ndef g(x: Annotated['print()', 1]): ...",
    "import timeit\ntimeit.timeit('x = 1')",
    "from timeit import Timer\nTimer('x = 1').timeit()",
    "import timeit\ndef f(): ...\nf = 'x = 1'\ntimeit.timeit(f)",
    "import timeit\ntimeit.timeit(lambda: 1, setup='x = 1')",
    "import timeit\nt = timeit",
    "from unittest import mock",
    "from unittest.mock import patch",
    "import unittest\nunittest.defaultTestLoader.loadTestsFromName('messy')",
    "import unittest\nunittest.main('messy')",
    "import cProfile\ncProfile.run('x = 1')",
    "import cProfile\ncProfile.Profile().runctx('x = 1', {}, {})",
    "import cProfile as c\np = c.Profile()\np.run('x = 1')",
    "import trace",
    "import typing\ntyping.get_type_hints(pd)",
    "from typing import get_type_hints as hints",
    "from typing import ForwardRef",
    "import inspect\ninspect.currentframe()",
    "from inspect import stack",
    "import inspect\ninspect.signature(pd, eval_str=True)",
    "import sys\nsys._getframe()",
    "import sys as s\ns.modules",
    "import sys\ns = sys",
    "import sys\nf(sys)",
    "import sys\ngetattr(sys, 'modules')",
    "from os import sys as s\ns.modules",
    "import logging\nlogging.sys.modules",
    "import logging.config\nlogging.config.fileConfig('x')",
    "pd.io.common.os.system('x')",
    "from pandas.compat._optional import import_optional_dependency",
    "from other import s\ns.modules",
    "from other import *\ns.modules",
    "import other\nother.s.modules",
    "from operator import attrgetter as a\na('__globals__')",
    "print.__self__.exec('x')",
    "import site\nsite.addsitedir('x')",
    "__path__ = ['x']",
    "__package__ = 'x'",
    "import os\nos.execvp('x', [])",
    "def g(x: 'exec_it()'): ...",
    "vars()['x'] = 1",
    "vars(pd)['x'] = 1",
    "vars(pd).update(x=1)",
    "import solution\nsolution.__dict__[KEY] = '__main__'",
    "pd.__dict__.update(x=1)",
    "KEY = '__na' + 'me__'\nsetattr(pd, KEY, '__main__')",
    "v = vars",
    "if 0:\n    def exec(x): ...\nexec('x')",
    "exec('x')\ndef exec(x): ...",
    "def exec(x): ...\ndel exec\nexec('x')",
    "[exec('x') for exec in [exec]]",
    "class A:\n    exec = 1\n    def f(self): return exec('x')",
    "def g():\n    global exec\n    exec('x')\n    exec = 1",
    "import pickle\npickle.loads(b'')",
    "import pickle as p\np.load(open('x'))",
    "from pickle import loads",
    "from pickle import *",
    "import pickle\nx = pickle",
    "import pickle\ngetattr(pickle, 'loads')",
    "import pickle\npickle.Unpickler(open('x'))",
    "import _pickle\n_pickle.loads(b'')",
    "import dill",
    "pd.DataFrame().plot(backend='messy')",
    "pd.set_option('plotting.backend', 'messy')",
    "pd.options.plotting.backend = 'messy'",
    "import matplotlib\nmatplotlib.use('module://messy')",
    "import gc\ngc.get_objects()",
    "HOLDER = '__builtins__'\ngetattr(pd, HOLDER)",
    "for name in ['shape', '__builtins__']:\n    getattr(pd, name)",
    "def g(thing, name='__globals__'):\n    return getattr(thing, name)",
    "import logging\nA, B = 'setprofile', 1\ngetattr(logging.sys, A)",
    "import logging\nx = [logging.sys, 'settrace']",
    "KEY = '_'.join(['_', 'array', 'interface', '_'])\nx = [KEY]",
    "x = ['ceve'[::-1].replace('v', 'x')[:0] + 'ex' + 'ec']",
    "x = '{}{}'.format('ev', 'al')",
    "x = '%s%s' % ('ev', 'al')",
    "x = 'EXEC'.lower()",
    "x = ''.join(reversed('cexe'))",
    "x = chr(101) + 'xec'",
    "x = bytes.fromhex('65786563').decode()",
    "import numpy as np\nx = np.ctypeslib.ctypes",
    "import uuid\nx = uuid.ctypes",
    "from pandas.core.interchange import from_dataframe",
    "pd.api.interchange.from_dataframe(1)",
    "from numpy.lib.stride_tricks import DummyArray",
    "from numpy.testing import runstring",
]


@pytest.mark.parametrize("text", MADE)
def test_code_from_text_is_refused(text: str) -> None:
    others = {"messy": MESSY, "other": "import sys as s\n"}
    assert is_refused(CLEAN + "\n\n" + text + "\n", **others)


HONEST = [
    "import pickle\ntry:\n    x = 1\nexcept pickle.UnpicklingError:\n    x = 2",
    "from pickle import UnpicklingError, PickleError",
    "import pickle\npickle.dumps(1, protocol=pickle.HIGHEST_PROTOCOL)",
    "from re import compile\nx = compile('a')",
    "import re\ncompile = re.compile\nx = compile('a')",
    "def g(vars, locals):\n    return vars, locals",
    "def g(compile, eval=None):\n    return compile(eval)",
    "import argparse\nx = vars(argparse.Namespace(a=1))",
    "def g(obj):\n    return {**vars(obj)}, sorted(vars(obj).items())",
    "from importlib.resources import files\nx = files('pandas')",
    "from importlib.metadata import version\nx = version('pandas')",
    "import importlib.metadata\nx = importlib.metadata.version('pandas')",
    "import inspect\nx = inspect.signature(pd.isna)",
    "import timeit\nx = timeit.default_timer()",
    "import timeit\nx = timeit.timeit(lambda: 1, number=3)",
    "import timeit\ndef g(): ...\nx = timeit.repeat(g, number=3)",
    "import cProfile\nx = cProfile.Profile()",
    "import gc\ngc.collect()",
    "import matplotlib\nmatplotlib.use(backend='agg')",
    "import os\nx = getattr(os, 'sched_getaffinity', None)\ny = hasattr(os, 'fork')",
    "import types\ndef g(types):\n    return types",
    "import sys\nx = sys.version_info >= (3, 11)",
    "from types import MappingProxyType, SimpleNamespace",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from typing import Any",
    "def g(x: 'dict[str, int]') -> 'pd.DataFrame | None': ...",
    "def g(self):\n    delattr(self, 'cache')\n    return self.__dict__.copy()",
    "def g(self, **given):\n    for name in given:\n        setattr(self, name, given[name])",
    "def g(self, name):\n    self.__dict__[name] = 1\n    return getattr(pd, name)",
    "def g(df):\n    return df.eval('a + b')",
    "import functools\ndef g(f):\n    g.__name__ = f.__name__\n    return g",
    "import logging\nlogging.getLogger(__name__)",
    "import unittest\nclass T(unittest.TestCase): ...\nx = 'solution'",
    "import doctest\nif __name__ == '__main__':\n    doctest.testmod()",
    "from typing import Annotated\ndef g(x: Annotated[int, 'shape (n,)']): ...",
    "import typing as t\ndef g(x: t.Literal['mean()']): ...",
    "from joblib import Parallel\nx = Parallel(backend='threading'), 'messy'",
    "from importlib.metadata import version\nx = version('pandas'), 'messy'",
    "for name in ('mean', 'median'):\n    getattr(pd.Series([1]), name)()",
    "NAME = 'shape'\nx = getattr(pd, NAME)",
    "def g(m, **given):\n    for name, value in given.items():\n        setattr(m, name, value)",
    "from numpy.lib.stride_tricks import sliding_window_view\nx = sliding_window_view",
    "x = ' '.join(['a', 'b']) + '{:>9}'.format(1) + '%d' % 3",
    "x = ('a' * 10_000) * 10_000",
    "x = '{:>999999999}'.format('a')",
    "MODES = ['train', 'eval']\nx = MODES[0] + '_' + MODES[1]",
    "if __name__ == '__main__':\n    print(impute(pd.DataFrame({'a': [1.0]})))",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_use_is_not_refused(text: str) -> None:
    assert not is_refused(CLEAN + "\n\n" + text + "\n", messy=MESSY)
