"""The fixed list of static checks: what each looks at, and how much of it is too much.

Allowances are absolute, or grow with reached code up to :data:`LARGEST` statements only, so that
more code never buys more findings. A check asks for what most senior reviewers agree on; matters
of taste (line length, quotes, comprehension or loop, classes or functions) are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.analyst import hints, idiom, structure
from grader.analyst.lint import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from grader.analyst.reach import Reached

__all__ = ["CHECKS", "Check", "Facts"]

LARGEST = 150
DEAD_SHARE = 0.25
_DEAD_LEAST = 8


@dataclass(frozen=True, slots=True)
class Facts:
    """The reached code, and what ruff found in it by rule."""

    reached: Reached
    lint: Mapping[str, Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One static check.

    Attributes:
        rules: ruff's rules whose findings count.
        measure: findings of our own.
        free: findings that are overlooked in any case.
        per_hundred: findings more that are overlooked for each hundred reached statements.
    """

    name: str
    criterion: str
    title: str
    hint: str
    rules: tuple[str, ...] = ()
    measure: tuple[Callable[[Reached], Iterator[Finding]], ...] = ()
    free: int = 0
    per_hundred: float = 0.0

    @property
    def id(self) -> str:
        """The id in the evidence."""
        return f"static::{self.criterion}::{self.name}"

    def allowed(self, size: int) -> int:
        """How many findings pass in that many reached statements."""
        return self.free + int(self.per_hundred * min(size, LARGEST) / 100)

    def findings(self, facts: Facts) -> list[Finding]:
        """All that it finds, in order of place."""
        found = [f for rule in self.rules for f in facts.lint.get(rule, ())]
        found += [f for measure in self.measure for f in measure(facts.reached)]
        return sorted(found, key=lambda f: (f.path, f.line, f.rule, f.text))


def dead_code(reached: Reached) -> Iterator[Finding]:
    """A large part of the loaded files that nothing reaches."""
    whole = reached.size + reached.dead
    if reached.dead > _DEAD_LEAST and reached.dead > DEAD_SHARE * whole:
        path, _, line = reached.dead_where.rpartition(":")
        text = f"{reached.dead} of {whole} statements are never used"
        yield Finding("dead", path, int(line), text)


_LINT = (
    Check(
        "names-used",
        "clarity_lint",
        "Imports and local names are used",
        "Remove imports and variables that nothing uses.",
        rules=("F401", "F841", "F811", "F402"),
        free=1,
    ),
    Check(
        "builtins-kept",
        "clarity_lint",
        "No name hides a builtin",
        "Variables called list, sum or type hide Python's own.",
        rules=("A001", "A002"),
    ),
    Check(
        "errors-kept",
        "clarity_lint",
        "No error is swallowed",
        "Catch the errors that you expect, by their type.",
        rules=("E722", "BLE001", "S110", "S112"),
    ),
    Check(
        "no-traps",
        "clarity_lint",
        "No global state, star import or mutable default",
        "Pass values in and out; avoid the language's well-known traps.",
        rules=("PLW0603", "PLW0602", "B006", "F403", "B023", "B020", "B909"),
    ),
    Check(
        "no-mistakes",
        "clarity_lint",
        "No comparison or expression that a linter calls a mistake",
        "Run a linter over the code.",
        rules=(
            *("F821", "F632", "F507", "F601", "E711", "E712", "E713", "E714", "B002", "B011"),
            *("B015", "B018", "PLR0124", "PLR0133", "W605"),
        ),
        free=1,
    ),
    Check(
        "no-leftovers",
        "clarity_lint",
        "No debugging output and no code that is commented out",
        "Take out prints and old code before handing in.",
        rules=("T201", "T203", "T100"),
        measure=(structure.leftovers,),
        free=1,
    ),
    Check(
        "no-dead-code",
        "clarity_lint",
        "The code that is there is used",
        "Remove code that the task's functions do not use.",
        measure=(dead_code, structure.unreachable),
    ),
    Check(
        "one-a-line",
        "clarity_lint",
        "One statement a line",
        "Put each statement on a line of its own.",
        rules=("E701", "E702", "E703"),
        free=3,
        per_hundred=3,
    ),
)
_STRUCTURE = (
    Check(
        "short-functions",
        "clarity_structure",
        f"No function has more than {structure.LONGEST} statements",
        "Split long functions by what their parts do.",
        measure=(structure.long_functions,),
    ),
    Check(
        "few-branches",
        "clarity_structure",
        "No function has a cyclomatic complexity above 12",
        "Split functions with many branches.",
        rules=("C901",),
    ),
    Check(
        "shallow",
        "clarity_structure",
        f"No block is nested more than {structure.DEEPEST} deep",
        "Return early, or name the inner part as a function.",
        measure=(structure.deep_nesting,),
    ),
    Check(
        "no-repetition",
        "clarity_structure",
        "No passage is written twice",
        "Name what is repeated as a function.",
        measure=(structure.repetition, structure.repeated_guards),
    ),
    Check(
        "in-proportion",
        "clarity_structure",
        "There are no more functions than the task needs",
        "Inline what only passes on; build what a second use would need when there is one.",
        measure=(structure.overbuilt,),
    ),
    Check(
        "comments-that-help",
        "clarity_structure",
        "Comments say what the code does not",
        "Leave out comments that repeat the line below.",
        measure=(structure.noisy_comments,),
    ),
    Check(
        "few-parameters",
        "clarity_structure",
        "No function has more than seven parameters",
        "Group parameters that belong together.",
        rules=("PLR0913",),
    ),
)
_DOCS = (
    Check(
        "docstrings",
        "clarity_docs",
        "What the task asks for has a docstring",
        "Say in a sentence what each public function and class does.",
        measure=(structure.undocumented,),
    ),
    Check(
        "names-in-style",
        "clarity_docs",
        "Names follow Python's naming style",
        "lower_case for functions and variables, CapWords for classes.",
        rules=("N801", "N802", "N803", "N805", "N806"),
        free=1,
    ),
    Check(
        "telling-names",
        "clarity_docs",
        "Names say what they hold",
        "Avoid placeholders, numbered copies and riddles of single letters.",
        measure=(structure.cryptic_names,),
        free=1,
    ),
    Check(
        "names-spelled-out",
        "clarity_docs",
        "Names are words, not letters",
        "Spell out what a value is, unless the field itself uses the letter.",
        measure=(structure.single_letters,),
    ),
    Check(
        "long-explained",
        "clarity_docs",
        "Long functions explain themselves",
        "A long function needs a docstring or a comment.",
        measure=(structure.unexplained,),
    ),
)
_IDIOM = (
    Check(
        "no-index-loops",
        "proficiency_idiom",
        "Loops go over values, not over positions",
        "Loop over the values; enumerate and zip give positions.",
        measure=(idiom.index_loops,),
    ),
    Check(
        "safe-assignment",
        "proficiency_idiom",
        "Frames are assigned to in one step, with warnings on",
        "frame.loc[rows, column] = value in place of chained assignment.",
        measure=(idiom.chained_assignment, idiom.silenced_warnings),
    ),
    Check(
        "no-inplace",
        "proficiency_idiom",
        "Results are returned, not made in place",
        "Assign what a pandas method returns; inplace=True saves nothing.",
        rules=("PD002",),
        free=1,
    ),
    Check(
        "plain-expressions",
        "proficiency_idiom",
        "No expression has a much simpler form",
        "A linter shows the shorter form of such conditions and conversions.",
        rules=(
            *(
                "SIM101",
                "SIM102",
                "SIM103",
                "SIM113",
                "SIM118",
                "SIM201",
                "SIM202",
                "SIM210",
                "SIM211",
            ),
            *("C400", "C401", "C402", "C403", "C404", "C411", "C414", "C416"),
            *("PERF102", "PLC0206", "PLR1711", "PLR5501", "E731"),
        ),
        free=2,
        per_hundred=2,
    ),
    Check(
        "todays-forms",
        "proficiency_idiom",
        "The language's present forms are used",
        "f-strings, super() without arguments, hints in place of type comments.",
        rules=("UP004", "UP008", "UP010", "UP031"),
        measure=(idiom.type_comments,),
        free=2,
    ),
    Check(
        "types-asked-well",
        "proficiency_idiom",
        "Types are tested with isinstance",
        "isinstance also accepts subclasses.",
        rules=("E721", "B004"),
    ),
    Check(
        "telling-errors",
        "proficiency_idiom",
        "Errors have a type and a cause, files are closed",
        "Raise ValueError or TypeError, chain with from, open files with with.",
        rules=("TRY002", "B904", "SIM115", "E722"),
        measure=(idiom.blanket_handlers,),
    ),
)
_TYPING = (
    Check(
        "contract-hinted",
        "proficiency_typing",
        "What the task asks for has type hints",
        "Give parameters and results of public functions their types.",
        measure=(hints.unhinted_contract,),
    ),
    Check(
        "helpers-hinted",
        "proficiency_typing",
        "Helpers have type hints",
        "Hints help most where others will call the code.",
        measure=(hints.unhinted_helpers,),
        free=1,
    ),
    Check(
        "todays-hints",
        "proficiency_typing",
        "Type hints are written as today",
        "list[int], dict[str, float] and X | None need nothing from typing.",
        rules=("UP006", "UP007", "UP045"),
        free=2,
    ),
    Check(
        "hints-that-say",
        "proficiency_typing",
        "Type hints say what a value is",
        "Any, and a dict or Callable without its types, tell a reader nothing.",
        measure=(hints.vague_hints,),
        free=5,
    ),
    Check(
        "hints-hold",
        "proficiency_typing",
        "Type hints agree with the code",
        "Annotate what the task asks for, and keep the annotations true.",
        rules=("RUF013",),
        measure=(hints.broken_hints,),
    ),
)
_VECTORS = (
    Check(
        "no-row-loops",
        "proficiency_vectors",
        "No loop goes over the rows or cells of a frame",
        "Work on whole columns.",
        measure=(idiom.row_loops, idiom.cell_access),
    ),
    Check(
        "no-row-functions",
        "proficiency_vectors",
        "No Python function is called for each row",
        "Work on whole columns; apply with axis=1 is a loop.",
        measure=(idiom.row_functions,),
    ),
    Check(
        "library-statistics",
        "proficiency_vectors",
        "Statistics come from the library",
        "The library's median knows missing values and is faster.",
        measure=(idiom.hand_made_statistics,),
    ),
)
CHECKS = (*_LINT, *_STRUCTURE, *_DOCS, *_IDIOM, *_TYPING, *_VECTORS)
