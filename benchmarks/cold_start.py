"""What a fresh process pays before the kernels run: compiling them, or reading them from a cache.

Run as a script it is that process; it prints the CPU time it took since its own start [s].
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path


def cold_start(folder: Path) -> float:
    """Return the CPU time [s] of a process that gets the kernels ready.

    Parameters
    ----------
    folder
        Cache of compiled kernels: an empty one makes the process compile, and is filled.
    """
    done = subprocess.run(
        [sys.executable, __file__, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},  # where this one imports from
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    from cellmodel import compilation

    folder = Path(sys.argv[1])
    compilation.cache_folder = lambda: folder
    compilation.kernels()
    print(time.process_time())


if __name__ == "__main__":
    main()
