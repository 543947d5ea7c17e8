"""Who is called for a request, and when the next ones are."""
