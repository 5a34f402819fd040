import pandas as pd
import numpy as np
import sys, os
import warnings
warnings.filterwarnings('ignore')
#from sklearn.impute import SimpleImputer

DEBUG = False
NUM = ['int8','int16','int32','int64','uint8','uint16','uint32','uint64','float32','float64']
NUM2 = [x.replace('i','I').replace('uI','UI').replace('f','F') for x in NUM]
res = None
tmp = {}

def chk(d):
    if type(d)!=pd.DataFrame: raise TypeError('no df')
    if len(d.columns)!=len(set(d.columns)): raise ValueError('dup')

def missing_report(df):
    chk(df)
    global res
    res = pd.DataFrame()
    res['n_missing'] = df.isnull().sum().astype('int64')
    try:
        res['pct_missing'] = (res['n_missing']/df.shape[0]*100).fillna(0).astype(float)
    except: res['pct_missing'] = 0.0
    res['dtype'] = [str(x) for x in df.dtypes]
    res = res.sort_values('n_missing',ascending=False,kind='stable')
    if DEBUG: print(res)
    return res

def isnum(c):
    x = str(c.dtype)
    if x in NUM or x in NUM2: return True
    return False

def impute(df):
    chk(df)
    d2 = df.copy()
    for c in d2.columns:
        if isnum(d2[c]):
            m = d2[c].median()
            if pd.isnull(m): continue
            if d2[c].isnull().sum()>0:
                t = d2[c].dtype
                try:
                    d2[c] = d2[c].fillna(m).astype(t)
                except:
                    d2[c] = d2[c].astype('Float64').fillna(m)
    return d2

class MedianImputer:
    def __init__(self):
        self.m = None
        self.x = 0
    def fit(self, df):
        chk(df)
        self.m = {}
        for c in df.columns:
            if isnum(df[c])==True:
                tmp = df[c].median()
                if not pd.isnull(tmp): self.m[c] = tmp
        self.x = 1
        return self
    def transform(self, df):
        if self.x==0: raise ValueError('fit first!!')
        chk(df)
        d2 = df.copy()
        # TODO faster?
        for c in d2.columns:
            if c in self.m.keys() and isnum(d2[c]):
                if d2[c].isnull().sum()>0:
                    t = d2[c].dtype
                    try:
                        d2[c] = d2[c].fillna(self.m[c]).astype(t)
                    except:
                        d2[c] = d2[c].astype('Float64').fillna(self.m[c])
        # for i in range(len(d2)):
        #     for c in self.m:
        #         if pd.isnull(d2.loc[i,c]): d2.loc[i,c] = self.m[c]
        return d2
    def fit_transform(self, df):
        self.fit(df); return self.transform(df)

if __name__ == '__main__':
    d = pd.read_csv('data/station_status.csv')
    print(missing_report(d))
    print(impute(d).head())
