"""PyBaMM's SPM, SPMe and DFN with the formation model of unpassivated surface.

They are entry points of PyBaMM: `pybamm.Model("FormationSPMe", options)`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pybamm

from cellmodel.bridge.passivation_submodels import (
    HealingFilm,
    LeakHeatedLumped,
    LeakyCurrent,
    SurfaceLithium,
    UnpassivatedSurface,
)

#: option -> what it may be; an experiment controls voltage or power in the mode "current" too
_POSSIBLE = {
    "operating mode": ("current",),
    "thermal": ("isothermal", "lumped"),
    "lithium plating": ("none",),
    "loss of active material": ("none",),
    "particle phases": ("1",),
    "particle size": ("single",),
    "working electrode": ("both",),
    "dimensionality": (0,),
}


class _Formation:
    """What makes one of PyBaMM's lithium-ion models a formation model."""

    def set_submodels(self, build: bool) -> None:
        """Put the formation model's submodels in the place of PyBaMM's."""
        for option, possible in _POSSIBLE.items():
            if self.options[option] not in possible:
                raise pybamm.OptionError(
                    f"'{option}' must be one of {possible} for {type(self).__name__}, got "
                    f"{self.options[option]!r}"
                )
        super().set_submodels(build=False)
        self.submodels["external circuit"] = LeakyCurrent(self.param, self.options)
        self.submodels["unpassivated surface"] = UnpassivatedSurface(
            self.param, options=self.options
        )
        if self.options.negative["SEI"] != "none":
            self.submodels["negative primary sei"] = HealingFilm(
                self.param, "negative", self.options, "primary", cracks=False
            )
        self.submodels["negative primary lithium plating"] = SurfaceLithium(
            self.param, "negative", self.options
        )
        if self.options["thermal"] == "lumped":
            self.submodels["thermal"] = LeakHeatedLumped(self.param, self.options, self.x_average)
        if build:
            self.build_model()


class FormationSPM(_Formation, pybamm.lithium_ion.SPM):
    """Single particle model that also forms: see `cellmodel.bridge.passivation_submodels`.

    Parameters
    ----------
    options, name, build
        As for PyBaMM's own.

    Raises
    ------
    pybamm.OptionError
        If an option does not go with formation.
    """

    def __init__(
        self,
        options: Mapping | None = None,
        name: str = "Single Particle Model, formation",
        build: bool = True,
    ) -> None:
        options = {"x-average side reactions": "true", **(options or {})}  # as in PyBaMM's SPM
        super().__init__(options, name, build)


class FormationSPMe(_Formation, pybamm.lithium_ion.SPMe):
    """Single particle model with electrolyte that also forms; otherwise as `FormationSPM`."""

    def __init__(
        self,
        options: Mapping | None = None,
        name: str = "Single Particle Model with electrolyte, formation",
        build: bool = True,
    ) -> None:
        super().__init__(dict(options or {}), name, build)


class FormationDFN(_Formation, pybamm.lithium_ion.DFN):
    """Doyle-Fuller-Newman model that also forms; otherwise as `FormationSPM`.

    With the option "SEI film resistance": "average" the solver fails less and takes a third of the
    time.
    """

    def __init__(
        self,
        options: Mapping | None = None,
        name: str = "Doyle-Fuller-Newman model, formation",
        build: bool = True,
    ) -> None:
        super().__init__(dict(options or {}), name, build)
