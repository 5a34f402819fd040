"""Only what the contract reaches counts, for better and for worse."""

from __future__ import annotations

import pytest

from grader.analyst.reach import Contract, reach
from grader.analyst.source import UnreviewableError
from tests.unit.static_cases import failed

CLEAN = "import pandas as pd\n\n\ndef impute(df):\n    return df.fillna(df.median())\n"
BAD = "def helper(df, xs=[]):\n    try:\n        print(df)\n    except:\n        pass\n"
BAD_CHECKS = {"errors-kept", "no-traps"}


def reached_names(**files: str) -> set[str]:
    sources = {f"{name.replace('__', '/')}.py": text.encode() for name, text in files.items()}
    found = reach(sources, Contract("solution.py", ("impute", "Tool"), {"Tool": ("fit",)}))
    return {function.node.name for function in found.functions}


def test_helper_that_is_called_counts() -> None:
    text = CLEAN.replace("df.fillna", "helper(df) or df.fillna") + BAD
    assert failed({"solution.py": text.encode()}) >= BAD_CHECKS


def test_helper_that_nobody_calls_does_not_count() -> None:
    assert not failed({"solution.py": (CLEAN + BAD).encode()}) & BAD_CHECKS


def test_careless_tests_do_not_count() -> None:
    files = {"solution.py": CLEAN.encode(), "tests/test_x.py": BAD.encode()}
    assert failed(files) == failed({"solution.py": CLEAN.encode()})


def test_unreadable_file_that_nobody_imports_does_not_count() -> None:
    files = {"solution.py": CLEAN.encode(), "notes.py": b"def f(:\n"}
    assert failed(files) == failed({"solution.py": CLEAN.encode()})


def test_code_below_tests_counts_when_it_is_imported() -> None:
    text = "from tests.inner import helper\n" + CLEAN.replace("df.fillna", "helper(df) or df.f")
    assert failed({"solution.py": text.encode(), "tests/inner.py": BAD.encode()}) >= BAD_CHECKS


@pytest.mark.parametrize(
    "statement",
    [
        "from inner import helper",
        "from inner import helper as other",
        "import inner",
        "import inner as i",
        "from inner import *",
        "from deep.inner import helper",
        "from deep import inner",
    ],
)
def test_imported_local_function_is_reached(statement: str) -> None:
    call = {"other": "other", "import inner": "inner.helper", "as i": "i.helper"}
    used = next((v for k, v in call.items() if statement.endswith(k)), "helper")
    if statement == "from deep import inner":
        used = "inner.helper"
    folder = "deep__inner" if "deep" in statement else "inner"
    text = f"{statement}\ndef impute(df):\n    return {used}(df)\n"
    assert "helper" in reached_names(solution=text, **{folder: "def helper(df): return df\n"})


def test_local_module_in_a_folder_of_the_path_is_reached() -> None:
    text = (
        "import sys\nsys.path.insert(0, 'lib')\nfrom inner import f\ndef impute(d): return f(d)\n"
    )
    assert "f" in reached_names(solution=text, lib__inner="def f(d): return d\n")


def test_name_that_another_file_passes_on_is_reached() -> None:
    assert "f" in reached_names(
        solution="from a import f\ndef impute(d): return f(d)\n",
        a="from b import f\n",
        b="def f(d): return d\n",
    )


def test_methods_of_a_contract_class_are_reached_by_contract_and_by_use() -> None:
    text = (
        "class Tool:\n"
        "    def fit(self): return self._used()\n"
        "    def _used(self): return 1\n"
        "    def spare(self): return 2\n"
    )
    assert reached_names(solution=text) == {"fit", "_used"}


def test_computed_attribute_reaches_everything() -> None:
    text = (
        "class Tool:\n"
        "    def fit(self, kind): return getattr(self, kind)()\n"
        "    def spare(self): return 2\n"
        "def other(): return 1\n"
    )
    assert reached_names(solution=text) == {"fit", "spare", "other"}


def test_code_below_the_main_guard_does_not_count() -> None:
    text = CLEAN + 'if __name__ == "__main__":\n    exec("x")\n    print(1)\n    print(2)\n'
    assert failed({"solution.py": text.encode()}) == failed({"solution.py": CLEAN.encode()})


def test_statement_that_runs_on_import_counts() -> None:
    text = CLEAN + BAD + "helper(1)\n"
    assert failed({"solution.py": text.encode()}) >= BAD_CHECKS


def test_method_replaced_from_outside_counts() -> None:
    text = "class Tool:\n    def fit(self): return 1\ndef other(self): return 2\nTool.fit = other\n"
    assert "other" in reached_names(solution=text)


def test_imports_in_a_circle_end() -> None:
    assert "f" in reached_names(
        solution="from a import f\ndef impute(d): return f(d)\n",
        a="import solution\ndef f(d): return solution.impute\n",
    )


@pytest.mark.parametrize(("functions", "found"), [(12, True), (2, False)])
def test_much_dead_code_is_a_finding(functions: int, found: bool) -> None:
    dead = "".join(f"def f{n}(x):\n    y = x + {n}\n    return y\n" for n in range(functions))
    assert ("no-dead-code" in failed({"solution.py": (CLEAN + dead).encode()})) is found


def test_contract_without_any_name_is_unreviewable() -> None:
    with pytest.raises(UnreviewableError, match="binds no name"):
        reached_names(solution="x = 1\n")
