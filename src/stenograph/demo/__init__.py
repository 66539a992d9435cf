"""Realistic data of a shop's support agent, made from a seed and sent to a running server: `stenograph demo`.

A client like any other: it knows a server by its HTTP addresses alone. What it makes is pure and the same for the same
plan; only `sending.py` and `filling.py` speak to anybody.
"""
