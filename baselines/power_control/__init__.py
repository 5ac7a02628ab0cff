"""Paper B's power control: powers and computing for the least power and the largest least spectral efficiency."""
