"""Paper B's figures 1 to 3: power, computing, spectral efficiency and energy, cell-free against cellular."""
