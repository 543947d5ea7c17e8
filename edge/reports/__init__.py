"""Answers, arrivals and ratings as distributions over time, for the desk and the API."""
