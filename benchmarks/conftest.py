"""Benchmarks under pytest.

`pytest benchmarks --benchmark-only` measures, in about a minute. `pytest benchmarks` runs each
benchmark once, as a check that it works, and the gates of test_machine_code.py.
"""

from __future__ import annotations

import pytest
from contenders import Work

RATES = pytest.StashKey[dict[str, float]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let --benchmark-only overrule the --benchmark-disable of pyproject.toml."""
    config.option.benchmark_enable |= config.option.benchmark_only
    config.stash[RATES] = {}


@pytest.fixture
def measure(benchmark, request):
    """Return a function that measures a piece of work, and returns what the work returned."""

    def run(work: Work, rounds: int = 5, warmup_rounds: int = 1) -> object:
        result = benchmark.pedantic(work.run, rounds=rounds, warmup_rounds=warmup_rounds)
        if benchmark.enabled and work.protocols:
            rate = work.protocols / benchmark.stats["min"]
            request.config.stash[RATES][request.node.name] = rate
        return result

    return run


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Print protocols per second of the fastest rounds, and how many times PyBaMM's that is."""
    rates = config.stash[RATES]
    if not rates:
        return
    terminalreporter.section("protocols per second of CPU time")
    pybamm = rates.get("test_pybamm")
    for name, rate in sorted(rates.items(), key=lambda item: item[1]):
        against = f"{rate / pybamm:14,.0f} x PyBaMM" if pybamm else ""
        terminalreporter.line(f"{name:45}{rate:16,.1f}{against}")
