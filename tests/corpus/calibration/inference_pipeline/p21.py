import re, json, math, html, hashlib, unicodedata, os, io, sys
import numpy as np
from numpy import *

card = None
voc = None
w = None
D = {}

def cl(s):
    s2 = ""
    intag = False
    s = re.sub("<[^<>]*>", " ", s)
    s = html.unescape(s)
    s = unicodedata.normalize("NFKC", s)
    for i in range(len(s)):
        ch = s[i]
        if unicodedata.category(ch) == "Cc":
            s2 = s2 + " "
        else:
            if unicodedata.category(ch) == "Cf":
                s2 = s2 + ""
            else:
                s2 = s2 + ch
    s = s2.casefold()
    s = re.sub("(?<!\\S)(?:https?://|www\\.)\\S+", " urlmask ", s)
    s = re.sub("(?<!\\S)\\S+@\\S+", " mailmask ", s)
    s = re.sub("\\d+", " nummask ", s)
    t = re.findall("\\w\\w+", s)
    return t

def calc(t, P):
    mt = P.c["max_tokens"]
    t2 = []
    k = 0
    while k < len(t):
        if k < mt:
            t2.append(t[k])
        k = k + 1
    d = {}
    for k in range(len(t2)):
        if t2[k] in d:
            d[t2[k]] = d[t2[k]] + 1
        else:
            d[t2[k]] = 1
    for k in range(len(t2) - 1):
        bb = t2[k] + " " + t2[k + 1]
        if bb in d:
            d[bb] = d[bb] + 1
        else:
            d[bb] = 1
    v = {}
    n = 0
    for x in d:
        if x in P.v:
            j = P.v[x]
            v[j] = (1 + math.log(d[x])) * P.idf[j]
            n = n + v[j] * v[j]
    n = math.sqrt(n)
    sc = []
    for a in range(len(P.c["labels"])):
        q = P.b[a]
        for j in v:
            q = q + P.w[a][j] * v[j] / n
        sc.append(q / P.c["temperature"])
    mx = -99999999
    for a in range(len(sc)):
        if sc[a] > mx:
            mx = sc[a]
    sm = 0
    for a in range(len(sc)):
        sc[a] = math.exp(sc[a] - mx)
        sm = sm + sc[a]
    for a in range(len(sc)):
        sc[a] = sc[a] / sm
    return sc

class Pipeline:
    def predict(self, text):
        if type(text) is not str:
            raise TypeError("x")
        r = calc(cl(text), self)
        best = 0
        for a in range(len(r)):
            if r[a] > r[best]:
                best = a
        o = {}
        o["label"] = self.c["labels"][best]
        o["confidence"] = float(r[best])
        p = {}
        for a in range(len(r)):
            p[self.c["labels"][a]] = float(r[a])
        o["probabilities"] = p
        if r[best] < self.c["min_confidence"]:
            o["fallback"] = True
        else:
            o["fallback"] = False
        o["model_version"] = self.c["version"]
        return o

    def predict_batch(self, texts, batch_size=64):
        if type(texts) == str or type(texts) == bytes:
            raise TypeError("x")
        if type(batch_size) != int:
            raise TypeError("batch")
        if batch_size < 1:
            raise ValueError("batch")
        try:
            it = iter(texts)
        except:
            raise TypeError("x")
        cnt = 0
        while True:
            try:
                tt = next(it)
            except StopIteration:
                return
            if type(tt) is not str:
                raise TypeError("bad at " + str(cnt))
            yield self.predict(tt)
            cnt = cnt + 1

def load_pipeline(model_dir):
    global card, voc, w
    d = str(model_dir)
    if os.path.exists(d + "/card.json") == False:
        raise FileNotFoundError(d)
    if os.path.exists(d + "/vocabulary.txt") == False:
        raise FileNotFoundError(d)
    if os.path.exists(d + "/weights.npz") == False:
        raise FileNotFoundError(d)
    f = open(d + "/card.json", "rb")
    s1 = f.read()
    f = open(d + "/vocabulary.txt", "rb")
    s2 = f.read()
    f = open(d + "/weights.npz", "rb")
    s3 = f.read()
    try:
        card = json.loads(s1)
        x = card["format_version"]
        x = card["name"]
        x = card["version"]
        x = card["labels"]
        x = card["temperature"]
        x = card["min_confidence"]
        x = card["max_tokens"]
        x = card["sha256"]["vocabulary.txt"]
        x = card["sha256"]["weights.npz"]
    except:
        raise ValueError("card")
    if card["format_version"] != 1:
        raise ValueError("card")
    if hashlib.sha256(s2).hexdigest() != card["sha256"]["vocabulary.txt"]:
        raise ValueError("sha")
    if hashlib.sha256(s3).hexdigest() != card["sha256"]["weights.npz"]:
        raise ValueError("sha")
    voc = s2.decode("utf-8").split("\n")
    if voc[-1] == "":
        voc = voc[:-1]
    for i in range(len(voc)):
        D[voc[i]] = i
    try:
        w = np.load(io.BytesIO(s3), allow_pickle=False)
        p = Pipeline()
        p.c = card
        p.v = dict(D)
        p.idf = w["idf"].tolist()
        p.w = w["coefficients"].tolist()
        p.b = w["intercept"].tolist()
    except:
        raise ValueError("weights")
    D.clear()
    if len(p.idf) != len(voc) or len(p.w) != len(card["labels"]) or len(p.b) != len(card["labels"]) or len(p.w[0]) != len(voc):
        raise ValueError("weights")
    return p
