"""Learned solvers: paper A's CNN-LSTM and the equivariant network, how they are trained, and their weights."""
