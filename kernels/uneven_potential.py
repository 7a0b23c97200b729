"""The side reaction in an electrode whose electrolyte is not at one potential.

Across the negative electrode the potential of the electrolyte is, from its mean (Marquis et al.
2019, J. Electrochem. Soc. 166 A3693, eq. 47; xi from the collector to the separator),

    v(xi) = chi (R T / F) (ln c - <ln c>) - I L / (2 kappa A) (xi^2 - 1/3).

The side reaction follows it exponentially, with alpha F / (R T) = k per volt, so that its mean is
faster than at the mean potential: by <exp(k v)>, as if the potential were lower by

    ln <exp(k v)> / k = k <v^2> / 2 + k^2 <v^3> / 6 + k^3 (<v^4> - 3 <v^2>^2) / 24 ...

A tenth of a millivolt at C/10; at 0.7C with pores of 18 % the film grows a quarter faster.
"""

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.electrolyte import WITHIN
from kernels.kinetics import FARADAY, GAS, per_thermal_voltage
from kernels.parameters import LANES
from kernels.salt_step import salt_at
from kernels.uneven_reaction import SQUARES

#: means of xi^2 - 1/3 over the four volumes
BOWS = tuple(2.0 * square - 1.0 / 3.0 for square in SQUARES)


@law
def log_of(z):
    """ln(a / b) given z = (a - b) / (a + b): a series, off by 2e-5 where a is twice b, by 4 % where
    it is a tenth.
    """
    square = z * z
    return 2.0 * z * (1.0 + square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0))))


@lanes
def even_out(w):
    """EVEN_1: by how much [V] the potential counts as lower for the side reaction."""
    for i in range(LANES):
        I, T = w[s.I_1 + i], w[s.T_1 + i]
        c_0, c_1 = salt_at(w, i, 0, I), salt_at(w, i, 1, I)
        c_2, c_3 = salt_at(w, i, 2, I), salt_at(w, i, 3, I)
        c = 0.25 * (c_0 + c_1 + c_2 + c_3)
        # one division for four logarithms
        b_0, b_1, b_2, b_3 = c_0 + c, c_1 + c, c_2 + c, c_3 + c
        outer, inner = b_0 * b_1, b_2 * b_3
        per_both = 1.0 / (outer * inner)
        outer, inner = per_both * inner, per_both * outer
        l_0, l_1 = log_of((c_0 - c) * b_1 * outer), log_of((c_1 - c) * b_0 * outer)
        l_2, l_3 = log_of((c_2 - c) * b_3 * inner), log_of((c_3 - c) * b_2 * inner)
        mean = 0.25 * (l_0 + l_1 + l_2 + l_3)
        chi = w[s.CHI + i] * (GAS / FARADAY) * T
        drop = I * w[s.R_ELECTROLYTE + i] * w[s.SHARE_N + i]
        v_0, v_1 = chi * (l_0 - mean) - drop * BOWS[0], chi * (l_1 - mean) - drop * BOWS[1]
        v_2, v_3 = chi * (l_2 - mean) - drop * BOWS[2], chi * (l_3 - mean) - drop * BOWS[3]
        s_0, s_1, s_2, s_3 = v_0 * v_0, v_1 * v_1, v_2 * v_2, v_3 * v_3
        second = 0.25 * WITHIN * (s_0 + s_1 + s_2 + s_3)
        third = 0.25 * (s_0 * v_0 + s_1 * v_1 + s_2 * v_2 + s_3 * v_3)
        fourth = 0.25 * (s_0 * s_0 + s_1 * s_1 + s_2 * s_2 + s_3 * s_3) - 3.0 * second * second
        k = w[p.ALPHA_SEI + i] * per_thermal_voltage(w[s.PER_T_REF + i], w[s.Z_1 + i])
        w[s.EVEN_1 + i] = k * (second / 2.0 + k * (third / 6.0 + k * fourth / 24.0))
