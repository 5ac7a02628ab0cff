"""Policies for Stable-Baselines3 that fit the problem: users have no order, and any number of them is served."""
