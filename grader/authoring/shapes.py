"""What a new exercise's example looks like as a function, a class, a script or a notebook.

Every shape wraps the same function, so that tests and defects are the same for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BODIES",
    "CLASS",
    "DEFECTS",
    "FUNCTION",
    "NULLS",
    "SCRIPT",
    "Shape",
    "null_source",
    "solution_source",
    "starter_source",
]

LOOP = '''\
def balanced_accuracy(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Return the mean, over the classes among `labels`, of the share of items predicted right.

    Raises:
        ValueError: there are no items.
    """
    if not labels:
        raise ValueError("there are no items, so no class to take a mean of")
    right: dict[str, list[bool]] = {}
    for label, prediction in zip(labels, predictions, strict=True):
        right.setdefault(label, []).append(prediction == label)
    shares = [sum(found) / len(found) for found in right.values()]
    return sum(shares) / len(shares)
'''
NUMPY = '''\
def balanced_accuracy(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Return the mean share of items predicted right, each class of `labels` counting alike."""
    true, guessed = np.array(labels), np.array(predictions)
    if true.size == 0:
        raise ValueError("no items")
    return float(np.mean([(guessed[true == name] == name).mean() for name in set(labels)]))
'''
PANDAS = '''\
def balanced_accuracy(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Return the mean over true classes of the share of their items that are right."""
    items = pd.DataFrame({"label": labels, "prediction": predictions})
    if items.empty:
        raise ValueError("no items")
    right = items["label"] == items["prediction"]
    return float(right.groupby(items["label"]).mean().mean())
'''
# Labelled solution → what it imports for the function, and the function.
BODIES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "reference": ((), LOOP),
    "correct_numpy": (("import numpy as np",), NUMPY),
    "correct_pandas": (("import pandas as pd",), PANDAS),
}


@dataclass(frozen=True, slots=True)
class Defect:
    """A labelled defect of the reference: a line of it, and what stands there instead."""

    about: str
    failing: str
    old: str
    new: str
    severity: str
    because: str
    band: str
    levels: Mapping[str, str]


_SHARES = "    shares = [sum(found) / len(found) for found in right.values()]\n"
_MEAN = "    return sum(shares) / len(shares)\n"
DEFECTS: Mapping[str, Defect] = {
    "wrong_plain_accuracy": Defect(
        "The share of all items, so that common classes decide.",
        "core",
        _SHARES + _MEAN,
        "    return sum(map(sum, right.values())) / len(labels)\n",
        "headline",
        "The brief says that accuracy hides rare classes.",
        "below",
        {"code_correctness": "okay"},
    ),
    "wrong_counts_predicted": Defect(
        "Classes that are only predicted count as well.",
        "choice",
        _MEAN,
        "    return sum(shares) / len({*labels, *predictions})\n",
        "serious",
        "A model that invents a class is judged by a class without items.",
        "meets",
        {"ml_awareness": "poor"},
    ),
    "wrong_no_items_is_zero": Defect(
        "Without items the answer is zero.",
        "edge",
        '        raise ValueError("there are no items, so no class to take a mean of")\n',
        "        return 0.0\n",
        "minor",
        "It is one line of the second table.",
        "exceeds",
        {"code_correctness": "strong"},
    ),
}
# Null → what it answers; `GIVEN` stands for the argument.
NULLS: Mapping[str, tuple[str, str]] = {
    "constant": ("One constant for everything.", "return 0.125"),
    "echo": ("Returns its argument.", "return GIVEN"),
    "nan": ("Not a number.", 'return float("nan")'),
    "wrong_shape": ("A list in place of a number.", "return [0.5]"),
    "always_equal": ("An object that is equal to everything.", "return Equal()"),
    "raises": ("Raises, with the type that an error test looks for.", 'raise ValueError("no")'),
    "exits_at_import": ("sys.exit(0) at import.", "return 0.5"),
    "sleeps": ("Sleeps in every call; the wall limit is short here.", "time.sleep(3600)"),
}
_EQUAL = '''\
class Equal:
    """Equal to whatever it is compared with."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __float__(self):
        return 0.5

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self


'''
_BEFORE = {
    "always_equal": _EQUAL,
    "exits_at_import": "import sys\n\nsys.exit(0)\n\n\n",
    "sleeps": "import time\n\n\n",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of exercise.

    Attributes:
        functions: of ``exercise.toml``.
        asked: what the task sheet asks for.
        ask: how hidden tests ask, in ``data.py``.
        imports: what the wrapper imports.
        wrapper: what stands below the function in a solution, or nothing.
        starter: the wrapper without its insides; with the function where candidates write that.
        null: a null's wrapper, with ``BODY``.
        sample: the starter's sample tests.
        lines: further rows of the task sheet's second table.
        tests: what holds them, at the end of ``test_edge.py``.
        types: imports that only annotations need; else `Sequence` and, where it is named, `Path`.
        aliases: types of its own, beside them.
        refusal: what no items at all get, in the task sheet.
        no_items: what holds that, in ``test_edge.py``.
        edge_imports: what ``test_edge.py`` takes from ``data.py``.
        mutants: further notes of ``mutants.toml``.
    """

    functions: str
    asked: str
    ask: str
    imports: tuple[str, ...]
    wrapper: str
    starter: str
    null: str
    sample: str
    lines: str = ""
    tests: str = ""
    types: tuple[str, ...] = ()
    aliases: str = ""
    refusal: str = "`ValueError` is raised"
    no_items: str = "    with raises(ValueError):\n        ask(solution, [], [])\n"
    edge_imports: str = "ask"
    mutants: str = ""


_TYPED = ("from typing import TYPE_CHECKING",)

FUNCTION = Shape(
    functions="""\
[[functions]]
name = "balanced_accuracy"  # CHANGE
parameters = ["labels", "predictions"]  # CHANGE
""",
    asked="- **`balanced_accuracy(labels, predictions)`** takes two lists of equal length and "
    "returns the measure.",
    ask='''\

def ask(solution, labels, predictions):
    """The measure, as the submission computes it."""
    return solution.balanced_accuracy(labels, predictions)
''',
    imports=(),
    wrapper="",
    starter='''\
# CHANGE: what candidates complete.
def balanced_accuracy(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Return the balanced accuracy of a model's predictions."""
    raise NotImplementedError
''',
    null="def balanced_accuracy(given, predictions):\n    BODY\n",
    sample='''\
"""A few examples of what is asked for. The hidden tests ask for more: see README.md."""

import csv
from pathlib import Path

from solution import balanced_accuracy

DATA = Path(__file__).parent.parent / "data"


# CHANGE: what candidates may see; no hidden input is among it.
def test_two_classes():
    assert balanced_accuracy(["a", "a", "b"], ["a", "b", "b"]) == 0.75


def test_the_export():
    with (DATA / "answers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [row["label"] for row in rows]
    assert balanced_accuracy(labels, labels) == 1.0
''',
)
CLASS = Shape(
    functions="""\
[[functions]]
name = "BalancedAccuracy"  # CHANGE
methods = ["update", "value"]  # CHANGE
""",
    asked="- **`BalancedAccuracy()`** is asked in two steps: `update(labels, predictions)` takes "
    "two lists of equal\n  length, `value()` returns the measure of all items so far.",
    ask='''\

def ask(solution, labels, predictions):
    """The measure, as the submission computes it."""
    measure = solution.keep.BalancedAccuracy()
    measure.update(labels, predictions)
    return measure.value()
''',
    imports=(),
    wrapper='''\
class BalancedAccuracy:
    """The balanced accuracy of answers that come in batches."""

    def __init__(self) -> None:
        self._labels: list[str] = []
        self._predictions: list[str] = []

    def update(self, labels: Sequence[str], predictions: Sequence[str]) -> None:
        """Take one batch: labels, and what was predicted for each."""
        self._labels.extend(labels)
        self._predictions.extend(predictions)

    def value(self) -> float:
        """Return the measure of all items so far."""
        return balanced_accuracy(self._labels, self._predictions)
''',
    starter='''\
# CHANGE: what candidates complete.
class BalancedAccuracy:
    """The balanced accuracy of answers that come in batches."""

    def update(self, labels: Sequence[str], predictions: Sequence[str]) -> None:
        """Take one batch: labels, and what was predicted for each."""
        raise NotImplementedError

    def value(self) -> float:
        """Return the measure of all items so far."""
        raise NotImplementedError
''',
    null="""\
class BalancedAccuracy:
    given = None

    def update(self, labels, predictions):
        self.given = labels

    def value(self):
        BODY
""",
    sample='''\
"""A few examples of what is asked for. The hidden tests ask for more: see README.md."""

import csv
from pathlib import Path

from solution import BalancedAccuracy

DATA = Path(__file__).parent.parent / "data"


# CHANGE: what candidates may see; no hidden input is among it.
def test_two_classes():
    measure = BalancedAccuracy()
    measure.update(["a", "a", "b"], ["a", "b", "b"])
    assert measure.value() == 0.75


def test_the_export():
    with (DATA / "answers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [row["label"] for row in rows]
    measure = BalancedAccuracy()
    measure.update(labels, labels)
    assert measure.value() == 1.0
''',
    lines="| `batches` | Items of several `update` calls count together, and no object knows of "
    "another's | answers come by the hour |\n",
    tests='''

@pytest.mark.criterion("edge", sheet="batches", hint="What does a second call of update add to?")
def test_batches_count_together(solution):
    """Two batches give what all items at once give; a second object begins anew."""
    measure, other = solution.keep.BalancedAccuracy(), solution.keep.BalancedAccuracy()
    measure.update(["a", "a"], ["a", "a"])
    measure.update(["b", "b"], ["b", "a"])
    other.update(["a"], ["a"])
    assert_value(measure.value(), 0.75, rtol=1e-9)
    assert_value(other.value(), 1.0, rtol=1e-9)
''',
)
SCRIPT = Shape(
    functions="""\
[[functions]]
name = "main"
parameters = ["folder"]
""",
    asked="- **`main(folder)`** reads `answers.csv` in a folder (UTF-8, with a row of headings) "
    "and returns the measure.",
    ask='''\
import csv
import io

from grader.wire.values import FileTree


def ask(solution, labels, predictions):
    """The measure, as the submission computes it from a folder."""
    rows = [{"label": a, "prediction": b} for a, b in zip(labels, predictions, strict=True)]
    return solution.main(folder_of(rows, ["label", "prediction"]))


def folder_of(rows, columns):
    """A folder with the rows as ``answers.csv``."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return FileTree({"answers.csv": text.getvalue().encode()})
''',
    imports=("import csv",),
    wrapper='''\
def main(folder: Path) -> float:
    """Return the balanced accuracy of the answers in a folder."""
    text = (folder / "answers.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    labels = [row["label"] for row in rows]
    return balanced_accuracy(labels, [row["prediction"] for row in rows])
''',
    starter='''\
# CHANGE: what candidates complete.
def main(folder: Path) -> float:
    """Return the balanced accuracy of the answers in a folder."""
    raise NotImplementedError
''',
    null="def main(given):\n    BODY\n",
    sample='''\
"""A few examples of what is asked for. The hidden tests ask for more: see README.md."""

from pathlib import Path

from solution import main

DATA = Path(__file__).parent.parent / "data"


# CHANGE: what candidates may see; no hidden input is among it.
def test_two_classes(tmp_path):
    (tmp_path / "answers.csv").write_text("label,prediction\\na,a\\na,b\\nb,b\\n", "utf-8")
    assert main(tmp_path) == 0.75


def test_the_export():
    assert 0.0 < main(DATA) < 1.0
''',
    edge_imports="ask, folder_of",
    lines="| `by-heading` | Columns are known by their heading: they may come in another order, "
    "and others may be there | exports change |\n",
    tests='''

@pytest.mark.criterion("edge", sheet="by-heading", hint="Which column is which?")
def test_columns_go_by_their_heading(solution):
    """Columns in another order, with another among them, change nothing."""
    names = ["prediction", "id", "label"]
    pairs = [("a", "a"), ("a", "é"), ("é", "é"), ("é", "é")]
    rows = [{"label": a, "id": "7", "prediction": b} for a, b in pairs]
    assert_value(solution.main(folder_of(rows, names)), 0.75, rtol=1e-9)
''',
)


def solution_source(shape: Shape, imports: tuple[str, ...], body: str) -> str:
    """A whole solution: imports, the shape's wrapper, the function."""
    head = '"""Balanced accuracy: every class counts as much as any other."""'
    parts = [head, "from __future__ import annotations", "\n".join([*shape.imports, *_TYPED])]
    parts += ["\n".join(imports)] if imports else []
    parts.append(_typing_only(shape))
    text = "\n\n".join(parts) + "\n"
    wrapper = f"\n\n{shape.wrapper}" if shape.wrapper else ""
    return f"{text}\n\n{body}{wrapper}"


def _typing_only(shape: Shape, *, starter: bool = False) -> str:
    """Imports that only annotations need."""
    lines = ["if TYPE_CHECKING:"]
    if shape.types:
        kept = shape.types
        if starter:  # the example's function is not there
            kept = tuple(line.replace(", Mapping, Sequence", "") for line in kept)
        return "\n".join([*lines, *(f"    {line}" for line in kept), "", shape.aliases.rstrip()])
    if not starter or "Sequence" in shape.starter:
        lines.append("    from collections.abc import Sequence")
    if "Path" in shape.starter:
        lines.append("    from pathlib import Path")
    return "\n".join(lines)


def starter_source(shape: Shape) -> str:
    """What candidates get to complete."""
    parts = ['"""The task is in README.md."""', "from __future__ import annotations", *_TYPED]
    parts.append(_typing_only(shape, starter=True))
    return "\n\n".join(parts) + f"\n\n\n{shape.starter}"


def null_source(shape: Shape, name: str) -> str:
    """A submission that does nothing useful."""
    return _BEFORE.get(name, "") + shape.null.replace("BODY", NULLS[name][1]).replace(
        "GIVEN", "self.given" if "self.given" in shape.null else "given"
    )
