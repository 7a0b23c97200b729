"""Metals through the plant: bought, in cells, in scrap, recovered, returned, and what that counts.

Everything is per kWh of good cells, in a steady state: what returns was scrap of the same output.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.composition import METALS, load_compositions
from cellmodel.errors import InputError, unknown_name
from cellmodel.formed import bare, check_formed, label_cases, plant_values, stack
from cellmodel.inventory import entry_steps
from cellmodel.materials import SECOND
from cellmodel.plant import DEFAULT_PLANT, Plant, load_plant, started
from cellmodel.variables import label
from cellmodel.waste_loop import DEFAULT_LOOP, WasteLoop, load_waste_loop

ACTIVE = ("positive_active_material", "negative_active_material", SECOND)
_NEEDED = ("component_mass", "nominal_energy")


def metal_balance(
    formed: xr.Dataset,
    plant: str | Path | Plant = DEFAULT_PLANT,
    loop: str | Path | WasteLoop = DEFAULT_LOOP,
    compositions: str | Path | None = None,
) -> xr.Dataset:
    """Return where the metals of formed cells come from and go, and their recycled content.

    A component that enters at step i leaves as scrap at every step j from there on, by
    1 / (y_j ... y_n) - 1 / (y_j+1 ... y_n) of what good cells hold. Per metal

        input = in cells + in scrap           in scrap = recovered + lost
        returned = returned_share recovered   bought = input - returned

    with recovered = recycled_share * recovery * in scrap. Recycled content in two ledgers:

        Article 8   (returned + recycled_in_purchases * bought) / input, of active materials only
        R1          recycled_in_purchases: scrap that runs around within the plant lowers what is
                    bought, and is no recycled content of it

    Parameters
    ----------
    formed
        From `simulate_formation` or `sweep_formation`; needs component_mass [kg] and
        nominal_energy [W h]. Coordinates that are fields of the plant take the place of theirs.
    plant
        Name of a shipped plant, path of a .toml file, or Plant: yields, and where what enters.
    loop
        Name of a shipped waste loop, path of a .toml file, or WasteLoop.
    compositions
        TOML file with the composition of materials that the package does not know.

    Returns
    -------
    xarray.Dataset
        scrap (step, component); metal_input, metal_in_cells, metal_recovered, metal_lost,
        metal_returned, metal_bought (metal), metal_in_scrap (metal, step) [kg kWh-1];
        recycled_content_article_8, NaN where active materials hold none of the metal,
        recycled_content_r1, NaN where none is bought (metal), and recycled_content_minimum
        (metal, deadline), NaN where there is no minimum [1].

    Raises
    ------
    InputError
        If `formed` lacks a variable, or a mass or energy in it is negative or, in a case that was
        solved, not finite; a component enters at no step or is of a material of unknown
        composition, or a number is out of range.

    References
    ----------
    Regulation (EU) 2023/1542, Articles 3(51) and 8: manufacturing waste that cannot be used again
    in the same process counts as recycled. Recommendation (EU) 2021/2279 for R1.
    """
    plant = load_plant(plant)
    loop = load_waste_loop(loop)
    known = load_compositions(compositions)
    check_formed(formed, _NEEDED)
    names = [str(name) for name in formed["component"].values]
    share = _metal_shares(formed, known)  # metal, component, perhaps cell
    recovery = _recovery(loop, names)  # metal, component
    contained = bare(formed["component_mass"]) / (bare(formed["nominal_energy"]) / 1000)
    scrap = contained * scrap_shares(plant, plant_values(formed, plant), names)

    in_scrap = scrap.sum("step", skipna=False)
    needed = contained + in_scrap
    got = loop.recycled_share.value * recovery
    again = loop.returned_share.value * got
    active = share.where(share["component"].isin(ACTIVE), 0.0)

    # one product after the other: metal x step x component of every case would not fit in memory
    def metal(weight: xr.DataArray, mass: xr.DataArray) -> xr.DataArray:
        return xr.dot(weight, mass, dim="component")

    outside = loop.recycled_in_purchases.value
    returned, returned_active = metal(share * again, in_scrap), metal(active * again, in_scrap)
    needed_active = metal(active, needed)
    results = {
        "scrap": scrap,
        "metal_input": metal(share, needed),
        "metal_in_cells": metal(share, contained),
        "metal_in_scrap": metal(share, scrap),
        "metal_recovered": metal(share * got, in_scrap),
        "metal_lost": metal(share * (1 - got), in_scrap),
        "metal_returned": returned,
        "metal_bought": metal(share, contained) + metal(share * (1 - again), in_scrap),
        "recycled_content_article_8": _ratio(
            returned_active + outside * (needed_active - returned_active), needed_active
        ),
    }
    bought = results["metal_bought"]
    results["recycled_content_r1"] = _ratio(outside * bought, bought)
    dataset = label_cases(results, formed, ("metal", "step", "component"))
    if loop.minima:  # the same for every case
        dataset = dataset.assign(label({"recycled_content_minimum": _minima(loop)}))
    return dataset.assign_attrs(
        plant=plant.name,
        waste_loop=loop.name,
        waste_loop_status=loop.status,
        recycled_share=loop.recycled_share.value,
    )


def scrap_shares(plant: Plant, values: Mapping, components: list[str]) -> xr.DataArray:
    """Return scrap of each step and component / what good cells hold of it (step, component) [1].

    Parameters
    ----------
    plant
        Its steps, and what enters at which.
    values
        Field -> number or DataArray.
    components
        Names of components.

    Raises
    ------
    InputError
        As `entry_steps`.
    """
    entering = started(plant, values)
    names = [step.name for step in plant.steps]
    leaving = dict(zip(names, [*(entering[name] for name in names[1:]), 1.0], strict=True))
    first = {part: names.index(step) for part, step in entry_steps(plant, components).items()}
    lost = {name: entering[name] - leaving[name] for name in names}

    def of(component: str) -> xr.DataArray:
        parts = {
            name: amount if number >= first[component] else 0.0 * amount
            for number, (name, amount) in enumerate(lost.items())
        }
        return stack(parts, "step")

    return stack({name: of(name) for name in components}, "component")


def _metal_shares(formed: xr.Dataset, known: Mapping[str, Mapping[str, float]]) -> xr.DataArray:
    """Return the share of each metal in the mass of components (metal, component, perhaps cell)."""
    material = bare(formed["component_mass"].coords["material"])
    component, material = xr.broadcast(formed["component"], material)
    for name, part in zip(material.values.flat, component.values.flat, strict=True):
        if str(name) not in known:
            error = unknown_name("material", str(name), known)
            raise InputError(
                f"component '{part}' has no composition: {error}; state it in a file: "
                "compositions=..."
            )
    shares = {
        metal: material.copy(
            data=np.reshape(
                [known[str(name)][metal] for name in material.values.flat], material.shape
            )
        )
        for metal in METALS
    }
    return stack(shares, "metal")


def _recovery(loop: WasteLoop, names: list[str]) -> xr.DataArray:
    return xr.DataArray(
        [[loop.recovered(metal, name) for name in names] for metal in METALS],
        dims=("metal", "component"),
        coords={"metal": list(METALS), "component": names},
    )


def _minima(loop: WasteLoop) -> xr.DataArray:
    return xr.DataArray(
        [[entry.shares.get(metal, np.nan) for entry in loop.minima] for metal in METALS],
        dims=("metal", "deadline"),
        coords={"metal": list(METALS), "deadline": [entry.deadline for entry in loop.minima]},
    )


def _ratio(part: xr.DataArray, whole: xr.DataArray) -> xr.DataArray:
    return part / whole.where(whole > 0)
