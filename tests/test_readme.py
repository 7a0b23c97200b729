"""The README does what it says: code runs, links lead somewhere, the glossary is current."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from cellmodel.variables import VARIABLES, glossary

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[-+]?\d+)?")


class Block(NamedTuple):
    """A fenced block: what follows the fence, the lines, and how many lines come before them."""

    kind: str
    content: str
    line: int


def _blocks(text: str) -> list[Block]:
    return [
        Block(found["kind"].strip(), found["content"], text.count("\n", 0, found.start("content")))
        for found in BLOCK.finditer(text)
    ]


def _expected_output(text: str, block: Block) -> str | None:
    """Return the ```text block that follows a block, nothing but empty lines between them."""
    after = "\n".join(text.split("\n")[block.line :])[len(block.content) + len("```\n") :]
    found = re.match(r"\s*^```text\n(.*?)^```$", after, re.MULTILINE | re.DOTALL)
    return found[1] if found else None


def _compare(printed: str, shown: str, where: str) -> None:
    """Compare words exactly and numbers to 2 %: solvers and versions may move the last digits.

    What is shown may be only the beginning of what is printed.
    """
    words, expected = (NUMBER.sub("#", text).split() for text in (printed, shown))
    assert expected
    assert words[: len(expected)] == expected, f"{where} prints something else:\n{printed}"
    numbers, expected = (np.array(NUMBER.findall(text), float) for text in (printed, shown))
    message = f"{where} prints other numbers:\n{printed}"
    np.testing.assert_allclose(
        numbers[: len(expected)], expected, rtol=0.02, atol=0, err_msg=message
    )


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder with the examples, so that the README's files do not land in the checkout."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("elsewhere")
def test_python_blocks_run_and_print_what_is_shown():
    namespace: dict[str, object] = {"__name__": "__main__"}
    blocks = [block for block in _blocks(README) if block.kind == "python"]
    assert blocks
    for block in blocks:
        where = f"README.md, line {block.line + 1}"
        # empty lines before it give tracebacks the README's own line numbers
        code = compile("\n" * block.line + block.content, "README.md", "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, namespace)
        expected = _expected_output(README, block)
        if expected is not None:
            _compare(printed.getvalue(), expected, where)


@pytest.mark.parametrize(
    "command",
    [
        "pip install -e . && cellmodel run examples/candidates.toml",
        'pip install -e ".[test]" && pytest',
    ],
)
def test_both_set_up_commands_are_there(command):
    shell = [line for b in _blocks(README) if b.kind == "bash" for line in b.content.split("\n")]
    assert command in shell


def test_links_lead_to_files():
    prose = BLOCK.sub("", README)
    targets = re.findall(r"\]\(([^)\s]+)[^)]*\)|<(?:img|a)\s[^>]*(?:src|href)=\"([^\"]+)\"", prose)
    paths = [(inline or tag).partition("#")[0] for inline, tag in targets]
    local = [path for path in paths if path and not re.match(r"[a-z]+:", path)]
    assert local
    assert [path for path in local if not (ROOT / path).exists()] == []


def test_glossary_is_current():
    begin, end = "<!-- glossary: written by cellmodel.variables -->", "<!-- glossary: end -->"
    written = README.partition(begin)[2].partition(end)[0].strip()
    assert written == glossary(), "put the output of cellmodel.variables.glossary() in between"


def test_glossary_has_a_row_for_every_variable():
    rows = glossary().split("\n")[2:]
    assert [row.split("`")[1] for row in rows] == list(VARIABLES)
    assert {row.count("|") for row in rows} == {5}
    assert "| `charge_energy` | W h | cycle | energy put into the cell at its terminals |" in rows


def test_comparison_forgives_spaces_and_last_digits_only():
    _compare("a  1.001\n b -2 and more", "a 1.0 b -2.0", "here")
    with pytest.raises(AssertionError, match="here prints something else"):
        _compare("a 1", "b 1", "here")
    with pytest.raises(AssertionError, match="here prints something else"):
        _compare("a", "a b", "here")
    with pytest.raises(AssertionError, match="here prints other numbers"):
        _compare("a 1.1", "a 1.0", "here")


def test_expected_output_directly_follows():
    text = (
        "x\n```python\nprint(1)\n```\n\n```text\n1\n```\n```python\n2\n```\nno\n```text\n3\n```\n"
    )
    python = [block for block in _blocks(text) if block.kind == "python"]
    assert [_expected_output(text, block) for block in python] == ["1\n", None]
