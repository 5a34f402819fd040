from abc import ABC
import pandas as pd
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score


class Constants:
    TARGET_COLUMN = "is_fraud"
    CARD_COLUMN = "card_id"
    TIME_COLUMN = "paid_at"
    NUMERIC_COLUMNS = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days",
                       "card_age_days", "failed_pins_24h", "credit_limit_eur"]
    CATEGORY_COLUMNS = ["merchant_id", "merchant_category", "channel", "country"]


class Fold:
    def __init__(self, trainIds, testIds):
        self.__trainIds = trainIds
        self.__testIds = testIds

    def getTrainIds(self):
        return self.__trainIds

    def getTestIds(self):
        return self.__testIds


class DataSplitManager:
    def __init__(self, dataFrame):
        self.__dataFrame = dataFrame
        self.__cutoff = None

    def getDataFrame(self):
        return self.__dataFrame

    def getCutoff(self):
        if self.__cutoff is None:
            self.__cutoff = self.computeCutoff()
        return self.__cutoff

    def setCutoff(self, cutoff):
        self.__cutoff = cutoff

    def computeCutoff(self):
        return self.getDataFrame()[Constants.TIME_COLUMN].quantile(0.6)

    def doSplit(self):
        df = self.getDataFrame()
        trainFrame = df[df[Constants.TIME_COLUMN] < self.getCutoff()]
        testFrame = df[df[Constants.TIME_COLUMN] >= self.getCutoff()]
        knownCards = set(trainFrame[Constants.CARD_COLUMN].values)
        testIds = list()
        for paymentId in testFrame.index:
            if testFrame.at[paymentId, Constants.CARD_COLUMN] not in knownCards:
                testIds.append(paymentId)
        return Fold(list(trainFrame.index), testIds)


class AbstractFeatureManager(ABC):
    def fitFeatures(self, dataFrame):
        pass

    def buildFeatures(self, dataFrame):
        pass


class FeatureManager(AbstractFeatureManager):
    def __init__(self):
        self.__medianMap = dict()
        self.__frequencyMap = dict()
        self.__rateMap = dict()
        self.__globalRate = 0.0

    def getMedian(self, columnName):
        return self.__medianMap.get(columnName)

    def setMedian(self, columnName, value):
        self.__medianMap[columnName] = value

    def getGlobalRate(self):
        return self.__globalRate

    def setGlobalRate(self, globalRate):
        self.__globalRate = globalRate

    def fitFeatures(self, dataFrame):
        for columnName in Constants.NUMERIC_COLUMNS:
            median = dataFrame[columnName].median()
            if pd.isnull(median):
                self.setMedian(columnName, 0.0)
            else:
                self.setMedian(columnName, median)
        self.setGlobalRate(dataFrame[Constants.TARGET_COLUMN].mean())
        for columnName in Constants.CATEGORY_COLUMNS:
            rates = dict()
            grouped = dataFrame.groupby(columnName)
            for categoryName, group in grouped:
                fraudCount = group[Constants.TARGET_COLUMN].sum()
                totalCount = len(group)
                rates[categoryName] = (fraudCount + 15 * self.getGlobalRate()) / (totalCount + 15)
            self.__rateMap[columnName] = rates

    def buildFeatures(self, dataFrame):
        result = pd.DataFrame(index=dataFrame.index)
        for columnName in Constants.NUMERIC_COLUMNS:
            result[columnName] = dataFrame[columnName].astype(float).fillna(self.getMedian(columnName))
        for columnName in Constants.CATEGORY_COLUMNS:
            rates = self.__rateMap.get(columnName)
            result[columnName] = [rates.get(value, self.getGlobalRate()) for value in dataFrame[columnName]]
        result["hour"] = dataFrame[Constants.TIME_COLUMN].dt.hour.fillna(0)
        return result.values


class FraudModelManager:
    def __init__(self, featureManager):
        self.__featureManager = featureManager
        self.__classifier = RandomForestClassifier(n_estimators=150, min_samples_leaf=5, random_state=7)

    def getFeatureManager(self):
        return self.__featureManager

    def getClassifier(self):
        return self.__classifier

    def trainModel(self, trainFrame):
        self.getFeatureManager().fitFeatures(trainFrame)
        matrix = self.getFeatureManager().buildFeatures(trainFrame)
        self.getClassifier().fit(matrix, trainFrame[Constants.TARGET_COLUMN].values)

    def scoreModel(self, dataFrame):
        matrix = self.getFeatureManager().buildFeatures(dataFrame)
        return self.getClassifier().predict_proba(matrix)[:, 1]


class ExperimentManager:
    def __init__(self, dataFrame, folds):
        self.__dataFrame = dataFrame
        self.__folds = folds
        self.__results = list()

    def addResult(self, result):
        self.__results.append(result)

    def getResults(self):
        return self.__results

    def runExperiment(self):
        for f in self.__folds:
            fold = Fold(f[0], f[1])
            trainFrame = self.__dataFrame.loc[fold.getTrainIds()]
            testFrame = self.__dataFrame.loc[fold.getTestIds()]
            modelManager = FraudModelManager(FeatureManager())
            modelManager.trainModel(trainFrame)
            scores = modelManager.scoreModel(testFrame)
            testScore = roc_auc_score(testFrame[Constants.TARGET_COLUMN].values, scores)
            self.addResult({"train_ids": fold.getTrainIds(), "test_ids": fold.getTestIds(),
                            "model": modelManager, "test_score": float(testScore)})
        return self.getResults()

    def getMeanScore(self):
        total = 0.0
        for result in self.getResults():
            total += result.get("test_score")
        return total / len(self.getResults())


def split(df):
    manager = DataSplitManager(df)
    fold = manager.doSplit()
    return [(fold.getTrainIds(), fold.getTestIds())]


def run(df, folds):
    manager = ExperimentManager(df, folds)
    results = manager.runExperiment()
    return {"folds": results, "metric": "roc_auc", "value": manager.getMeanScore()}


def predict(model, raw_df):
    return model.scoreModel(raw_df)
