"""People outside the store: which channels reach them, what each is told, and how every try went."""
