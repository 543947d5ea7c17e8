"""Puts Floorbell on machines and runs it there: the `floorbell` command and the demo."""
