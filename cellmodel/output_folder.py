"""Where results go: one writer at a time, files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from cellmodel.errors import InputError


def output_folder(path: str | Path) -> Path:
    """Make a folder if there is none, and return its path.

    Raises
    ------
    InputError
        If it cannot be made, or nothing can be written in it.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"the output folder must be one that can be written to, got '{folder}': {reason}; "
            "choose another"
        ) from error
    return folder


@contextmanager
def only_writer(folder: Path, name: str = "") -> Iterator[None]:
    """Hold the lock of a folder, or of one thing of that name in it.

    Raises
    ------
    InputError
        If another process holds it.
    """
    lock = filelock.FileLock(folder / (f".{name}.lock" if name else ".lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise InputError(
            f"'{folder / name}' is being written by another run; wait for it, or choose another "
            "output folder"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block has succeeded.

    A reader, or an interruption, sees the old file or the new one, never half of one.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
