"""Nothing a user sees changes unnoticed: roll-outs and decisions are those of version 0.1.0.

``rollouts/`` says what is played and decided; digests are in ``data/rollouts.json``. An array passes if it is the
same in single precision, or else if a few means over it are close: other processors and other versions of NumPy's
and torch's libraries add up in another order, and solvers then end a little elsewhere (``KINDS`` says how far).
On the machine that wrote the digests, ``EXACT_ROLLOUTS=1 OMP_NUM_THREADS=1`` lets nothing else pass.
"""

import os

import numpy as np
import pytest

from .rollouts.cases import CASES, stored
from .rollouts.digests import KINDS, Kind, differences, digests_of

EXACT = os.environ.get("EXACT_ROLLOUTS") == "1"
STORED = stored()


def test_every_stored_case_is_still_played():
    assert STORED.keys() <= CASES.keys()


@pytest.mark.parametrize("case", STORED)
def test_all_is_as_it_was(case):
    kind, arrays = CASES[case]
    assert differences(STORED[case], digests_of(arrays()), KINDS[kind], EXACT) == []


class TestWhatIsNoticed:
    ARRAY = np.linspace(1.0, 2.0, 50)

    def wrong(self, array, exact=False, name="x"):
        return differences(digests_of({"x": self.ARRAY}), digests_of({name: array}), Kind(1e-5), exact)

    def test_the_last_digits_of_single_precision_only_if_nothing_else_passes(self):
        assert not self.wrong(self.ARRAY * (1 + 1e-6))
        assert self.wrong(self.ARRAY * (1 + 1e-6), exact=True)
        assert not self.wrong(self.ARRAY * (1 + 1e-15), exact=True)

    @pytest.mark.parametrize("change", [lambda x: x * 1.001, lambda x: x[::-1], lambda x: x.astype(np.float32)])
    def test_numbers_their_order_and_their_type(self, change):
        assert self.wrong(change(self.ARRAY))

    def test_a_number_that_is_not_finite(self):
        assert self.wrong(np.where(self.ARRAY == 1.0, np.nan, self.ARRAY))

    def test_another_name(self):
        assert self.wrong(self.ARRAY, name="y") == ["x is gone", "y is new"]
