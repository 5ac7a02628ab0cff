"""Policies for dynamic worlds, in which energy that is spent and bits that wait are there in the next block."""
