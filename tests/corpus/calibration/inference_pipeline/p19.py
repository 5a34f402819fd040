import json
import re
import html
import math
import unicodedata
import numpy as np
import hashlib
import os.path


class Pipeline:

    def __init__(self, x1, x2, x3, x4, x5):
        self.x1 = x1
        self.x2 = x2
        self.x3 = x3
        self.x4 = x4
        self.x5 = x5

    def predict(self, text):
        if isinstance(text, str) == False:
            raise TypeError("wrong type")
        text1 = re.sub(r"<[^<>]*>", " ", text)
        text2 = html.unescape(text1)
        text3 = unicodedata.normalize("NFKC", text2)
        list1 = []
        for i in range(0, len(text3)):
            if unicodedata.category(text3[i]) == "Cc":
                list1.append(" ")
            elif unicodedata.category(text3[i]) != "Cf":
                list1.append(text3[i])
        text4 = "".join(list1)
        text5 = text4.casefold()
        text6 = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text5)
        text7 = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text6)
        text8 = re.sub(r"\d+", " nummask ", text7)
        list2 = re.findall(r"\w\w+", text8)
        list3 = []
        n = 0
        for w in list2:
            if n < self.x1["max_tokens"]:
                list3.append(w)
            n = n + 1
        list4 = []
        for w in list3:
            list4.append(w)
        for i in range(0, len(list3) - 1):
            list4.append(list3[i] + " " + list3[i + 1])
        dict1 = {}
        for w in list4:
            if w in self.x2.keys():
                if w in dict1.keys():
                    dict1[w] = dict1[w] + 1
                else:
                    dict1[w] = 1
        total = 0
        dict2 = {}
        for w in dict1.keys():
            val = (1 + math.log(dict1[w])) * self.x3[self.x2[w]]
            dict2[w] = val
            total = total + val * val
        total = math.sqrt(total)
        scores = []
        for i in range(0, len(self.x1["labels"])):
            s = self.x5[i]
            for w in dict2.keys():
                s = s + self.x4[i][self.x2[w]] * dict2[w] / total
            scores.append(s / self.x1["temperature"])
        m = max(scores)
        total2 = 0
        for s in scores:
            total2 = total2 + math.exp(s - m)
        dict3 = {}
        for i in range(0, len(scores)):
            dict3[self.x1["labels"][i]] = float(math.exp(scores[i] - m) / total2)
        best = None
        for k in dict3.keys():
            if best == None:
                best = k
            elif dict3[k] > dict3[best]:
                best = k
        if dict3[best] < self.x1["min_confidence"]:
            f = True
        else:
            f = False
        result = {}
        result["label"] = best
        result["confidence"] = dict3[best]
        result["probabilities"] = dict3
        result["fallback"] = f
        result["model_version"] = self.x1["version"]
        return result

    def predict_batch(self, texts, batch_size=64):
        if isinstance(texts, str) == True or isinstance(texts, bytes) == True:
            raise TypeError("wrong type")
        if isinstance(batch_size, int) == False:
            raise TypeError("wrong batch size")
        if batch_size <= 0:
            raise ValueError("wrong batch size")
        pos = 0
        for text in texts:
            if isinstance(text, str) == False:
                raise TypeError("wrong type at " + str(pos))
            else:
                r = self.predict(text)
                yield r
            pos = pos + 1


def load_pipeline(model_dir):
    if os.path.exists(str(model_dir)) == False:
        raise FileNotFoundError("folder")
    if os.path.exists(str(model_dir) + "/card.json") == False:
        raise FileNotFoundError("card.json")
    if os.path.exists(str(model_dir) + "/vocabulary.txt") == False:
        raise FileNotFoundError("vocabulary.txt")
    if os.path.exists(str(model_dir) + "/weights.npz") == False:
        raise FileNotFoundError("weights.npz")
    # card
    f = open(str(model_dir) + "/card.json", "r", encoding="utf-8")
    card = json.load(f)
    f.close()
    if type(card) != dict:
        raise ValueError("card")
    if "format_version" not in card:
        raise ValueError("card")
    if "name" not in card:
        raise ValueError("card")
    if "version" not in card:
        raise ValueError("card")
    if "labels" not in card:
        raise ValueError("card")
    if "temperature" not in card:
        raise ValueError("card")
    if "min_confidence" not in card:
        raise ValueError("card")
    if "max_tokens" not in card:
        raise ValueError("card")
    if "sha256" not in card:
        raise ValueError("card")
    if card["format_version"] != 1:
        raise ValueError("card")
    # check 1
    f = open(str(model_dir) + "/vocabulary.txt", "rb")
    data1 = f.read()
    f.close()
    h1 = hashlib.sha256()
    h1.update(data1)
    if h1.hexdigest() != card["sha256"]["vocabulary.txt"]:
        raise ValueError("vocabulary")
    # check 2
    f = open(str(model_dir) + "/weights.npz", "rb")
    data2 = f.read()
    f.close()
    h2 = hashlib.sha256()
    h2.update(data2)
    if h2.hexdigest() != card["sha256"]["weights.npz"]:
        raise ValueError("weights")
    # vocabulary
    dict1 = {}
    i = 0
    f = open(str(model_dir) + "/vocabulary.txt", "r", encoding="utf-8")
    for line in f:
        dict1[line.replace("\n", "")] = i
        i = i + 1
    f.close()
    # weights
    w = np.load(str(model_dir) + "/weights.npz", allow_pickle=False)
    a = w["idf"].tolist()
    b = w["coefficients"].tolist()
    c = w["intercept"].tolist()
    if len(a) != len(dict1):
        raise ValueError("weights")
    if len(b) != len(card["labels"]):
        raise ValueError("weights")
    if len(c) != len(card["labels"]):
        raise ValueError("weights")
    p = Pipeline(card, dict1, a, b, c)
    return p
