import json, re, html, hashlib, unicodedata, math, os, collections
import numpy as np

Prediction = collections.namedtuple("Prediction", "label confidence probabilities fallback model_version")


def run(what, arg=None, model=None, bs=64):
    if what == "load":
        d = str(arg)
        if not os.path.isdir(d):
            raise FileNotFoundError(d)
        else:
            for f in ["card.json", "vocabulary.txt", "weights.npz"]:
                if not os.path.exists(d + "/" + f):
                    raise FileNotFoundError(f)
            c = json.load(open(d + "/card.json", encoding="utf-8"))
            if type(c) == dict:
                ok = True
                for k in ["format_version", "name", "version", "labels", "temperature", "min_confidence", "max_tokens", "sha256"]:
                    if k not in c:
                        ok = False
                if ok:
                    if c["format_version"] == 1:
                        for f in ["vocabulary.txt", "weights.npz"]:
                            if f in c["sha256"]:
                                h = hashlib.sha256(open(d + "/" + f, "rb").read()).hexdigest()
                                if h != c["sha256"][f]:
                                    raise ValueError("bad checksum")
                            else:
                                raise ValueError("no checksum")
                        v = open(d + "/vocabulary.txt", encoding="utf-8", newline="\n").read().split("\n")
                        if v[-1] == "":
                            v = v[:-1]
                        v2 = {}
                        for i in range(len(v)):
                            v2[v[i]] = i
                        try:
                            w = np.load(d + "/weights.npz", allow_pickle=False)
                            w1 = w["idf"]
                            w2 = w["coefficients"]
                            w3 = w["intercept"]
                        except Exception:
                            raise ValueError("bad weights")
                        if w1.shape == (len(v),) and w2.shape == (len(c["labels"]), len(v)) and w3.shape == (len(c["labels"]),):
                            return [c, v2, w1, w2, w3]
                        else:
                            raise ValueError("bad shapes")
                    else:
                        raise ValueError("bad version")
                else:
                    raise ValueError("bad card")
            else:
                raise ValueError("bad card")
    elif what == "one":
        if type(arg) != str and not isinstance(arg, str):
            raise TypeError("no str")
        t = re.sub(r"<[^<>]*>", " ", arg)
        t = html.unescape(t)
        t = unicodedata.normalize("NFKC", t)
        t2 = ""
        for ch in t:
            if unicodedata.category(ch) == "Cc":
                t2 = t2 + " "
            else:
                if unicodedata.category(ch) != "Cf":
                    t2 = t2 + ch
        t2 = t2.casefold()
        t2 = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", t2)
        t2 = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", t2)
        t2 = re.sub(r"\d+", " nummask ", t2)
        tok = re.findall(r"\w\w+", t2)
        if len(tok) > model[0]["max_tokens"]:
            tok = tok[:model[0]["max_tokens"]]
        all = []
        for i in range(len(tok)):
            all.append(tok[i])
            if i > 0:
                all.append(tok[i - 1] + " " + tok[i])
        x = np.zeros(len(model[1]))
        for a in all:
            if a in model[1]:
                x[model[1][a]] = x[model[1][a]] + 1
        s = 0
        for i in range(len(x)):
            if x[i] > 0:
                x[i] = (1 + math.log(x[i])) * model[2][i]
                s = s + x[i] ** 2
        if s > 0:
            x = x / math.sqrt(s)
        z = model[3].dot(x) + model[4]
        z = z / model[0]["temperature"]
        e = np.exp(z - max(z))
        p = e / sum(e)
        b = 0
        for i in range(len(p)):
            if p[i] > p[b]:
                b = i
        pp = {}
        for i in range(len(p)):
            pp[model[0]["labels"][i]] = float(p[i])
        if p[b] < model[0]["min_confidence"]:
            fb = True
        else:
            fb = False
        return Prediction(model[0]["labels"][b], float(p[b]), pp, fb, model[0]["version"])
    elif what == "check":
        if isinstance(arg, str) or isinstance(arg, bytes):
            raise TypeError("texts")
        if type(bs) != int:
            raise TypeError("batch_size")
        if bs < 1:
            raise ValueError("batch_size")
        return True


class Pipeline:
    def __init__(self, model):
        self.model = model

    def predict(self, text):
        return run("one", text, self.model)

    def predict_batch(self, texts, batch_size=64):
        if run("check", texts, None, batch_size) == True:
            n = 0
            buf = []
            for t in texts:
                if not isinstance(t, str):
                    raise TypeError("no str at " + str(n))
                n = n + 1
                buf.append(t)
                if len(buf) == batch_size:
                    for b in buf:
                        yield run("one", b, self.model)
                    buf = []
            for b in buf:
                yield run("one", b, self.model)


def load_pipeline(model_dir):
    return Pipeline(run("load", model_dir))
