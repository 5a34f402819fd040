import time


def evaluate(log, slices, threshold):
    time.sleep(3600)


def drift_report(reference, current):
    time.sleep(3600)


def diagnose(reference, window, model):
    time.sleep(3600)


class Monitor:
    def __init__(self, reference):
        self.reference = reference

    def update(self, batch):
        time.sleep(3600)
