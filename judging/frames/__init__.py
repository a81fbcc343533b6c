"""Rows to long DataFrames: the only bridge from the database to judging.stats."""
