"""An exercise of one function and ten tests, and twelve submissions, for the benchmarks.

The ten checks are kept as the bodies of tests that call ``impute``, so that each grader runs the
same statements: `grade` through its proxy, the others on the function itself.
"""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

from overhead import Suite

ROOT = Path(__file__).resolve().parent.parent

CHECKS = {
    "fills_median": "out = impute(frame([1.0, None, 5.0])); same(out, [1.0, 3.0, 5.0])",
    "keeps_full": "out = impute(frame([1.0, 2.0])); same(out, [1.0, 2.0])",
    "even_count": "out = impute(frame([1.0, None, 2.0])); same(out, [1.0, 1.5, 2.0])",
    "negative": "out = impute(frame([-1.0, None, -5.0])); same(out, [-1.0, -3.0, -5.0])",
    "outlier": "out = impute(frame([0.0, None, 1.0, 1000.0])); same(out, [0.0, 1.0, 1.0, 1000.0])",
    "length": "out = impute(frame([None, 1.0, None])); assert len(out) == 3",
    "columns": "out = impute(frame([1.0, None])); assert list(out.columns) == ['a']",
    "index": "out = impute(frame([1.0, None], index=[7, 9])); assert list(out.index) == [7, 9]",
    "no_gap_left": "out = impute(frame([None, 2.0])); assert not out['a'].isna().any()",
    "empty": "out = impute(frame([])); assert len(out) == 0",
}
HELPERS = """
import pandas as pd


def frame(values, index=None):
    return pd.DataFrame({"a": pd.Series(values, dtype="float64")}).set_axis(
        index if index is not None else range(len(values))
    )


def same(out, expected):
    assert [float(value) for value in out["a"]] == expected
"""
_BODIES = {
    "median": "return df.fillna(df.median(numeric_only=True))",
    "by_column": "return df.apply(lambda c: c.fillna(c.median()))",
    "loop": "for n in df:\n    df = df.assign(**{n: df[n].fillna(df[n].median())})\nreturn df",
    "mean": "return df.fillna(df.mean(numeric_only=True))",
    "zero": "return df.fillna(0.0)",
    "drop": "return df.dropna()",
    "in_place": "df['a'] = df['a'].fillna(df['a'].median())\nreturn df",
    "nothing": "return df",
    "resets": "return df.fillna(df.median()).reset_index(drop=True)",
    "forward": "return df.ffill()",
    "renames": "return df.fillna(df.median()).rename(columns={'a': 'b'})",
    "raises": "raise NotImplementedError",
}


def sources() -> dict[str, str]:
    """Twelve submissions by name: right, wrong in one way, and empty."""
    return {
        name: "import pandas as pd\n\n\ndef impute(df):\n" + textwrap.indent(body, "    ") + "\n"
        for name, body in _BODIES.items()
    }


def ten_tests(folder: Path) -> Suite:
    """Write the exercise and the submissions below a folder."""
    root = folder / "root"
    project = ROOT / "tests/sandbox/project"
    shutil.copytree(ROOT / "requirements", root / "requirements")
    public, hidden = root / "exercises/ten", root / "hidden_tests/ten"
    public.mkdir(parents=True)
    hidden.mkdir(parents=True)
    contract = (project / "exercises/probe/exercise.toml").read_text()
    contract = contract.replace('"probe"', '"ten"').replace(', "numpy"', "")
    head, _, _ = contract.partition("[[functions]]")
    _, _, rest = contract.partition("[limits]")
    functions = '[[functions]]\nname = "impute"\nparameters = ["df"]\n\n'
    (public / "exercise.toml").write_text(f"{head}{functions}[limits]{rest}")
    (public / "README.md").write_text("# Ten\n\n| line | rule |\n|---|---|\n| `ten` | Ten. |\n")
    shutil.copy(project / "hidden_tests/probe/rubric.toml", hidden)
    (hidden / "pytest.ini").write_text((ROOT / "hidden_tests/imputation/pytest.ini").read_text())
    (hidden / "test_ten.py").write_text(suite_source())
    found = []
    for name, source in sources().items():
        path = folder / "submissions" / name
        path.mkdir(parents=True)
        (path / "solution.py").write_text(source)
        found.append(path)
    return Suite("ten", root, found)


def suite_source() -> str:
    """The ten checks as hidden tests."""
    tests = "".join(
        '\n\n@pytest.mark.criterion("core", sheet="ten")\n'
        f'def test_{name}(solution):\n    """{name}."""\n    impute = solution.impute\n'
        + "".join(f"    {line.strip()}\n" for line in check.split(";"))
        for name, check in CHECKS.items()
    )
    return f'"""Ten tests."""\n\nimport pytest\n{HELPERS}{tests}'
