"""The fast solver: interior-point ascent from several starts, with a certified bound; compiled."""
