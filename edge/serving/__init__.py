"""How the web program and the vault take requests in: none holds a thread before it is whole."""
