"""Clips as evidence: custody log, vault, retention and holds, export and verification."""
