"""Area and capacity of a cell's electrodes."""

from __future__ import annotations

from collections.abc import Callable

from kernels.kinetics import FARADAY

SECONDS_PER_HOUR = 3600.0


def electrode_area(read: Callable):
    """Return the area of all pairs [m2].

    Parameters
    ----------
    read
        PyBaMM name -> number or array, such as `Cell.parameter`.
    """
    pairs = read("Number of electrodes connected in parallel to make a cell")
    return read("Electrode width [m]") * read("Electrode height [m]") * pairs


def electrode_capacity(read: Callable, side: str):
    """Return what the particles of an electrode hold from empty to full [A h].

    Parameters
    ----------
    read
        As for `electrode_area`.
    side
        "negative" or "positive".
    """
    Side = side.capitalize()
    volume = electrode_area(read) * read(f"{Side} electrode thickness [m]")
    active = volume * read(f"{Side} electrode active material volume fraction")
    content = active * read(f"Maximum concentration in {side} electrode [mol.m-3]")
    return content * FARADAY / SECONDS_PER_HOUR
