"""What kiosks and the store server agree on, and the broker that carries it. Imports nothing of ours."""
