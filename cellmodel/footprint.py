"""Carbon footprint of formed cells, by life-cycle stage, component and site."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.errors import InputError
from cellmodel.factors import Factor, Factors, load_factors
from cellmodel.formed import (
    bare,
    check_formed,
    check_sites,
    electricity_of_sites,
    label_cases,
    plant_values,
    stack,
)
from cellmodel.plant import (
    DEFAULT_PLANT,
    EnergyUse,
    Plant,
    energy_use,
    load_plant,
    started,
)

# Regulation (EU) 2023/1542, Annex II; the use phase is excluded there
STAGES = (
    "raw material acquisition and pre-processing",
    "main product production",
    "distribution",
    "end of life and recycling",
)
NOT_COUNTED = (
    "use phase; make-up of coating solvent, water, packaging, machines and buildings; "
    "supply of materials to the plant; credits for recycled material"
)
_NEEDED = ("component_mass", "nominal_energy", "formation_energy")


def footprint(
    formed: xr.Dataset,
    plant: str | Path | Plant = DEFAULT_PLANT,
    sites: Iterable[str] = ("FR", "DE", "PL", "CN"),
    factors: str | Path | Factors | None = None,
    *,
    detail: bool = True,
) -> xr.Dataset:
    """Return the carbon footprint per kWh of capacity of formed cells.

    The kWh are those of the formed cell, `nominal_energy`, so that a loss in the first cycle
    raises everything that went into the cell. With y_j the yield of step j, a component that
    enters at step i is bought 1 / (y_i ... y_n) times; cells rejected at formation or at the end
    of the line thus carry the materials and the energy of all steps before. Formation costs what
    the simulation says, times the cells formed per good cell. Location-based electricity,
    cut-off for recycling.

    Parameters
    ----------
    formed
        From `simulate_formation` or `sweep_formation`: component_mass (component) [kg] with its
        coordinate `material`, nominal_energy and formation_energy [W h], and status if there is
        one; any further dimensions. A coordinate that is a field of the plant
        ("formation_yield") takes the place of the plant's number, grid_intensity (site, year)
        of `ramp_up` that of the sites' electricity.
    plant
        Name of a shipped plant, path of a .toml file, or Plant.
    sites
        Where the plant may stand: regions that have a row for electricity, "FR".
    factors
        CSV file whose rows replace the shipped emission factors, or Factors.
    detail
        Whether to return `carbon_footprint` itself, which has some 60 numbers per case and site.

    Returns
    -------
    xarray.Dataset
        carbon_footprint (stage, component, site) and its totals, all stages and cradle to gate
        (site) [kg kWh-1]; material_input (component) [kg kWh-1]; plant_electricity, plant_heat,
        formation_share_of_plant_electricity, plant_yield [1]; formation_channels [1] if
        `formed` has formation_time; each over the dimensions of `formed` too. NaN where status
        is not 0. The attributes name plant, factors with their certainty, data families,
        sets of warming potentials, and what is not counted.

    Raises
    ------
    InputError
        If a variable or coordinate is missing in `formed`, a component has no factor or does not
        enter at any step, a site or plant field is unknown, or a number is out of range.

    References
    ----------
    Regulation (EU) 2023/1542 on batteries, Article 7 and Annex II.
    """
    plant = load_plant(plant)
    factors = factors if isinstance(factors, Factors) else load_factors(factors)
    places = check_sites(sites, factors)
    check_formed(formed, _NEEDED)
    values = plant_values(formed, plant)
    used: dict[str, Factor] = {}

    def factor(name: str, region: str = "GLO") -> float | xr.DataArray:
        found = factors.get(name, region)
        used[f"{name} {found.region}"] = found
        return found.value

    # kilograms per kWh of good cells, what they contain and what must be bought for them
    kilowatt_hours = bare(formed["nominal_energy"]) / 1000
    contained = bare(formed["component_mass"]) / kilowatt_hours
    bought = contained * _started_per_component(plant, values, formed["component"].values)
    efficiency = formed.get("first_cycle_efficiency")
    energy = energy_use(
        plant,
        values,
        bare(formed["formation_energy"]) / kilowatt_hours / 1000,
        None if efficiency is None else bare(efficiency),
    )
    grid = [factor("electricity", place) for place in places]
    blocks = _emissions(
        contained,
        bought,
        energy,
        values,
        _material_factors(formed, factor),
        electricity_of_sites(formed, places, grid),
        factor,
    )

    results = {
        "carbon_footprint_total": sum(
            block.sum("component", skipna=False) for block in blocks.values()
        ),
        "carbon_footprint_to_gate": sum(
            blocks[stage].sum("component", skipna=False) for stage in STAGES[:2]
        ),
        "material_input": bought,
        "plant_electricity": energy.electricity + energy.formation,
        "plant_heat": energy.heat,
        "plant_yield": 1 / started(plant, values)[plant.steps[0].name],
        "formation_share_of_plant_electricity": energy.formation
        / (energy.electricity + energy.formation),
    }
    if detail:
        results["carbon_footprint"] = by_stage = _by_stage(blocks)
        results["material_input"] = bought.reindex_like(by_stage["component"], fill_value=0.0)
    if "formation_time" in formed:
        results["formation_channels"] = _channels(formed, plant, values, kilowatt_hours)
    return _labelled(results, formed, plant, used)


def _emissions(
    contained: xr.DataArray,
    bought: xr.DataArray,
    energy: EnergyUse,
    values: Mapping,
    material_factor: xr.DataArray,
    grid: xr.DataArray,
    factor: Callable[[str, str], float],
) -> dict[str, xr.DataArray]:
    """Return stage -> emissions (component, site where it matters, cases) [kg kWh-1]."""
    burning = factor("natural-gas-combustion") + factor("natural-gas-upstream")
    mass = contained.sum("component", skipna=False)
    scrap = bought.sum("component", skipna=False) - mass
    treatment = factor("cell-pretreatment")
    production = {
        "electricity": energy.electricity * grid,
        "formation_electricity": energy.formation * grid,
        "heat": energy.gas * burning,
        "scrap_treatment": scrap * treatment,
    }
    freight = mass / 1000 * values["distribution_distance"] * factor("road-freight")
    return {
        STAGES[0]: bought * material_factor,
        STAGES[1]: stack(production, "component"),
        STAGES[2]: stack({"transport": freight}, "component"),
        STAGES[3]: stack({"used_cell_treatment": mass * treatment}, "component"),
    }


def _by_stage(blocks: Mapping[str, xr.DataArray]) -> xr.DataArray:
    """Return one array over stage and component; a component has 0 in the stages it is not in."""
    components = [name for block in blocks.values() for name in block["component"].values]
    blocks = xr.broadcast(*blocks.values(), exclude=["component"])
    filled = [block.reindex(component=components, fill_value=0.0) for block in blocks]
    stages = xr.concat(filled, "stage", coords="minimal", compat="override", join="exact")
    return stages.assign_coords(stage=list(STAGES))


def _started_per_component(
    plant: Plant, values: Mapping, components: Iterable[str]
) -> xr.DataArray:
    """Return (component): how much of it enters per unit that leaves in good cells."""
    entering = started(plant, values)
    step_of = {component: step.name for step in plant.steps for component in step.adds}
    missing = [str(component) for component in components if component not in step_of]
    if missing:
        raise InputError(
            f"plant {plant.name!r}: {', '.join(missing)} must enter at a step; add it to the "
            "'adds' of one"
        )
    bought = {str(component): entering[step_of[component]] for component in components}
    return stack(bought, "component")


def _material_factors(
    formed: xr.Dataset, factor: Callable[[str], float | xr.DataArray]
) -> xr.DataArray:
    """Return the emission factor of every component (component, perhaps cell) [kg kg-1]."""

    def look_up(component: object, name: object) -> float | xr.DataArray:
        try:
            return factor(str(name))
        except InputError as error:
            raise InputError(f"component '{component}' has no emission factor: {error}") from error

    material = bare(formed["component_mass"].coords["material"])
    component, material = xr.broadcast(formed["component"], material)
    pairs = zip(component.values.flat, material.values.flat, strict=True)
    return _filled(material, [look_up(*pair) for pair in pairs])


def _filled(places: xr.DataArray, values: Iterable[float | xr.DataArray]) -> xr.DataArray:
    """Return `places` with a value each, in C order; values may have a dimension of their own."""
    arrays = xr.broadcast(*(xr.DataArray(value) for value in values))
    data = np.reshape([array.values for array in arrays], places.shape + arrays[0].shape)
    return xr.DataArray(data, dims=(*places.dims, *arrays[0].dims), coords=places.coords)


def _channels(
    formed: xr.Dataset, plant: Plant, values: Mapping, kilowatt_hours: xr.DataArray
) -> xr.DataArray:
    """Return the formation channels that are occupied on average."""
    forming = next(step.name for step in plant.steps if step.formation)
    good = values["throughput"] * values["utilisation"] * 1e6 / kilowatt_hours  # cells a year
    per_hour = good * started(plant, values)[forming] / values["operating_hours"]
    return per_hour * bare(formed["formation_time"])


def _labelled(
    results: Mapping[str, xr.DataArray | float],
    formed: xr.Dataset,
    plant: Plant,
    used: Mapping[str, Factor],
) -> xr.Dataset:
    """Label the results, and say what was used."""
    dataset = label_cases(results, formed, ("stage", "component", "site"))
    families = sorted({part for row in used.values() for part in row.lineage.split(" + ")})
    potentials = sorted({part for row in used.values() for part in row.gwp_set.split(" + ")})
    return dataset.assign_attrs(
        plant=plant.name,
        heat_source=plant.heat_source,
        electricity="location-based",
        recycling="cut-off",
        not_counted=NOT_COUNTED,
        factors=json.dumps(
            {key: [_stated(row), row.unit, row.certainty] for key, row in sorted(used.items())}
        ),
        factor_lineages="; ".join(families),
        gwp_sets="; ".join(potentials),
        mixed=_mixture("lineages", families) + _mixture("GWP sets", {*potentials} - {"CO2 only"}),
    )


def _stated(row: Factor) -> float | str:
    return "sampled" if isinstance(row.value, xr.DataArray) else row.value


def _mixture(what: str, found: Collection[str]) -> str:
    return f"factors of {len(found)} {what} are added. " if len(found) > 1 else ""
