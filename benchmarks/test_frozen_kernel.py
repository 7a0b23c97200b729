"""The yardstick stays what it was: the same text, the same numbers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import frozen_kernel
import numpy as np


def test_text_is_frozen():
    text = Path(frozen_kernel.__file__).read_text(encoding="utf-8")
    known = "77eb3b7ddb19d62c44795cd663c8695b5e3ab6464fa1e1c4bc0d66512824b0d0"
    assert hashlib.sha256(text.encode()).hexdigest() == known


def test_numbers_are_frozen():
    results = np.empty((64, 5))
    frozen_kernel.run(frozen_kernel.tables(), results)
    energies = [173156.60010899333, 159658.64079870161]  # J
    np.testing.assert_allclose(
        results[0], [*energies, 3.2333090578269563e-08, 298.17127158591609, 4396], rtol=1e-9, atol=0
    )
    np.testing.assert_allclose(results[:, 4].mean(), 4292.86, rtol=1e-3, atol=0)


def test_exponential_is_one():
    x = np.linspace(-5, 1, 61)
    found = [frozen_kernel.exponential(value) for value in x]
    np.testing.assert_allclose(found, np.exp(x), rtol=1e-4, atol=0)
