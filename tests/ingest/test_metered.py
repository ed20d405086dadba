"""One protocol for the records of other meters, clusters and statements, over their recordings."""

import io
import json
import re
import sys
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from metered import METERED
from test_fuzz import mutated, mutations

from joulebook.errors import ExtraMissing, JoulebookError
from joulebook.ingest.meters import perun
from joulebook.ingest.reader import detect, reader, tables_of
from joulebook.terms.boundary import Boundary
from joulebook.terms.finding import RULES, Finding
from joulebook.terms.statement import STATED
from joulebook.terms.tables import TABLES
from joulebook.terms.tier import Tier
from joulebook.terms.usage import TOKEN_CLASSES

USED = (
    "device_hours", "vcpu_hours", "memory_gb_hours", "storage_gb_hours", "network_gb", *TOKEN_CLASSES, "cost_usd",
)  # fmt: skip
every_recording = pytest.mark.parametrize("recording", METERED, ids=lambda one: one.file)


def read(recording, content=None):
    """Everything a reader makes of a recording."""
    stream = io.BytesIO(recording.content() if content is None else content)
    return list(reader(recording.reader).parse(stream, recording.read_options()))


def kind_of(row):
    """The table that a row goes into, by its key."""
    return next(name for name in ("usage", "energy", "statement") if TABLES[name].unique in row)


def check(found):
    """What must hold for everything that a reader gives: columns of the table, finite figures, an aware span."""
    for row in found:
        if isinstance(row, Finding):
            assert row.rule in RULES
            assert row.message
            continue
        kind = kind_of(row)
        assert set(row) <= {*TABLES[kind].columns, "correction_key"}
        assert re.fullmatch("[0-9a-f]{32}", row[TABLES[kind].unique])
        if kind == "energy":
            assert row["started_at"].utcoffset().total_seconds() == 0
            assert row["started_at"] <= row["ended_at"]
            assert 0 < row["it_energy_low_kwh"] <= row["it_energy_kwh"] <= row["it_energy_high_kwh"] < float("inf")
            assert row["tier"] in set(Tier)
            assert row["boundary"] in set(Boundary)
        elif kind == "usage":
            assert row["started_at"].utcoffset().total_seconds() == 0
            sign = -1 if "correction_key" in row else 1
            assert all(row[name] * sign >= 0 for name in USED[:-1] if row.get(name) is not None)
        else:
            assert row["period_start"] <= row["period_end"]
            assert all(row[name] >= 0 for name in STATED if name in row)


@every_recording
def test_golden_totals(recording):
    """Each recording gives exactly its energy by component, method and tier, its statements and its warnings."""
    found = read(recording)
    check(found)
    energy, stated, used = Counter(), Counter(), Counter()
    for row in found:
        if isinstance(row, Finding):
            continue
        if "energy_key" in row:
            energy[f"{row['component']} {row['method']} {row['tier']}"] += row["it_energy_kwh"]
        for name in STATED:
            if name in row:
                stated[name] += row[name]
        for name in USED:
            if kind_of(row) == "usage" and row.get(name) is not None:
                used[name] += row[name]
    assert dict(energy) == pytest.approx(recording.energy)
    assert dict(stated) == pytest.approx(recording.statements)
    assert dict(used) == pytest.approx(recording.usage)
    findings = [row for row in found if isinstance(row, Finding)]
    assert [row for row in findings if row.is_error] == []
    assert tuple(row.rule for row in findings) == recording.warnings


@every_recording
def test_reading_again_gives_the_same_rows(recording):
    """A copy of a file gives the same rows with the same keys, and no key twice."""
    found = read(recording)
    assert read(recording) == found
    keys = [row[TABLES[kind_of(row)].unique] for row in found if not isinstance(row, Finding)]
    assert len(set(keys)) == len(keys)


@every_recording
def test_detected_first(recording, tmp_path):
    """The format of a recording is the surest guess, with a reason in words, and it says which tables it fills."""
    path = tmp_path / recording.file
    path.write_bytes(recording.content())
    if recording.is_detected:
        found = detect(path)
        assert found[0].name == recording.reader
        assert found[0].certainty > 0.5
        assert found[0].signs
    assert set(tables_of(recording.reader)) <= {"usage", "energy", "statement", "correction"}


def damage(recording):
    """One property test over damaged bytes: what comes out is well-formed, or it is one clear error."""

    def holds(steps):
        with suppress(JoulebookError):
            check(read(recording, mutated(recording.content(), steps)))

    return holds


def many(examples, recording):
    """Run it over that many damaged files."""
    calm = settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    calm(given(steps=mutations)(damage(recording)))()


@every_recording
def test_damaged_files(recording):
    """Whatever is done to a file, what comes out of it is well-formed, or one clear error."""
    many(60, recording)


@pytest.mark.nightly
@every_recording
def test_damaged_files_ten_thousand_times(recording):
    """The same, ten thousand times."""
    many(10_000, recording)


@every_recording
def test_bytes_of_other_systems(recording):
    """Line ends of Windows and a byte order mark change nothing."""
    content = recording.content()
    if b"\x00" in content[:200]:
        return
    windows = b"\xef\xbb\xbf" + content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert [row for row in read(recording, windows) if not isinstance(row, Finding)] == [
        row for row in read(recording) if not isinstance(row, Finding)
    ]


def test_runs_of_perun_follow_each_other():
    """The runs of one execution lie one behind the other, each as long as its sensors were read."""
    recording = next(one for one in METERED if one.reader == "perun")
    rows = [row for row in read(recording) if not isinstance(row, Finding) and row.get("component") == "cpu"]
    assert [(row["started_at"].second, row["ended_at"].second, row["host"]) for row in rows] == [
        (0, 10, "n1"),
        (10, 20, "n1"),
    ]
    assert rows[0]["device"] == "cpu_0_package-0 AMD EPYC 7742"


@pytest.mark.parametrize(("seconds", "rule"), [(None, "missing-value"), (-1.0, "bad-number"), (1e12, "bad-number")])
def test_a_run_of_perun_without_its_length_is_told(monkeypatch, seconds, rule):
    """A run whose length is not told, or cannot be, is a finding and no run of no length; nor are those after it."""
    recording = next(one for one in METERED if one.reader == "perun")
    metric = perun._metric
    monkeypatch.setattr(perun, "_metric", lambda node, name: seconds if name == "RUNTIME" else metric(node, name))
    found = read(recording)
    told = [(one.rule, one.facts["column"]) for one in found if isinstance(one, Finding) and one.is_error]
    assert told == [(rule, "RUNTIME")]
    assert not [one for one in found if not isinstance(one, Finding) and "energy_key" in one]


def test_a_package_that_a_format_needs_is_named(monkeypatch):
    """Without the package that reads HDF5 the error says what to install."""
    recording = next(one for one in METERED if one.reader == "perun")
    monkeypatch.setitem(sys.modules, "pyfive", None)
    with pytest.raises(ExtraMissing, match=r"joulebook\[perun\]"):
        read(recording)


def test_the_power_of_a_slurm_step_is_no_energy():
    """What Slurm's JSON calls consumed energy of a step is its mean power; the energy stands under requested."""
    energy = {"type": "energy", "name": "", "id": 3}
    step = {
        "step": {"id": "7.0", "name": "train"},
        "tres": {
            "requested": {"total": [{**energy, "count": 101_630}]},
            "consumed": {"total": [{**energy, "count": 794}]},
        },
    }
    job = {"job_id": 7, "nodes": "n1", "state": {"current": ["COMPLETED"]}, "tres": {"allocated": []}, "steps": [step]}
    answer = {"jobs": [{**job, "time": {"start": 1714557600, "end": 1714557722, "elapsed": 122}}]}
    found = reader("slurm").parse(io.BytesIO(json.dumps(answer).encode()), METERED[0].read_options())
    assert [row["it_energy_kwh"] for row in found if not isinstance(row, Finding)] == [pytest.approx(101_630 / 3.6e6)]


def kepler_watts(at, watts):
    """Samples of one node's package power, as text with times."""
    labels = 'node_name="n1",zone="package",path="/sys/0"'
    text = "".join(f"kepler_node_cpu_watts{{{labels}}} {watts} {START + seconds}\n" for seconds in at)
    return list(reader("prometheus-energy").parse(io.BytesIO(text.encode()), METERED[0].read_options()))


START = 1714557600


def test_gaps_of_power_are_told_and_widen_their_hours():
    """Where the power was not read for long, nobody knows what it was: the hour's range holds it, and it is told."""
    (row, told) = kepler_watts([*range(0, 1801, 60), *range(2700, 3601, 60)], 100)
    assert row["it_energy_kwh"] == pytest.approx(0.1)
    assert (row["it_energy_low_kwh"], row["it_energy_high_kwh"]) == (pytest.approx(0.075), pytest.approx(0.1))
    assert (told.rule, told.facts, told.is_error) == ("power-gaps", {"count": 1, "seconds": "900"}, False)


def test_an_hour_without_any_power_is_not_booked():
    """An hour that lies in a gap as a whole is unknown: it is told and gives no row."""
    found = kepler_watts([*range(0, 3601, 60), *range(3 * 3600, 4 * 3600 + 1, 60)], 100)
    rows = [one for one in found if not isinstance(one, Finding)]
    assert [row["started_at"].timestamp() - START for row in rows] == [0, 3 * 3600]
    told = {one.rule: one.facts["count"] for one in found if isinstance(one, Finding)}
    assert told == {"partial-hours": 2, "power-gaps": 1}


def test_power_read_without_gaps_is_sure():
    """Steady samples give an hour without a range of their own."""
    (row,) = kepler_watts(range(0, 3601, 60), 100)
    assert row["it_energy_low_kwh"] == row["it_energy_kwh"] == row["it_energy_high_kwh"] == pytest.approx(0.1)


def test_watts_and_joules_of_a_zone_are_one_reading():
    """A zone's watts in one export and its joules in another give the same key, so that a book holds one of them."""
    counter = 'kepler_node_cpu_joules_total{node_name="n1",zone="package",path="/sys/0"}'
    joules = "".join(f"{counter} {seconds * 100} {START + seconds}\n" for seconds in range(0, 3601, 60))
    (counted,) = reader("prometheus-energy").parse(io.BytesIO(joules.encode()), METERED[0].read_options())
    assert counted["energy_key"] == kepler_watts(range(0, 3601, 60), 100)[0]["energy_key"]


def test_a_dump_of_promtool_that_begins_with_a_sample():
    """The first line of a dump has the metric among its labels: that is no JSON, though it begins with a brace."""
    line = '{{__name__="DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", UUID="GPU-1", gpu="0"}} {} {}\n'
    text = line.format(1_000_000, 1_763_456_400_000) + line.format(3_601_000_000, 1_763_460_000_000)
    found = reader("prometheus-energy").parse(io.BytesIO(text.encode()), METERED[0].read_options())
    assert [row["it_energy_kwh"] for row in found if not isinstance(row, Finding)] == [pytest.approx(1.0)]


def test_accelerators_of_several_types_in_a_job():
    """Each type of accelerator that a job without energy was allotted is a use; its processors are counted once.

    Source: TRES strings of jobs in public repositories, with a count per type beside the count of all.
    """
    header = "JobID|Start|End|ElapsedRaw|State|AllocTRES\n"
    tres = "billing=10,cpu=8,gres/gpu:a100=1,gres/gpu:a40=2,gres/gpu=4,gres/gpumem=10G,mem=64G,node=1"
    text = f"{header}1|2026-01-02T00:00:00|2026-01-02T01:00:00|3600|COMPLETED|{tres}\n"
    found = reader("slurm").parse(io.BytesIO(text.encode()), METERED[0].read_options())
    rows = [row for row in found if not isinstance(row, Finding)]
    told = [(row["device"], row["device_hours"], row.get("vcpu_hours")) for row in rows]
    assert told == [("a100", 1, 8), ("a40", 2, None), ("gpu", 1, None)]
    assert len({row["usage_key"] for row in rows}) == len(rows)


def test_a_job_that_never_began_used_nothing():
    """A job cancelled in the queue has an end and no start: it is no use, and no fault of the file."""
    text = "JobID|Start|End|ElapsedRaw|State\n" + "1|None|2026-01-02T01:00:00|0|CANCELLED by 5\n"
    record = {"job_id": 2, "state": {"current": ["CANCELLED"]}, "tres": {}, "time": {"start": 0, "end": 1767315600}}
    for content in (text, json.dumps({"jobs": [record]})):
        assert list(reader("slurm").parse(io.BytesIO(content.encode()), METERED[0].read_options())) == []
