"""The cache of compiled kernels: keyed by source, mended when damaged, shared between processes.

A package `kernels` of two lines stands in for ours, which takes 20 s to compile.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    "__init__.py": "",
    "factor.py": "from numba import njit\n\n@njit\ndef times(x):\n    return 3.0 * x\n",
    "sweep.py": (
        "from numba import njit\nfrom kernels.factor import times\n\n"
        "@njit(cache=True)\ndef sweep(x):\n    return times(x)\n\n"
        "def compile_run(*, extended):\n    sweep(1.0)\n"
    ),
}
#: prints the result, how often something had to be compiled, and the folder of the cache
SHOW = """
import logging, sys
from pathlib import Path
logging.basicConfig(stream=sys.stderr, level=logging.INFO)
from cellmodel import compilation
compilation.platformdirs.user_cache_path = lambda *_, **__: Path(sys.argv[1])
module = compilation.kernels()
misses = sum(module.sweep.stats.cache_misses.values())
print(module.sweep(2.0), misses, compilation.cache_folder(), sep="|")
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Source and cache of the package, filled by a first process, and what that one said."""
    root = tmp_path_factory.mktemp("compiled")
    package = root / "source" / "kernels"
    package.mkdir(parents=True)
    for name, text in MODULES.items():
        (package / name).write_text(text)
    return root, _finish(_start(root))


@pytest.fixture
def root(compiled):
    """Folder of the package `source` and of its `cache`, which is whole and filled."""
    return compiled[0]


@pytest.fixture
def folder(compiled):
    """Folder of the package's compiled kernels."""
    return compiled[1][2]


def _start(root, code=SHOW, cache=None):
    paths = f"import sys; sys.path[:0] = [{str(root / 'source')!r}, {str(ROOT)!r}]\n"
    return subprocess.Popen(
        [sys.executable, "-c", paths + code, str(cache or root / "cache")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root,
    )  # fmt: skip


def _finish(process):
    output, log = process.communicate(timeout=120)
    assert process.returncode == 0, log
    value, misses, folder = output.strip().split("|")
    return float(value), int(misses), Path(folder), log


def test_the_first_process_compiles_into_a_folder_of_its_own(compiled):
    root, (value, misses, folder, log) = compiled
    assert (value, misses) == (6.0, 1)
    assert "compiling the kernels" in log
    assert folder.parent == root / "cache"
    assert list(folder.rglob("*.nbc"))


def test_the_next_process_reads_it(root, folder):
    assert _finish(_start(root)) == (6.0, 0, folder, "")


def test_a_change_in_any_module_compiles_anew(root, folder):
    """Numba alone would keep the old result: it looks only at the file of the cached function."""
    source = root / "source" / "kernels" / "factor.py"
    source.write_text(MODULES["factor.py"].replace("3.0", "5.0"))
    value, misses, other, _ = _finish(_start(root))
    source.write_text(MODULES["factor.py"])
    assert (value, misses) == (10.0, 1)
    assert other != folder
    assert _finish(_start(root))[:3] == (6.0, 0, folder)


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".nbi", lambda content: content[: len(content) // 2]),
        (".nbi", lambda content: b"garbage" * 50),
        (".nbc", lambda content: b""),
        (".nbc", lambda content: content[: len(content) // 2]),
        (".nbc", lambda content: bytes(len(content))),
    ],
    ids=["index cut", "index garbage", "code empty", "code cut", "code zeros"],
)
def test_a_damaged_cache_is_replaced(root, folder, suffix, damage):
    (path,) = folder.rglob(f"*{suffix}")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    value, _, _, log = _finish(_start(root))
    assert value == 6.0
    assert "compiling them again" in log
    (path,) = folder.rglob(f"*{suffix}")
    assert len(path.read_bytes()) == pytest.approx(len(whole), rel=0.1)


def test_processes_that_compile_at_once_do_not_disturb_each_other(root, folder):
    shutil.rmtree(root / "cache")
    found = [_finish(process) for process in [_start(root), _start(root)]]
    assert [result[0] for result in found] == [6.0, 6.0]
    assert _finish(_start(root))[:3] == (6.0, 0, folder)


def test_a_cache_that_cannot_be_written_does_not_stop_the_work(root, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    value, misses, _, _ = _finish(_start(root, cache=tmp_path / "cache"))
    assert (value, misses) == (6.0, 1)


def test_without_the_jit_nothing_is_compiled(root, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    plain = SHOW.replace("sum(module.sweep.stats.cache_misses.values())", "0")
    value, _, folder, log = _finish(_start(root, plain, tmp_path / "cache"))
    assert (value, log) == (6.0, "")
    assert not folder.exists()
