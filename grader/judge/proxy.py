"""The ``solution`` that hidden tests call: names and handles of another process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from grader.judge.asked import Asked, StandIn
from grader.judge.channel import Channel, Outcomes, Stopwatch
from grader.judge.errors import CandidateError, ChannelFailure, JudgeFault, make_error
from grader.judge.service import App, Service
from grader.judge.variants import Function, Variant
from grader.wire import codec
from grader.wire.frames import Measure
from grader.wire.values import Handle, KeptDict, KeptList, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


__all__ = ["RemoteObject", "Solution"]

_MAX_REQUEST = 256 << 20
_WAITING = ("wait", "settle", "resolve")  # operations on a service
# Bounds of the judge's time and memory on one hostile answer: seconds, and lists of its cells.
_MAX_ITEMS = 2_000_000
_MAX_WORK = 3_000_000


class RemoteObject:
    """An object that stayed in the candidate's process.

    Attribute access, calls, ``len``, indexing and iteration are asked there. Names that start
    with an underscore are not forwarded.

    A dataclass instance with methods came with its fields. As long as nothing else has been asked
    since, they cannot have changed on our account and are read here; after that they are asked
    for like any attribute.
    """

    __slots__ = ("_asked", "_fields", "_handle", "_solution")

    def __init__(
        self, solution: Solution, handle: Handle, fields: Mapping[str, object] | None = None
    ) -> None:
        self._solution = solution
        self._handle = handle
        self._fields = fields or {}
        self._asked = solution.asked

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._fields and self._asked == self._solution.asked:
            return self._fields[name]
        return self._solution.ask("getattr", self, name)

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call it there, with data, remote objects or generators as arguments."""
        return self._solution.call(self, *args, **kwargs)

    def __len__(self) -> int:
        size = self._solution.ask("len", self)
        if type(size) is not int or size < 0:
            raise AssertionError("its length is not a whole number")
        return size

    def __getitem__(self, key: object) -> object:
        return self._solution.ask("getitem", self, key)

    def __iter__(self) -> Iterator[object]:
        iterator = self._solution.ask("iter", self)
        while True:
            match self._solution.ask("next", iterator):
                case ("item", value):
                    yield value
                case ("end",):
                    return
                case _:
                    raise AssertionError("it is no iterator")

    def __repr__(self) -> str:
        return f"<an object of type {self._handle.type_name[:80]!r}>"

    @property
    def _type_name(self) -> str:
        return self._handle.type_name


class Solution:
    """The candidate's submission in a process of its own, one for each test.

    Args:
        channel: the way there.

    Attributes:
        failure: set by the first channel failure; the test has failed from then on.
        calls: questions asked so far.
        heard: whether anything came from the candidate that could have confused the judge.
        last: cost of the last call.
        asked: changes with every question and every new process.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._session = 0
        self._running = False
        self.failure: ChannelFailure | None = None
        self.calls = 0
        self.heard = False
        self.asked = 0
        self.last = Measure(0)
        self._asked_back = Asked(self._resolve, self._wrap, self._fail)
        self._service = Service(self.ask, self._fail, self._latched_on_failure, self._asked_back)
        channel.serve_questions(self._answer_back)

    # What tests use.

    def __getattr__(self, name: str) -> Function:
        if name.startswith("_"):
            raise AttributeError(name)
        return Function(self, name, {})

    @property
    def keep(self) -> Variant:
        """Calls whose result stays in the candidate's process, whatever it is."""
        return Variant(self, {"keep": True})

    def repeat(self, times: int, *, threads: int = 1, items: bool = False) -> Variant:
        """Calls that happen ``times`` times on ``threads`` threads; they give `Outcomes`.

        Args:
            times: number of calls.
            threads: number of threads that make them.
            items: whether each thread reads what its call returns to the end, and gives a list.
                With a generator of the test's as argument, which all calls share, the sizes of
                these lists show whether the calls overlapped.
        """
        return Variant(self, {"times": times, "threads": threads, "items": items})

    def call(self, target: object, *args: object, **kwargs: object) -> object:
        """Call a name or a remote object."""
        return self.call_with({}, target, *args, **kwargs)

    def each(self, target: object, items: Sequence[object]) -> list[object]:
        """Call a name or a remote object once for each item, in one exchange.

        The first error ends it and is raised.
        """
        answers = self.ask("each", target, list(items))
        if type(answers) is not list or len(answers) != len(items):
            self._fail("bad-reply", "calls for several items gave another number of answers")
        return answers

    def items(self, source: RemoteObject) -> list[object]:
        """All items of a remote object that can be iterated over, in one exchange."""
        found = self.ask("items", source)
        if type(found) is not list:
            self._fail("bad-reply", "the items of an object are no list")
        return found

    def make(self, recipe: object) -> RemoteObject:
        """Put an argument (a recipe, or data) into the candidate's process ahead of a call.

        No call is charged for it, and what a call does to it can be looked at afterwards.
        """
        made = self.ask("make", recipe)
        if not isinstance(made, RemoteObject):
            self._fail("bad-reply", "an argument was not built")
        return made

    def state(self, model: object) -> dict[str, NDArray[np.float64]]:
        """The fitted numbers that an object holds, by their path.

        The candidate's own process reports them: they can accuse, and never acquit.
        """
        held = model if isinstance(model, RemoteObject) else self.make(model)
        found = self.ask("state", held)
        if not isinstance(found, dict):
            self._fail("bad-reply", "a state is no dict")
        for path, numbers in found.items():
            if not isinstance(path, str) or not isinstance(numbers, np.ndarray):
                self._fail("bad-reply", "a state holds something else than arrays")
            if numbers.dtype != np.float64:
                self._fail("bad-reply", "a state holds an array that is not float64")
        return found

    def app(self, *args: object, **kwargs: object) -> App:
        """Make the exercise's web application and start it by its lifespan.

        Args:
            args: of the factory that `exercise.toml` names.
            kwargs: the same.

        Raises:
            CandidateError: there is none, the factory raises, or the start fails.
        """
        return self._service.add([self._prepared(a) for a in args], kwargs)

    def stand_in(self, name: str = "") -> StandIn:
        """A function of the judge's that the submission calls.

        Args:
            name: module and function that `exercise.toml` names, such as ``"inference.run"``;
                without it, a function that may be an argument of calls.
        """
        return self._asked_back.stand_in(name) if name else self._asked_back.argument()

    def fresh(self, *, draw: int = 0) -> Solution:
        """End the process and start a new one, which has seen nothing. Handles are gone.

        Args:
            draw: which numbers the global generators of ``random`` and NumPy give in it: they are
                seeded with it before each call.
        """
        self._check()
        if self._running:
            self._stop()
        self._start()
        if draw:
            self.ask("draw", draw)
        return self

    def stopwatch(self) -> Stopwatch:
        """Measure the judge's own work: ``with solution.stopwatch() as reference: …``."""
        return Stopwatch(self._channel)

    # What the rest of the judge uses.

    def call_with(
        self, options: Mapping[str, object], target: object, *args: object, **kwargs: object
    ) -> object:
        """Call with protocol options."""
        positional = [self._prepared(value) for value in args]
        named = {key: self._prepared(value) for key, value in kwargs.items()}
        result = self.ask("call", target, positional, named, dict(options))
        return self._outcomes(result) if "times" in options else result

    def ask(self, *operation: object) -> object:
        """One question of the protocol; see ``grader.candidate.runner.Session``."""
        self._check()
        if not self._running:
            self._start()
        try:
            body = codec.encode(operation, handle=self._to_wire, max_bytes=_MAX_REQUEST)
        except codec.CodecError as error:
            raise JudgeFault(f"a hidden test sends what cannot be sent: {error}") from error
        # How often there is something to wait for hangs on the machine, and the report must not.
        self.calls += operation[0] != "service" or operation[1] not in _WAITING
        self.asked += 1
        wall, cpu, peak, known = 0, 0, -1, True
        while True:
            reply, measure = self._guarded(body, wall)
            self.heard = True
            wall += measure.wall_ns
            cpu += measure.cpu_ns
            known = known and measure.cpu_ns >= 0
            peak = max(peak, measure.peak_bytes)
            self.last = Measure(wall, cpu if known else -1, peak)
            try:
                answer = codec.decode(reply, max_items=_MAX_ITEMS, max_work=_MAX_WORK)
            except codec.DecodeError as error:
                self._fail("bad-reply", f"the answer cannot be decoded: {error}")
            match self._formed(answer):
                case ("value", value):
                    return self._wrap(value)
                case ("error", type_name, bases, message, where):
                    raise self._latched_on_failure(type_name, bases, message, where)
                case ("pull", _) | ("call", _, _):
                    body = self._answered(answer)
                case ("oversize", str(text)):
                    self._fail("too-large", text[:200])
                case _:
                    self._fail("bad-reply", "the answer has no known form")

    def _formed(self, answer: object) -> tuple[object, ...]:
        """An answer whose first item is a name; only then is it compared with anything."""
        if type(answer) is not tuple or not answer or type(answer[0]) is not str:
            self._fail("bad-reply", "the answer has no known form")
        return answer

    def finish(self) -> None:
        """End of the test."""
        if self._running:
            self._stop()

    def _stop(self) -> None:
        self._running = False
        try:
            unsolicited = self._channel.end()
        except ChannelFailure as failure:
            self.failure = self.failure or failure
            return
        if unsolicited and self.failure is None:
            self.failure = ChannelFailure("bad-reply", "bytes came that nobody asked for")

    def _start(self) -> None:
        self._session += 1
        self.asked += 1
        try:
            encoded = self._channel.begin()
        except ChannelFailure as failure:
            self.failure = failure
            raise
        self._running = True
        if encoded is None:
            return
        try:
            answer = codec.decode(encoded, max_items=_MAX_ITEMS, max_work=_MAX_WORK)
        except codec.DecodeError:
            answer = None
        self.heard = True
        match self._formed(answer):
            case ("error", type_name, bases, message, where):
                error = self._latched_on_failure(type_name, bases, message, where)
                self.failure = ChannelFailure("load-error", str(error)[:2000], error.where)
                raise self.failure
            case _:
                self._fail("bad-reply", "the load error cannot be decoded")

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _fail(self, cause: str, detail: str) -> NoReturn:
        self.failure = ChannelFailure(cause, detail)
        raise self.failure

    def _guarded(self, body: bytes, spent_ns: int) -> tuple[bytes, Measure]:
        try:
            return self._channel.request(body, spent_ns)
        except ChannelFailure as failure:
            self.failure = failure
            self._running = False
            raise

    def _latched_on_failure(
        self, type_name: object, bases: object, message: object, where: object
    ) -> CandidateError:
        try:
            return make_error(type_name, bases, message, where)
        except ChannelFailure as failure:
            self.failure = failure
            raise

    def _prepared(self, value: object) -> object:
        if isinstance(value, StandIn):
            return self._asked_back.recipe(value)
        if isinstance(value, Iterator) and not isinstance(value, RemoteObject):
            return self._asked_back.stream(value)
        return value

    def _resolve(self, outcomes: list[tuple[int, tuple[object, ...]]]) -> None:
        self._service.operate("resolve", outcomes)

    def _answered(self, question: object) -> bytes:
        answer = self._asked_back.answer(self._formed(question))
        try:
            return codec.encode(answer, handle=self._to_wire, max_bytes=_MAX_REQUEST)
        except codec.CodecError as error:
            raise JudgeFault(f"a hidden test answers what cannot be sent: {error}") from error

    def _answer_back(self, question: bytes) -> bytes:
        """The same where no wire is between, and a thread of the submission's asks."""
        return self._answered(codec.decode(question, max_items=_MAX_ITEMS, max_work=_MAX_WORK))

    def _to_wire(self, value: object) -> Handle:
        if isinstance(value, RemoteObject | Record | KeptDict | KeptList):
            name = "_handle" if isinstance(value, RemoteObject) else "handle"
            handle = object.__getattribute__(value, name)
            if handle.session != self._session:
                raise JudgeFault("a hidden test uses a handle of a process that has ended")
            return Handle(handle.id, handle.type_name, handle.callable)
        raise JudgeFault(f"a hidden test sends a {type(value).__name__}, which is no data")

    def _wrap(self, value: object) -> object:
        """Handles, at any depth of plain containers, become remote objects."""
        kind = type(value)
        if kind is Handle:
            return self._remote(value)  # type: ignore[arg-type]
        if kind is Record:
            return self._wrap_record(value)  # type: ignore[arg-type]
        if kind is list:
            return [self._wrap(item) for item in value]  # type: ignore[attr-defined]
        if kind is tuple:
            return tuple(self._wrap(item) for item in value)  # type: ignore[attr-defined]
        if kind is dict:
            return {key: self._wrap(item) for key, item in value.items()}  # type: ignore[attr-defined]
        if kind is KeptDict:
            own = dataclasses.replace(value.handle, session=self._session)  # type: ignore[attr-defined]
            return KeptDict({key: self._wrap(item) for key, item in value.items()}, own)  # type: ignore[attr-defined]
        if kind is KeptList:
            own = dataclasses.replace(value.handle, session=self._session)  # type: ignore[attr-defined]
            return KeptList([self._wrap(item) for item in value], own)  # type: ignore[attr-defined]
        return value

    def _wrap_record(self, record: Record) -> object:
        handle = record.handle
        if handle is not None and record.has_methods:
            return self._remote(handle, record.fields)
        fields = {key: self._wrap(item) for key, item in record.fields.items()}
        if handle is not None:
            handle = dataclasses.replace(handle, session=self._session)
        return Record(record.type_name, fields, record.is_tuple, handle)

    def _remote(self, handle: Handle, fields: Mapping[str, object] | None = None) -> RemoteObject:
        owned = Handle(handle.id, handle.type_name[:80], handle.callable, self._session)
        kept = {key: self._wrap(item) for key, item in (fields or {}).items()}
        return RemoteObject(self, owned, kept)

    def _outcomes(self, result: object) -> Outcomes:
        match result:
            case [list(distinct), list(order)]:
                pass
            case _:
                self._fail("bad-reply", "a repeated call gave no outcomes")
        if not all(isinstance(item, bytes) for item in distinct):
            self._fail("bad-reply", "an outcome of a repeated call has no known form")
        try:
            answers = codec.decode_all(distinct, max_items=_MAX_ITEMS, max_work=_MAX_WORK)
        except codec.DecodeError as error:
            self._fail("bad-reply", f"the outcomes of a repeated call cannot be decoded: {error}")
        decoded: list[object] = []
        for answer in answers:
            match self._formed(answer):
                case ("value", value):
                    decoded.append(self._wrap(value))
                case ("error", type_name, bases, message, where):
                    decoded.append(self._latched_on_failure(type_name, bases, message, where))
                case _:
                    self._fail("bad-reply", "an outcome of a repeated call has no known form")
        if not all(type(index) is int and 0 <= index < len(decoded) for index in order):
            self._fail("bad-reply", "the order of a repeated call does not fit its outcomes")
        return Outcomes(tuple(decoded), tuple(order))
