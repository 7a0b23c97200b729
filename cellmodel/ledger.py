"""The ledger of a store: which chunks it should have, and which are there and whole.

JSON lines in `sweep.zarr.ledger`: first the layout, then a line per chunk with the fingerprint of
everything it depends on and that of its data, appended after the data is written.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cellmodel.errors import InputError
from cellmodel.output_folder import whole_file

FORMAT = 1
Region = Mapping[str, slice]


@dataclass(frozen=True)
class Layout:
    """What fits into a store.

    Parameters
    ----------
    sizes
        Dimension -> size.
    lengths
        Dimension that is cut -> length of a chunk along it.
    variables
        Name of a chunked variable -> [dimensions, data type].
    """

    sizes: Mapping[str, int]
    lengths: Mapping[str, int]
    variables: Mapping[str, list]
    format: int = FORMAT

    @functools.cached_property
    def regions(self) -> list[dict[str, slice]]:
        """The part of every chunk, in C order; a chunk is named by its place in this list."""
        starts = [range(0, self.sizes[dim], length) for dim, length in self.lengths.items()]
        return [
            {
                dim: slice(start, min(start + self.lengths[dim], self.sizes[dim]))
                for dim, start in zip(self.lengths, corner, strict=True)
            }
            for corner in itertools.product(*starts)
        ]

    def name(self, index: int) -> str:
        """Return how messages name a chunk."""
        region = self.regions[index]
        place = ", ".join(f"{dim} {part.start} to {part.stop - 1}" for dim, part in region.items())
        return f"chunk {index} of {len(self.regions)} ({place})"


def ledger_of(path: Path) -> Path:
    """Return where the ledger of the store at `path` is."""
    return path.with_name(path.name + ".ledger")


def read_ledger(path: Path) -> tuple[Layout, dict[int, dict]]:
    """Return the layout and the lines by chunk; a last line that was not finished is left out.

    Raises
    ------
    InputError
        If there is no ledger, or one that cannot be understood.
    """
    try:
        text = ledger_of(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: there is no store with a readable ledger: {error}") from error
    lines = text.split("\n")[:-1]
    try:
        header, *rows = [json.loads(line) for line in lines]
        if header["format"] != FORMAT:
            raise InputError(
                f"{path}: the store has format {header['format']}, this version reads {FORMAT}; "
                "write it again"
            )
        layout = Layout(**header)
        entries = {row["chunk"]: row for row in rows}
        complete = all({"inputs", "data"} <= set(row) for row in rows)
        if not complete or not set(entries) <= set(range(len(layout.regions))):
            raise KeyError("chunk")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: the ledger is damaged; write the store again") from error
    return layout, entries


def write_ledger(path: Path, layout: Layout, entries: Mapping[int, dict]) -> None:
    """Write the ledger anew, with these chunks."""
    rows = [asdict(layout), *(entries[index] for index in sorted(entries))]
    with whole_file(ledger_of(path)) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def append_chunk(path: Path, row: Mapping) -> None:
    """Add a line, and have the disk confirm it."""
    with ledger_of(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())
