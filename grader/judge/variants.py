"""Calls by name, and calls with options of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Function", "Variant"]


class Caller(Protocol):
    """Who makes the calls: a ``Solution``."""

    def call_with(
        self, options: Mapping[str, object], target: object, *args: object, **kwargs: object
    ) -> object:
        """Call with protocol options."""


class Variant:
    """``solution.keep.name(...)`` and ``solution.repeat(n).name(...)``."""

    def __init__(self, solution: Caller, options: Mapping[str, object]) -> None:
        self._solution = solution
        self._options = dict(options)

    def __getattr__(self, name: str) -> Function:
        if name.startswith("_"):
            raise AttributeError(name)
        return Function(self._solution, name, self._options)

    def call(self, target: object, *args: object, **kwargs: object) -> object:
        """The same for a remote object: ``solution.keep.call(model.transform, frame)``."""
        return self._solution.call_with(self._options, target, *args, **kwargs)


class Function:
    """A name of the submission's, ready to be called."""

    def __init__(self, solution: Caller, name: object, options: Mapping[str, object]) -> None:
        self._solution = solution
        self._name = name
        self._options = dict(options)

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call it."""
        return self._solution.call_with(self._options, self._name, *args, **kwargs)
