"""What the host says about a submission, as typed objects, and how loading one failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AppConfig",
    "CellFailure",
    "LoadConfig",
    "NotebookConfig",
    "StandInConfig",
    "string_list",
    "whole_number",
]


def string_list(meta: Mapping[str, object], key: str) -> list[str]:
    """A list of strings from a frame's header; TypeError says which key is not one."""
    value = meta.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"{key} is not a list of strings")
    return value


def whole_number(meta: Mapping[str, object], key: str) -> int:
    """A whole number from a frame's header; TypeError says which key is not one."""
    value = meta.get(key)
    if not isinstance(value, int):
        raise TypeError(f"{key} is not a whole number")
    return value


@dataclass(frozen=True, slots=True)
class NotebookConfig:
    """A notebook in place of a module.

    Attributes:
        path: of its file, below the submission's folder.
        cells: number and plain Python of each code cell, in order.
        cell_ms: the most time that one cell may take.
    """

    path: str
    cells: tuple[tuple[int, str], ...]
    cell_ms: int

    @classmethod
    def from_meta(cls, meta: object) -> NotebookConfig | None:
        """Read the header's part about a notebook; None where there is none."""
        if not isinstance(meta, dict):
            return None
        return cls(
            path=str(meta["path"]),
            cells=tuple((int(number), str(text)) for number, text in meta["cells"]),
            cell_ms=whole_number(meta, "cell_ms"),
        )


@dataclass(frozen=True, slots=True)
class CellFailure:
    """A cell that ended in an error; ``line`` is 0 where no line of the cell is known."""

    number: int
    line: int
    type: str
    message: str

    def __str__(self) -> str:
        place = f"cell {self.number}, line {self.line}" if self.line else f"cell {self.number}"
        return f"{place} failed: {self.type}: {self.message}"


@dataclass(frozen=True, slots=True)
class AppConfig:
    """Where the submission's web application is: what makes it, or its own name."""

    factory: str = ""
    name: str = ""

    @classmethod
    def from_meta(cls, meta: object) -> AppConfig | None:
        """Read the header's part about it; None where there is none."""
        if not isinstance(meta, dict):
            return None
        return cls(str(meta.get("factory", "")), str(meta.get("name", "")))


@dataclass(frozen=True, slots=True)
class StandInConfig:
    """A module some of whose functions are the judge's.

    Attributes:
        module: its name.
        source: of the exercise's own module; what it holds besides the functions stays as it is.
        functions: the names that the judge answers for.
    """

    module: str
    source: str
    functions: tuple[str, ...]

    @classmethod
    def all_from_meta(cls, meta: object) -> tuple[StandInConfig, ...]:
        """Read the header's part about them."""
        items = meta if isinstance(meta, list) else []
        return tuple(
            cls(str(item["module"]), str(item["source"]), tuple(string_list(item, "functions")))
            for item in items
        )


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """How to load a submission.

    Attributes:
        entry: file name of the module, relative to the submission's folder.
        functions: the names that the exercise asks for.
        packages: what the sandbox offers, for the message about a package that it lacks.
        generators: packages whose functions may execute text that they make.
        reply_bytes: the largest answer that will be encoded.
        notebook: what is loaded in place of the module.
        app: the web application that the exercise asks for.
        stand_ins: the modules that the judge stands in for.
    """

    entry: str = "solution.py"
    functions: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()
    reply_bytes: int = 64 << 20
    notebook: NotebookConfig | None = None
    app: AppConfig | None = None
    stand_ins: tuple[StandInConfig, ...] = ()

    @classmethod
    def from_meta(cls, meta: Mapping[str, object]) -> LoadConfig:
        """Read the header of a SUBMISSION frame."""
        return cls(
            entry=str(meta["entry"]),
            functions=tuple(string_list(meta, "functions")),
            packages=tuple(string_list(meta, "packages")),
            generators=tuple(string_list(meta, "generators")),
            reply_bytes=whole_number(meta, "reply_bytes"),
            notebook=NotebookConfig.from_meta(meta.get("notebook")),
            app=AppConfig.from_meta(meta.get("app")),
            stand_ins=StandInConfig.all_from_meta(meta.get("stand_ins")),
        )
