"""Pilots and clusters are those of the book's algorithm, network by network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.network.pilots import assign_pilots, form_clusters, master_aps


def algorithm(gain, num_pilots):
    """One network at a time, as the algorithm is told."""
    num_aps, num_users = gain.shape
    pilot, serves = [], np.zeros(gain.shape, bool)
    for user in range(num_users):
        master = max(range(num_aps), key=lambda ap: (gain[ap, user], -ap))
        serves[master, user] = True
        received = [0.0] * num_pilots
        for other in range(user):
            received[pilot[other]] += gain[master, other]
        pilot.append(user if user < num_pilots else received.index(min(received)))
    for ap in range(num_aps):
        for number in range(num_pilots):
            sharing = [user for user in range(num_users) if pilot[user] == number]
            if sharing:
                serves[ap, max(sharing, key=lambda user: (gain[ap, user], -user))] = True
    return pilot, serves


@pytest.mark.parametrize(("name", "gains"), [("A1", ""), ("A2", ""), ("B1", "_AP")])
def test_the_books_networks(book_reference, name, gains):
    data = book_reference(name)
    gain, num_pilots = 10 ** (data["gainOverNoisedB" + gains] / 10), int(data["tau_p"])
    pilot = assign_pilots(gain, num_pilots)
    np.testing.assert_array_equal(pilot, data["pilotIndex"])
    np.testing.assert_array_equal(form_clusters(gain, pilot, num_pilots), data["D"])
    np.testing.assert_array_equal(np.arange(len(gain))[:, None] == master_aps(gain), data["D_small"])


@given(
    seed=st.integers(0, 2**32),
    num_aps=st.integers(1, 12),
    num_users=st.integers(1, 12),
    num_pilots=st.integers(1, 6),
    ties=st.booleans(),
)
def test_random_networks(seed, num_aps, num_users, num_pilots, ties):
    rng = np.random.default_rng(seed)
    shape = (100, num_aps, num_users)
    gain = rng.integers(0, 4, shape).astype(float) if ties else 10 ** rng.uniform(-2, 6, shape)
    pilot = assign_pilots(gain, num_pilots)
    serves = form_clusters(gain, pilot, num_pilots)
    for row in range(100):
        expected_pilot, expected_serves = algorithm(gain[row], num_pilots)
        np.testing.assert_array_equal(pilot[row], expected_pilot)
        np.testing.assert_array_equal(serves[row], expected_serves)


def test_a_batch_of_batches_is_its_rows():
    gain = np.random.default_rng(0).uniform(0, 1, (3, 4, 9, 7))
    pilot = assign_pilots(gain, 3)
    serves = form_clusters(gain, pilot, 3)
    for row in np.ndindex(3, 4):
        np.testing.assert_array_equal(pilot[row], assign_pilots(gain[row], 3))
        np.testing.assert_array_equal(serves[row], form_clusters(gain[row], pilot[row], 3))
