from __future__ import annotations
import pandas as pd
import numpy as np
from sklearn.impute import SimpleImputer
import warnings
warnings.filterwarnings('ignore')

def missing_report(df):
    if not isinstance(df, pd.DataFrame): raise TypeError('not a df')
    if len(set(df.columns)) != len(df.columns): raise ValueError('dupl')
    res = pd.DataFrame(columns=['n_missing','pct_missing','dtype'])
    for c in df.columns:
        n = 0
        for idx, v in df[c].isna().items():
            if v: n += 1
        p = 0
        if len(df) > 0: p = n/len(df)*100
        res.loc[c] = [n, p, str(df[c].dtype)]
    res['n_missing'] = res['n_missing'].astype('int64')
    res['pct_missing'] = res['pct_missing'].astype('float64')
    # print(res)
    res2 = res.sort_values('n_missing', ascending=False, kind='mergesort')
    return res2

def impute(df):
    if not isinstance(df, pd.DataFrame): raise TypeError('not a df')
    if len(set(df.columns)) != len(df.columns): raise ValueError('dupl')
    df2 = df.copy()
    for c in df2.columns:
        t = str(df2[c].dtype)
        if t == 'float64' or t == 'float32':
            if df2[c].isna().sum() != len(df2[c]):
                m = df2[c].median()
                df2[c] = df2[c].fillna(m)
        elif t == 'Float64' or t == 'Float32':
            if df2[c].isna().sum() != len(df2[c]):
                m = df2[c].median()
                df2[c] = df2[c].fillna(m)
        elif t == 'Int64' or t == 'Int32' or t == 'Int16' or t == 'Int8':
            if df2[c].isna().sum() != len(df2[c]):
                m = df2[c].median()
                if m % 1 == 0:
                    df2[c] = df2[c].fillna(int(m))
                else:
                    if df2[c].isna().sum() > 0:
                        df2[c] = df2[c].astype('Float64')
                        df2[c] = df2[c].fillna(m)
        elif t == 'UInt64' or t == 'UInt32' or t == 'UInt16' or t == 'UInt8':
            if df2[c].isna().sum() != len(df2[c]):
                m = df2[c].median()
                if m % 1 == 0:
                    df2[c] = df2[c].fillna(int(m))
                else:
                    if df2[c].isna().sum() > 0:
                        df2[c] = df2[c].astype('Float64')
                        df2[c] = df2[c].fillna(m)
        else:
            pass
    return df2

class MedianImputer:
    medians = None
    fitted = False

    def fit(self, df):
        if not isinstance(df, pd.DataFrame): raise TypeError('not a df')
        if len(set(df.columns)) != len(df.columns): raise ValueError('dupl')
        self.medians = {}
        self.fitted = False
        for c in df.columns:
            t = str(df[c].dtype)
            try:
                if t == 'float64' or t == 'float32' or t == 'Float64' or t == 'Float32' or 'int' in t or 'Int' in t:
                    if df[c].isna().sum() != len(df[c]):
                        self.medians[c] = df[c].median()
            except Exception as e:
                print(e)
        self.fitted = True
        return self

    def transform(self, df):
        if not isinstance(df, pd.DataFrame): raise TypeError('not a df')
        if len(set(df.columns)) != len(df.columns): raise ValueError('dupl')
        if self.fitted == False:
            raise ValueError('fit first')
        df2 = df.copy()
        for c in df2.columns:
            if c in self.medians.keys():
                t = str(df2[c].dtype)
                m = self.medians[c]
                if t == 'float64' or t == 'float32':
                    df2[c] = df2[c].fillna(m)
                elif t == 'Float64' or t == 'Float32':
                    df2[c] = df2[c].fillna(m)
                elif t == 'Int64' or t == 'Int32' or t == 'Int16' or t == 'Int8':
                    if m % 1 == 0:
                        df2[c] = df2[c].fillna(int(m))
                    else:
                        if df2[c].isna().sum() > 0:
                            df2[c] = df2[c].astype('Float64')
                            df2[c] = df2[c].fillna(m)
                elif t == 'UInt64' or t == 'UInt32' or t == 'UInt16' or t == 'UInt8':
                    if m % 1 == 0:
                        df2[c] = df2[c].fillna(int(m))
                    else:
                        if df2[c].isna().sum() > 0:
                            df2[c] = df2[c].astype('Float64')
                            df2[c] = df2[c].fillna(m)
                else:
                    pass
        return df2

    def fit_transform(self, df):
        # imp = SimpleImputer(strategy='median')
        # return pd.DataFrame(imp.fit_transform(df), columns=df.columns)
        self.fit(df)
        df3 = self.transform(df)
        return df3

# df = pd.read_csv('data/march.csv')
# print(missing_report(df))
# print(impute(df).head())
