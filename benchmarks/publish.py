"""Tables that scripts measure, printed and put into README.md between their markers."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
from pathlib import Path

import cpuinfo
from llvmlite.binding import get_host_cpu_name

README = Path(__file__).parent.parent / "README.md"
PACKAGES = ("cellmodel", "numba", "numpy", "pybamm")


def script_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of command lines that knows --write."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--write", action="store_true", help="put the result into README.md")
    return parser


def publish(name: str, text: str, *, write: bool) -> None:
    """Print Markdown with the processor and versions it was measured with.

    Parameters
    ----------
    name
        Of the script, without its ending. README.md holds the lines
        `<!-- name: written by benchmarks/name.py -->` and `<!-- name: end -->`.
    text
        Markdown.
    write
        Whether it also takes the place of what stands between those lines.
    """
    text = f"{text}\n\n{_measured_with()}"
    print(text)
    if write:
        README.write_text(_between_markers(README.read_text(), name, text))


def _between_markers(readme: str, name: str, text: str) -> str:
    start, end = f"<!-- {name}: written by benchmarks/{name}.py -->", f"<!-- {name}: end -->"
    before, _, rest = readme.partition(start)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"README.md must hold '{start}' and '{end}' where the table goes")
    return f"{before}{start}\n{text}\n{end}{after}"


def _measured_with() -> str:
    processor = cpuinfo.get_cpu_info().get("brand_raw") or platform.processor()
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{package} {importlib.metadata.version(package)}" for package in PACKAGES]
    where = f"{processor} ({get_host_cpu_name()}), {platform.system()}"
    return f"Measured on {where}, with {', '.join(versions)}."
