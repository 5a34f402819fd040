import hashlib
import html
import json
import math
import os
import re
import unicodedata

import numpy as np


class ModelConfig:
    def __init__(self):
        self.__version = None
        self.__labels = None
        self.__temperature = None
        self.__minConfidence = None
        self.__maxTokens = None

    def getVersion(self):
        return self.__version

    def setVersion(self, version):
        self.__version = version

    def getLabels(self):
        return self.__labels

    def setLabels(self, labels):
        self.__labels = labels

    def getTemperature(self):
        return self.__temperature

    def setTemperature(self, temperature):
        self.__temperature = temperature

    def getMinConfidence(self):
        return self.__minConfidence

    def setMinConfidence(self, minConfidence):
        self.__minConfidence = minConfidence

    def getMaxTokens(self):
        return self.__maxTokens

    def setMaxTokens(self, maxTokens):
        self.__maxTokens = maxTokens


class TextUtils:
    @staticmethod
    def cleanText(text):
        result = re.sub("<[^<>]*>", " ", text)
        result = html.unescape(result)
        result = unicodedata.normalize("NFKC", result)
        builder = []
        for i in range(len(result)):
            character = result[i]
            if unicodedata.category(character) == "Cc":
                builder.append(" ")
            elif unicodedata.category(character) == "Cf":
                builder.append("")
            else:
                builder.append(character)
        result = "".join(builder)
        result = result.casefold()
        result = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", result)
        result = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", result)
        result = re.sub(r"\d+", " nummask ", result)
        return result

    @staticmethod
    def getTerms(text, maxTokens):
        tokens = re.findall(r"\w\w+", TextUtils.cleanText(text))
        tokens = tokens[0:maxTokens]
        terms = []
        for i in range(len(tokens)):
            terms.append(tokens[i])
        for i in range(len(tokens) - 1):
            terms.append(tokens[i] + " " + tokens[i + 1])
        return terms


class Pipeline:
    def __init__(self, config, vocabularyMap, idf, coefficients, intercept):
        self.__config = config
        self.__vocabularyMap = vocabularyMap
        self.__idf = idf
        self.__coefficients = coefficients
        self.__intercept = intercept

    def getConfig(self):
        return self.__config

    def __calculateVector(self, text):
        termCounts = {}
        for term in TextUtils.getTerms(text, self.getConfig().getMaxTokens()):
            if self.__vocabularyMap.get(term) is not None:
                index = self.__vocabularyMap.get(term)
                if index in termCounts.keys():
                    termCounts[index] = termCounts[index] + 1
                else:
                    termCounts[index] = 1
        vector = {}
        sumOfSquares = 0.0
        for index in termCounts.keys():
            weight = (1.0 + math.log(termCounts[index])) * float(self.__idf[index])
            vector[index] = weight
            sumOfSquares += weight * weight
        length = math.sqrt(sumOfSquares)
        if length > 0.0:
            for index in vector.keys():
                vector[index] = vector[index] / length
        return vector

    def __calculateScores(self, vector):
        scores = []
        for i in range(len(self.getConfig().getLabels())):
            score = float(self.__intercept[i])
            for index in vector.keys():
                score += float(self.__coefficients[i][index]) * vector[index]
            scores.append(score)
        return scores

    def __calculateProbabilities(self, scores):
        maxScore = max(scores)
        exponentials = []
        total = 0.0
        for i in range(len(scores)):
            value = math.exp((scores[i] - maxScore) / self.getConfig().getTemperature())
            exponentials.append(value)
            total += value
        probabilities = []
        for i in range(len(exponentials)):
            probabilities.append(exponentials[i] / total)
        return probabilities

    def predict(self, text):
        if isinstance(text, str) == False:
            raise TypeError("Text must be a String")
        vector = self.__calculateVector(text)
        scores = self.__calculateScores(vector)
        probabilities = self.__calculateProbabilities(scores)
        bestIndex = 0
        for i in range(len(probabilities)):
            if probabilities[i] > probabilities[bestIndex]:
                bestIndex = i
        probabilityMap = {}
        for i in range(len(probabilities)):
            probabilityMap[self.getConfig().getLabels()[i]] = probabilities[i]
        prediction = {}
        prediction["label"] = self.getConfig().getLabels()[bestIndex]
        prediction["confidence"] = probabilities[bestIndex]
        prediction["probabilities"] = probabilityMap
        if probabilities[bestIndex] < self.getConfig().getMinConfidence():
            prediction["fallback"] = True
        else:
            prediction["fallback"] = False
        prediction["model_version"] = self.getConfig().getVersion()
        return prediction

    def predict_batch(self, texts, batch_size=64):
        if isinstance(texts, str) or isinstance(texts, bytes):
            raise TypeError("Texts must be a Collection")
        if isinstance(batch_size, int) == False:
            raise TypeError("Batch size must be an Integer")
        if batch_size < 1:
            raise ValueError("Batch size must be positive")
        position = 0
        for text in texts:
            if isinstance(text, str) == False:
                raise TypeError("Text must be a String at position " + str(position))
            yield self.predict(text)
            position = position + 1


class PipelineLoader:
    def __init__(self, modelDirectory):
        self.__modelDirectory = modelDirectory

    def __readFile(self, fileName):
        file = open(os.path.join(self.__modelDirectory, fileName), "rb")
        content = file.read()
        file.close()
        return content

    def __verifyChecksum(self, card, fileName):
        digest = hashlib.sha256()
        digest.update(self.__readFile(fileName))
        if digest.hexdigest() != card["sha256"][fileName]:
            raise ValueError("Checksum error: " + fileName)

    def load(self):
        card = json.loads(self.__readFile("card.json").decode("utf-8"))
        if card["format_version"] != 1:
            raise ValueError("Wrong format version")
        self.__verifyChecksum(card, "vocabulary.txt")
        self.__verifyChecksum(card, "weights.npz")
        config = ModelConfig()
        config.setVersion(card["version"])
        config.setLabels(card["labels"])
        config.setTemperature(card["temperature"])
        config.setMinConfidence(card["min_confidence"])
        config.setMaxTokens(card["max_tokens"])
        vocabularyMap = {}
        index = 0
        for term in self.__readFile("vocabulary.txt").decode("utf-8").split("\n"):
            if term != "":
                vocabularyMap[term] = index
                index = index + 1
        weights = np.load(os.path.join(self.__modelDirectory, "weights.npz"), allow_pickle=False)
        return Pipeline(config, vocabularyMap, weights["idf"], weights["coefficients"], weights["intercept"])


def load_pipeline(model_dir):
    pipelineLoader = PipelineLoader(model_dir)
    return pipelineLoader.load()
