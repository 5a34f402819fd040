from pandas import *
from numpy import *
import pandas

medians = {}
fitted = False
DEBUG = True


def missing_report(df):
    global counts
    counts = {}
    for col in df:
        counts[col] = 0
        for id in df.index:
            if pandas.isna(df.at[id, col]) == True:
                counts[col] = counts[col] + 1
    result = DataFrame(index=list(df.columns))
    result["n_missing"] = [counts[k] for k in counts.keys()]
    result["pct_missing"] = [counts[k] * 100 / len(df) for k in counts.keys()]
    result["dtype"] = [str(df[k].dtype) for k in counts.keys()]
    result.sort_values("n_missing", ascending=False, inplace=True)
    if DEBUG == True: print(result)
    return result


def learn(df):
    global medians, fitted
    for col in df.columns:
        try:
            medians[col] = df[col].median()
        except:
            print("not numeric", col)
    fitted = True


def fill(df):
    global fitted
    if fitted == False:
        raise Exception("not fitted")
    temp = df.copy()
    for id in temp.index:
        for col in medians.keys():
            try:
                if pandas.isna(temp.at[id, col]) == True:
                    temp.at[id, col] = medians[col]
            except:
                pass
    return temp


def impute(df):
    learn(df)
    return fill(df)


class MedianImputer:
    def fit(self, df):
        learn(df)
        return self

    def transform(self, df):
        return fill(df)

    def fit_transform(self, df):
        learn(df)
        return fill(df)
