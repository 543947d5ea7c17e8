"""Days of business that never were, for a log that looks lived in.

Seeded: the same seed, staff, number of days and first day give the same story, to the microsecond. `arrivals`
says who comes when, `calls` what becomes of a request, `scores` what people think of it; all pure. `write`
puts it into the store's tables. Why the figures are as they are: decisions/001-a-plausible-day.md.
"""
