"""Paper A's figures 1 and 2, and how the order of its schemes depends on what it does not give."""
