"""Salt in the electrolyte: quasi-steady profile of a uniform reaction current, relaxing with one
time constant.

With uniform reaction current the flux is linear in each electrode and constant in the separator,
so the steady profile
is quadratic, linear, quadratic (Marquis et al. 2019, J. Electrochem. Soc. 166 A3693, eqs. 47). It
is written per unit
of filtered current density g, dg/dt = (i - g) / tau, with tau the Rayleigh quotient of that
profile: shorter than the
slowest mode of the diffusion equation by 1 to 2 % if the electrodes are alike, by 7 % if one is
twice as thick. Effective diffusivities belong to each layer's own mean concentration.
"""

from kernels.compiled import law
from kernels.kinetics import FARADAY


@law
def unit_profile(path_n, path_s, path_p, v_n, v_s, v_p, per_D_n, per_D_s, per_D_p, transference):
    """Steady concentration profile per unit current density g > 0 (discharge) [mol m-3 per A m-2].

    Takes for each layer the path L / efficiency [m], the salt volume L eps [m] and 1 / D [s m-2].
    Returns the layer means u_n, u_s, u_p (minus the initial concentration), the half drops across
    the electrodes d_n, d_p (profile = interface value +- d (1 - xi^2)) and the relaxation time [s].
    """
    m = (1.0 - transference) / FARADAY
    d_n, d_s, d_p = 0.5 * m * path_n * per_D_n, m * path_s * per_D_s, 0.5 * m * path_p * per_D_p
    drop_n, drop_p = d_n * (2.0 / 3.0), d_p * (2.0 / 3.0)
    # salt is conserved, v_n u_n + v_s u_s + v_p u_p = 0: the value at the separator's negative edge
    edge = (v_s * 0.5 * d_s + v_p * (d_s + drop_p) - v_n * drop_n) / (v_n + v_s + v_p)
    u_n, u_s, u_p = edge + drop_n, edge - 0.5 * d_s, edge - d_s - drop_p
    square = (
        v_n * (u_n * u_n + (4.0 / 45.0) * d_n * d_n)
        + v_s * (u_s * u_s + d_s * d_s / 12.0)
        + v_p * (u_p * u_p + (4.0 / 45.0) * d_p * d_p)
    )
    return u_n, u_s, u_p, d_n, d_p, square / (m * (u_n - u_p))


@law
def mean_log(log_mean, relative_drop):
    """Mean of ln(c) over an electrode of mean concentration exp(log_mean), to third order.

    `relative_drop` is the half drop across it over the mean concentration.
    """
    return log_mean - (2.0 / 45.0) * relative_drop * relative_drop
