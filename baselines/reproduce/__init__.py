"""Figures of the papers, measured again: data, figure, and a verdict on every claim."""
