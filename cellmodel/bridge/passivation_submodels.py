"""The formation model of unpassivated surface as PyBaMM submodels.

A shuttle on surface that no film covers, and oxidation of the electrolyte, discharge the cell from
inside: of the current I_cell that electrodes and electrolyte carry, the terminals see
I = I_cell - I_leak. Lithium is lost on that surface, and kept for long by the negative electrode.
All current densities are per particle surface S of the negative electrode. phi_p and phi_n are the
potentials of the electrodes' surfaces against lithium, under the film, averaged over x:

    I_leak = S (j_sh u / (1 + exp(-(phi_p - U_sh) / w_sh)) + j_ox exp((phi_p - U_ox) / w_ox))
    du/dt  = G'(x_max) dx_max/dt - u / tau,  G = 1 - exp(-x_max / x_0)
    film   : q_f u / tau, beside what the SEI's own law grows
    lost   : j_un u / (1 + exp(-(phi_p - U_sh) / w_sh))
    kept   : dq/dt = k^2 x / (2 q) (1 - (q / q_max)^2)

u is unpassivated surface / all that expansion can open, x the mean stoichiometry, x_max the highest
so far. Rates have Arrhenius factors with activation energies of their own. Evidence: 29 formation
protocols of NMC532 / graphite pouch cells, data of Cui et al. 2024, Joule.
"""

from __future__ import annotations

from collections.abc import Mapping

import pybamm

LEAK = "Leak current [A]"
UNPASSIVATED = "Unpassivated surface"
HIGHEST = "Highest negative electrode stoichiometry"
STORED = "Stored lithium [A.h]"
LOST = "Lithium lost on unpassivated surface [A.h]"
INITIAL = {
    UNPASSIVATED: "Initial unpassivated surface",
    HIGHEST: "Initial highest negative electrode stoichiometry",
    STORED: "Initial stored lithium [A.h]",
}
_LAW = "Leak current of the potentials [A]"
_KEPT_DENSITY = "Lithium kept by the negative electrode [C.m-2]"
_LOST_DENSITY = "Lithium lost on unpassivated surface [C.m-2]"
_KEPT_RATE = "Rate of keeping lithium [A.m-2]"
_FILM_RATE = "Rate of growth of the healing film [A.m-2]"
_LOSS_RATE = "Rate of losing lithium on unpassivated surface [A.m-2]"
FIRST_KEPT = 0.01  # C m-2: where q starts, so that dq/dt is finite
FOLLOWING_TIME = 1.0  # s, in which x_max follows x: at 1C it is 3e-4 behind


class LeakyCurrent(pybamm.external_circuit.ExplicitCurrentControl):
    """The terminals' current is controlled; electrodes and electrolyte carry the leak as well.

    The leak depends on the potentials, which depend on it: an algebraic variable. In an
    experiment PyBaMM puts the current of each step in the place of "Current function [A]" (and
    what it then reports as "Total current density [A.m-2]" is that of the terminals).
    """

    def get_fundamental_variables(self) -> dict:
        """Add the leak to the current density inside."""
        variables = super().get_fundamental_variables()
        leak = pybamm.Variable(LEAK, scale=self.param.Q)
        variables["Total current density [A.m-2]"] += leak / self.param.A_cc
        return {**variables, LEAK: leak}

    def set_algebraic(self, variables: Mapping) -> None:
        """Demand the current that the potentials drive."""
        self.algebraic[variables[LEAK]] = variables[_LAW] - variables[LEAK]

    def set_initial_conditions(self, variables: Mapping) -> None:
        """Guess none: a fresh cell has none, and a step begins with that of the step before."""
        self.initial_conditions[variables[LEAK]] = pybamm.Scalar(0)


class UnpassivatedSurface(pybamm.BaseSubModel):
    """The unpassivated surface, what leaks through it, and the lithium it and the store take."""

    def get_fundamental_variables(self) -> dict:
        """Return the states; those of lithium are charges, so that the solver conserves it."""
        kept, lost = pybamm.Variable(_KEPT_DENSITY), pybamm.Variable(_LOST_DENSITY)
        return {
            UNPASSIVATED: pybamm.Variable(UNPASSIVATED),
            HIGHEST: pybamm.Variable(HIGHEST),
            _KEPT_DENSITY: kept,
            _LOST_DENSITY: lost,
            STORED: (kept - FIRST_KEPT) * self._surface() / 3600,
            LOST: lost * self._surface() / 3600,
        }

    def get_coupled_variables(self, variables: Mapping) -> dict:
        """Return the leak, and the rates at which lithium is lost and kept."""
        phi_p, T = _potential(variables, "positive"), _temperature(variables)
        j_sh = pybamm.Parameter("Shuttle current density [A.m-2]")
        U_sh = pybamm.Parameter("Shuttle onset potential [V]")
        w_sh = pybamm.Parameter("Shuttle potential width [V]")
        j_ox = pybamm.Parameter("Electrolyte oxidation current density [A.m-2]")
        U_ox = pybamm.Parameter("Electrolyte oxidation reference potential [V]")
        w_ox = pybamm.Parameter("Electrolyte oxidation potential width [V]")
        j_un = pybamm.Parameter("Unpassivated surface lithium loss current density [A.m-2]")
        # not 1 / (1 + exp(...)), which overflows where the solver's first guesses are wild
        gate = (1 + pybamm.tanh((phi_p - U_sh) / (2 * w_sh))) / 2
        u = pybamm.maximum(variables[UNPASSIVATED], 0)
        passes = u * gate
        oxidises = j_ox * self._warmth("Electrolyte oxidation", T)
        oxidises *= pybamm.exp((phi_p - U_ox) / w_ox)
        k = pybamm.Parameter("Lithium storage rate [C.m-2.s-0.5]")
        k *= self._warmth("Lithium storage", T)
        q_max = pybamm.Parameter("Lithium storage capacity [C.m-2]")
        x = pybamm.maximum(_stoichiometry(variables), 0)
        q = pybamm.maximum(variables[_KEPT_DENSITY], FIRST_KEPT)
        return {
            _LAW: self._surface() * (j_sh * passes + oxidises),
            _LOSS_RATE: j_un * self._warmth("Unpassivated surface healing", T) * passes,
            _KEPT_RATE: k**2 * x / (2 * q) * (1 - (q / q_max) ** 2),
            _FILM_RATE: pybamm.Parameter("Passivation charge [C.m-2]") * u / self._healing_time(T),
        }

    def set_rhs(self, variables: Mapping) -> None:
        """Set how the surface opens, is renewed and heals, and the ledgers of lithium."""
        u, x_max = variables[UNPASSIVATED], variables[HIGHEST]
        x_0 = pybamm.Parameter("New surface stoichiometry")
        rises = pybamm.maximum(_stoichiometry(variables) - x_max, 0) / FOLLOWING_TIME
        healing = u / self._healing_time(_temperature(variables))
        self.rhs = {
            u: pybamm.exp(-x_max / x_0) / x_0 * rises - healing,
            x_max: rises,
            variables[_KEPT_DENSITY]: variables[_KEPT_RATE],
            variables[_LOST_DENSITY]: variables[_LOSS_RATE],
        }

    def set_initial_conditions(self, variables: Mapping) -> None:
        """Start where the parameters say, the ledger of loss at zero."""
        stored = pybamm.Parameter(INITIAL[STORED]) * 3600 / self._surface()
        self.initial_conditions = {
            variables[UNPASSIVATED]: pybamm.Parameter(INITIAL[UNPASSIVATED]),
            variables[HIGHEST]: pybamm.Parameter(INITIAL[HIGHEST]),
            variables[_KEPT_DENSITY]: FIRST_KEPT + stored,
            variables[_LOST_DENSITY]: pybamm.Scalar(0),
        }

    def _surface(self) -> pybamm.Symbol:
        """Return the particle surface of the negative electrode [m2], all pairs."""
        return self.param.n.prim.a_typ * self.param.n.L * self.param.A_cc

    def _healing_time(self, T: pybamm.Symbol) -> pybamm.Symbol:
        tau = pybamm.Parameter("Unpassivated surface healing time [s]")
        return tau / self._warmth("Unpassivated surface healing", T)

    def _warmth(self, rate: str, T: pybamm.Symbol) -> pybamm.Symbol:
        E = pybamm.Parameter(f"{rate} activation energy [J.mol-1]")
        return pybamm.exp(E / self.param.R * (1 / self.param.T_ref - 1 / T))


class HealingFilm(pybamm.sei.SEIGrowth):
    """The SEI with the film that heals new surface, beside what its own law grows."""

    def get_coupled_variables(self, variables: dict) -> dict:
        """Note what heals; then as every SEI."""
        self._healing = variables[_FILM_RATE]
        return super().get_coupled_variables(variables)

    def _get_standard_reaction_variables(self, j_sei: pybamm.Symbol) -> dict:
        return super()._get_standard_reaction_variables(j_sei - self._healing)


class SurfaceLithium(pybamm.lithium_plating.NoPlating):
    """Lithium that unpassivated surface and store take from the particles, the same at every x.

    It has the place of lithium plating, PyBaMM's one side reaction besides the SEI that may be
    any current; there is no metal.
    """

    def get_fundamental_variables(self) -> dict:
        """Leave the current to the coupled variables: another submodel might take this zero."""
        variables = super().get_fundamental_variables()
        return {name: zero for name, zero in variables.items() if "interfacial" not in name}

    def get_coupled_variables(self, variables: dict) -> dict:
        """Return the current, cathodic as that of the SEI, and PyBaMM's ledger of the lithium."""
        j = -(variables[_LOSS_RATE] + variables[_KEPT_RATE])
        j = pybamm.FullBroadcast(j, f"{self.domain} electrode", "current collector")
        variables.update(self._get_standard_reaction_variables(j))
        charge = variables[LOST] + variables[STORED]
        gone = f"to {self.domain} lithium plating"
        variables[f"Loss of capacity {gone} [A.h]"] = charge
        variables[f"Loss of lithium {gone} [mol]"] = charge * 3600 / self.param.F
        return super().get_coupled_variables(variables)


class LeakHeatedLumped(pybamm.thermal.Lumped):
    """The lumped heat balance with the heat of the leak.

    The submodels' heat is that of the whole current inside; of its work the terminals get I V, and
    the rest, I_leak V, stays in the cell.
    """

    def get_coupled_variables(self, variables: dict) -> dict:
        """Add the leak's heat to the totals."""
        heat = variables[LEAK] * variables["Voltage [V]"]
        variables = super().get_coupled_variables(variables)
        variables["Leak heating [W]"] = heat
        variables["Total heating [W]"] += heat
        variables["Volume-averaged total heating [W.m-3]"] += heat / self.param.V_cell
        return variables


def _temperature(variables: Mapping) -> pybamm.Symbol:
    return variables["Volume-averaged cell temperature [K]"]


def _stoichiometry(variables: Mapping) -> pybamm.Symbol:
    return pybamm.yz_average(variables["Negative electrode stoichiometry"])


def _potential(variables: Mapping, side: str) -> pybamm.Symbol:
    """Return the potential of an electrode's surface against lithium, under the film [V]."""
    parts = ("open-circuit potential", "reaction overpotential")
    return sum(pybamm.yz_average(variables[f"X-averaged {side} electrode {p} [V]"]) for p in parts)
