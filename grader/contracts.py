"""What an exercise gives its submissions to run in: environment, application, stand-ins."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AppContract", "Environment", "StandIn"]


@dataclass(frozen=True, slots=True)
class AppContract:
    """Where a submission's web application is: what makes it, or its own name; one is empty."""

    factory: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A module of the starter's some of whose functions are the judge's in a grading.

    Attributes:
        module: its name.
        source: of the starter's module; what it holds besides the functions stays as it is.
        functions: the names that the judge answers for.
    """

    module: str
    source: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Environment:
    """The Python and the packages that an exercise's submissions run on.

    Attributes:
        python: ``"3.11"`` or ``"3.13"``; judge, candidate and analyst all run on it.
        base: packages that every exercise offers, name → version.
        extra: packages of this exercise alone, name → version, as its lock pins them for this
            machine's architecture.
        offered: those that candidates install, on whatever machine: what the lock pins for all
            architectures, without local versions such as ``+cpu``.
        lock: the lock file's bytes; empty where the exercise adds nothing.
        generators: import names of packages whose functions may execute text that they make.
        fault: why no image can be made of it, and the fix; empty where nothing is wrong.
    """

    python: str
    base: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict)
    lock: bytes = b""
    fault: str = ""
    generators: tuple[str, ...] = ()
    offered: Mapping[str, str] = field(default_factory=dict)

    @property
    def packages(self) -> Mapping[str, str]:
        """All that a submission can import, name → version, in order of name."""
        return dict(sorted({**self.base, **self.extra}.items()))

    @property
    def digest(self) -> str:
        """SHA-256, hex, over Python, base set and lock."""
        pins = "".join(f"{name}=={version}\n" for name, version in sorted(self.base.items()))
        return hashlib.sha256(f"{self.python}\n{pins}".encode() + self.lock).hexdigest()
