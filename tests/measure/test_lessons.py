"""What other meters get wrong, row by row, and the tests of ours that show it right."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LESSONS = {
    "kill -9, SIGTERM, an exception or Ctrl-C lose the run": {
        "measure/test_faults.py": [
            "test_killed", "test_killed_for_memory", "test_interrupted", "test_ended", "test_forked",
            "test_torn_last_line", "test_full_disk",
        ],
        "measure/test_commands.py": ["test_exit_codes", "test_signal_is_passed_on", "test_top_and_recover"],
    },
    "8 ranks that stop together keep 1 or 2 of 8 rows, and each counts the whole node": {
        "measure/test_ranks.py": [
            "test_eight_ranks_stopping_together", "test_sixty_four_ranks_on_eight_nodes",
            "test_ranks_that_follow_each_other",
        ],
        "measure/test_slurm.py": ["test_two_tasks"],
    },
    "without a network a run is in Quebec": {
        "measure/test_accounts.py": ["test_unknown_place_keeps_the_energy"],
        "test_runs.py": ["test_unknown_place_spans_the_world"],
    },
    "a counter that begins anew gives -712,733 J": {
        "measure/test_rapl.py": ["test_reset_is_flagged_and_not_negative", "test_wrap_adds_the_range"],
        "measure/test_nvidia.py": ["test_reset_of_the_driver", "test_buffer_that_ran_over"],
    },
    "the memory's counter is never added, though its test is green on a layout that no server has": {
        "measure/test_rapl.py": [
            "test_two_sockets_with_dram", "test_laptop_counts_package_once", "test_mirrored_dies_count_once",
            "test_denied_says_how_to_mend",
        ],
    },
    "polling power is wrong by -59 to +51 %": {
        "measure/test_nvidia.py": [
            "test_counter_on_a_square_wave", "test_average_power_only", "test_buffer_of_power",
            "test_instant_power_only",
        ],
    },
    "child pollers live on for ten minutes after kill -9": {"measure/test_faults.py": ["test_nothing_survives"]},
    "178.5 W for two virtual cores of a shared server": {
        "estimate/test_machines.py": ["test_slice_is_not_a_socket"],
        "measure/test_use.py": ["test_tightest_group_holds"],
    },
    "a processor is its TDP times a cube of its load": {
        "estimate/test_machines.py": [
            "test_whole_server_at_rest_and_full", "test_concave_curve_on_epyc", "test_unknown_processor_is_wide",
        ],
    },
    "a board's counter is repeated for each MIG instance": {
        "measure/test_nvidia.py": ["test_mig_board_counts_once"],
        "measure/test_ranks.py": ["test_two_slices_of_one_board"],
    },
    "loading takes up to 2 s, 155 MiB and 37 packages": {
        "measure/test_span.py": ["test_loads_little"],
        "contracts/test_light.py": ["test_importing_joulebook_loads_nothing_heavy"],
    },
}  # fmt: skip
"""Fault of a meter -> file -> tests that show ours without it."""


@pytest.mark.parametrize("fault", LESSONS)
def test_every_lesson_has_its_tests(fault):
    """Each fault seen in another meter is held off by tests that are there under their names."""
    for name, wanted in LESSONS[fault].items():
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert set(wanted) <= there, name
