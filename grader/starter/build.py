"""What a starter holds: path → bytes. Nothing here reads below ``hidden_tests/``."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from grader.errors import ExerciseError
from grader.exercise.contract import PINS, starter_files
from grader.exercise.environment import PYTHONS
from grader.notebook.convert import notebook_of
from grader.starter.variant import variant_data, variant_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.models import Exercise

__all__ = ["MARKER", "Starter", "build", "candidates_own", "handed_out", "shipped"]

MARKER = "assessment.toml"
_SHEET = "README.md"
_GUIDE = "CANDIDATE.md"
_AI_USE = "AI_USE.md"
_WORKFLOW = ".github/workflows/tests.yml"
_NOTEBOOK_PINS = "requirements-notebook.txt"
_IGNORED = ".venv/\n__pycache__/\n.pytest_cache/\n.ipynb_checkpoints/\n*.pyc\n*.zip\n"
# A task sheet may send candidates to their contact about this; a policy answers it.
_ASK_CONTACT = re.compile(rb"\n\*\*AI assistants:\*\*.*?(?=\n\n|\Z)", re.DOTALL)
_SECTION_ON_NOTEBOOKS = re.compile(r"^## Notebooks\n.*?(?=^## )", re.DOTALL | re.MULTILINE)
_ON_FUNCTIONS, _ON_SERVICES = "- Hidden tests call your functions", "- Hidden tests send your"
_ON_AI = "4. Fill in `AI_USE.md`"
_OWN = (_AI_USE, "FINDINGS.md", "NOTES.md", "pyproject.toml", ".gitignore", MARKER)


@dataclass(frozen=True, slots=True)
class Starter:
    """A starter before it is written.

    Attributes:
        files: path → content.
        title: of the exercise.
        variant: 16 hexadecimal digits that tell the data's variant; None for the shipped data.
    """

    exercise: str
    version: str
    title: str
    files: Mapping[str, bytes]
    variant: str | None = None


def build(
    exercise: Exercise, *, notebook: bool = False, seed: str | None = None, ai: str | None = None
) -> Starter:
    """Assemble a starter.

    Args:
        exercise: which.
        notebook: ``solution.ipynb`` in place of the entry script.
        seed: draws the data anew; any text, such as the candidate's number.
        ai: ``with`` or ``without`` states that policy in the task sheet; None says nothing.

    Raises:
        ExerciseError: a part of the starter is missing, or a service is to be a notebook.
        UsageError: the data cannot be drawn here.
    """
    if notebook and exercise.app is not None:
        raise ExerciseError(
            f"{exercise.id} asks for a web service, which a notebook is not; leave out --notebook"
        )
    files = starter_files(exercise)
    for needed in (_SHEET, exercise.entry, PINS, MARKER):
        if needed not in files:
            raise ExerciseError(f"{exercise.public_dir}/starter has no {needed}; add it")
    files.setdefault(".gitignore", _IGNORED.encode())
    python = exercise.environment.python
    files[_GUIDE] = _guide(python, service=exercise.app is not None, ai=ai)
    files[_WORKFLOW] = _for_python("tests.yml", python)
    files[".devcontainer/devcontainer.json"] = _for_python("devcontainer.json", python)
    variant = None
    if seed is not None:
        variant = variant_seed(exercise, seed)
        files |= variant_data(exercise, variant)
    if ai is not None:
        sheet = _ASK_CONTACT.sub(b"", files[_SHEET])
        files[_SHEET] = sheet.rstrip() + b"\n" + _file(f"ai_{ai}.md")
    if ai == "with":
        own = exercise.public_dir / _AI_USE
        files[_AI_USE] = own.read_bytes() if own.is_file() else _file(_AI_USE)
    if notebook:
        source = files.pop(exercise.entry).decode("utf-8")
        files[_SHEET] = _for_a_notebook(files[_SHEET], exercise.entry)
        files["solution.ipynb"] = notebook_of(source, exercise.title)
        files["tests/conftest.py"] = _file("conftest.py.txt")
        files[PINS] += _file(_NOTEBOOK_PINS)
    files[MARKER] = _marker(exercise, files, variant)
    ordered = dict(sorted(files.items()))
    return Starter(exercise.id, exercise.version, exercise.title, ordered, variant)


def _for_a_notebook(sheet: bytes, entry: str) -> bytes:
    """The sheet with a line below its title that says which file stands for the script."""
    note = (
        f"> You work in `solution.ipynb`: where this sheet says `{entry}`, the notebook is meant. "
        "`pip install -r\n> requirements.txt` installs JupyterLab; `jupyter lab solution.ipynb` "
        "opens it.\n"
    )
    title, _, rest = sheet.partition(b"\n")
    return b"\n".join((title, b"", note.encode(), rest.lstrip(b"\n")))


def shipped(exercise: Exercise) -> dict[str, set[bytes]]:
    """What each file of a starter may hold, but for the task sheet, in which a policy may stand."""
    files = starter_files(exercise)
    files.pop(_SHEET, None)
    known = {path: {data} for path, data in files.items()}
    # A starter may have been handed out before its exercise moved to another Python.
    service = exercise.app is not None
    known[_WORKFLOW] = {_for_python("tests.yml", python) for python in PYTHONS}
    known[_GUIDE] = {
        _guide(python, service=service, ai=ai) for python in PYTHONS for ai in (None, "with")
    }
    if PINS in files:  # an exercise that nothing is handed out of may have none
        known[PINS].add(files[PINS] + _file(_NOTEBOOK_PINS))
    return known


def handed_out(exercise: Exercise) -> Mapping[str, frozenset[bytes]]:
    """What each file may have held when the candidate got it, in every form of the starter.

    Empty for an exercise that no starter can be made of.
    """
    found: dict[str, set[bytes]] = {}
    try:
        forms = [
            build(exercise, notebook=notebook, ai=ai)
            for notebook in ((False, True) if exercise.app is None else (False,))
            for ai in (None, "with", "without")
        ]
    except ExerciseError:
        return {}
    for form in forms:
        for path, data in form.files.items():
            found.setdefault(path, set()).add(data)
    return {path: frozenset(contents) for path, contents in found.items()}


def candidates_own(path: str, entry: str) -> bool:
    """Whether a file of the starter is the candidate's to change."""
    return path in {entry, "solution.ipynb", *_OWN} or (
        path.startswith("tests/") and path not in {"tests/test_sample.py", "tests/conftest.py"}
    )


def _marker(exercise: Exercise, files: Mapping[str, bytes], variant: str | None) -> bytes:
    """The integrity file: which exercise, which version, what the files were."""
    lines = [
        "# Tells the grader which task this is. Please leave it as it is.",
        f'exercise = "{exercise.id}"',
        f'version = "{exercise.version}"',
    ]
    if variant:
        lines.append(f'variant = "{variant}"')
    lines += ["", "# SHA-256 of what came with the task and is not yours to change.", "[files]"]
    lines += [
        f'"{path}" = "{hashlib.sha256(data).hexdigest()}"'
        for path, data in sorted(files.items())
        if not candidates_own(path, exercise.entry)
    ]
    text = "\n".join([*lines, ""])
    tomllib.loads(text)  # a path that needs escaping would be an author's mistake
    return text.encode()


def _guide(python: str, *, service: bool, ai: str | None) -> bytes:
    """What every candidate is told, without what is of no concern here."""
    text = _for_python(_GUIDE, python).decode("utf-8")
    if service:
        text = _SECTION_ON_NOTEBOOKS.sub("", text)
    text = _left_out(text, _ON_FUNCTIONS if service else _ON_SERVICES)
    if ai != "with":
        text = _left_out(text, _ON_AI).replace("\n5. ", "\n4. ", 1)
    return text.encode()


def _left_out(text: str, item: str) -> str:
    """The text without the item of a list that begins so."""
    found = re.compile(rf"^{re.escape(item)}.*\n(?:  .*\n)*", re.MULTILINE)
    shorter, count = found.subn("", text)
    if count != 1:
        raise ExerciseError(f"{_GUIDE} has no item that begins with {item!r}; add it")
    return shorter


def _for_python(name: str, python: str) -> bytes:
    """A file of every starter that names the Python which the sandbox has."""
    return _file(name).replace(b"PYTHON_VERSION", python.encode())


def _file(name: str) -> bytes:
    return resources.files("grader.starter").joinpath("files", name).read_bytes()
