"""``grade new``: an exercise that passes ``grade verify``, to be changed into one of your own.

The example asks for balanced accuracy. Each line that belongs to the example says CHANGE.
"""

from __future__ import annotations

import json
import random
from importlib import resources
from typing import TYPE_CHECKING

from grader.authoring.labels import FORM, LABEL, PATCH
from grader.authoring.patches import difference
from grader.authoring.shapes import (
    BODIES,
    CLASS,
    DEFECTS,
    FUNCTION,
    NULLS,
    SCRIPT,
    null_source,
    solution_source,
    starter_source,
)
from grader.authoring.shapes_service import SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.authoring.shapes import Shape

__all__ = ["KINDS", "MARK", "new_exercise"]

_SHAPES = {
    "function": FUNCTION,
    "class": CLASS,
    "script": SCRIPT,
    "notebook": FUNCTION,
    "service": SERVICE,
}
KINDS = tuple(_SHAPES)
MARK = "CHANGE"
_ENTRY = "solution.py"
_SUITE = ("test_runs", "test_core", "test_choice", "test_edge", "data", "reference")
_LEVELS = {
    "code_correctness": "excellent",
    "code_clarity": "excellent",
    "python_proficiency": "excellent",
    "ml_awareness": "excellent",
}
_HYGIENE = 'notebook_hygiene = "A notebook runs from top to bottom and explains itself"\n'


def new_exercise(
    name: str, *, kind: str, title: str, minutes: int, seniority: str, pins: str
) -> dict[str, bytes]:
    """The files of a new exercise: path below the checkout → content.

    Args:
        name: its id.
        kind: one of `KINDS`.
        title: at most 100 characters.
        minutes: that a candidate is given.
        seniority: whom it is for.
        pins: the starter's ``requirements.txt``.
    """
    shape = _SHAPES[kind]
    fields = _fields(name, shape, title=title, minutes=minutes, seniority=seniority)
    fields |= _notebook_fields() if kind == "notebook" else _NO_NOTEBOOK
    public, hidden = f"exercises/{name}", f"hidden_tests/{name}"
    sheet = _filled("README.md", fields)
    marker = (
        f'# Tells the grader which task this is. Please leave it as it is.\nexercise = "{name}"\n'
    )
    files = {
        f"{public}/exercise.toml": _filled("exercise.toml", fields),
        f"{public}/README.md": sheet,
        f"{public}/starter/README.md": sheet,
        f"{public}/starter/{_ENTRY}": starter_source(shape),
        f"{public}/starter/assessment.toml": f'{marker}version = "1.0"\n',
        f"{public}/starter/pyproject.toml": _filled("starter_pyproject.toml", fields),
        f"{public}/starter/requirements.txt": pins,
        f"{public}/starter/data/README.md": _filled("starter_data.md", fields),
        f"{public}/starter/data/answers.csv": _data(),
        f"{public}/starter/tests/test_sample.py": shape.sample,
        f"{hidden}/rubric.toml": _filled("rubric.toml", fields),
        f"{hidden}/pytest.ini": _filled("pytest.ini", fields),
        f"{hidden}/mutants.toml": _filled("mutants.toml", fields),
        **{f"{hidden}/{part}.py": _filled(f"{part}.py.txt", fields) for part in _SUITE},
    }
    below = f"{hidden}/solutions"
    files |= {f"{below}/{path}": text for path, text in _solutions(name, shape, kind).items()}
    written = {path: text.encode() for path, text in files.items()}
    for path, patch in _patches(shape).items():
        written[f"{below}/{path}"] = patch
    return dict(sorted(written.items()))


def _fields(name: str, shape: Shape, *, title: str, minutes: int, seniority: str) -> dict[str, str]:
    return {
        "id": name,
        "title": json.dumps(title, ensure_ascii=False),
        "heading": title,
        "minutes": str(minutes),
        "seniority": seniority,
        "level": f"{seniority}-level machine-learning engineer",
        "functions": shape.functions,
        "asked": shape.asked,
        "ask": shape.ask,
        "asks": shape.edge_imports,
        "refusal": shape.refusal,
        "mutants": shape.mutants.rstrip("\n"),
        "no_items": shape.no_items.rstrip("\n"),
        "raises": "from grader.judge.errors import raises\n" if "raises(" in shape.no_items else "",
        "more_lines": shape.lines,
        "more_tests": shape.tests.rstrip("\n"),
    }


_NO_NOTEBOOK = {"optional": "", "criteria": "", "book_excellent": "", "book_strong": ""}


def _notebook_fields() -> dict[str, str]:
    return {
        "optional": '\n# Only notebooks are checked for it.\noptional = ["notebook_hygiene"]\n',
        "criteria": _HYGIENE,
        "book_excellent": ", notebook_hygiene = 0.85",
        "book_strong": ", notebook_hygiene = 0.55",
    }


def _filled(template: str, fields: Mapping[str, str]) -> str:
    text = resources.files("grader.authoring").joinpath("templates", template).read_text("utf-8")
    for name, value in fields.items():
        text = text.replace(f"@@{name}@@", value)
    return text.rstrip("\n") + "\n"


def _data() -> str:
    """The export that candidates get; no hidden test asks about it."""
    draw = random.Random("the starter's export")  # noqa: S311 - an example, no secret
    rows = ["label,prediction"]
    for _ in range(200):
        label = draw.choices(["invoice", "delivery", "account", "fraud"], [50, 30, 16, 4])[0]
        wrong = draw.random() < (0.6 if label == "fraud" else 0.15)
        rows.append(f"{label},{'invoice' if wrong else label}")
    return "\n".join([*rows, ""])


def _solutions(name: str, shape: Shape, kind: str) -> dict[str, str]:
    """Labels and whole sources: path below ``solutions/`` → text."""
    files = {
        f"{case}/{_ENTRY}": solution_source(shape, imports, body)
        for case, (imports, body) in BODIES.items()
    }
    files[f"reference/{LABEL}"] = _label("The model answer.", band="exceeds", levels=_LEVELS)
    files[f"correct_numpy/{LABEL}"] = _beside("reference", "Correct, on arrays.")
    files[f"correct_pandas/{LABEL}"] = _beside("reference", "Correct, with pandas.")
    if kind == "notebook":
        about = "The reference as a notebook."
        files[f"nb_correct/{LABEL}"] = _beside("reference", about) + f'form = "{FORM}"\n'
    for case, defect in DEFECTS.items():
        lines = [
            f'failing = ["{defect.failing}"]',
            f'band = "{defect.band}"',
            f"levels = {_table(defect.levels)}",
            f'severity = "{defect.severity}"',
            f"because = {json.dumps(defect.because)}",
        ]
        files[f"{case}/{LABEL}"] = _beside("reference", defect.about) + "\n".join([*lines, ""])
    poor = dict.fromkeys(_LEVELS, "poor")
    failing = ["choice", "core", "edge", "runs"]
    files[f"null_empty/{_ENTRY}"] = '"""Nothing here yet."""\n'
    files[f"null_empty/{LABEL}"] = _label(
        "A module that defines nothing.", failing, band="below", levels=poor
    )
    files[f"null_starter/{LABEL}"] = (
        _beside("null_empty", "The starter as candidates get it.")
        + f'source = "exercises/{name}/starter"\n'
    )
    for null, (about, _) in NULLS.items():
        files[f"null_{null}/{_ENTRY}"] = null_source(shape, null)
        limits = "limits = { wall_seconds = 6.0 }\n" if null == "sleeps" else ""
        limits = limits.replace("{ wall", "{ call_seconds = 1.0, load_seconds = 5.0, wall")
        files[f"null_{null}/{LABEL}"] = _beside("null_empty", about) + limits
    return files


def _patches(shape: Shape) -> dict[str, bytes]:
    source = solution_source(shape, *BODIES["reference"])
    return {
        f"{case}/{PATCH}": difference(
            {_ENTRY: source.encode()}, {_ENTRY: source.replace(defect.old, defect.new).encode()}
        )
        for case, defect in DEFECTS.items()
    }


def _beside(base: str, about: str) -> str:
    return f'about = {json.dumps(about)}\nbase = "{base}"\n'


def _label(
    about: str, failing: list[str] | None = None, *, band: str, levels: Mapping[str, str]
) -> str:
    listed = ", ".join(f'"{name}"' for name in failing or [])
    return (
        f"about = {json.dumps(about)}\nfailing = [{listed}]\n"
        f'band = "{band}"\nlevels = {_table(levels)}\n'
    )


def _table(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f'{key} = "{value}"' for key, value in values.items()) + " }"
