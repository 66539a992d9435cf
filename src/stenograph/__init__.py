"""Stenograph: the record of every LLM session."""

__version__ = "0.1.0"
