"""Evaluation, drift, diagnosis and monitoring of a churn model."""
