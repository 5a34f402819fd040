"""What the judge is asked back: the next item of a stream, the answer of a stand-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from grader.judge.errors import JudgeFault
from grader.wire.recipes import STAND_IN
from grader.wire.values import Recipe, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Asked", "Failure", "HeldCall", "StandIn"]

if TYPE_CHECKING:
    Resolve = Callable[[list[tuple[int, tuple[object, ...]]]], None]

MAX_CALLS = 50_000  # of stand-ins in one test
_NO_ANSWER = ("raise", "RuntimeError", "the test answers no such call")


@dataclass(frozen=True, slots=True)
class Failure:
    """An error with which a stand-in answers.

    Attributes:
        type: name of an exception of the stand-in's own module, or of a built-in one.
        message: what it says.
    """

    type: str
    message: str

    def to_wire(self) -> tuple[object, ...]:
        """The answer that crosses."""
        return ("raise", self.type, self.message)


@dataclass(eq=False)
class HeldCall:
    """One call of a stand-in, in the order in which they reached the judge.

    Attributes:
        number: 0 for the first call of the test.
        arguments: by the names of the function's parameters; a function that is an argument of a
            call has its positional arguments under ``args``.
        open: whether it still waits for its answer.
    """

    number: int
    arguments: dict[str, object]
    open: bool
    _resolve: Resolve = field(repr=False)

    def __getitem__(self, name: str) -> object:
        """An argument; AssertionError where the call came without it."""
        if name not in self.arguments:
            raise AssertionError(f"a call came without {name!r}")
        return self.arguments[name]

    def answer(self, value: object) -> None:
        """Let the call return a value, which is data."""
        self._end(("return", value))

    def fail(self, failure: Failure) -> None:
        """Let the call raise an error."""
        self._end(failure.to_wire())

    def _end(self, outcome: tuple[object, ...]) -> None:
        if not self.open:
            raise JudgeFault(f"a hidden test answers call {self.number} twice")
        self._resolve([self.ended(outcome)])

    def ended(self, outcome: tuple[object, ...]) -> tuple[int, tuple[object, ...]]:
        """The call waits no more: what has to be sent."""
        self.open = False
        return self.number, outcome


class StandIn:
    """A function of the judge's that the submission calls.

    A call is answered at once, or held until the test answers it; which of the two is decided
    when it comes. What it was called with, how often, in which order and how many calls were open
    at once are facts of the judge's.

    Attributes:
        calls: all calls of this test so far.
        most_open: the largest number of calls that waited at the same time.
    """

    def __init__(self, name: str, resolve: Resolve) -> None:
        self.name = name
        self.calls: list[HeldCall] = []
        self.most_open = 0
        self._resolve = resolve
        self._answer: Callable[..., object] | None = None
        self._held = False

    def hold(self) -> None:
        """Hold the calls to come."""
        self._held = True

    def answer_with(self, function: Callable[..., object]) -> None:
        """Answer the calls to come at once.

        Args:
            function: called with the call's arguments by name; gives a value that is data, or a
                `Failure`.
        """
        self._held, self._answer = False, function

    def fail_with(self, failure: Failure) -> None:
        """Fail the calls to come at once."""
        self.answer_with(lambda **_: failure)

    def release(self, function: Callable[..., object]) -> None:
        """Answer all calls that wait, at the same time.

        Args:
            function: as for `answer_with`.
        """
        self._resolve([call.ended(_outcome(function(**call.arguments))) for call in self.open])

    @property
    def open(self) -> list[HeldCall]:
        """Calls that wait for their answers, in the order in which they came."""
        return [call for call in self.calls if call.open]

    def take(self, number: int, arguments: dict[str, object]) -> tuple[object, ...]:
        """A call has come: the answer, or that it is held."""
        self.calls.append(HeldCall(number, arguments, self._held, self._resolve))
        if self._held:
            self.most_open = max(self.most_open, len(self.open))
            return ("hold", number)
        if self._answer is None:
            return _NO_ANSWER
        return _outcome(self._answer(**arguments))


def _outcome(value: object) -> tuple[object, ...]:
    return value.to_wire() if isinstance(value, Failure) else ("return", value)


class Asked:
    """Everything of one test that the submission may ask back about.

    Args:
        resolve: sends the outcome of a held call.
        wrap: makes of decoded arguments what tests use.
        fail: latches a failure of the channel and raises it.
    """

    def __init__(
        self,
        resolve: Resolve,
        wrap: Callable[[object], object],
        fail: Callable[[str, str], NoReturn],
    ) -> None:
        self._resolve = resolve
        self._wrap = wrap
        self._fail = fail
        # Kept to the end: a thread of the submission may still read one that a test has left.
        self._streams: list[Iterator[object]] = []
        self._stand_ins: dict[str, StandIn] = {}
        self._calls = 0

    def stream(self, source: Iterator[object]) -> Stream:
        """What crosses in place of an iterator."""
        self._streams.append(source)
        return Stream(len(self._streams) - 1)

    def stand_in(self, name: str) -> StandIn:
        """The stand-in of that name."""
        if name not in self._stand_ins:
            self._stand_ins[name] = StandIn(name, self._resolve)
        return self._stand_ins[name]

    def argument(self) -> StandIn:
        """A stand-in that has no module; it is an argument of a call."""
        return self.stand_in(f"#{len(self._stand_ins)}")

    @staticmethod
    def recipe(stand_in: StandIn) -> Recipe:
        """What crosses in place of a stand-in that is an argument."""
        if not stand_in.name.startswith("#"):
            raise JudgeFault(f"{stand_in.name} is a module's; it is no argument")
        return Recipe(STAND_IN, {"number": int(stand_in.name[1:])})

    def answer(self, question: tuple[object, ...]) -> tuple[object, ...]:
        """The answer to ``("pull", stream)`` or ``("call", name, arguments)``."""
        match question:
            case ("pull", int(stream)) if 0 <= stream < len(self._streams):
                return self._item(self._streams[stream])
            case ("pull", _):
                self._fail("bad-reply", "it pulls from a stream that there is not")
            case ("call", str(name), dict(arguments)) if _named(arguments):
                return self._call(name, arguments)
        return self._fail("bad-reply", "a question back has no known form")

    @staticmethod
    def _item(source: Iterator[object]) -> tuple[object, ...]:
        try:
            return ("item", next(source))
        except StopIteration:
            return ("end",)

    def _call(self, name: str, arguments: Mapping[str, object]) -> tuple[object, ...]:
        self._calls += 1
        if self._calls > MAX_CALLS:
            self._fail("too-large", f"more than {MAX_CALLS} calls of what the judge stands in for")
        if name not in self._stand_ins:
            return _NO_ANSWER
        wrapped = {key: self._wrap(value) for key, value in arguments.items()}
        return self._stand_ins[name].take(self._calls - 1, wrapped)


def _named(arguments: dict[Any, Any]) -> bool:
    return all(type(key) is str and key.isidentifier() for key in arguments)
