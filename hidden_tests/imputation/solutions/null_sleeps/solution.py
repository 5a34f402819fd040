import time


def missing_report(df):
    time.sleep(3600)


def impute(df):
    time.sleep(3600)


class MedianImputer:
    def fit(self, df):
        time.sleep(3600)

    def transform(self, df):
        time.sleep(3600)

    def fit_transform(self, df):
        time.sleep(3600)
