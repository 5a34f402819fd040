def evaluate(log, slices, threshold):
    raise ValueError("not enough rows")


def drift_report(reference, current):
    raise ValueError("not enough rows")


def diagnose(reference, window, model):
    raise ValueError("not enough rows")


class Monitor:
    def __init__(self, reference):
        self.reference = reference

    def update(self, batch):
        raise ValueError("not enough rows")
