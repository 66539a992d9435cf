"""Data in and out of a running server by files: what `stenograph export` and `stenograph import` do.

A client of the HTTP API like any other: it knows nothing of domain, store or wire, and may be a machine away.
docs/decisions/042-export-goes-through-the-server.md
"""
