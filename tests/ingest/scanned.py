"""The rows of a scan without a book."""

from joulebook.ingest.columns import Columns


def as_they_are(columns: Columns) -> Columns:
    """Columns that are not packed."""
    return columns


class Kept:
    """Keeps the rows of a scan."""

    pack = staticmethod(as_they_are)
    is_once = False

    def __init__(self):
        self.blocks = []

    def put(self, block, rows):
        """Keep a block."""
        assert {len(values) for values in block.values()} == {rows}
        self.blocks.append(rows_in(block))

    def leave_out(self, block, rows):
        """Take rows back."""
        self.blocks[block] = [row for number, row in enumerate(self.blocks[block]) if number not in rows]


def rows_in(columns):
    """Columns row by row, what is unknown left out."""
    names = list(columns)
    return [
        {name: value for name, value in zip(names, values, strict=True) if value is not None}
        for values in zip(*columns.values(), strict=True)
    ]


def scanned(scan):
    """Findings and rows of a pass over logs."""
    sink, findings = Kept(), []
    scan.fill(sink, findings)
    return [*findings, *(row for block in sink.blocks for row in block)]
