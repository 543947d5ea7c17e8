"""What shoppers thought of it: scores, follow-up answers, and the filter that judges repeats."""
