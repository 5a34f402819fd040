import pandas as pd;import numpy as np;import re,os
def missing_report(d,a=[],b={}):
 x=[];
 for i in range(len(d.columns)):
  s=d[d.columns[i]];k=0
  for j in range(len(s)):
   if pd.isna(s.iloc[j])==True:k+=1
  x+=[(d.columns[i],k,100.*k/len(d),str(s.dtype))]
 r=pd.DataFrame(x,columns=['i','n_missing','pct_missing','dtype']);r=r.set_index('i');return r.sort_values('n_missing',ascending=False)
def impute(d):
 d=d.copy()
 for c in d:
  try:
   s=d[c];t=sorted([v for v in s.values if v==v]);m=t[len(t)//2] if len(t)%2 else (t[len(t)//2]+t[len(t)//2-1])/2
   for j in range(len(s)):
    if s.iloc[j]!=s.iloc[j]:d[c].iloc[j]=m
  except:pass
 return d
class MedianImputer:
 def fit(z,d):
  z.m={}
  for c in d:
   try:t=sorted([v for v in d[c].values if v==v]);z.m[c]=t[len(t)//2] if len(t)%2 else (t[len(t)//2]+t[len(t)//2-1])/2
   except:pass
  return z
 def transform(z,d):
  d=d.copy()
  for c in z.m:
   for j in range(len(d)):
    if d[c].iloc[j]!=d[c].iloc[j]:d[c].iloc[j]=z.m[c]
  return d
 def fit_transform(z,d):z.fit(d);return z.transform(d)
