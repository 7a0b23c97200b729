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


def is_compiled() -> bool:
    """Return whether the kernels, as they are, have been compiled on this machine before."""
    return any(cache_folder().rglob("*.nbc"))


@functools.cache
def kernels() -> ModuleType:
    """Return the module `kernels.sweep`, its functions ready to be called.

    The first call on a machine compiles, about 20 s on one core; later processes read the result.
    """
    previous = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())  # read where a kernel is decorated, then restored
    try:
        import kernels.sweep as module
    finally:
        numba.config.CACHE_DIR = previous
    if not is_compiled() and not numba.config.DISABLE_JIT:
        # a warning, so that it is seen where logging has not been set up
        logger.warning("compiling the kernels for this machine, once: about 20 s")
    try:
        module.compile_all()
    except Exception as error:  # a damaged file may raise anything, LLVM's errors included
        logger.warning(
            "the kernels in %s cannot be read (%s); compiling them again", cache_folder(), error
        )
        shutil.rmtree(cache_folder(), ignore_errors=True)
        module.compile_all()
    return module
