"""The rows of a scan without a book."""

import json

from joulebook.terms.blocks import EPOCH, KEPT, MICROSECOND
from joulebook.terms.columns import column


class Kept:
    """Keeps the rows of a scan."""

    is_once = False

    def __init__(self):
        self.blocks = []

    def put(self, block, rows):
        """Keep a block."""
        self.blocks.append(unpacked(block))
        assert len(self.blocks[-1]) == rows

    def leave_out(self, block, rows):
        """Take rows back."""
        self.blocks[block] = [row for number, row in enumerate(self.blocks[block]) if number not in rows]


def unpacked(block):
    """The rows of a block."""
    lists = json.loads(block)
    assert set(lists.pop(KEPT)) == {1}
    for name in lists:
        if column(name).type == "timestamp":
            lists[name] = [value if value is None else EPOCH + value * MICROSECOND for value in lists[name]]
    return rows_in(lists)


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
