"""Numba kernels of cellmodel: numbers in, numbers out, SI units throughout, no labels, no files,
no exceptions.

Three tiers, each tested on its own: a rate law is a scalar function of floats (`electrolyte`,
`kinetics`, `sei`,
`thermal`, `particle`), a cell is a march of those laws through a protocol (`cell`), a sweep is
many cells in
parallel (`sweep`). Outcomes are integer codes (`status`).
"""
