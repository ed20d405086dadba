"""Images, video, audio, embeddings and small tasks."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from joulebook.account.media import Media, estimate_media
from joulebook.errors import BadValue, UnknownName
from joulebook.faces.cli.main import run_command
from joulebook.factors.read import read_edition
from joulebook.terms.units import convert

ROOT = Path(__file__).parents[2]
SQUARE = {"width": 1024.0, "height": 1024.0}


def gpu_range(**asked):
    """Accelerator energy of what is asked [kWh]."""
    found = estimate_media(read_edition(), "ghgp-location", Media(**asked), None, "KOR", date(2025, 6, 1))
    return found.priced.ranges["gpu_energy_kwh"]


def test_a_measured_model_gives_its_measurement():
    """FLUX.1-dev at 1024 x 1024 and 50 steps took 6.7 to 6.9 kJ on one B200 (ML.ENERGY v3): inside the range."""
    found = gpu_range(image_count=1, model="FLUX.1-dev", steps=50, **SQUARE)
    assert found.low < convert(6.8, "kJ", "kWh") < found.high


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ({"image_count": 1}, {"image_count": 2}),
        ({"image_count": 1, "steps": 20}, {"image_count": 1, "steps": 40}),
        ({"image_count": 1, "parameters_billion": 2.0}, {"image_count": 1, "parameters_billion": 12.0}),
        ({"video_s": 2.0, "frames_per_s": 16.0}, {"video_s": 6.0, "frames_per_s": 16.0}),
        ({"audio_s": 1.0}, {"audio_s": 3.0}),
        ({"embedding_tokens": 100}, {"embedding_tokens": 300}),
        ({"image_count": 1, "is_unet": True}, {"image_count": 1}),
    ],
)
def test_more_work_costs_more(smaller, larger):
    """More images, steps, parameters, seconds or tokens never cost less; a U-Net costs less than a transformer."""
    assert gpu_range(**SQUARE | smaller).mid < gpu_range(**SQUARE | larger).mid


def test_pixels_cost_more_than_in_proportion():
    """Twice the side of a picture is four times the tokens, and attention makes them dearer than in proportion."""
    small, large = (gpu_range(image_count=1, width=side, height=side).mid for side in (512.0, 1024.0))
    assert large > 4 * small


def test_a_model_that_was_not_measured_is_wider():
    """An unknown image model has a wider range than a measured one."""
    known, unknown = (gpu_range(image_count=1, model=name, **SQUARE) for name in ("flux.1-dev", "no-such-model"))
    assert unknown.high / unknown.low > known.high / known.low


def test_the_meter_of_the_small_tasks_is_corrected(shared_data):
    """The published runs counted eight boards with one in use: the factor lies well below the raw figure."""
    with (shared_data / "inference" / "luccioni_co2_inference.csv").open(newline="") as stream:
        raw = [float(row["gpu_energy"]) / 1000 for row in csv.DictReader(stream) if "image_class" in row["experiment"]]
    found = gpu_range(task="image-classification", request_count=1)
    assert found.mid < sorted(raw)[len(raw) // 2] / 1.5
    assert found.low < found.mid < found.high


def test_an_unknown_task_names_the_nearest():
    """A task that was not run is refused with the nearest that was."""
    with pytest.raises(UnknownName, match="image-classification"):
        gpu_range(task="image-classificaton")


def test_a_size_that_is_no_size_is_refused():
    """A size without two numbers is refused with an example."""
    assert run_command(["--lang", "en", "estimate", "--image", "1", "--size", "large"]) == BadValue.exit_code


def test_media_print_as_json_and_as_a_table(capsys):
    """Images come out as JSON with every figure, and as a table that fits the terminal."""
    assert run_command(["estimate", "--image", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert document["figures"]["facility_energy_kwh"]["low"] > 0
    assert run_command(["--lang", "ko", "estimate", "--image", "2"]) == 0
    assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines())


def test_held_out_results_are_kept():
    """Images and video were tested with the family held out: within a factor of two for six of ten rows at least."""
    results = json.loads((ROOT / "benchmarks" / "accuracy" / "results_other.json").read_text())
    assert [line["split"] for line in results[:2]] == ["image, family held out", "video, family held out"]
    assert all(line["within_2x"] >= 0.6 for line in results[:2])


def test_one_text_at_a_time_is_far_above_the_arithmetic():
    """One text at a time costs many times its arithmetic: the kept check of an encoder on single texts says so."""
    results = json.loads((ROOT / "benchmarks" / "accuracy" / "results_other.json").read_text())
    single = [line for line in results if line["split"].startswith("encoder")]
    assert len(single) == 3
    assert all(line["measured_over_arithmetic"] > 2 for line in single)


def test_an_hour_of_speech_takes_what_boards_take(capsys):
    """An hour of audio lies between what an L4 and a desktop board need: 0.1 to 12 Wh of the accelerator."""
    assert run_command(["estimate", "--audio-seconds", "3600", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["figures"]["gpu_energy_kwh"]
    assert 0.0001 <= found["low"] <= 0.0012 <= found["high"] <= 0.012
