"""Gates that do not depend on how busy the machine is: vector instructions, one compilation, time
steps.
"""

from __future__ import annotations

import inspect
import platform
import re
from collections import Counter

import numpy as np
import pytest
from contenders import attempts, batch
from llvmlite.binding import get_host_cpu_features
from numba import types

import cellmodel as cm
from cellmodel.compilation import kernels
from kernels import limits, particle_step, properties, salt_step, time_step, workspace

DOUBLES = {"x": 2, "y": 4, "z": 8}  # in an xmm, ymm or zmm register
ARITHMETIC = re.compile(
    r"^\s+v(?P<fused>fn?m)?(?:mul|add|sub|div|sqrt)\d*(?P<kind>pd|sd)\s(?P<operands>.*)$", re.M
)
LIBM = {"exp", "exp2", "expm1", "log", "log1p", "pow", "sinh", "cosh", "tanh", "asinh", "fmax"}
CALLED = re.compile(r'(?:call|movabs)\w*\s+[$"]*([a-z_]\w*)')

#: time steps per protocol that a lane tries, measured
TIME_STEPS = {"lfp-graphite": 159, "nmc532-graphite": 152, "nmc811-graphite-siox": 172}

SIGNATURE = (
    types.Array(types.float64, 1, "C"),  # workspace
    types.Array(types.float64, 3, "C"),  # tables
    types.Array(types.boolean, 1, "C"),  # flat
)


def _reads_this_assembly() -> bool:
    features = get_host_cpu_features()
    return platform.machine() in ("x86_64", "AMD64") and features["avx2"] and features["fma"]


@pytest.mark.skipif(not _reads_this_assembly(), reason="needs x86-64 with AVX2 and FMA")
@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (particle_step.propose_negative_modes, SIGNATURE[:1]),
        (particle_step.propose_positive_modes, SIGNATURE[:1]),
        (properties.evaluate_diffusivities, SIGNATURE[:2]),
        (salt_step.link, SIGNATURE[:1]),
        (time_step.evaluate, SIGNATURE),
    ],
)
def test_hot_loops_are_vector_instructions(function, signature):
    function.compile(signature)
    assembly = function.inspect_asm(signature)
    assert not LIBM & set(CALLED.findall(assembly))
    results = Counter()  # numbers computed: (in vectors, by fused multiply-add) -> how many
    for found in ARITHMETIC.finditer(assembly):
        packed = found["kind"] == "pd"
        width = DOUBLES[re.search("%([xyz])mm", found["operands"])[1]] if packed else 1
        results[packed, bool(found["fused"])] += width
    in_vectors = results[True, True] + results[True, False]
    assert in_vectors / results.total() > 0.9  # the rest reads tables
    assert results[True, True] / in_vectors > 0.3


def test_one_compilation_serves_every_sweep():
    """Whatever cell and law, in one chunk or several; each compilation takes 20 s."""
    protocol = cm.load_protocol("two-cycle")
    equipment = cm.load_equipment("regenerative-cycler")
    for name in cm.list_cells():
        for chunk_size in (2, 4):
            over = {"charge_rate": np.array([0.1, 0.15, 0.2, 0.25])}
            cm.sweep_formation(cm.load_cell(name), protocol, equipment, over, chunk_size=chunk_size)
    assert len(kernels().run.signatures) == 2  # with extensions and without


@pytest.mark.parametrize("function", [limits.land, salt_step.eliminate, time_step.evaluate])
def test_nothing_counts_references(function):
    """Atomic increments took 3 % of the time."""
    signature = SIGNATURE[: len(inspect.signature(function.py_func).parameters)]
    function.compile(signature)
    assert "NRT_incref" not in function.inspect_llvm(signature)


def test_workspaces_begin_with_a_cache_line():
    """Else three of four vectors lie across two of them: 6 % slower."""
    for _ in range(4):
        assert workspace.room(1)[0].ctypes.data % 64 == 0


@pytest.mark.parametrize(("cell", "known"), TIME_STEPS.items())
def test_time_steps_per_protocol(cell, known):
    assert attempts(batch(cell, 512)) < 1.1 * known
