"""exp, log and asinh against NumPy, one at a time and in vectorised loops."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from numba import config

from kernels.compiled import lanes
from kernels.vector_math import EXPONENT_LIMIT, asinh, asinh_of_ratio, exp, log

pytestmark = pytest.mark.kernel

HUGE = np.finfo(float).max
TINY = np.finfo(float).tiny  # the smallest normal double


@lanes
def _exp_of_all(x, y):
    for i in range(x.shape[0]):
        y[i] = exp(x[i])


@lanes
def _log_of_all(x, y):
    for i in range(x.shape[0]):
        y[i] = log(x[i])


@lanes
def _asinh_of_all(x, y):
    for i in range(x.shape[0]):
        y[i] = asinh(x[i])


def _over(loop, x):
    y = np.empty_like(x)
    loop(x, y)
    return y


def test_exp_is_that_of_numpy_over_its_whole_range():
    x = np.linspace(-EXPONENT_LIMIT, EXPONENT_LIMIT, 50_001)
    np.testing.assert_allclose(_over(_exp_of_all, x), np.exp(x), rtol=1e-14, atol=0)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_exp_of_small_arguments_keeps_the_slope(sign):
    x = sign * np.geomspace(1e-300, 0.5, 2_001)
    np.testing.assert_allclose(_over(_exp_of_all, x), np.exp(x), rtol=1e-14, atol=0)
    few = x[np.abs(x) < 0.2]
    np.testing.assert_allclose(_over(_exp_of_all, few), np.exp(few), rtol=5e-16, atol=0)
    assert exp(0.0) == 1.0


@pytest.mark.parametrize("beyond", [EXPONENT_LIMIT, 701.0, 1e5, 1e300, math.inf])
def test_exp_is_held_beyond_its_limit(beyond):
    np.testing.assert_allclose(exp(beyond), math.exp(EXPONENT_LIMIT), rtol=1e-14, atol=0)
    np.testing.assert_allclose(exp(-beyond), math.exp(-EXPONENT_LIMIT), rtol=1e-14, atol=0)


def test_log_is_that_of_numpy_over_all_normal_doubles():
    x = np.concatenate([np.geomspace(TINY, 1e308, 50_001), [HUGE]])
    np.testing.assert_allclose(_over(_log_of_all, x), np.log(x), rtol=1e-15, atol=1e-15)


def test_log_near_one_keeps_its_relative_accuracy():
    distance = np.geomspace(1e-15, 0.4, 2_001)
    for x in (1.0 + distance, 1.0 - distance):
        np.testing.assert_allclose(_over(_log_of_all, x), np.log(x), rtol=1e-14, atol=0)
    assert log(1.0) == 0.0


def test_asinh_has_the_errors_that_its_docstring_states():
    x = np.geomspace(0.1, 1e150, 50_001)
    for y in (x, -x):
        np.testing.assert_allclose(_over(_asinh_of_all, y), np.arcsinh(y), rtol=1e-14, atol=0)
    x = np.concatenate([np.geomspace(1e-300, 0.1, 5_001), [0.0]])
    np.testing.assert_allclose(_over(_asinh_of_all, x), np.arcsinh(x), rtol=0, atol=3e-16)
    np.testing.assert_array_equal(_over(_asinh_of_all, -x), -_over(_asinh_of_all, x))


def test_asinh_of_a_ratio_is_as_accurate():
    for b in (1e-9, 0.3, 40.0):
        for a in np.concatenate([np.geomspace(1e-12, 1e3, 100), [0.0]]):
            for sign in (1, -1):
                found = asinh_of_ratio(sign * a, b, np.hypot(a, b))
                np.testing.assert_allclose(found, sign * np.arcsinh(a / b), rtol=1e-14, atol=3e-16)


def test_one_call_and_a_loop_give_the_same_to_a_unit_in_the_last_place():
    for function, loop, x in (
        (exp, _exp_of_all, np.linspace(-30, 30, 101)),
        (log, _log_of_all, np.geomspace(1e-9, 1e9, 101)),
        (asinh, _asinh_of_all, np.linspace(-50, 50, 101)),
    ):
        single = [function(value) for value in x]
        np.testing.assert_allclose(_over(loop, x), single, rtol=3e-16, atol=3e-16)


def test_a_nan_stays_one():
    assert math.isnan(exp(math.nan))


@pytest.mark.skipif(config.DISABLE_JIT, reason="looks at compiled code")
@pytest.mark.parametrize("loop", [_exp_of_all, _log_of_all, _asinh_of_all])
def test_the_loops_are_vectorised_and_call_no_library(loop):
    _over(loop, np.linspace(0.5, 1.5, 64))
    (code,) = loop.inspect_llvm().values()
    assert re.search(r"fmul .*<\d+ x double>", code)
    assert not re.search(r"@(llvm\.)?(exp|log|asinh)\b", code)
