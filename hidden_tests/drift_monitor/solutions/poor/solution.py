import pandas as pd


def evaluate(log, slices, threshold):
    df = log.fillna(0)
    print("rows", len(df))
    acc = ((df.score > threshold) == df.churned).mean()
    return {"accuracy": acc}


def drift_report(reference, current):
    r = {}
    for c in current.columns:
        try:
            if abs(current[c].mean() - reference[c].mean()) > 0.1:
                r[c] = True
        except:
            r[c] = False
    return r


def diagnose(reference, window, model):
    return ["model got worse, retrain it"]


class Monitor:
    def __init__(self, reference):
        self.m = reference.score.mean()

    def update(self, batch):
        if abs(batch.score.mean() / self.m - 1) > 0.1:
            print("ALARM")
            return True
        return False
