"""Evaluation of policies on networks they have never seen, with common random numbers."""
