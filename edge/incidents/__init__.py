"""The case file around a security request or a complaint: what happened, who said what, and how it ended."""
