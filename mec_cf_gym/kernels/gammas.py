"""Gamma variables from a key and a counter: the twin of ``mec_cf_gym.gammas``, which says what they are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.gammas import MOST_TRIALS
from mec_cf_gym.kernels.compilation import compiled_in_order
from mec_cf_gym.kernels.normals import Keys, Places, draw, fill_parts, new_room

Floats = NDArray[np.float64]


@compiled_in_order
def fill_gammas(keys: Keys, shapes: Floats, first: Places, out: Floats) -> None:
    """Fill ``out``, ``(rows, n)``, for shape parameters ``(n,)``; the rest is said in the twin."""
    size, room = len(shapes), new_room()
    re, im = np.empty(2 * size, np.float32), np.empty(2 * size, np.float32)
    again_re, again_im = np.empty(1, np.float32), np.empty(1, np.float32)
    for row in range(len(out)):
        fill_parts(keys[row], first[row], re, im, room)
        for index in range(size):
            d = shapes[index] - 1 / 3
            normal, along, across = re[index], re[size + index], im[size + index]
            for trial in range(1, MOST_TRIALS + 1):
                x = math.sqrt(2) * np.float64(normal)
                root = 1 + x / (3 * math.sqrt(d))
                v = root * root * root
                exponential = np.float64(along) * np.float64(along) + np.float64(across) * np.float64(across)
                if v > 0 and exponential > d * v - d - d * math.log(v) - x * x / 2:
                    break
                if trial == MOST_TRIALS:
                    break
                place = first[row] + 2 * trial * size + index
                draw(keys[row], place, again_re, again_im, room)
                normal = again_re[0]
                draw(keys[row], place + size, again_re, again_im, room)
                along, across = again_re[0], again_im[0]
            out[row, index] = d * abs(v)
