"""Texts that are nearly equal, limits, messages and contracts."""

from __future__ import annotations

import pytest
from data import (
    FAILED,
    GRACE,
    LONG,
    MANY,
    NAME,
    PATIENCE,
    SHORT,
    answer_of,
    assert_status,
    assert_works,
    content,
    drawn,
    gave_up,
    inferences_for,
    predicted,
    remembers,
    sent,
    sent_together,
    served,
    texts_of,
    value,
)

from grader.judge.asked import Failure
from grader.judge.compare import assert_kind, assert_value

KEYS = "When are two texts the same document?"
LENGTHS = "What is the length of a text?"
MESSAGES = "Does a caller learn what to change?"
LARGE = "Send a body that is far too large."
NEAR = "What do your parsers take for an object?"
HEALTH = "Is a busy service an unhealthy one?"
ALLOW = "Look at the headers of a 405."
UNEXPECTED = "The model may raise anything."
CONTRACT = "Look at /openapi.json."
SEPARATE = "Make two applications."
DEFAULTS = "Make an application without arguments."
RAISED = (
    "RuntimeError", "KeyError", "ValueError", "OSError", "MemoryError", "AssertionError",
    "AttributeError", "ZeroDivisionError", "TypeError", "NotImplementedError", "EOFError",
)  # fmt: skip
ZERO = "Which answers does the cache take for none?"


def _assert_form(app, response, code):
    """Hold the code of an error, and its form if errors of routes have it."""
    error = _structured(response)
    elsewhere = _structured(app.request("GET", "/nothing"))
    if isinstance(error, dict):
        assert_value(error.get("code"), code, what="code")
    else:
        assert_value(isinstance(elsewhere, dict), False, what=f"form of a {response.status}")


def _structured(response):
    """What stands in place of the inside of an error; its form is another line's matter."""
    body = response.json() if response.media_type == "application/json" else None
    return body.get("error") if isinstance(body, dict) else None


ALIKE = {
    "case": ("Invoice 4711", "INVOICE 4711", "stra\u00dfe", "strasse"),
    "white space": (
        "Invoice 4711",
        " Invoice 4711\n",
        "Invoice  4711",
        "Invoice\u00a04711",
        "\ufeffInvoice 4711",
        "Invoice 4711\u200b",
    ),
    "normal form": ("Zu\u0308rich", "Z\u00fcrich", "\ufb01le", "file"),
    "one character": ("x" * 5000 + "a", "x" * 5000 + "b", "a\0b", "ab", "a\nb", "a\r\nb"),
    "one of many": tuple(
        "x" * at + "y" + "x" * (8_999 - at) for at in (0, 1_234, 4_000, 5_000, 8_999)
    ),
}


@pytest.mark.criterion("edge", sheet="exact-keys", hint=KEYS)
@pytest.mark.parametrize("kind", ALIKE)
def test_texts_that_are_alike_have_answers_of_their_own(solution, kind):
    """Texts that differ a little are inferences of their own, each of the exact text."""
    app, model = served(solution)
    for text in ALIKE[kind]:
        label = value(predicted(app, text), "label")
        assert_value(label, answer_of(text)["label"], what="label")
    asked = [call["text"] for call in model.calls]
    assert_value(len(asked), len(ALIKE[kind]), what="number of inferences")
    assert_value(asked, list(ALIKE[kind]), what="texts that were classified")


@pytest.mark.criterion("edge", sheet="exact-keys", hint=KEYS)
@pytest.mark.parametrize("kind", ALIKE)
def test_texts_that_are_alike_share_no_inference(solution, kind):
    """Requests for texts that differ a little, all of them waiting, are an inference each."""
    app, model = served(solution)
    model.hold()
    requests = []
    for text in ALIKE[kind]:
        requests.append(sent(app, text))
        app.settle(calls=len(requests))
    model.answer_with(answer_of)  # whether they run at the same time is another line's matter
    model.release(answer_of)
    for request in requests:
        content(request.response())
    assert_value(len(model.calls), len(requests), what="number of inferences")


@pytest.mark.criterion("edge", sheet="exact-keys", hint=ZERO)
@pytest.mark.parametrize("answer", [("letter", 0.0), ("", 0.5)], ids=["no confidence", "no label"])
def test_an_answer_that_is_false_to_python_is_kept(solution, answer):
    """A text is known whatever its label and confidence are."""
    app, model = served(solution)
    known = remembers(app, model, "A plain letter.")
    model.answer_with(lambda **_: dict(zip(("label", "confidence"), answer, strict=True)))
    if known:  # whether there is a cache is a core matter
        for _ in range(2):
            content(sent(app, "Invoice 4711").response())
        assert_value(len(model.calls), 2, what="number of inferences")
    model.answer_with(answer_of)
    assert_works(app, "Another letter.")


ALLOWED = ["a", " ", "\n", "x" * 10_000, "\u00fc" * 10_000, "\U0001f4c4" * 10_000, " " * 10_000]


@pytest.mark.criterion("edge", sheet="lengths", hint=LENGTHS)
def test_texts_of_allowed_lengths_are_answered(solution):
    """Length counts characters, whatever they are."""
    app, _ = served(solution)
    for text in ALLOWED:
        assert_works(app, text)


TOO_LONG = ["e\u0301" * 5_001, " " * 10_001, "\r\n" * 5_001, "\U0001f4c4" * 10_001, "a\0" * 5_001]


@pytest.mark.criterion("edge", sheet="lengths", hint=LENGTHS)
def test_longer_texts_are_refused_whatever_they_hold(solution):
    """A text of more than 10,000 characters is refused like any other that is too long."""
    app, _ = served(solution)
    refused = sent(app, "x" * 10_001).response().status
    if refused != 200:  # whether lengths are checked is a core matter
        for text in TOO_LONG:
            assert_status(sent(app, text).response(), refused)
    assert_works(app)


@pytest.mark.criterion("edge", sheet="lengths", hint=LENGTHS)
def test_other_fields_are_ignored(solution):
    """Other fields of the body do not matter, whatever they hold."""
    app, model = served(solution)
    nested = {"meta": {"pages": [1, {"a": None}]}, "tags": ["a"], "Text": 3, "": 1.5}
    odd = {"language": 3, "lang": [], "id": {}, "model": 1.5, "options": "none", "metadata": "none"}
    odd |= {"timeout": "soon", "max_entries": -1, "sha256": None, "label": {}, "request_id": [7]}
    for more in ({"language": "de"}, {"cached": True, "id": 7}, nested, odd):
        content(app.request("POST", "/predict", json={"text": "Invoice 4711", **more}))
    asked = [call["text"] for call in model.calls[:1]]
    assert_value(asked, ["Invoice 4711"], what="text that was classified first")


@pytest.mark.criterion("edge", sheet="messages", hint=MESSAGES)
def test_the_message_names_the_text(solution):
    """What is wrong with the text is told with the word "text"."""
    app, _ = served(solution)
    for body in ({}, {"text": ""}, {"text": 3}, {"text": "x" * 10_001}):
        response = app.request("POST", "/predict", json=body)
        if response.body.count(b"text") == 0 and response.status != 200:
            raise AssertionError("the error does not hold the word text")
    assert_works(app)


@pytest.mark.criterion("edge", sheet="messages", hint=MESSAGES)
def test_messages_are_not_empty(solution):
    """Each structured error has a message."""
    app, model = served(solution)
    model.fail_with(Failure("InferenceError", ""))
    responses = [
        app.request("GET", "/nothing"),
        app.request("GET", "/predict"),
        app.request("POST", "/predict", json={}),
        app.request("POST", "/predict", json={"text": "Invoice 4711"}),
        _posted(app, _valid(200_001), 1),
    ]
    model.fail_with(Failure("RuntimeError", ""))
    responses.append(sent(app, "Invoice 4711").response())
    hasty, _ = served(solution, timeout=SHORT)
    model.hold()
    late = sent(hasty, "Invoice 4711")
    if late.wait(PATIENCE):  # whether there is a guard is another line's matter
        responses.append(late.response())
    model.release(answer_of)
    for response in responses:
        error = _structured(response)
        if isinstance(error, dict) and not str(error.get("message", "")).strip():
            raise AssertionError(f"the message of a {response.status} is empty")
    model.answer_with(answer_of)
    assert_works(app)


def _posted(app, body, chunks):
    """A request with this body, whole or in chunks."""
    step = -(-len(body) // chunks)
    parts = [body[start : start + step] for start in range(0, len(body), step)]
    headers = {"content-type": "application/json"}
    return app.request("POST", "/predict", body=parts if chunks > 1 else body, headers=headers)


def _valid(size):
    """The body of a valid request, of so many bytes."""
    return b'{"text": "a"' + b" " * (size - 13) + b"}"


OTHER_SCRIPT = '{"text": "a", "note": "%s"}' % ("\u20ac" * 66_700)  # bytes: three times as many


@pytest.mark.criterion("edge", sheet="too-large", hint=LARGE)
@pytest.mark.parametrize("chunks", [1, 30], ids=["with its length", "in chunks"])
def test_large_bodies_are_refused(solution, chunks):
    """A body of 200,001 bytes gets 413, one of 200,000 an answer; bytes are no characters."""
    app, _ = served(solution)
    response = _posted(app, _valid(200_001), chunks)
    assert_status(response, 413)
    _assert_form(app, response, "too_large")
    assert_status(_posted(app, _valid(200_000), chunks), 200)
    assert_status(_posted(app, OTHER_SCRIPT.encode(), chunks), 413)


NEARLY = (
    b'"{\\"text\\": \\"a\\"}"',
    b'[["text", "a"]]',
    b'{"text": "a"} {"text": "b"}',
    b'{"text": "a"};',
)


@pytest.mark.criterion("edge", sheet="contract", hint=NEAR)
def test_what_is_nearly_an_object_is_refused(solution):
    """A string that holds an object, pairs, and an object with more after it are refused.

    The contract describes an object. It is no matter of the line for validation, a headline of
    the exercise: no client sends these by chance.
    """
    app, model = served(solution)
    refused = app.request("POST", "/predict", json=["a"]).status
    if refused != 200:  # whether anything is refused is a core matter
        for body in NEARLY:
            assert_status(_posted(app, body, 1), refused)
        assert_value(len(model.calls), 0, what="number of inferences")
    assert_works(app)


@pytest.mark.criterion("edge", sheet="answers", hint=HEALTH)
def test_healthz_says_the_same_while_many_wait(solution, rng):
    """GET /healthz has the status and the body that it has without requests that wait."""
    app, model = served(solution)
    before = app.request("GET", "/healthz")
    model.hold()
    requests = sent_together(app, drawn(rng, 12))
    app.settle(calls=4)
    other = app.start("GET", "/healthz")
    if other.wait(PATIENCE):  # whether it answers meanwhile is another line's matter
        told = other.response()
        due = (before.status, before.body)
        assert_value((told.status, told.body), due, what="what /healthz says")
    model.answer_with(answer_of)
    model.release(answer_of)
    gave_up(requests)
    assert_works(app)


@pytest.mark.criterion("edge", sheet="allow", hint=ALLOW)
def test_a_405_says_what_is_allowed(solution):
    """The Allow header holds the method that there is."""
    app, _ = served(solution)
    for method, path, allowed in (("GET", "/predict", "POST"), ("POST", "/healthz", "GET")):
        response = app.request(method, path)
        assert_status(response, 405)
        methods = [name.strip() for name in response.header("allow").split(",")]
        if methods.count(allowed) != 1:
            raise AssertionError(f"Allow: expected {allowed}, got {response.header('allow')!r:.80}")
    assert_works(app)


@pytest.mark.criterion("edge", sheet="unexpected", hint=UNEXPECTED)
def test_unexpected_errors_are_told(solution):
    """Whatever the model raises gets a 500, and the service goes on, after forty as after one."""
    app, model = served(solution)
    for number in range(MANY):
        model.fail_with(Failure(RAISED[number % len(RAISED)], "out of memory"))
        request = sent(app, f"Invoice {number}")
        assert_value(request.wait(PATIENCE), True, what="whether there is a response")
        response = request.response()
        assert_status(response, 500)
        assert_value(response.media_type, "application/json", what="content type of an error")
        _assert_form(app, response, "internal_error")
    model.fail_with(FAILED)
    sent(app, "Invoice 4711").response()
    before = len(model.calls)
    model.answer_with(answer_of)
    sent(app, "Invoice 4711").response()
    if len(model.calls) > before:  # whether failures pass is another line's matter
        assert_works(app, "Invoice 0")
    assert_works(app)


def _resolved(document, node):
    """A schema, with what it refers to put in its place."""
    for _ in range(5):
        if not isinstance(node, dict) or "$ref" not in node:
            break
        reference, node = str(node["$ref"]), document
        for part in reference.removeprefix("#/").split("/"):
            node = value(node, part)
    assert_kind(node, dict, "a part of the contract")
    return node


def _at(document, node, *path):
    """What lies below a node, behind names and references."""
    for part in path:
        node = value(_resolved(document, node), part)
    return _resolved(document, node)


def _contract(solution, *path):
    app, _ = served(solution)
    document = content(app.request("GET", "/openapi.json"))
    media = ("content", "application/json", "schema")
    return document, _at(document, document, "paths", "/predict", "post", *path, *media)


@pytest.mark.criterion("edge", sheet="contract", hint=CONTRACT)
def test_the_contract_describes_the_answer(solution):
    """The schema of the 200 has the four fields, required, with their types."""
    document, schema = _contract(solution, "responses", "200")
    fields = _at(document, schema, "properties")
    types = {name: value(_at(document, fields, name), "type") for name in sorted(fields)}
    due = {"cached": "boolean", "confidence": "number", "label": "string", "sha256": "string"}
    assert_value(types, due, what="types of the fields")
    required = value(schema, "required")
    assert_kind(required, list, "required")
    assert_value(sorted(map(str, required)), sorted(due), what="required fields")


@pytest.mark.criterion("edge", sheet="contract", hint=CONTRACT)
def test_the_contract_describes_the_request(solution):
    """The schema of the request has the text with its type and lengths."""
    document, schema = _contract(solution, "requestBody")
    text = _at(document, schema, "properties", "text")
    found = {name: value(text, name) for name in ("type", "minLength", "maxLength")}
    due = {"type": "string", "minLength": 1, "maxLength": 10_000}
    assert_value(found, due, what="text in the contract")
    required = _at(document, schema).get("required", [])
    assert_kind(required, list, "required")
    assert_value(required.count("text"), 1, what="text among the required fields")


@pytest.mark.criterion("edge", sheet="separate", hint=SEPARATE)
def test_applications_share_no_cache(solution):
    """A text that one application has answered is new to the other."""
    first, model = served(solution)
    second, _ = served(solution)
    for app in (first, second):
        assert_works(app, "Invoice 4711")
    assert_value(len(model.calls), 2, what="number of inferences")


@pytest.mark.criterion("edge", sheet="separate", hint=SEPARATE)
def test_applications_share_no_inference(solution):
    """A text whose inference runs in one application is an inference of the other's as well.

    Where the other begins no inference for another text meanwhile either, it waits for the first
    application to end one, which is another line.
    """
    first, model = served(solution)
    second, _ = served(solution)
    model.hold()
    requests = [sent(first, "Invoice 4711")]
    first.settle(calls=1)
    requests += [sent(second, text) for text in ("Invoice 4711", "A plain letter.")]
    second.settle(calls=3)
    begun = texts_of(model)
    model.answer_with(answer_of)
    model.release(answer_of)
    for request in requests:
        content(request.response())
    if "A plain letter." in begun:
        assert_value(begun.count("Invoice 4711"), 2, what="number of inferences")


@pytest.mark.criterion("edge", sheet="separate", hint=SEPARATE)
def test_applications_share_no_settings(solution):
    """A second one that keeps one answer and soon gives up changes nothing for the first.

    Nor does its end.
    """
    texts = ("Invoice 4711", "A plain letter.")
    first, model = served(solution)
    inferences_for(first, model, texts)
    alone = inferences_for(first, model, texts)
    second, _ = served(solution, timeout=SHORT, max_entries=1)
    sent(second, "Invoice 4711").response()
    assert_works(first, "Another letter.")  # makes room where the first keeps one answer now, too
    again = inferences_for(first, model, texts)
    assert_value(again, alone, what="inferences for texts that came before")
    model.hold()
    waiting = sent(first, "A third letter.")
    assert_value(
        waiting.wait(4 * SHORT), False, what="whether there is a response before the model's"
    )
    model.release(answer_of)
    model.answer_with(answer_of)
    content(waiting.response())
    second.stop()
    again = inferences_for(first, model, texts)
    assert_value(again, alone, what="inferences for texts that came before")


@pytest.mark.criterion("edge", sheet="defaults", hint=DEFAULTS)
def test_two_seconds_are_the_default_timeout(solution):
    """Without arguments a request is given up after one with 1.8 s, and before one with 2.2 s."""
    # All are on one event loop, so a slow machine changes no order. An application each, because a
    # guard that only some requests have is another line's matter.
    model = solution.stand_in(NAME)
    model.answer_with(answer_of)
    shorter, plain = solution.app(timeout=1.8), solution.app()
    other, longer = solution.app(), solution.app(timeout=2.2)
    assert_works(plain)
    model.hold()
    before, early = sent(shorter, "Invoice 1"), sent(plain, "Invoice 2")
    early.wait(0.75)  # the next two are still waited for when these are not
    late, after = sent(other, "Invoice 3"), sent(longer, "Invoice 4")
    if early.wait(2 + PATIENCE) and not before.wait(GRACE) and before.wait(PATIENCE):
        raise AssertionError("without arguments a request is given up before 1.8 s are over")
    if after.wait(2.2 + PATIENCE) and not late.wait(GRACE):
        raise AssertionError("without arguments a request is not given up within 2.2 s")


def _asked_anew(app, model, texts):
    """Those of some texts that cost an inference, asked for one after the other."""
    anew = []
    for text in texts:
        before = len(model.calls)
        predicted(app, text)
        if len(model.calls) != before:
            anew.append(text)
    return anew


@pytest.mark.criterion("edge", sheet="defaults", hint=DEFAULTS)
def test_a_thousand_answers_are_kept_by_default(solution, rng):
    """Of 1,001 texts an application without ``max_entries`` has forgotten one."""
    small, model = served(solution, max_entries=3)
    if _asked_anew(small, model, "abcadcab") != ["a", "b", "c", "d", "b"]:
        return  # how a cache is bounded is another line's matter
    texts = drawn(rng, 1001)
    first, second, _, fourth = texts[:4]
    last = texts[-1]
    app = solution.app(timeout=LONG)
    model.answer_with(answer_of)
    _asked_anew(app, model, texts[:4])
    for start in range(4, 1000, 100):
        if not all(gave_up(sent_together(app, texts[start : min(start + 100, 1000)]))):
            break  # the rest would wait as long
    found = _asked_anew(app, model, [first, last, first, second, fourth])
    assert_value(found, [last, second], what="texts that cost an inference again")
