from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from grader.judge.errors import CandidateError, ChannelFailure, JudgeFault, make_error, raises
from grader.judge.proxy import RemoteObject, Solution
from grader.wire import codec
from grader.wire.errors import LISTED_ERRORS
from grader.wire.frames import Measure
from grader.wire.values import Handle, Record

if TYPE_CHECKING:
    from collections.abc import Callable


class Scripted:
    """A channel that gives prepared answers and keeps the questions."""

    def __init__(self, *answers: object, load: object = None) -> None:
        self.answers = list(answers)
        self.load = load
        self.asked: list[Any] = []
        self.spent: list[int] = []
        self.unsolicited = False

    def begin(self) -> bytes | None:
        if isinstance(self.load, BaseException):
            raise self.load
        return None if self.load is None else codec.encode(self.load)

    def request(self, body: bytes, spent_ns: int = 0) -> tuple[bytes, Measure]:
        self.asked.append(codec.decode(body))
        self.spent.append(spent_ns)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        encoded = answer if isinstance(answer, bytes) else codec.encode(answer)
        return encoded, Measure(1_000, 500, 7)

    def end(self) -> bool:
        return self.unsolicited

    def serve_questions(self, source: Callable[[bytes], bytes]) -> None:
        pass

    def clock(self) -> Measure:
        return Measure(0)


def error(type_name: str = "ValueError", bases: object = ("ValueError",)) -> tuple[object, ...]:
    return ("error", type_name, list(bases), "a message", "solution.py:3")  # type: ignore[call-overload]


def test_value_comes_back() -> None:
    assert Solution(Scripted(("value", [1, 2.0]))).f(3) == [1, 2.0]


def test_dead_candidate_cannot_be_caught_by_a_test() -> None:
    solution = Solution(Scripted(ChannelFailure("died", "gone")))

    def careless() -> None:
        try:
            solution.f()
        except Exception:  # noqa: BLE001 - what a careless test would write
            pytest.fail("it was caught")

    with pytest.raises(ChannelFailure):
        careless()
    assert solution.failure is not None


def test_dead_candidate_does_not_satisfy_raises() -> None:
    solution = Solution(Scripted(ChannelFailure("died", "gone")))
    with pytest.raises(ChannelFailure), raises(ValueError):
        solution.f()


def test_nothing_is_asked_after_a_failure() -> None:
    channel = Scripted(ChannelFailure("died", "gone"), ("value", 1))
    solution = Solution(channel)
    for _ in range(2):
        with pytest.raises(ChannelFailure):
            solution.f()
    assert len(channel.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"noise",
        b"",
        ("value",),
        ("value", 1, 2),
        ("pass", 1),
        1,
        ("error", 1, [], "m", "w"),
        ("error", "E", "ValueError", "m", "w"),
        ("error", "E", [], None, "w"),
        ("pull", 99),
        ["value", 1],
    ],
    ids=repr,
)
def test_answer_of_no_known_form_fails_the_test(answer: object) -> None:
    solution = Solution(Scripted(answer))
    with pytest.raises(ChannelFailure):
        solution.f()
    assert solution.failure is not None
    assert solution.failure.cause == "bad-reply"


def test_unasked_bytes_fail_the_test_at_its_end() -> None:
    channel = Scripted(("value", 1))
    channel.unsolicited = True
    solution = Solution(channel)
    solution.f()
    solution.finish()
    assert solution.failure is not None


def test_load_error_is_a_failure_with_its_place() -> None:
    solution = Solution(Scripted(load=error("SyntaxError", ["SyntaxError"])))
    with pytest.raises(ChannelFailure) as caught:
        solution.f()
    assert caught.value.cause == "load-error"
    assert caught.value.where == "solution.py:3"


def test_candidate_error_is_what_it_derived_from() -> None:
    solution = Solution(Scripted(error("BadInput", ["ValueError"])))
    with pytest.raises(CandidateError) as caught:
        solution.f()
    assert isinstance(caught.value, ValueError)
    assert not isinstance(caught.value, TypeError)
    assert str(caught.value) == "BadInput: a message"


@pytest.mark.parametrize(
    "name",
    ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "Exit", "Skipped", "StopIteration"],
)
def test_errors_that_would_be_obeyed_are_plain(name: str) -> None:
    made = make_error(name, [name, "BaseException"], "m", "")
    assert type(made).__mro__[1:] == CandidateError.__mro__


def test_every_listed_error_can_be_made() -> None:
    for name in LISTED_ERRORS:
        assert type(make_error(name, [name], "m", "")).__mro__[1] is CandidateError
    assert isinstance(make_error("all", list(LISTED_ERRORS), "m", ""), CandidateError)


@pytest.mark.parametrize("bases", [np.zeros((2, 2)), [np.zeros(2)], [1], "ValueError", None])
def test_bases_that_are_no_names_are_a_bad_reply(bases: Any) -> None:
    with pytest.raises(ChannelFailure) as caught:
        make_error("E", bases, "m", "")
    assert caught.value.cause == "bad-reply"


@pytest.mark.parametrize("answer", [(np.zeros(3), 1), (["value"], 1), (), "value", ("odd", 1)])
def test_an_answer_of_no_known_form_is_a_bad_reply(answer: Any) -> None:
    solution = Solution(Scripted(answer))
    with pytest.raises(ChannelFailure) as caught:
        solution.f()
    assert caught.value.cause == "bad-reply"
    assert solution.heard


def test_raises_holds_for_the_named_type() -> None:
    solution = Solution(Scripted(error()))
    with raises((TypeError, ValueError), match="message"):
        solution.f()


@pytest.mark.parametrize(
    ("answer", "kind", "match", "words"),
    [
        (("value", 1), ValueError, None, "nothing was raised"),
        (error(), TypeError, None, "expected TypeError, but it raised ValueError: a message"),
        (error("SystemExit", []), ValueError, None, "but it raised SystemExit"),
        (error(), ValueError, "column", "does not say what is wrong"),
    ],
)
def test_raises_fails_otherwise(
    answer: object, kind: type[Exception], match: str | None, words: str
) -> None:
    solution = Solution(Scripted(answer))
    with pytest.raises(AssertionError, match=words), raises(kind, match=match):
        solution.f()


def test_raises_passes_errors_of_the_judges_own_through() -> None:
    with pytest.raises(ZeroDivisionError), raises(ZeroDivisionError):
        1 / 0  # noqa: B018


def test_raises_of_any_exception_is_refused() -> None:
    with pytest.raises(JudgeFault), raises(Exception):
        pass


def test_object_stays_and_is_asked() -> None:
    channel = Scripted(("value", Handle(5, "Model", False)), ("value", 3))
    model = Solution(channel).train()
    assert isinstance(model, RemoteObject)
    assert model.size == 3
    assert channel.asked[1] == ("getattr", Handle(5, "Model", False), "size")


def with_methods(**fields: object) -> tuple[object, ...]:
    return ("value", Record("Model", fields, False, Handle(5, "Model", False), has_methods=True))


def test_fields_that_came_with_an_object_cost_no_question() -> None:
    channel = Scripted(with_methods(weight=0.5, part=Handle(6, "Part", False)))
    model = Solution(channel).train()
    assert isinstance(model, RemoteObject)
    assert model.weight == 0.5
    assert isinstance(model.part, RemoteObject)
    assert len(channel.asked) == 1


def test_what_is_no_field_of_an_object_is_asked() -> None:
    channel = Scripted(with_methods(weight=0.5), ("value", Handle(7, "method", True)))
    model = Solution(channel).train()
    assert isinstance(model.fit, RemoteObject)
    assert channel.asked[1] == ("getattr", Handle(5, "Model", False), "fit")


def test_fields_that_may_have_changed_are_asked_again() -> None:
    channel = Scripted(with_methods(weight=0.5), ("value", None), ("value", 0.75))
    solution = Solution(channel)
    model = solution.train()
    solution.improve(model)
    assert model.weight == 0.75


def test_fields_of_an_object_end_with_its_process() -> None:
    solution = Solution(Scripted(with_methods(weight=0.5)))
    model = solution.train()
    solution.fresh()
    with pytest.raises(JudgeFault, match="ended"):
        _ = model.weight


def test_calls_for_several_items_are_one_question() -> None:
    channel = Scripted(("value", [2, 4]))
    assert Solution(channel).each("double", [1, 2]) == [2, 4]
    assert channel.asked == [("each", "double", [1, 2])]


@pytest.mark.parametrize("answer", [[2], [2, 4, 6], (2, 4), None])
def test_another_number_of_answers_than_items_fails_the_test(answer: object) -> None:
    solution = Solution(Scripted(("value", answer)))
    with pytest.raises(ChannelFailure, match="another number"):
        solution.each("double", [1, 2])
    assert solution.failure is not None


def test_items_of_an_object_are_one_question() -> None:
    channel = Scripted(("value", Handle(5, "generator", False)), ("value", [1, 2]))
    solution = Solution(channel)
    results = solution.numbers()
    assert isinstance(results, RemoteObject)
    assert solution.items(results) == [1, 2]
    assert channel.asked[1] == ("items", Handle(5, "generator", False))


def test_items_that_are_no_list_fail_the_test() -> None:
    solution = Solution(Scripted(("value", Handle(5, "generator", False)), ("value", "ab")))
    results = solution.numbers()
    assert isinstance(results, RemoteObject)
    with pytest.raises(ChannelFailure, match="no list"):
        solution.items(results)


def test_record_goes_back_as_the_object_it_stands_for() -> None:
    answer = Record("Model", {"weight": 0.5}, handle=Handle(5, "Model", False))
    channel = Scripted(("value", {"model": answer}), ("value", 3))
    solution = Solution(channel)
    model = solution.train()["model"]
    assert model.weight == 0.5
    assert solution.predict(model) == 3
    assert channel.asked[1][2] == [Handle(5, "Model", False)]


def test_record_of_an_ended_process_is_an_authors_mistake() -> None:
    answer = Record("Model", {"weight": 0.5}, handle=Handle(5, "Model", False))
    solution = Solution(Scripted(("value", answer)))
    model = solution.train()
    solution.fresh()
    with pytest.raises(JudgeFault, match="ended"):
        solution.predict(model)


def test_handle_of_an_ended_process_is_an_authors_mistake() -> None:
    solution = Solution(Scripted(("value", Handle(5, "Model", False))))
    model = solution.train()
    solution.fresh()
    with pytest.raises(JudgeFault, match="ended"):
        solution.predict(model)


def test_argument_that_is_no_data_is_an_authors_mistake() -> None:
    with pytest.raises(JudgeFault):
        Solution(Scripted()).f(object())


def test_pulling_items_does_not_renew_the_time_of_a_call() -> None:
    channel = Scripted(("pull", 0), ("pull", 0), ("value", 1), ("value", 2))
    solution = Solution(channel)
    solution.f(iter([1, 2]))
    solution.f(1)
    assert channel.spent == [0, 1_000, 2_000, 0]


def test_repeated_call_gives_every_outcome() -> None:
    one, two = codec.encode(("value", 1)), codec.encode(error())
    solution = Solution(Scripted(("value", [[one, two], [0, 0, 1]])))
    outcomes = solution.repeat(3).f()
    assert outcomes.order == (0, 0, 1)
    with pytest.raises(ValueError, match="a message"):
        outcomes.values()


@pytest.mark.parametrize(
    "answer", [1, [[], [0]], [[b"x"], [0]], [[codec.encode(("value", 1))], [True]], [[1], [0]]]
)
def test_forged_outcomes_fail_the_test(answer: object) -> None:
    with pytest.raises(ChannelFailure):
        Solution(Scripted(("value", answer))).repeat(1).f()


def test_cost_is_the_orchestrators_measure() -> None:
    solution = Solution(Scripted(("value", 1)))
    solution.f()
    assert solution.last == Measure(1_000, 500, 7)


def test_a_stream_that_a_test_left_stays_its_own() -> None:
    pulls = (("pull", 0), ("pull", 1), ("pull", 0))
    channel = Scripted(("value", 1), *pulls, ("value", 2))
    solution = Solution(channel)
    solution.work(iter("ab"))
    solution.work(iter("xy"))
    assert channel.asked[2:] == [("item", "a"), ("item", "x"), ("item", "b")]
