"""The folders of labelled solutions: what a label says, and which files are handed in.

A labelled solution is a folder ``hidden_tests/<exercise>/solutions/<case>`` with an
``expected.toml``. Its files are one of these:

- whole sources beside the label, or in the folder that ``source`` names;
- those of ``base``, changed by the unified diff ``defect.patch`` beside the label;
- those of a base, changed by the patches of all cases that ``defects`` names;
- those of a base, which may be patched itself, with a notebook of the same code in place of its
  ``solution.py``: ``form = "notebook"``.

A label::

    about = "The mean in place of the median."  # one sentence
    base = "reference"                          # a labelled solution with whole sources
    failing = ["core"]                          # these criteria have a failed hidden test
    tests = ["test_core.py::test_fills_an_export", …]   # optional: exactly these tests fail
    band = "meets"
    levels = { code_correctness = "okay" }      # of every assessed category
    either = ["core"]                           # optional: it hangs on the seed whether these do
    limits = { wall_seconds = 8 }               # optional, to make a hopeless case cheap
    severity = "headline"                       # of a defect: headline, serious or minor
    because = "The brief asks for the median."  # why it is that severe, in one sentence

Where ``base`` is named, the label says what the case costs beyond it: criteria and tests are added
to the base's, and band and levels are said where they are others. ``defects`` has the base of these
cases, and adds what each of them adds; without ``about`` it has their sentences.
"""

from __future__ import annotations

import dataclasses
import json
import re
import textwrap
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.authoring.patches import PatchError, apply
from grader.notebook.convert import notebook_of
from grader.notebook.folded import unfold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "ENTRY",
    "FORM",
    "LABEL",
    "PATCH",
    "SEVERITIES",
    "Case",
    "as_notebook",
    "combined",
    "defects_table",
    "exercises",
    "files_below",
    "known_costs",
    "label_text",
    "load_case",
    "load_cases",
    "replace_tables",
    "sources",
]

LABEL = "expected.toml"
PATCH = "defect.patch"
ENTRY = "solution.py"
NOT_HANDED_IN = {LABEL, PATCH, "__pycache__", ".pytest_cache"}
KEYS = {
    "about", "base", "defects", "form", "source", "failing", "either", "tests", "band", "levels",
    "limits", "severity", "because",
}  # fmt: skip
FORM = "notebook"
NEEDED = {"about", "failing", "band", "levels"}  # where there is no base
SEVERITIES = ("headline", "serious", "minor")
WIDTH = 100
_CLARITY, _TOP = "code_clarity", "excellent"  # what the form of a notebook may cost
_TABLE = re.compile(r"(<!-- labelled( without costs)?: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Case:
    """One labelled solution.

    Attributes:
        files: the folder that holds the candidate's files, before any patch.
        either: criteria of which the seed decides, in a solution that is at the edge of what they
            ask for. The levels and the band must be the same both ways.
        levels: category → level name; a category that is missing here must not be assessed.
        about: what it is, in one sentence.
        base: the case that the label adds to, or an empty text.
        source: where the files are, below the checkout, if they are not in `folder`.
        defects: the cases whose patches are combined.
        patches: unified diffs of `files`, all of which are applied.
        form: ``notebook`` where the base's module is handed in as one; else an empty text.
        severity: of a defect, ``headline``, ``serious`` or ``minor``; else an empty text.
        because: why it is that severe.
    """

    exercise: str
    name: str
    folder: Path
    files: Path
    failing: frozenset[str]
    either: frozenset[str]
    tests: frozenset[str] | None
    band: str
    levels: Mapping[str, str]
    limits: Mapping[str, float]
    about: str = ""
    base: str = ""
    source: str = ""
    defects: tuple[str, ...] = ()
    patches: tuple[Path, ...] = ()
    form: str = ""
    severity: str = ""
    because: str = ""


def exercises(root: Path) -> list[str]:
    """All exercises that have labelled solutions."""
    folders = (root / "hidden_tests").glob(f"*/solutions/*/{LABEL}")
    return sorted({folder.parents[2].name for folder in folders})


def load_cases(exercise: str, root: Path) -> list[Case]:
    """All labelled solutions of an exercise, by name.

    Raises:
        ValueError: as for `load_case`.
    """
    folder = root / "hidden_tests" / exercise / "solutions"
    return [load_case(path.parent, exercise, root) for path in sorted(folder.glob(f"*/{LABEL}"))]


def load_case(folder: Path, exercise: str, root: Path) -> Case:
    """Read one label, and those that it names.

    Raises:
        ValueError: the label has unknown keys or lacks some; what it names is missing or is no
            base or no defect; or the folder has a patch and whole sources. The message names the
            label and the fix.
    """
    return _load(folder, exercise, root, ())


def sources(case: Case) -> dict[str, bytes]:
    """What a candidate would hand in: path → content.

    Raises:
        PatchError: a patch does not apply exactly. The message names case, file and hunk.
    """
    files = files_below(case.files)
    patches = {
        f"{case.exercise}/{path.parent.name}: {path.name}": path.read_bytes()
        for path in case.patches
    }
    try:
        files = apply(files, patches)
    except PatchError as error:
        raise PatchError(
            f"{error}. Either {case.exercise}/{case.base} has changed or the patch is damaged: "
            "take the sources of the last commit in which it applied (scripts/defect.py unpack), "
            "and make the patch anew (scripts/defect.py pack)"
        ) from error
    return as_notebook(files, case.name) if case.form else files


def as_notebook(files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """Put a notebook of the same code in the place of ``solution.py``.

    Args:
        files: what a candidate would hand in, by path.
        name: of the case; it heads the notebook.

    Raises:
        KeyError: there is no ``solution.py``.
    """
    rest = {path: data for path, data in files.items() if path != ENTRY}
    notebook = notebook_of(files[ENTRY].decode(), name.replace("_", " "))
    return rest | {ENTRY.removesuffix(".py") + ".ipynb": notebook}


def files_below(folder: Path) -> dict[str, bytes]:
    """The files of a folder that a candidate would hand in; folded notebooks are unfolded."""
    return {
        path.relative_to(folder).as_posix(): unfold(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix != ".pyc"
        and not NOT_HANDED_IN & {*path.relative_to(folder).parts}
    }


def known_costs(case: Case, root: Path) -> Case | None:
    """What a case's label adds to: its base's costs, with those of its `defects`."""
    if not case.base:
        return None
    base, *defects = (
        load_case(case.folder.parent / name, case.exercise, root)
        for name in (case.base, *case.defects)
    )
    return combined(defects, base)


def label_text(case: Case, base: Case | None) -> str:
    """The text of a label.

    Args:
        case: what it says.
        base: what it adds to, as of `known_costs`.

    Raises:
        ValueError: the case costs less than the base, which a label cannot say.
    """
    if base and (
        less := (base.failing - case.failing) | ((base.tests or set()) - (case.tests or set()))
    ):
        raise ValueError(
            f"{case.exercise}/{case.name} does not fail {', '.join(sorted(less))}, which its base "
            f"{case.base} fails; take another base"
        )
    lines = []
    if not case.defects or base is None or case.about != base.about:
        lines.append(f"about = {_text(case.about)}")
    if case.defects:
        lines.append(f"defects = {_list(case.defects)}")
    elif case.base:
        lines.append(f'base = "{case.base}"')
    if case.form:
        lines.append(f'form = "{case.form}"')
    if case.source:
        lines.append(f'source = "{case.source}"')
    failing = case.failing - base.failing if base else case.failing
    if failing or base is None:
        lines.append(f"failing = {_list(sorted(failing))}")
    if either := case.either - base.either if base else case.either:
        lines.append(f"either = {_list(sorted(either))}")
    if case.tests is not None and (base is None or case.tests != base.tests):
        known = base.tests or frozenset() if base else frozenset()
        lines.append(f"tests = {_list(sorted(case.tests - known))}")
    if base is None or case.band != base.band:
        lines.append(f'band = "{case.band}"')
    known_levels = base.levels if base else {}
    levels = {name: level for name, level in case.levels.items() if known_levels.get(name) != level}
    if levels:
        lines.append(f"levels = {_table({k: _text(v) for k, v in levels.items()})}")
    return "\n".join([*lines, *_severity_and_limits(case)]) + "\n"


def _severity_and_limits(case: Case) -> list[str]:
    lines = []
    if case.severity:
        lines += [f'severity = "{case.severity}"', f"because = {_text(case.because)}"]
    if case.limits:
        lines.append(f"limits = {_table({k: str(v) for k, v in case.limits.items()})}")
    return lines


def combined(defects: Sequence[Case], base: Case) -> Case:
    """What all defects together add to their base; without defects, the base's label alone."""
    tests = [defect.tests for defect in defects] or [base.tests]
    return dataclasses.replace(
        base,
        failing=base.failing.union(*(defect.failing for defect in defects)),
        either=base.either.union(*(defect.either for defect in defects)),
        tests=None if None in tests else frozenset().union(*(t for t in tests if t)),
        about=" ".join(defect.about for defect in defects),
        defects=(),
        severity="",
        because="",
    )


def defects_table(cases: Iterable[Case], *, costs: bool = True) -> str:
    """What each case is and what it costs, as Markdown.

    Args:
        cases: one row each, in this order.
        costs: with a column of failing criteria.
    """
    cases = list(cases)
    graded = any(case.severity for case in cases)
    columns = ["case", "what it is", *(["costs"] if costs else [])]
    columns += ["severity", "band", "because"] if graded else []
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for case in cases:
        cells = [f"`{case.name}`", case.about, *([_cost(case)] if costs else [])]
        cells += [case.severity, case.band, case.because] if graded else []
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cost(case: Case) -> str:
    criteria = ", ".join(f"`{name}`" for name in sorted(case.failing))
    clarity = case.levels.get(_CLARITY, _TOP)
    if not case.name.startswith("nb_") or clarity == _TOP:
        return criteria or "nothing"
    return "; ".join(filter(None, [criteria, f"clarity falls to {clarity.capitalize()}"]))


def replace_tables(text: str, cases: Sequence[Case]) -> str:
    """Write the tables of a ``DEFECTS.md`` anew.

    A table stands between ``<!-- labelled: PREFIX … -->`` and ``<!-- end -->`` and has the cases
    whose names begin with one of the prefixes; ``<!-- labelled without costs: … -->`` leaves out
    what they cost.
    """

    def table(match: re.Match[str]) -> str:
        prefixes = tuple(match[3].split())
        rows = [case for case in cases if case.name.startswith(prefixes)]
        return f"{match[1]}{defects_table(rows, costs=not match[2])}{match[4]}"

    return _TABLE.sub(table, text)


def _load(folder: Path, exercise: str, root: Path, above: tuple[str, ...]) -> Case:
    path = folder / LABEL
    if folder.name in above:
        raise ValueError(f"{path}: it is named by way of itself: {', '.join(above)}")
    if not path.is_file():
        named_in = folder.parent / (above[-1] if above else folder.name) / LABEL
        raise ValueError(f"{named_in}: there is no labelled solution {folder.name}")
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    if unknown := raw.keys() - KEYS:
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}")

    def other(name: str) -> Case:
        return _load(folder.parent / name, exercise, root, (*above, folder.name))

    defects = [other(name) for name in raw.get("defects", ())]
    patched = bool(defects) or (folder / PATCH).exists()
    name = _base(path, raw, defects, patched=patched)
    base = other(name) if name else None
    form = raw.get("form", "")
    _check_form(path, form, base, patched=patched)
    if patched and base and (base.patches or base.form):
        raise ValueError(
            f"{path}: its base {name} has no sources of its own; name {base.base} in its place"
        )
    if base is None and (missing := NEEDED - raw.keys()):
        raise ValueError(f"{path}: without a base, it needs {', '.join(sorted(missing))}, too")
    own = _own(raw)
    if own["severity"] not in {"", *SEVERITIES} or bool(own["severity"]) != bool(own["because"]):
        raise ValueError(
            f"{path}: severity is one of {', '.join(SEVERITIES)}; because says why, in a sentence"
        )
    own_patches = tuple(defect.folder / PATCH for defect in defects)
    own_patches = own_patches or (folder / PATCH,) * patched
    case = Case(
        exercise=exercise,
        name=folder.name,
        folder=folder,
        files=base.files if base and (patched or form) else root / raw.get("source", folder),
        base=name,
        source=raw.get("source", ""),
        defects=tuple(defect.name for defect in defects),
        patches=base.patches if base and form else own_patches,
        form=form,
        limits=raw.get("limits", {}),
        **own,
    )
    return case if base is None else _above(combined(defects, base), case)


def _check_form(path: Path, form: str, base: Case | None, *, patched: bool) -> None:
    if not form:
        return
    if form != FORM:
        raise ValueError(f'{path}: form is "{FORM}", not {form!r}')
    if base is None or base.form or ENTRY not in sources(base):
        raise ValueError(f"{path}: {form} of what? name a base that has a {ENTRY}")
    own = [file.name for file in path.parent.iterdir() if file.name not in NOT_HANDED_IN]
    if patched or own:
        raise ValueError(f"{path}: its notebook is made of the base; remove the folder's own files")


def _own(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What a label itself says of costs."""
    return {
        "about": raw.get("about", ""),
        "failing": frozenset(raw.get("failing", ())),
        "either": frozenset(raw.get("either", ())),
        "tests": frozenset(raw["tests"]) if "tests" in raw else None,
        "band": raw.get("band", ""),
        "levels": raw.get("levels", {}),
        "severity": raw.get("severity", ""),
        "because": raw.get("because", ""),
    }


def _above(base: Case, case: Case) -> Case:
    """A case whose label says what it costs beyond its base."""
    tests = base.tests if case.tests is None else case.tests | (base.tests or frozenset())
    return dataclasses.replace(
        case,
        about=case.about or base.about,
        failing=base.failing | case.failing,
        either=base.either | case.either,
        tests=tests,
        band=case.band or base.band,
        levels={**base.levels, **case.levels},
    )


def _base(path: Path, raw: Mapping[str, Any], defects: Sequence[Case], *, patched: bool) -> str:
    """The base's name, or an empty text; the folder's files are those of its kind."""
    besides = sorted(file.name for file in path.parent.iterdir() if file.name not in NOT_HANDED_IN)
    if patched and (besides or "source" in raw):
        raise ValueError(
            f"{path}: it has a patch and whole sources ({', '.join(besides) or 'source'}); "
            "take the sources into the patch, or remove the patch"
        )
    if not defects:
        if patched and not raw.get("base"):
            raise ValueError(f'{path}: say which labelled solution is patched: base = "…"')
        if not raw.get("base") or "about" in raw:
            return str(raw.get("base", ""))
        raise ValueError(f"{path}: it needs a sentence about what it is: about")
    if "base" in raw or (path.parent / PATCH).exists():
        raise ValueError(f"{path}: defects have a base and patches of their own; remove the other")
    if whole := [defect.name for defect in defects if not defect.patches or defect.defects]:
        raise ValueError(f"{path}: {', '.join(whole)} has no {PATCH} that could be combined")
    bases = {defect.base for defect in defects}
    if len(bases) > 1:
        raise ValueError(f"{path}: its defects have several bases, {', '.join(sorted(bases))}")
    return bases.pop()


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a basic string of TOML has the same escapes


def _list(items: Iterable[str]) -> str:
    texts = [_text(item) for item in items]
    line = f"[{', '.join(texts)}]"
    if len(line) <= WIDTH - len("defects = "):
        return line
    filled = textwrap.wrap(
        ", ".join(texts), WIDTH - 3, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(["[", *(f"  {text.removesuffix(',')}," for text in filled), "]"])


def _table(items: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in items.items()) + " }"
