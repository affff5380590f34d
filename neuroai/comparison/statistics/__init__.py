"""Intervals, nulls and p-values of scores."""
