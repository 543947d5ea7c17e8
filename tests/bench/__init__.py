"""Benchmarks: each prints a figure and the floor under it, measured in the same run. No assertions."""
