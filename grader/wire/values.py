"""Values on the wire that stand for something else: objects, records, folders, generators.

Plain data without pandas, so that every side can import it. Decoded values hold data only, so
comparing or printing them runs no code of a candidate's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FileTree", "Handle", "KeptDict", "KeptList", "Recipe", "Record", "Stream"]


@dataclass(frozen=True, slots=True)
class Handle:
    """An object that stayed on the other side because it is not data.

    Attributes:
        id: the number under which its owner keeps it.
        type_name: name of its class, at most 80 characters; the candidate's word, never trusted.
        callable: whether it may be called.
        session: the process that owns it; the judge sets this, an answer cannot.
    """

    id: int
    type_name: str
    callable: bool
    session: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Record:
    """What a dataclass instance, a named tuple or a plain enum member decodes to.

    ``record.label`` and ``record["label"]`` give a field. One that stands for a named tuple also
    unpacks and takes positions. Two records are equal when their fields are, in any order;
    ``type_name`` is a label and does not count.

    Attributes:
        type_name: name of the class, at most 80 characters.
        fields: field name to value, in the order of the class.
        is_tuple: whether it was a named tuple.
        handle: the object itself. A record that is sent back to where it came from arrives there
            as this object.
        has_methods: its class also has public methods, so it is an object as much as a record.
    """

    type_name: str
    fields: dict[str, object]
    is_tuple: bool = False
    handle: Handle | None = None
    has_methods: bool = False

    def __getattr__(self, name: str) -> object:
        """Give the field ``name``; only asked for names that are no attribute of this class."""
        # Through __dict__: copy and pickle ask for attributes before there are any.
        fields: dict[str, object] = self.__dict__.get("fields", {})
        if name in fields:
            return fields[name]
        raise AttributeError(f"record {self.__dict__.get('type_name')!r} has no field {name!r}")

    def __getitem__(self, key: str | int | slice) -> object:
        if isinstance(key, str):
            return self.fields[key]
        return self._positions()[key]

    def __iter__(self) -> Iterator[object]:
        return iter(self._positions())

    def __len__(self) -> int:
        return len(self._positions())

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return self.is_tuple == other.is_tuple and self.fields == other.fields

    def __hash__(self) -> int:
        return hash((self.is_tuple, frozenset(self.fields.items())))

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{self.type_name}({inner})"

    def _positions(self) -> tuple[object, ...]:
        if not self.is_tuple:
            raise TypeError(f"record {self.type_name!r} is no tuple: it has fields only")
        return tuple(self.fields.values())


class KeptDict(dict[Any, Any]):
    """What an instance of a class made from `dict` (a Counter, say) decodes to: its items.

    Sent back to where it came from, it arrives there as the object itself, whatever it can do.

    Attributes:
        handle: the object itself.
    """

    __slots__ = ("handle",)

    def __init__(self, items: dict[Any, Any], handle: Handle) -> None:
        super().__init__(items)
        self.handle = handle


class KeptList(list[Any]):
    """The same for a class made from `list`.

    Attributes:
        handle: the object itself.
    """

    __slots__ = ("handle",)

    def __init__(self, items: list[Any], handle: Handle) -> None:
        super().__init__(items)
        self.handle = handle


@dataclass(frozen=True, slots=True)
class FileTree:
    """An argument that becomes a folder at the other side.

    Attributes:
        files: relative POSIX path to content. The side that writes the folder checks the paths.
    """

    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Stream:
    """An argument that becomes a lazy generator at the other side.

    Attributes:
        id: the number under which the sender serves its items.
    """

    id: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """An argument that trusted code at the other side builds.

    Attributes:
        kind: what to build; the builder knows the list.
        params: data that the builder takes.
    """

    kind: str
    params: dict[str, object] = field(default_factory=dict)
