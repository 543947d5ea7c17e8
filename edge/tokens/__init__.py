"""Tokens: what another program shows to be let in, and what each may do."""
