"""Gymnasium environments: a thin face on the line from scenario to latency."""
