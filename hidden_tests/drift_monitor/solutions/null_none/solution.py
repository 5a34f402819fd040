def evaluate(log, slices, threshold):
    return None


def drift_report(reference, current):
    return None


def diagnose(reference, window, model):
    return None


class Monitor:
    def __init__(self, reference):
        self.reference = reference

    def update(self, batch):
        return None
