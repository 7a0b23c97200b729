"""The yardstick of our speed, frozen: NEVER CHANGE THIS FILE, not even to improve it.

The kernels' time is told as a multiple of this one's, both run in turns in one process: so figures
from different machines and years can be compared. A test knows the checksum of this file.

One cell after the other, one step after the other: single particle model with two diffusion modes
in each particle, SEI limited by tunnelling, one temperature; fixed time steps; three cycles of
charge, hold, rest, discharge, rest. Numbers like those of an LG M50; nobody should use them.
No function of a library is called, so that compiler and processor alone decide.
"""
# fmt: off
# ruff: noqa

import math

import numba
import numpy as np

STEP = 30.0  # s
FARADAY_PER_GAS = 96485.33212 / 8.314462618  # K V-1
CAPACITY, CAPACITY_N, CAPACITY_P = 18000.0, 21500.0, 30500.0  # C: nominal, of the particles
VOLTAGE_HIGH, VOLTAGE_LOW, RESISTANCE = 4.2, 2.5, 0.02  # V, V, Ohm
AMBIENT, HEAT_CAPACITY, COOLING = 298.15, 60.0, 0.06  # K, J K-1, W K-1
RATE_N, RATE_P = 9.6e-4, 1.5e-4  # s-1, diffusivity / radius^2 at 298.15 K
EXCHANGE_N, EXCHANGE_P = 8.0, 12.0  # A
SEI_CURRENT, SEI_BARRIER, SEI_GROWTH = 30.0, 2.3e8, 1.2e-11  # A, m-1, m C-1
MODE_1, MODE_2 = 4.493409457909064**2, 7.725251836937707**2  # of a sphere: tan l = l
SHARE_1, SHARE_2 = 2.0 / MODE_1, 2.0 / MODE_2
REST_OF_MODES = 0.2 - SHARE_1 - SHARE_2
POINTS = 256


def tables():
    """Return the potentials [V] of both electrodes over stoichiometry, shape (2, POINTS + 1)."""
    x = np.linspace(0.0, 1.0, POINTS + 1)
    negative = 0.1 + 0.7 * np.exp(-30.0 * x) - 0.06 * np.tanh(15.0 * (x - 0.5))
    return np.stack([negative, 4.35 - 0.8 * x - 0.2 * np.tanh(8.0 * (x - 0.6))])


@numba.njit(error_model="numpy")
def exponential(x):
    """Return exp(x) as (1 + x / 1024 + x^2 / 1024^2 / 2)^1024."""
    x = max(x, -700.0) * (1.0 / 1024.0)
    y = 1.0 + x * (1.0 + 0.5 * x)
    for _ in range(10):
        y *= y
    return y


@numba.njit(error_model="numpy")
def potential(table, x):
    """Return a potential between the points of its table."""
    place = min(max(x, 0.0), 0.9999) * POINTS
    i = int(place)
    return table[i] + (place - i) * (table[i + 1] - table[i])


@numba.njit(error_model="numpy")
def cell(rate, table, result):
    """Form one cell; `result`: energy in, energy out [J], film [m], temperature [K], time steps."""
    x, x_1, x_2, y, y_1, y_2 = 0.005, 0.0, 0.0, 0.95, 0.0, 0.0
    T, film, side, steps, energy_in, energy_out = AMBIENT, 1e-9, 0.0, 0, 0.0, 0.0
    current, voltage = 0.0, 3.0
    for phase in range(15):
        kind = phase % 5  # 0 charge, 1 hold, 3 discharge; 2, 4 rest
        if kind != 1:
            sign = 1.0 if kind == 0 else (-1.0 if kind == 3 else 0.0)
            current = sign * CAPACITY / 3600.0 * rate * (1.0 if phase == 0 else 2.0)
        for step in range(4000):
            steps += 1
            warm = exponential(4000.0 * (1.0 / AMBIENT - 1.0 / T))
            rate_n, rate_p = RATE_N * warm, RATE_P * warm
            flux_n = (current - side) / CAPACITY_N / (3.0 * rate_n)
            flux_p = -current / CAPACITY_P / (3.0 * rate_p)
            x += (current - side) / CAPACITY_N * STEP
            y -= current / CAPACITY_P * STEP
            x_1 += (1.0 - exponential(-MODE_1 * rate_n * STEP)) * (SHARE_1 * flux_n - x_1)
            x_2 += (1.0 - exponential(-MODE_2 * rate_n * STEP)) * (SHARE_2 * flux_n - x_2)
            y_1 += (1.0 - exponential(-MODE_1 * rate_p * STEP)) * (SHARE_1 * flux_p - y_1)
            y_2 += (1.0 - exponential(-MODE_2 * rate_p * STEP)) * (SHARE_2 * flux_p - y_2)
            surface_n = min(max(x + x_1 + x_2 + REST_OF_MODES * flux_n, 1e-3), 0.999)
            surface_p = min(max(y + y_1 + y_2 + REST_OF_MODES * flux_p, 1e-3), 0.999)
            open_n, open_p = potential(table[0], surface_n), potential(table[1], surface_p)
            thermal = T / FARADAY_PER_GAS
            kinetic_n = thermal / (EXCHANGE_N * warm * math.sqrt(surface_n * (1.0 - surface_n)))
            kinetic_p = thermal / (EXCHANGE_P * warm * math.sqrt(surface_p * (1.0 - surface_p)))
            drop = RESISTANCE + kinetic_n + kinetic_p
            voltage = open_p - open_n + drop * current
            phi = open_n - kinetic_n * current
            side = SEI_CURRENT * exponential(-0.5 * phi / thermal - SEI_BARRIER * film)
            film += SEI_GROWTH * side * STEP
            heat = drop * current * current - COOLING * (T - AMBIENT)
            T += heat / HEAT_CAPACITY * STEP
            energy = voltage * current * STEP
            energy_in += max(energy, 0.0)
            energy_out += max(-energy, 0.0)
            if (kind == 0 and voltage > VOLTAGE_HIGH) or (kind == 3 and voltage < VOLTAGE_LOW):
                break
            if kind == 1:
                current += (VOLTAGE_HIGH - voltage) / (drop + 0.02)
                if current < 0.05 * CAPACITY / 3600.0:
                    break
            if (kind == 2 or kind == 4) and step == 119:
                break
    result[0], result[1], result[2], result[3], result[4] = energy_in, energy_out, film, T, steps


@numba.njit(error_model="numpy")
def run(table, results):
    """Form cells at C/10 and a little faster each; `results`: shape (cells, 5)."""
    for i in range(results.shape[0]):
        cell(0.1 + 0.0001 * i, table, results[i])
