import numpy as np
import json, re, html, math, hashlib, os, io
import unicodedata
from dataclasses import dataclass
# import pandas as pd

CARD = None
VOCAB = {}
W = None
labels = []
cnt = 0
DEBUG = False

@dataclass
class Prediction:
    label: str
    confidence: float
    probabilities: dict
    fallback: bool
    model_version: str


def prep(t):
    t = re.sub(r"<[^<>]*>", " ", t)
    t = html.unescape(t)
    t = unicodedata.normalize("NFKC", t)
    t2 = ""
    for c in t:
        if unicodedata.category(c) == "Cc": t2 += " "
        elif unicodedata.category(c) == "Cf": pass
        else: t2 += c
    t = t2.casefold()
    # t = t.lower()
    t = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", t)
    t = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", t)
    t = re.sub(r"\d+", " nummask ", t)
    tk = re.findall(r"\w\w+", t)
    tk = tk[:CARD["max_tokens"]]
    return tk

def vec(tk):
    global cnt
    v = np.zeros(len(VOCAB))
    d = {}
    for i in range(len(tk)):
        if tk[i] in VOCAB:
            d[tk[i]] = d.get(tk[i], 0) + 1
        if i < len(tk)-1:
            b = tk[i] + " " + tk[i+1]
            if b in VOCAB:
                d[b] = d.get(b, 0) + 1
    for k in d:
        v[VOCAB[k]] = (1 + math.log(d[k])) * W["idf"][VOCAB[k]]
    n = np.sqrt((v*v).sum())
    if n != 0:
        v = v/n
    cnt += 1
    return v

def sm(s):
    e = np.exp(s - np.max(s))
    return e/e.sum()

def doit(t):
    v = vec(prep(t))
    s = W["coefficients"].dot(v) + W["intercept"]
    p = sm(s/CARD["temperature"])
    if DEBUG: print(p)
    i = np.argmax(p)
    pr = {}
    for j in range(len(labels)):
        pr[labels[j]] = float(p[j])
    fb = False
    if p[i] < CARD["min_confidence"]:
        fb = True
    return Prediction(labels[i], float(p[i]), pr, fb, CARD["version"])


class Pipeline:
    def __init__(self, c, v, w, l):
        self.c = c
        self.v = v
        self.w = w
        self.l = l

    def use(self):
        # several pipelines can be open, set the globals again
        global CARD, VOCAB, W, labels
        CARD = self.c
        VOCAB = self.v
        W = self.w
        labels = self.l

    def predict(self, text):
        if type(text) != str:
            raise TypeError("not str")
        self.use()
        return doit(text)

    def predict_batch(self, texts, batch_size=64):
        if type(texts) == str or type(texts) == bytes: raise TypeError("str")
        if type(batch_size) != int: raise TypeError("batch_size")
        if batch_size < 1: raise ValueError("batch_size")
        buf = []
        n = 0
        for t in texts:
            if type(t) != str:
                # first give out what is there
                for b in buf: yield self.predict(b)
                raise TypeError("no str at " + str(n))
            buf.append(t)
            n += 1
            if len(buf) == batch_size:
                for b in buf: yield self.predict(b)
                buf = []
        for b in buf: yield self.predict(b)


def load_pipeline(model_dir):
    p1 = os.path.join(str(model_dir), "card.json")
    p2 = os.path.join(str(model_dir), "vocabulary.txt")
    p3 = os.path.join(str(model_dir), "weights.npz")
    for p in [p1, p2, p3]:
        if not os.path.exists(p): raise FileNotFoundError(p)
    try:
        c = json.loads(open(p1, encoding="utf-8").read())
        for k in ["format_version","name","version","labels","temperature","min_confidence","max_tokens","sha256"]:
            c[k]
        if c["format_version"] != 1: raise ValueError
        b2 = open(p2, "rb").read()
        b3 = open(p3, "rb").read()
        if hashlib.sha256(b2).hexdigest() != c["sha256"]["vocabulary.txt"]: raise ValueError
        if hashlib.sha256(b3).hexdigest() != c["sha256"]["weights.npz"]: raise ValueError
        lst = b2.decode("utf-8").split("\n")
        if lst[-1] == "": lst = lst[:-1]
        v = {}
        for i in range(len(lst)): v[lst[i]] = i
        z = np.load(io.BytesIO(b3), allow_pickle=False)
        w = {"idf": z["idf"], "coefficients": z["coefficients"], "intercept": z["intercept"]}
        if w["idf"].shape[0] != len(lst): raise ValueError
        if w["coefficients"].shape != (len(c["labels"]), len(lst)): raise ValueError
        if len(w["intercept"]) != len(c["labels"]): raise ValueError
    except Exception:
        raise ValueError("bad model")
    return Pipeline(c, v, w, c["labels"])
