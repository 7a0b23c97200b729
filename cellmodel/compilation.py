"""The compiled kernels: where their machine code is kept, and how a damaged copy is replaced.

Numba fails on a damaged cache file instead of compiling again, does not notice that a function
which a kernel calls has
changed, and its default folder may not be writable. So the kernels get a folder of their own per
user, Numba version
and source code; if reading it fails it is deleted and filled again, once.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import logging
import shutil
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
import platformdirs

logger = logging.getLogger("cellmodel")


@functools.cache
def cache_folder() -> Path:
    """Return the folder of the compiled kernels, by version of Numba and by their source code."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(
        importlib.resources.files("kernels").iterdir(), key=lambda entry: entry.name
    ):
        if source.name.endswith(".py"):
            digest.update(source.read_bytes())
    return (
        platformdirs.user_cache_path("cellmodel", appauthor=False)
        / f"kernels-{digest.hexdigest()[:16]}"
    )


def is_compiled(*, extended: bool = False) -> bool:
    """Return whether the kernels, as they are, have been compiled on this machine before."""
    return _marker(extended).exists()


def _marker(extended: bool) -> Path:
    """Return the file that says so: both compilations are in one cache of Numba's."""
    return cache_folder() / ("extended" if extended else "plain")


@functools.cache
def _module() -> ModuleType:
    """Return the module `kernels.sweep`, nothing of it compiled."""
    previous = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())  # read where a kernel is decorated, then restored
    try:
        import kernels.sweep as module
    finally:
        numba.config.CACHE_DIR = previous
    return module


@functools.cache
def kernels(*, extended: bool = False) -> ModuleType:
    """Return the module `kernels.sweep`, its functions ready to be called.

    The first call on a machine compiles, about 20 s on one core, with what only some cells need
    (`extended`, see `kernels.sweep.extensions`) 30 s more; later processes read the result.
    """
    module = _module()
    if not is_compiled(extended=extended) and not numba.config.DISABLE_JIT:
        # a warning, so that it is seen where logging has not been set up
        seconds = 30 if extended else 20
        logger.warning("compiling the kernels for this machine, once: about %d s", seconds)
    try:
        module.compile_run(extended=extended)
    except Exception as error:  # a damaged file may raise anything, LLVM's errors included
        logger.warning(
            "the kernels in %s cannot be read (%s); compiling them again", cache_folder(), error
        )
        shutil.rmtree(cache_folder(), ignore_errors=True)
        module.compile_run(extended=extended)
    if cache_folder().is_dir():  # where it can be written, and something was
        _marker(extended).touch()
    return module


def kernels_for(base: np.ndarray, columns: np.ndarray, flat: np.ndarray) -> ModuleType:
    """Return `kernels` with what cases of these inputs (see `kernels.sweep.sweep`) need."""
    return kernels(extended=_module().extensions(base, columns, flat) is not None)
