"""`joulebook estimate` and `joulebook calibrate`, as a user runs them."""

import json

import pytest

from joulebook.errors import UnknownName, UsageError
from joulebook.faces.cli.main import run_command
from joulebook.faces.text import choose_language

REQUEST = ["--input", "1200", "--output", "400"]


@pytest.fixture(autouse=True)
def _english():
    yield
    choose_language(None)


def estimate(capsys, *arguments: str) -> dict:
    """The JSON of one estimate."""
    assert run_command(["--lang", "en", "estimate", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def gpu(document: dict) -> dict:
    """Accelerator energy of an estimate."""
    return document["figures"]["gpu_energy_kwh"]


def width(document: dict) -> float:
    """How wide its range is, as a ratio."""
    return gpu(document)["high"] / gpu(document)["low"]


def test_every_fact_of_the_deployment_narrows_the_range(capsys):
    """Accelerator, then batch, then precision and count: each makes the range narrower."""
    known = ["--model", "llama-3.1-70b-instruct", "--region", "KOR", *REQUEST]
    steps = [[], ["--gpu", "h100"], ["--batch", "32"], ["--precision", "bf16", "--gpus", "4"]]
    widths, given = [], []
    for step in steps:
        given += step
        widths.append(width(estimate(capsys, *known, *given)))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 2


def test_a_speed_moves_the_estimate(capsys):
    """A fast stream tells of few requests at once, so it costs more than a slow one."""
    known = ["--model", "llama-3.1-70b-instruct", "--provider", "own", *REQUEST]
    slow, fast = (gpu(estimate(capsys, *known, "--tokens-per-second", speed))["mid"] for speed in ("12", "60"))
    assert fast > 1.5 * slow


def test_an_unknown_model_is_wide_and_says_so(capsys):
    """A name that is not in the registry gives the range over the registry, a hint, and exit code 4 when strict."""
    unknown = estimate(capsys, "--model", "no-such-model-9", *REQUEST)
    known = estimate(capsys, "--model", "llama-3.1-8b-instruct", *REQUEST)
    assert unknown["is_unknown"]
    assert unknown["tier"] == "assumed"
    assert unknown["hints"]
    assert width(unknown) > width(known)
    assert run_command(["--lang", "en", "estimate", "--model", "no-such-model-9", *REQUEST, "--strict"]) == 4


def test_cached_input_costs_less_than_fresh(capsys):
    """Reading a prompt from the cache is cheaper than computing it, and dearer than not having it."""
    model = ["--model", "llama-3.1-70b-instruct", "--output", "10"]
    none, cached, fresh = (
        gpu(estimate(capsys, *model, *more))["mid"] for more in ([], ["--cached", "50000"], ["--input", "50000"])
    )
    assert none < cached < fresh


def test_three_alternatives_come_with_every_estimate(capsys):
    """The same request is shown on three other models, or on those that are named."""
    assert len(estimate(capsys, "--model", "gpt-4o", *REQUEST)["compared"]) == 3
    named = estimate(capsys, "--model", "gpt-4o", *REQUEST, "--compare-models", "gpt-4o-mini,gpt-oss-120b")
    assert [line["asked"] for line in named["compared"]] == ["gpt-4o-mini", "gpt-oss-120b"]


def test_alternatives_run_on_the_same_board_as_full(capsys):
    """On a given accelerator the other models decode as many requests together as the asked one."""
    known = ["--model", "llama-3.1-70b-instruct", *REQUEST, "--gpu", "h100", "--batch"]
    alone, full = (
        estimate(capsys, *known, batch)["compared"][0]["figures"]["gpu_energy_kwh"]["mid"] for batch in ("1", "256")
    )
    assert alone > 5 * full


def test_tables_fit_eighty_columns_in_both_languages(capsys):
    """No line of the printed estimate is wider than the terminal."""
    from joulebook.faces.cli.show import width_of

    for language in ("en", "ko"):
        assert run_command(["--lang", language, "estimate", "--model", "gpt-4o", *REQUEST, "--compare-models"]) == 0
        printed = capsys.readouterr()
        assert all(width_of(line) <= 80 for line in printed.out.splitlines()), language


@pytest.mark.parametrize("arguments", [["--gpu", "h900"], []])
def test_misuse_exits_with_an_error(arguments, capsys):
    """An accelerator that does not exist, or no tokens at all, is refused with what to do."""
    request = REQUEST if arguments else []
    code = run_command(["--lang", "en", "estimate", "--model", "gpt-4o", *request, *arguments])
    assert code in (UsageError.exit_code, UnknownName.exit_code)
    assert "Next" in capsys.readouterr().err


def test_a_calibration_is_kept_and_used(tmp_path, capsys):
    """A measured point, saved as a factor, becomes the estimate of the same request and narrows its range."""
    model = ["--model", "llama-3.1-70b-instruct"]
    before = estimate(capsys, *model, *REQUEST)
    tokens = ["--input", "120000", "--output", "40000", "--requests", "100"]
    assert run_command(["calibrate", *model, *tokens, "--energy-wh", "30", "--save", str(tmp_path), "--json"]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert kept["points"][0]["measured_kwh"] == pytest.approx(0.030)
    assert run_command(["--factors", str(tmp_path), "estimate", *model, *REQUEST, "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    assert after["is_calibrated"]
    assert gpu(after)["mid"] == pytest.approx(0.030 / 100)
    assert width(after) < width(before)


def test_the_error_of_the_meter_is_the_librarys_where_none_is_given(capsys):
    """Accelerators are read as NVML reads them; what an unknown meter read leaves a wider range than one named."""
    ratios = {}
    for boundary in ("gpu", "node"):
        for given in ((), ("--meter-error", "0"), ("--meter-error", "0.05")):
            point = ["--model", "llama-3.1-8b", "--output", "40000", "--energy-wh", "9", "--boundary", boundary]
            assert run_command(["calibrate", *point, *given, "--json"]) == 0
            ratio = json.loads(capsys.readouterr().out)["ratio"]
            ratios[boundary, given[1:]] = ratio["high"] / ratio["low"]
    assert ratios["gpu", ()] == pytest.approx(ratios["gpu", ("0.05",)])
    assert ratios["gpu", ()] > ratios["gpu", ("0",)]
    assert ratios["node", ()] > ratios["node", ("0.05",)]


def test_a_described_calibration_shifts_the_shape_of_its_deployment(tmp_path, capsys):
    """One request at a time takes much for its answer; the input of other requests is not priced up with it."""
    model, board = ["--model", "llama-3.1-8b"], ["--gpu", "h100", "--gpus", "1", "--precision", "bf16", "--batch", "1"]
    point = ["--input", "10000", "--output", "50000", "--requests", "100", "--energy-wh", "50", "--json"]
    energies = {}
    for name, given in (("described", board), ("bare", [])):
        folder = str(tmp_path / name)
        assert run_command(["calibrate", *model, *point, *given, "--save", folder]) == 0
        assert set(json.loads(capsys.readouterr().out)["deployment"]) == (
            {
                "accelerator_power_w",
                "accelerator_bandwidth_bytes_per_s",
                "accelerator_flop_per_s",
                "accelerator_memory_bytes",
                "accelerator_count",
                "batch_requests",
                "weight_bytes_per_parameter",
                "compute_speed_ratio",
            }
            if given
            else set()
        )
        for kind, tokens in (("same", ("100", "500")), ("long", ("20000", "1"))):
            command = ["--factors", folder, "estimate", *model, "--input", tokens[0], "--output", tokens[1], "--json"]
            assert run_command(command) == 0
            energies[name, kind] = gpu(json.loads(capsys.readouterr().out))["mid"]
    assert energies["described", "same"] == pytest.approx(0.0005)
    assert energies["bare", "same"] == pytest.approx(0.0005)
    assert energies["described", "long"] < energies["bare", "long"] / 5


def test_points_come_from_a_file_and_bad_lines_are_named(tmp_path, capsys):
    """Several measurements in a CSV give one shift; a line without a number is refused with file and line."""
    points = tmp_path / "points.csv"
    points.write_text("energy_wh,requests,input,output\n1,10,12000,4000\n2,10,24000,8000\n", encoding="utf-8")
    assert run_command(["calibrate", "--model", "llama-3.1-8b-instruct", "--points", str(points), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["points"]) == 2
    points.write_text("energy_wh,requests,input,output\nmany,10,12000,4000\n", encoding="utf-8")
    assert run_command(["--lang", "en", "calibrate", "--model", "llama-3.1-8b-instruct", "--points", str(points)]) == 1
    assert "points.csv:2" in capsys.readouterr().err


def test_published_precision_is_taken(capsys):
    """A model whose weights were published in 4 bits is not spread over 16 and 8, unless precision is given."""
    assert "precision" not in estimate(capsys, "--model", "gpt-oss-120b", *REQUEST)["assumed"]
    assert "precision" in estimate(capsys, "--model", "llama-3.1-70b-instruct", *REQUEST)["assumed"]


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("H100", "nvidia/h100-sxm-80gb"),
        ("a100", "nvidia/a100-sxm-80gb"),
        ("A100 SXM 40GB", "nvidia/a100-sxm-40gb"),
        ("mi300x", "amd/instinct-mi300x-192gb"),
        ("t4", "nvidia/t4"),
        ("NVIDIA A100-SXM4-40GB", "nvidia/a100-sxm-40gb"),
        ("NVIDIA H100 80GB HBM3", "nvidia/h100-sxm-80gb"),
        ("NVIDIA H100 PCIe", "nvidia/h100-pcie-80gb"),
        ("NVIDIA L40S", "nvidia/l40s"),
        ("NVIDIA GeForce RTX 4090", "nvidia/geforce-rtx-4090"),
        ("RTX5090", "nvidia/geforce-rtx-5090"),
        ("AMD Instinct MI355X", "amd/instinct-mi355x-288gb"),
        ("NVIDIA GH200 480GB", "nvidia/gh200-144gb"),
        ("GB200", "nvidia/b200-gb200-192gb"),
        ("Gaudi 3", "intel/gaudi3"),
        ("Jetson AGX Orin", "nvidia/jetson-agx-orin-64gb"),
        ("Apple M4 Max", "apple/m4-max"),
    ],
)
def test_accelerators_go_by_the_names_people_use(capsys, name, subject):
    """A short name finds its accelerator, and the answer says which one was taken."""
    assert estimate(capsys, "--model", "llama-3.1-8b-instruct", *REQUEST, "--gpu", name)["accelerator"] == subject


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (["--model", "deepseek-r1", "--input", "500", "--gpus", "8", "--precision", "bf16"], "--gpus"),
        (["--model", "llama-3.1-8b", "--input", "100000", "--gpus", "1", "--precision", "bf16"], "--batch 4."),
        (["--model", "llama-3.1-8b", "--input", "1000", "--gpus", "1", "--precision", "bf16"], None),
    ],
)
def test_what_does_not_fit_into_memory_is_said(capsys, given, hint):
    """1.3 TB of weights on 640 GB, or 64 contexts of 100,000 tokens on one board, come with what to change."""
    hints = estimate(capsys, *given, "--output", "500", "--gpu", "h100", "--batch", "64", "--region", "KOR")["hints"]
    assert [hint in said for said in hints] == ([True] if hint else [])


def test_integers_are_known_as_precisions(capsys):
    """Weights in 4-bit integers take less than in 16 bits for one request at a time, and 8-bit ones lie between."""
    known = ["--model", "llama-3.1-8b", *REQUEST, "--gpu", "a100", "--gpus", "1", "--batch", "1", "--precision"]
    wide, eight, four = (gpu(estimate(capsys, *known, name))["mid"] for name in ("fp16", "int8", "int4"))
    assert four < eight < wide


def test_accelerators_without_narrow_arithmetic_gain_none(capsys):
    """On an A100 8-bit floats spare memory traffic only, as 8-bit integers do; on an H100 arithmetic as well."""
    known = ["--model", "llama-3.1-8b", *REQUEST, "--gpus", "1", "--batch", "256"]
    energies = {
        (board, precision): gpu(estimate(capsys, *known, "--gpu", board, "--precision", precision))["mid"]
        for board in ("a100", "h100")
        for precision in ("fp8", "int8")
    }
    assert energies["a100", "fp8"] == pytest.approx(energies["a100", "int8"])
    assert energies["h100", "fp8"] < 0.9 * energies["h100", "int8"]


def test_a_video_of_unknown_frames_has_the_wider_range(capsys):
    """Without --fps the library's range of frame rates counts; none is taken as if it had been given."""
    video = ("--video-seconds", "5", "--size", "832x480", "--parameters", "14")
    told = estimate(capsys, *video, "--fps", "16")["figures"]["gpu_energy_kwh"]
    unknown = estimate(capsys, *video)["figures"]["gpu_energy_kwh"]
    assert unknown["low"] < told["low"]
    assert unknown["high"] > told["high"]


def test_a_size_that_is_not_given_is_not_guessed(capsys):
    """Without --size the range spans the sizes of the library, and the title says so."""
    told = []
    for more in ((), ("--size", "1024x1024")):
        assert run_command(["--lang", "en", "estimate", "--image", "4", "--model", "flux.1-dev", *more]) == 0
        title, figures = capsys.readouterr().out.split("energy, accelerators", 1)
        low, _mid, high = (float(word.replace(",", "")) for word in figures.split()[:3])
        told.append((title, low, high))
    (bare, low, high), (sized, least, most) = told
    assert "size not given" in bare
    assert "1024x1024" in sized
    assert low < least < most < high
