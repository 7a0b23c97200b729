"""Life of the designs of a study: PyBaMM cycles what was formed, for footprints per kWh of life."""

from __future__ import annotations

import logging
import math

import numpy as np
import xarray as xr

from cellmodel.cell import Cell
from cellmodel.cycling import simulate_cycling, start_state
from cellmodel.errors import InputError
from cellmodel.study_plan import TOTALS, Plan
from cellmodel.variables import label

logger = logging.getLogger("cellmodel")

_LIFE = ("cycle_life", "delivered_energy")


def cycle_designs(plan: Plan, designs: xr.Dataset) -> xr.Dataset:
    """Return the designs with their life, and totals by the rule sets that count over it too.

    What is formed alike, as by several equipments, is cycled once. A design that cannot be cycled,
    or does not get to its threshold, has NaN, and the log says so.

    Parameters
    ----------
    plan
        A study that says how its designs are cycled.
    designs
        As in StudyResults.
    """
    cells = {cell.name: cell for cell in plan.cells}
    known: dict[tuple, tuple[float, float]] = {}
    numbers = []
    for index in range(designs.sizes["design"]):
        point = designs.isel(design=index)
        # a quantity that this cell states as a function is not swept, and has no number
        unswept = [n for n, c in point.coords.items() if "pybamm_name" in c.attrs and np.isnan(c)]
        numbers.append(_life(plan, cells[point["cell"].item()], point.drop_vars(unswept), known))
    lives = {
        name: ("design", np.array(column))
        for name, column in zip(_LIFE, zip(*numbers, strict=True), strict=True)
    }
    aged = designs.assign(label(lives).data_vars)
    totals = plan.footprint(aged, detail=False)
    shown = [name for name in (*TOTALS, "rule_set", "functional_unit") if name in aged.variables]
    merged = aged.drop_vars(shown).merge(totals[list(TOTALS)], join="exact", compat="override")
    return merged.assign_attrs(designs.attrs | totals.attrs)


def _life(
    plan: Plan, cell: Cell, point: xr.Dataset, known: dict[tuple, tuple[float, float]]
) -> tuple[float, float]:
    """Return cycle life [1] and energy delivered until then [kW h] of one design."""
    cycling = plan.file.cycling
    name = " ".join(point[key].item() for key in ("choice", "cell", "protocol"))
    swept = [c.item() for c in point.coords.values() if c.ndim == 0 and "pybamm_name" in c.attrs]
    try:
        key = (cell.name, start_state(point), *swept)
        if key not in known:
            logger.info("cycling %s up to %d times", name, cycling.cycles)
            known[key] = math.nan, math.nan
            life = simulate_cycling(
                cell, point, plan.ageing, cycling.cycles, threshold=cycling.threshold, checks=0
            )
            known[key] = float(life["cycle_life"]), float(life["delivered_energy"])
            if math.isnan(known[key][0]):
                note = life.attrs.get("stopped") or (
                    f"{cycling.threshold:g} of the capacity was not reached within "
                    f"{cycling.cycles} cycles; raise cycles or threshold in [cycling]"
                )
                logger.warning("no life of %s: %s", name, note)
    except InputError as error:
        logger.warning("no life of %s: %s", name, error)
        return math.nan, math.nan
    return known[key]
