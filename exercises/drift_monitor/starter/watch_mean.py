"""What watches the model today: one mean over everything, every day."""

import pandas as pd

log = pd.read_csv("data/log.csv", parse_dates=["date"])
reference = pd.read_csv("data/reference.csv", parse_dates=["date"])

usual = reference["score"].mean()
for date, day in log.groupby("date"):
    change = day["score"].mean() / usual - 1
    alarm = "ALARM" if abs(change) > 0.10 else ""
    # a missing label is a customer who stayed, right?
    churn = day["churned"].fillna(0).mean()
    print(f"{date:%a %d %b}  mean score {change:+.0%}  churn {churn:.0%}  {alarm}")
