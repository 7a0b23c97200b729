"""The only package that imports PyBaMM: parameter sets, experiments, models."""
