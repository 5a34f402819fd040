"""What tests of this exercise share: how a service is asked, and how its answers are looked at."""

from __future__ import annotations

import hashlib

from grader.judge.asked import Failure
from grader.judge.compare import assert_value

NAME = "inference.run_inference"
LONG = 60.0  # seconds: a guard that no test waits for
SHORT = 0.1
PATIENCE = 3.0  # seconds in which an answer under a short guard has to come
MANY = 40  # errors of the model, one after the other
GRACE = 0.2  # seconds between what should have come before and what did
FIELDS = ("cached", "confidence", "label", "sha256")
LABELS = ("contract", "invoice", "letter", "report")
FAILED = Failure("InferenceError", "the model gave no answer")


def answer_of(text):
    """What the judge's model says: it hangs on the text only."""
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    confidence = 0.5 + int.from_bytes(digest[1:]) / (1 << 25)  # with all the digits of a float
    return {"label": LABELS[digest[0] % 4], "confidence": confidence}


def sha256(text):
    """The hash that an answer tells."""
    return hashlib.sha256(text.encode()).hexdigest()


def served(solution, *, timeout=LONG, max_entries=1000, answers=answer_of):
    """An application, and its model, which answers at once unless it is told to hold."""
    model = solution.stand_in(NAME)
    model.answer_with(answers)
    return solution.app(timeout=timeout, max_entries=max_entries), model


def sent(app, text):
    """A request for a text that nobody waits for yet."""
    return app.start("POST", "/predict", json={"text": text})


def sent_together(app, texts):
    """Requests that are all there before the service sees the first."""
    return app.start_together("POST", "/predict", [{"json": {"text": text}} for text in texts])


def gave_up(requests):
    """Whether each has its response in time; where one has not, the next are not waited for.

    A service that hangs would cost the patience of each request otherwise.
    """
    told = []
    for request in requests:
        told.append(request.wait(PATIENCE) if all(told) else request.done)
    return told


def answered_late(app, model, texts):
    """Whether requests for these texts are given up in time; their results come after that."""
    model.hold()
    given_up = all(gave_up(sent_together(app, texts)))
    model.answer_with(answer_of)  # those that have waited for a thread begin now
    model.release(answer_of)
    app.settle()
    return given_up


def predicted(app, text):
    """The answer for a text: a dict from a response with status 200."""
    return content(sent(app, text).response())


def content(response):
    """The object in a response with status 200."""
    assert_status(response, 200)
    found = response.json()
    if not isinstance(found, dict):
        raise AssertionError("the answer is no JSON object")  # noqa: TRY004 - the verdict
    return found


def value(found, name):
    """A field of an answer."""
    if name not in found:
        raise AssertionError(f"the answer has no {name}")
    return found[name]


def label(app, text):
    """The label of a text."""
    return value(predicted(app, text), "label")


def assert_status(response, status):
    """Hold the status, and tell what the service raised where it is another."""
    if response.status != status:
        told = f"; it raised {response.error}" if response.error else ""
        raise AssertionError(f"status: expected {status}, got {response.status}{told}")


def error_of(response):
    """The inside of a structured error."""
    assert_value(response.media_type, "application/json", what="content type of an error")
    body = response.json()
    if not isinstance(body, dict) or list(body) != ["error"] or not isinstance(body["error"], dict):
        raise AssertionError('the body of an error is not {"error": {…}}')
    return body["error"]


def assert_error(response, status, code):
    """Hold status, code and form of an error."""
    assert_status(response, status)
    error = error_of(response)
    assert_value(value(error, "code"), code, what="code")
    if not isinstance(value(error, "message"), str):
        raise AssertionError("the message of an error is no text")  # noqa: TRY004 - the same


def assert_works(app, text="A plain letter."):
    """Hold that a plain text gets its label."""
    assert_value(label(app, text), answer_of(text)["label"], what="label")


def remembers(app, model, text):
    """Whether a text that was asked for twice was one inference: the cache's own matter."""
    before = len(model.calls)
    both = [sent(app, text).response().status for _ in range(2)]
    return both == [200, 200] and len(model.calls) == before + 1


def assert_kept(app, model, text="Invoice 4711"):
    """The answer for a text is known: asking for it again makes no inference."""
    before = len(model.calls)
    sent(app, text).response()
    assert_value(len(model.calls) - before, 0, what="inferences for a text that was answered")


def inferences_for(app, model, texts):
    """How many inferences it takes to answer these texts, one after the other."""
    before = len(model.calls)
    for text in texts:
        assert_works(app, text)
    return len(model.calls) - before


def texts_of(model):
    """The texts that the model was asked about, in their order."""
    return [call["text"] for call in model.calls]


def rest(app, model, calls):
    """Wait until the service rests, and hold how many inferences were asked for altogether."""
    app.settle(calls=calls)
    assert_value(len(model.calls), calls, what="number of inferences")


def drawn(rng, count, length=24):
    """Different texts of lower-case letters, digits and blanks."""
    letters = list("abcdefghijklmnopqrstuvwxyz0123456789 ")
    found = {}
    while len(found) < count:
        found["".join(rng.choice(letters, length)).strip() + "."] = None
    return list(found)
