"""Serve the ticket router."""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import re
import unicodedata
from dataclasses import dataclass
from typing import Iterable, Iterator

import numpy as np


@dataclass(frozen=True)
class Prediction:
    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


# ---- small steps of preprocessing ----

def step1(t):
    return re.sub(r"<[^<>]*>", " ", t)
def step2(t):
    return html.unescape(t)
def step3(t):
    return unicodedata.normalize("NFKC", t)
def is_control(c):
    return unicodedata.category(c) == "Cc"
def is_format(c):
    return unicodedata.category(c) == "Cf"
def step4(t):
    out = []
    for c in t:
        if is_control(c):
            out.append(" ")
        elif is_format(c):
            pass
        else:
            out.append(c)
    return "".join(out)
def step5(t):
    return t.casefold()
def step6(t):
    return re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", t)
def step7(t):
    return re.sub(r"(?<!\S)\S+@\S+", " mailmask ", t)
def step8(t):
    return re.sub(r"\d+", " nummask ", t)
def step9(t, n):
    return re.findall(r"\w\w+", t)[0:n]
def do_steps(t, n):
    for f in [step1, step2, step3, step4, step5, step6, step7, step8]:
        t = f(t)
    return step9(t, n)


# ---- math ----

def pairs(tok):
    return [tok[i] + " " + tok[i + 1] for i in range(0, len(tok) - 1)]
def count(terms):
    d = {}
    for t in terms:
        d[t] = d.get(t, 0) + 1
    return d
def weight(n, idf):
    return (1.0 + np.log(n)) * idf
def length(values):
    return np.sqrt(sum(v * v for v in values))
def soft(x):
    m = max(x)
    e = [np.exp(v - m) for v in x]
    return [v / sum(e) for v in e]


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card, vocab, idf, coef, inter):
        self.card = card
        self.vocab = vocab
        self.idf = idf
        self.coef = coef
        self.inter = inter

    def vector(self, text):
        tok = do_steps(text, self.card["max_tokens"])
        c = count(tok + pairs(tok))
        v = {}
        for t in c.keys():
            if t in self.vocab.keys():
                v[self.vocab[t]] = weight(c[t], self.idf[self.vocab[t]])
        l = length(v.values())
        if l > 0:
            for k in v.keys():
                v[k] = v[k] / l
        return v

    def scores(self, v):
        s = self.inter.copy()
        for k in v.keys():
            s = s + self.coef[:, k] * v[k]
        return s

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        check_text(text)
        p = soft(self.scores(self.vector(text)) / self.card["temperature"])
        probs = {}
        for i in range(len(p)):
            probs[self.card["labels"][i]] = float(p[i])
        label = max(probs, key=probs.get)
        return Prediction(label, probs[label], probs, self.is_fallback(probs[label]), self.card["version"])

    def is_fallback(self, conf):
        return conf < self.card["min_confidence"]

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order."""
        check_texts(texts)
        check_batch_size(batch_size)
        i = 0
        for text in texts:
            if not isinstance(text, str):
                raise TypeError("not a str at " + str(i))
            yield self.predict(text)
            i += 1


# ---- checks ----

def check_text(t):
    if not isinstance(t, str):
        raise TypeError("not a str")
def check_texts(t):
    if isinstance(t, str) or isinstance(t, bytes):
        raise TypeError("texts is a string")
def check_batch_size(b):
    if type(b) is not int:
        raise TypeError("batch_size is no int")
    if b < 1:
        raise ValueError("batch_size < 1")

def check_card(card):
    if type(card) is not dict:
        raise ValueError("card is no object")
    for k in ("format_version", "name", "version", "labels", "temperature", "min_confidence", "max_tokens", "sha256"):
        if k not in card:
            raise ValueError("card lacks " + k)
    if card["format_version"] != 1:
        raise ValueError("format_version")
def check_sum(card, name, data):
    if card["sha256"].get(name) != hashlib.sha256(data).hexdigest():
        raise ValueError("checksum of " + name)
def check_shapes(idf, coef, inter, k, t):
    if idf.shape != (t,) or coef.shape != (k, t) or inter.shape != (k,):
        raise ValueError("shapes")


# ---- loading ----

def read(d, name):
    with open(os.path.join(d, name), "rb") as f:
        return f.read()
def get_vocab(b):
    lines = b.decode("utf-8").split("\n")
    if lines[-1] == "":
        lines.pop()
    return {t: i for i, t in enumerate(lines)}
def get_weights(b):
    try:
        w = np.load(io.BytesIO(b))
        return w["idf"], w["coefficients"], w["intercept"]
    except Exception as e:
        raise ValueError("weights") from e

def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it."""
    c, v, w = read(model_dir, "card.json"), read(model_dir, "vocabulary.txt"), read(model_dir, "weights.npz")
    card = json.loads(c)
    check_card(card)
    check_sum(card, "vocabulary.txt", v)
    check_sum(card, "weights.npz", w)
    vocab = get_vocab(v)
    idf, coef, inter = get_weights(w)
    check_shapes(idf, coef, inter, len(card["labels"]), len(vocab))
    return Pipeline(card, vocab, idf, coef, inter)
