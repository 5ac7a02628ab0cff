"""Gram matrices of channels, on which all combining rests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled_in_order

Reals = NDArray[np.floating[Any]]
ROWS = 4
"""Rows that the product takes at once."""


@compiled_in_order
def add_gram(re: Reals, im: Reals, gram_re: Reals, gram_im: Reals, width: int) -> None:
    """Add the first rows of ``W^H W`` for W ``(rows, K)``; whole rows take less time than their upper halves."""
    for row in range(0, len(re), ROWS):
        re_0, re_1, re_2, re_3 = re[row], re[row + 1], re[row + 2], re[row + 3]
        im_0, im_1, im_2, im_3 = im[row], im[row + 1], im[row + 2], im[row + 3]
        for i in range(width):
            a, b, c, d = re_0[i], re_1[i], re_2[i], re_3[i]
            e, f, g, h = im_0[i], im_1[i], im_2[i], im_3[i]
            out_re, out_im = gram_re[i], gram_im[i]
            for j in range(len(out_re)):
                out_re[j] += a * re_0[j] + b * re_1[j] + c * re_2[j] + d * re_3[j]
                out_re[j] += e * im_0[j] + f * im_1[j] + g * im_2[j] + h * im_3[j]
                out_im[j] += a * im_0[j] + b * im_1[j] + c * im_2[j] + d * im_3[j]
                out_im[j] -= e * re_0[j] + f * re_1[j] + g * re_2[j] + h * re_3[j]
