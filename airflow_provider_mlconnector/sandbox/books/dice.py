# SPDX-License-Identifier: Apache-2.0
"""Pseudo-random numbers that are a pure function of what they are for, on every machine and in every version."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_MASK = (1 << 64) - 1


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers one to one (the finalizer of splitmix64)."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def mix_one(value: int) -> int:
    """Scramble one 64-bit number as :func:`mix` does."""
    value &= _MASK
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


class Dice:
    """Numbers for one purpose, named by a seed and some words."""

    def __init__(self, seed: int, *words: str) -> None:
        self._seed = seed
        self._words = words

    def roll(self, count: int, low: int, high: int, *words: str) -> Ints:
        """Return ``count`` numbers from ``low`` to ``high``, both included."""
        key = zlib.crc32("/".join((*self._words, *words)).encode()) << 32 | (self._seed & 0xFFFFFFFF)
        start = np.uint64(mix_one(key))
        with np.errstate(over="ignore"):
            scrambled = mix(start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        return (scrambled % np.uint64(high - low + 1)).astype(np.int64) + low

    def pick(self, count: int, choices: Any, *words: str) -> Ints:
        """Return ``count`` of the choices (a sequence of whole numbers)."""
        return np.asarray(choices, np.int64)[self.roll(count, 0, len(choices) - 1, *words)]
