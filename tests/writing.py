"""Policies that write into what they are handed."""

import numpy as np

from mec_cf_gym.baselines import EqualSplit


class WritesIntoTheBlock(EqualSplit):
    """Doubles its own signals."""

    def power(self, block):
        block.signal_gain[...] *= 2
        return super().power(block)


class WritesIntoTheObservation(EqualSplit):
    """Notes what it sees, and wipes it out."""

    def __init__(self):
        self.seen = []

    def allocate(self, observation, block):
        self.seen.append({name: array.copy() for name, array in observation.items()})
        for array in observation.values():
            array[:] = 0
        return super().allocate(observation, block)

    def predict(self, observation, state=None):
        """Act at full power, as an agent."""
        self.seen.append({name: array.copy() for name, array in observation.items()})
        for array in observation.values():
            array[:] = 0
        rows, subcarriers, users = observation["signal"].shape
        return np.ones((rows, (subcarriers + 1) * users), np.float32), state
