import os, sys, json
from math import *
import pandas as pd
import numpy as np

CACHE = {}
last = None


def missing_report(df, out=[]):
    global last
    res = []
    for i in range(len(df.columns)):
        c = df.columns[i]; n = 0
        for j in range(len(df)):
            try:
                if df[c].iloc[j] == None or df[c].iloc[j] != df[c].iloc[j]:
                    n = n + 1
            except:
                pass
        res.append([c, n, n / len(df) * 100, str(df[c].dtype)])
    tmp = pd.DataFrame(res, columns=['column', 'n_missing', 'pct_missing', 'dtype'])
    tmp.set_index('column', inplace=True)
    tmp.sort_values('n_missing', ascending=False, inplace=True, kind='stable')
    last = tmp
    print(tmp)
    return tmp


def impute(df):
    global last
    df2 = df.copy()
    for i in range(len(df2.columns)):
        c = df2.columns[i]
        list = []
        type = str(df2[c].dtype)
        if type == 'int64' or type == 'float64' or type == 'Int64' or type == 'Float64' or type == 'int32' or type == 'float32':
            for j in range(len(df2)):
                try:
                    x = df2[c].iloc[j]
                    if x == None:
                        pass
                    else:
                        if x != x:
                            pass
                        else:
                            if str(x) == '<NA>':
                                pass
                            else:
                                list.append(x)
                except:
                    pass
            if len(list) > 0:
                list = sorted(list)
                if len(list) % 2 == 1:
                    m = list[len(list) // 2]
                else:
                    m = (list[len(list) // 2 - 1] + list[len(list) // 2]) / 2
                for j in range(len(df2)):
                    try:
                        x = df2[c].iloc[j]
                        if x == None or x != x or str(x) == '<NA>':
                            if type == 'Int64':
                                if m == int(m):
                                    df2[c].iloc[j] = int(m)
                                else:
                                    df2[c] = df2[c].astype('Float64')
                                    df2[c].iloc[j] = m
                            else:
                                df2[c].iloc[j] = m
                    except:
                        pass
                print('filled', c, m)
            else:
                pass
        else:
            pass
    last = df2
    # print(df2.head())
    # df2 = df2.dropna()
    return df2


class MedianImputer:
    meds = {}
    def fit(self, df, y=None):
        for i in range(len(df.columns)):
            c = df.columns[i]
            try:
                self.meds[c] = df[c].median()
            except:
                pass
        return self
    def transform(self, df):
        df2 = df.copy()
        for index, row in df2.iterrows():
            for c in self.meds:
                if c in df2.columns:
                    try:
                        if row[c] != row[c]:
                            df2.at[index, c] = self.meds[c]
                    except:
                        pass
        return df2
    def fit_transform(self, df):
        self.fit(df)
        return self.transform(df)
