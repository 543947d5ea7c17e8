"""A real store in processes of its own, for system tests, fault rounds and benchmarks."""
