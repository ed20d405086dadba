"""The library under snapshot: a changed number is a reviewed diff."""

import hashlib

from syrupy.assertion import SnapshotAssertion

from joulebook.factors.read import read_edition

REVIEWED = ("company/", "grid/", "model/", "region/", "site/", "water/", "gwp/", "hardware/accelerators", "embodied/")
ELSEWHERE = "model/open-architectures"
"""Reviewed with the fit of the serving model."""


def test_no_number_changes_unseen(snapshot: SnapshotAssertion) -> None:
    """Per file: how many values, the sum of their middles, and a hash of every row; `--snapshot-update` accepts."""
    files: dict[str, list[str]] = {}
    sums: dict[str, float] = {}
    for row in read_edition().factors:
        if row.file.startswith(REVIEWED) and not row.file.startswith(ELSEWHERE):
            files.setdefault(row.file, []).append(row.factor_id)
            sums[row.file] = sums.get(row.file, 0.0) + row.value
    hashes = {file: hashlib.sha256(" ".join(sorted(ids)).encode()).hexdigest()[:16] for file, ids in files.items()}
    table = [f"{file} {len(ids)} values, sum {sums[file]:.9g}, {hashes[file]}" for file, ids in sorted(files.items())]
    assert table == snapshot


def test_no_link_changes_unseen(snapshot: SnapshotAssertion) -> None:
    """Which zone each cloud region has, as a reviewed list."""
    zones = {link.subject: link.object for link in read_edition().links if link.relation == "grid_zone"}
    assert [f"{subject} {zone}" for subject, zone in sorted(zones.items())] == snapshot
