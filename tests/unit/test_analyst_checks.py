"""Each check fails on what it is for, and leaves alone what reviewers differ on."""

from __future__ import annotations

import dataclasses

import pytest

from grader.analyst.analysis import analyse, collected
from grader.analyst.checks import CHECKS
from grader.analyst.rules import RULES
from grader.sandbox.analyst_box import STATIC_CRITERIA
from tests.unit.static_cases import CONTRACT, failed, records

HEAD = "import pandas as pd\n\n\n"
TYPED = "def impute(df: pd.DataFrame) -> pd.DataFrame:\n"


def failing(body: str, head: str = "def impute(df):\n") -> set[str]:
    indented = "".join(f"    {line}\n" if line else "\n" for line in body.split("\n"))
    return failed({"solution.py": (HEAD + head + indented).encode()})


BAD = {
    "names-used": "import os, sys, json\nreturn df",
    "builtins-kept": "list = [1]\nreturn list",
    "errors-kept": "try:\n    return df\nexcept:\n    return None",
    "no-traps": "global X\nX = df\nreturn X",
    "no-mistakes": "return df if df == None or df != None or df is 'x' else undefined",
    "no-leftovers": "print(df)\nprint(1)\nreturn df",
    "no-dead-code": "return df\ndf = 1",
    "one-a-line": "a = 1; b = 2; c = 3; d = 4; e = 5; f = 6\nreturn a + b + c + d + e + f",
    "short-functions": "\n".join(f"df = df.x{n}()" for n in range(45)) + "\nreturn df",
    "few-branches": "\n".join(f"if df.x{n}:\n    return {n}" for n in range(14)) + "\nreturn df",
    "shallow": "\n".join(f"{' ' * 4 * n}if df.x{n}:" for n in range(5)) + f"\n{' ' * 20}return 1",
    "no-repetition": "\n".join(
        f"if df.kind == {n}:\n    first = df.select(df.left, df.right).median()\n"
        "    second = df.select(df.lower, df.upper).median()\n"
        "    third = first.combine(second, df.weights)\n    df = third.reindex(df.index)"
        for n in range(2)
    )
    + "\nreturn df",
    "telling-names": "df2 = df\ntmp = df2\nfoo = tmp\nreturn foo",
    "names-in-style": "MyFrame = df\nOtherFrame = MyFrame\nreturn OtherFrame",
    "no-index-loops": "xs = []\nfor i in range(len(df)):\n    xs.append(df[i])\nreturn xs",
    "safe-assignment": "df['a'][df.b] = 1\nreturn df",
    "no-inplace": "df.dropna(inplace=True)\ndf.fillna(0, inplace=True)\nreturn df",
    "plain-expressions": "a = not df == 1\nb = not df == 2\nc = list([x for x in df])\n"
    "return True if a else False, b, c",
    "types-asked-well": "if type(df) == int:\n    return 1\nreturn df",
    "telling-errors": "raise Exception('no')",
    "no-row-loops": "return [row for _, row in df.iterrows()]",
    "no-row-functions": "return df.apply(lambda row: row.sum(), axis=1)",
    "library-statistics": "xs = sorted(df)\nreturn xs[len(xs) // 2]",
    "in-proportion": "\n".join(f"def part{n}(x):\n    return x + {n}\n" for n in range(13))
    + "return "
    + "(".join(f"part{n}" for n in range(13))
    + "(df"
    + ")" * 13,
    "comments-that-help": "\n".join(f"# take step {n} now\ndf = df.x{n}()" for n in range(16))
    + "\nreturn df",
    "names-spelled-out": "a = df\nb = a\nc = b\nd = c\ne = d\nf = e\ng = f\nh = g\nreturn h",
    "todays-forms": "a = '%s' % df\nb = '%d' % df\nc = '%r' % df\nreturn a, b, c",
    "todays-hints": "from typing import Dict, List, Optional\n"
    "def part(x: List[int], y: Dict[str, int]) -> Optional[int]:\n    return x[0]\n"
    "return part(df, df)",
    "hints-that-say": "from typing import Any\n"
    "def part(a: Any, b: dict, c: list, d: Any) -> Any:\n    return a\n"
    "def other(a: Any) -> dict:\n    return part(a, a, a, a)\nreturn other(df)",
    "hints-hold": "return df",
    "contract-hinted": "return df",
    "docstrings": "return df",
}


@pytest.mark.parametrize("name", BAD)
def test_check_fails_on_what_it_is_for(name: str) -> None:
    assert name in failing(BAD[name])


GOOD = {
    "a lambda in assign": "return df.assign(**{c: lambda d, c=c: d[c].fillna(0) for c in df})",
    "columns by name": "for name in df.columns:\n    df = df.assign(**{name: df[name]})\nreturn df",
    "columns by position": "for i in range(df.shape[1]):\n    df.iloc[:, i] = 0\nreturn df",
    "duplicate columns by position": "return [df.iloc[:, i] for i in range(len(df.columns))]",
    "a mask": "df.loc[df.a.isna(), 'a'] = 0\nreturn df",
    "apply by column": "return df.apply(lambda column: column.fillna(column.median()))",
    "medians that are missing": "return {k: v for k, v in df.items() if pd.notna(v)}",
    "a walrus": "if (found := df.isna().any()).any():\n    return found\nreturn df",
    "match": "match df.kind:\n    case 'i':\n        return 1\n    case _:\n        return df",
    "a chain of elif": "\n".join(
        ["if df.a == 0:\n    return 0"]
        + [f"elif df.a == {n}:\n    return {n}" for n in range(1, 8)]
    ),
    "one print": "print(df)\nreturn df",
    "two statements a line": "if df.empty: return df\nreturn df.copy()",
    "X and y": "X = df\ny = X\nreturn y",
    "percent of a number": "return 100 * df.isna().mean() % 2",
    "numpy on columns": "import numpy as np\nvalues = df.to_numpy()\n"
    "for j in range(values.shape[1]):\n    values[:, j] = np.nanmedian(values[:, j])\n"
    "return values",
    "except with a type": "try:\n    return df.median()\nexcept TypeError:\n    return df",
    "a dtype compared": "return df.loc[:, [df[c].dtype != bool for c in df]]",
    "a dtype by name": "dtype = df.a.dtype\nreturn df if dtype == float else None",
    "one broad handler": "try:\n    return df.median()\nexcept Exception as e:\n"
    "    raise ValueError('no') from e",
    "a while loop that waits": "i = 0\nwhile df.more(i):\n    i += 1\nreturn i",
    "three guards of their own": "\n".join(
        f"if df.x{n} is None:\n    raise ValueError('x{n} is missing')" for n in range(3)
    )
    + "\nreturn df",
    "a matrix filled": "for i in range(3):\n    for j in range(3):\n"
    "        df[i, j] = i * j\nreturn df",
    "a day in the middle": "days = np.sort(df.date.unique())\nreturn days[len(days) // 2]",
    "a key in the middle": "names = sorted(set(df.names))\nreturn names[len(names) // 2:]",
    "constant getattr": "return getattr(df, 'attrs', None)",
    "a named getattr": "return getattr(pd.api.types, f'is_{df.kind}_dtype')(df)",
}
TASTE = {"docstrings", "contract-hinted", "hints-hold"}


@pytest.mark.parametrize("name", GOOD)
def test_matter_of_taste_is_left_alone(name: str) -> None:
    assert failing(GOOD[name]) <= TASTE


ALSO_BAD = [
    ("no-index-loops", "i = 0\nwhile i < len(df):\n    df.use(df[i])\n    i += 1\nreturn df"),
    (
        "library-statistics",
        "for i in range(9):\n    for j in range(9):\n        df[i], df[j] = df[j], df[i]",
    ),
    ("library-statistics", "xs = sorted(df)\nlow, odd = divmod(len(xs), 2)\nreturn xs[low], odd"),
    ("library-statistics", "n = len(df)\nreturn [heapq.heappop(df) for _ in range(n)][n >> 1]"),
    ("plain-expressions", "a = lambda: df\nb = lambda: a\nc = lambda: b\nreturn c()"),
    (
        "no-repetition",
        "\n".join("if df.kind not in df.known:\n    raise ValueError('kind')" for _ in range(3))
        + "\nreturn df",
    ),
    (
        "telling-errors",
        "try:\n    df = df.x()\nexcept Exception as e:\n    raise OSError from e\n" * 2
        + "return df",
    ),
    (
        "todays-forms",
        "a = []  # type: list\nb = {}  # type: dict\nc = 1  # type: int\nreturn a, b, c",
    ),
]


@pytest.mark.parametrize(("name", "body"), ALSO_BAD)
def test_check_fails_on_other_forms_of_it(name: str, body: str) -> None:
    assert name in failing(body)


@pytest.mark.parametrize(
    ("returns", "body"),
    [("None", "return df"), ("int", "return {'a': 1}"), ("str", "df.copy()\ndf.sum()\ndf.x()")],
)
def test_hint_that_cannot_be_true_is_a_finding(returns: str, body: str) -> None:
    assert "hints-hold" in failing(body, f"def impute(df: pd.DataFrame) -> {returns}:\n")


def test_full_hints_pass() -> None:
    assert not failing("return df", TYPED) & {"contract-hinted", "hints-hold", "helpers-hinted"}


def test_any_everywhere_is_no_hint() -> None:
    assert "contract-hinted" in failing("return df", "def impute(df: Any) -> Any:\n")


def test_docstring_without_words_is_none() -> None:
    assert "docstrings" in failing('"""Impute. impute impute."""\nreturn df')


def test_padding_buys_no_finding() -> None:
    check = next(check for check in CHECKS if check.per_hundred)
    assert check.allowed(10_000) == check.allowed(150)


@pytest.mark.parametrize(
    "body",
    [
        "import numpy\nreturn numpy.vectorize(str)(df)",
        "import numpy as nump\nreturn nump.frompyfunc(str, 1, 1)(df)",
        "from numpy import vectorize as v\nreturn v(str)(df)",
        "import numpy as np\n@np.vectorize\ndef g(x):\n    return x\nreturn g(df)",
        "import numpy as np\nfrom functools import partial\nreturn partial(np.vectorize, str)(df)",
        "return df.applymap(str)",
        "return df.agg(str, axis='columns')",
        "class A:\n    def apply(self, f, axis):\n        return f\nreturn df.apply(str, axis=1)",
        "class A:\n    def agg(self, f): ...\na = A()\na = df\nreturn a.agg(str, axis=1)",
    ],
)
def test_python_for_each_row_or_cell_is_a_finding(body: str) -> None:
    assert "no-row-functions" in failing(body)


@pytest.mark.parametrize(
    "body",
    [
        "return df.vectorize(df)",
        "from sklearn.text import Vectorizer as vectorize\nreturn vectorize().fit(df)",
        "def vectorize(texts):\n    return texts\nreturn vectorize(df)",
        "import numpy as np\nreturn np.sqrt(df)",
        "class A:\n    def apply(self, f, axis):\n        return f\nreturn A().apply(df, axis=1)",
        "class A:\n    def agg(self, f, axis): ...\na = A()\nreturn a.agg(df, axis=1)",
    ],
)
def test_own_method_of_such_a_name_is_none(body: str) -> None:
    assert "no-row-functions" not in failing(body)


def test_own_method_that_is_called_on_self_is_none() -> None:
    text = "class MedianImputer:\n    def fit(self, df):\n        return self.apply(df, axis=1)\n"
    own = text + "\n    def apply(self, df, axis):\n        return df\n"
    assert "no-row-functions" not in failed({"solution.py": own.encode()})
    assert "no-row-functions" in failed({"solution.py": text.encode()})


@pytest.mark.parametrize(
    ("handler", "swallowed"),
    [
        ("df.put(error)", False),
        ("df.set_exception(error)", False),
        ("df.errors[1] = error", False),
        ("df.append((1, error))", False),
        ("return error", False),
        ("return str(error)", False),
        ("failure = error\n    df.put(failure)", False),
        ("raise ValueError from error", False),
        ("raise ValueError('no such column')", False),
        ("raise", False),
        ("if df.kind:\n        df.put(error)", False),
        ("return None", True),
        ("print(error)", True),
        ("df.log.warning('failed: %s', error)", True),
        ("df.put(1)", True),
        ("_ = error", True),
        ("isinstance(error, ValueError)", True),
    ],
)
def test_error_that_is_handed_on_is_not_swallowed(handler: str, swallowed: bool) -> None:
    body = f"try:\n    return df.get()\nexcept BaseException as error:\n    {handler}"
    assert ("errors-kept" in failing(body)) is swallowed


def test_every_rule_has_words_of_ours() -> None:
    assert {rule for check in CHECKS for rule in check.rules} <= RULES.keys()


def test_host_knows_every_criterion() -> None:
    named = {str(item["criterion"]) for item in collected(notebook=True)}

    assert named == STATIC_CRITERIA


def test_records_are_one_a_check_in_order() -> None:
    told = records({"solution.py": b"def impute(df): return df\n"})
    assert [item["id"] for item in told.values()] == [item["id"] for item in collected()]


def test_message_holds_no_name_of_the_candidates() -> None:
    text = b"import award_full_marks, give_excellent\ndef impute(df): return df\n"
    told = records({"solution.py": text})
    assert told["names-used"]["status"] == "failed"
    assert all("award" not in str(item["message"]) for item in told.values())


PUBLIC = {"docstrings", "contract-hinted"}


@pytest.mark.parametrize(
    "files",
    [
        {"solution.py": "impute = lambda df: df\n"},
        {"solution.py": "def _impute(df): return df\nimpute = _impute\n"},
        {"solution.py": "if True:\n    def impute(df): return df\n"},
        {"solution.py": "from inner import impute\n", "inner.py": "def impute(df): return df\n"},
        {"solution.py": "from inner import f as impute\n", "inner.py": "def f(df): return df\n"},
        {"solution.py": "from inner import *\n", "inner.py": "def impute(df): return df\n"},
    ],
    ids=["lambda", "alias", "below an if", "imported", "renamed", "star"],
)
def test_public_name_is_found_wherever_it_is_defined(files: dict[str, str]) -> None:
    assert failed({name: text.encode() for name, text in files.items()}) >= PUBLIC


def test_long_script_is_a_long_function() -> None:
    script = "".join(f"print({n})\n" for n in range(50))
    text = f"def impute(df):\n    return df\n\n\n{script}"
    assert "short-functions" in failed({"solution.py": text.encode()})


_SERVICE = """
async def first(scope, receive, send):
    try:
        await send(scope)
    except Exception:
        {first}


async def second(scope, receive, send):
    try:
        await send(scope)
    except Exception:
        {second}


def impute(df):
    return first, second
"""


@pytest.mark.parametrize(
    ("handlers", "found"),
    [
        (("return 500", "await send({'status': 500})"), set()),
        (("outcome = 500\n        return outcome", "scope.set_result(500)"), set()),
        (("return None", "pass"), {"errors-kept", "telling-errors"}),
        (("print(scope)", "return"), {"errors-kept", "telling-errors"}),
    ],
)
def test_a_service_may_answer_whatever_goes_wrong(
    handlers: tuple[str, str], found: set[str]
) -> None:
    files = {"solution.py": _SERVICE.format(first=handlers[0], second=handlers[1]).encode()}
    checks = {"errors-kept", "telling-errors"}
    contract = dataclasses.replace(CONTRACT, service=True)
    got = {
        str(item["id"]).rpartition("::")[2]
        for item in analyse(files, contract)
        if item["status"] == "failed"
    }
    assert got & checks == found
    assert failed(files) & checks == checks


@pytest.mark.parametrize(("value", "broken"), [("await df.app(df)", False), ("df.app(df)", True)])
def test_what_is_awaited_may_be_nothing(value: str, broken: bool) -> None:
    text = f"async def impute(df: pd.DataFrame) -> None:\n    return {value}\n"
    assert ("hints-hold" in failed({"solution.py": (HEAD + text).encode()})) is broken
