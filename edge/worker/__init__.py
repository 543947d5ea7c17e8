"""The worker: ingest, routing, escalation and everything that leaves the server."""

from edge.worker.loop import Worker

__all__ = ["Worker"]
