"""Elementary functions as branch-free polynomials, which LLVM turns into vector instructions.

Numba calls the C library once per element for exp, log and asinh (5 to 16 ns each); written out
like this a lane
costs 0.7 to 1.5 ns. Arguments are range-reduced through the bits of the double, see J.-M. Muller,
"Elementary
Functions", 3rd ed., 2016, ch. 11. Without the JIT the same names fall back to `math`.
"""

import math

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from kernels.compiled import law

LOG2_E = 1.4426950408889634
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
ROUNDING = (
    6755399441055744.0  # 1.5 * 2**52: adding it rounds to the nearest integer, kept in the low bits
)
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
EXPONENT_BIAS = 1024 << 52
DOUBLE_2_52 = 4503599627370496.0
DOUBLE_2_52_BITS = 0x4330000000000000
EXPONENT_LIMIT = 700.0
C2, C3, C4, C5, C6, C7, C8, C9, C10, C11 = (1.0 / math.factorial(k) for k in range(2, 12))
L1, L2, L3, L4, L5, L6, L7, L8, L9, L10 = (1.0 / (2 * k + 1) for k in range(1, 11))


@intrinsic
def _bits(typing_context, x):
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _double(typing_context, x):
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@intrinsic
def _biased_exponent(typing_context, i):
    def codegen(context, builder, signature, args):
        return builder.lshr(
            args[0], ir.Constant(ir.IntType(64), 52)
        )  # arithmetic shifts do not vectorise

    return types.int64(types.int64), codegen


@intrinsic
def _select(typing_context, flag, a, b):
    def codegen(context, builder, signature, args):
        chosen = builder.fcmp_ordered(">", args[0], ir.Constant(ir.DoubleType(), 0.0))
        return builder.select(chosen, args[1], args[2])

    return types.float64(types.float64, types.float64, types.float64), codegen


def _choose_python(flag, a, b):
    return a if flag > 0.0 else b


def _exp(x):
    x = min(max(x, -EXPONENT_LIMIT), EXPONENT_LIMIT)
    t = x * LOG2_E + ROUNDING
    n = t - ROUNDING
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    r2 = r * r
    r4 = r2 * r2
    p = (
        (1.0 + r)
        + r2 * (0.5 + r * C3)
        + r4 * ((C4 + r * C5) + r2 * (C6 + r * C7))
        + (r4 * r4) * ((C8 + r * C9) + r2 * (C10 + r * C11))
    )
    return _double(_bits(p) + (_bits(t) << 52))


def _log(x):
    i = _bits(x)
    k = _biased_exponent(i - SQRT_HALF_BITS + EXPONENT_BIAS)
    exponent = _double(k | DOUBLE_2_52_BITS) - (
        DOUBLE_2_52 + 1024.0
    )  # an int-to-double conversion without one
    m = _double(i - (k << 52) + EXPONENT_BIAS)  # in [sqrt(1/2), sqrt(2))
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    z2 = z * z
    z4 = z2 * z2
    p = (
        (1.0 + z * L1)
        + z2 * (L2 + z * L3)
        + z4 * ((L4 + z * L5) + z2 * (L6 + z * L7))
        + (z4 * z4) * (L8 + z * L9 + z2 * L10)
    )
    return (2.0 * s) * p + exponent * (LN2_HIGH + LN2_LOW)


def _exp_python(x):
    return math.exp(min(max(x, -EXPONENT_LIMIT), EXPONENT_LIMIT))


if config.DISABLE_JIT:
    exp, log, choose = _exp_python, math.log, _choose_python
else:
    #: e**x; arguments beyond +-700 are held there; relative error below 1e-14
    exp = law(_exp)
    #: natural logarithm of a positive, normal double; error below 1e-15, relative or absolute,
    #: whichever is more
    log = law(_log)
    #: a where flag > 0, else b; a chain of conditional expressions on one flag would become a
    #: branch around stores, which stops vectorisation
    choose = _select


@law
def asinh(x):
    """Inverse hyperbolic sine; absolute error below 3e-16 (log form: small x cancels), relative
    below 1e-14 for |x| > 0.1.
    """
    a = abs(x)
    return math.copysign(log(a + math.sqrt(a * a + 1.0)), x)


@law
def asinh_of_ratio(a, b, hypotenuse):
    """asinh(a / b) of any a and b > 0, given sqrt(a^2 + b^2); as accurate as `asinh`."""
    return math.copysign(log((abs(a) + hypotenuse) / b), a)
