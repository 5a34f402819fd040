"""A few examples of what is asked for. The hidden tests ask for more: see README.md."""

import hashlib
import threading

import pytest
from fastapi.testclient import TestClient

import inference
import solution


class Model:
    """Stands in for the real model: counts, and answers when it is told to."""

    def __init__(self):
        self.texts = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, text):
        self.texts.append(text)
        self.may_answer.wait(10)
        if text == "broken":
            raise inference.InferenceError("no answer")
        return {"label": "invoice", "confidence": 0.75}


@pytest.fixture
def model(monkeypatch):
    made = Model()
    monkeypatch.setattr(inference, "run_inference", made)
    monkeypatch.setattr(solution, "run_inference", made, raising=False)
    yield made
    made.may_answer.set()


@pytest.fixture
def client(model):
    with TestClient(solution.create_app(timeout=0.5), raise_server_exceptions=False) as made:
        yield made


def test_a_text_is_answered(client):
    response = client.post("/predict", json={"text": "Invoice 4711"})

    assert response.status_code == 200
    assert response.json() == {
        "sha256": hashlib.sha256(b"Invoice 4711").hexdigest(),
        "label": "invoice",
        "confidence": 0.75,
        "cached": False,
    }


def test_the_same_text_is_answered_without_inference(client, model):
    client.post("/predict", json={"text": "Invoice 4711"})
    response = client.post("/predict", json={"text": "Invoice 4711"})

    assert response.json()["cached"] is True
    assert model.texts == ["Invoice 4711"]


def test_a_request_without_a_text_is_refused(client, model):
    response = client.post("/predict", json={})

    assert response.status_code == 422
    assert response.json()["error"]["code"] == "invalid_request"
    assert model.texts == []


def test_a_failed_inference_is_told(client):
    response = client.post("/predict", json={"text": "broken"})

    assert response.status_code == 502
    assert response.json()["error"]["code"] == "inference_failed"


def test_a_slow_inference_is_not_waited_for(client, model):
    model.may_answer.clear()
    response = client.post("/predict", json={"text": "slow"})

    assert response.status_code == 504
    assert response.json()["error"]["code"] == "timeout"


def test_the_service_is_up(client):
    assert client.get("/healthz").json() == {"status": "ok"}
