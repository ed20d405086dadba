"""Which board's making is meant by the name a driver gives."""

import pytest

from joulebook.estimate.hardware import find_board
from joulebook.factors.read import read_edition


@pytest.mark.parametrize(
    ("label", "subject"),
    [
        ("NVIDIA A100-SXM4-40GB", "nvidia/a100-sxm-40gb"),
        ("NVIDIA A100-SXM4-80GB", "nvidia/a100-sxm-80gb"),
        ("NVIDIA H100 80GB HBM3", "nvidia/h100-sxm-80gb"),
        ("NVIDIA H200", "nvidia/h200-sxm-141gb"),
        ("NVIDIA B200", "nvidia/b200-sxm-180gb"),
        ("NVIDIA B300 SXM6 AC", "nvidia/b300-sxm-288gb"),
    ],
)
def test_a_board_is_found_by_generation_and_memory(label: str, subject: str) -> None:
    """Of boards of one generation with different footprints, the memory in the name decides."""
    assert find_board(read_edition(), label) == subject


@pytest.mark.parametrize("label", ["NVIDIA A100", "Tesla T4", "NVIDIA GB200", "AMD Instinct MI300X", ""])
def test_a_board_that_is_not_told_apart_is_unknown(label: str) -> None:
    """Two footprints, or none, is no footprint: the range over all boards answers."""
    assert find_board(read_edition(), label) == "unknown"
