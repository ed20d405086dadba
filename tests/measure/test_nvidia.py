"""NVIDIA boards through the real binding and a driver of known energy."""

import pytest

from joulebook.measure.nvidia import NvidiaReader
from joulebook.measure.reading import Kind
from joulebook.terms.tier import Tier


def play(recorder, clock, reader, seconds, interval_s=1.0):
    """Record for so long; the tally."""
    taken = recorder(reader, interval_s=interval_s)
    taken.sample()
    ticks = 10 if taken.tally.fast_channels else 1
    clock.ticks = round(seconds / interval_s) * ticks
    taken._run()
    return taken


def test_counter_on_a_square_wave(recorder, clock, fake_nvml):
    """Energy counters follow a square wave of 50 and 350 W, sampled at 1 Hz, within 0.1 %."""
    fake = fake_nvml(BOARDS=8, PERIOD_S=0.7)
    start = clock.seconds
    taken = play(recorder, clock, NvidiaReader({}), 60)
    truth = fake.joules(start, clock.seconds)
    assert len(taken.tally.integrators) == 8
    for one in taken.tally.integrators:
        assert one.joules == pytest.approx(truth, rel=1e-3)
        assert one.channel.tier is Tier.MEASURED


def test_coarse_counter(recorder, clock, fake_nvml):
    """A counter the driver renews only every 100 ms still follows within 0.1 % over two minutes."""
    fake = fake_nvml(PERIOD_S=0.7, GRAIN_S=0.1)
    start = clock.seconds
    taken = play(recorder, clock, NvidiaReader({}), 120)
    assert taken.tally.integrators[0].joules == pytest.approx(fake.joules(start, clock.seconds), rel=1e-3)


@pytest.mark.parametrize("period_s", [0.3, 0.7, 1.0, 1.7, 5.0])
def test_average_power_only(recorder, clock, fake_nvml, period_s):
    """A board that tells only averaged power is within 3 % at 1 Hz, whatever the period of the wave."""
    fake = fake_nvml(HAS="average,instant", PERIOD_S=period_s)
    start = clock.seconds
    taken = play(recorder, clock, NvidiaReader({}), 60)
    assert taken.tally.integrators[0].channel.kind is Kind.AVERAGE
    assert taken.tally.integrators[0].joules == pytest.approx(fake.joules(start, clock.seconds), rel=0.03)


@pytest.mark.parametrize("period_s", [0.7, 1.0, 1.7, 5.0])
def test_instant_power_only(recorder, clock, fake_nvml, period_s):
    """A board that tells only power at an instant is within 3 % at 1 Hz, and is called derived."""
    fake = fake_nvml(HAS="instant", PERIOD_S=period_s)
    start = clock.seconds
    taken = play(recorder, clock, NvidiaReader({}), 60)
    assert taken.tally.integrators[0].channel.tier is Tier.DERIVED
    assert taken.tally.integrators[0].joules == pytest.approx(fake.joules(start, clock.seconds), rel=0.03)


@pytest.mark.parametrize("period_s", [0.3, 0.7, 1.0, 1.7, 5.0])
def test_buffer_of_power(recorder, clock, fake_nvml, period_s):
    """A board without a counter is read through the driver's buffer: within 1 % at 1 Hz, and called derived."""
    fake = fake_nvml(HAS="samples,instant", PERIOD_S=period_s)
    start = clock.seconds
    taken = play(recorder, clock, NvidiaReader({}), 60)
    one = taken.tally.integrators[0]
    assert (one.channel.method, one.channel.tier) == ("nvml.power_samples", Tier.DERIVED)
    assert not taken.tally.fast_channels
    assert one.joules == pytest.approx(fake.joules(start, clock.seconds), rel=0.01)


def test_buffer_that_ran_over(recorder, clock, fake_nvml):
    """After a pause longer than the buffer the time between is filled, flagged and has a range; never negative."""
    fake = fake_nvml(HAS="samples", PERIOD_S=0.5)
    taken = recorder(NvidiaReader({}))
    taken.sample()
    for seconds in (1.0, 1.0, 60.0, 1.0):
        clock.move(seconds)
        taken.sample()
    one = taken.tally.integrators[0]
    truth = fake.joules(clock.seconds - 63, clock.seconds)
    assert one.reset_count == 1
    assert one.low_joules < truth * 0.2
    assert one.joules == pytest.approx(truth, rel=0.15)


@pytest.mark.parametrize(
    ("environment", "boards"),
    [
        ({"CUDA_VISIBLE_DEVICES": "1"}, None),
        ({"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, ["GPU-fake-01"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-fake-03"}, ["GPU-fake-03"]),
        ({"CUDA_VISIBLE_DEVICES": "3,2,1,0"}, [f"GPU-fake-0{number}" for number in range(4)]),
        ({}, [f"GPU-fake-0{number}" for number in range(4)]),
    ],
)
def test_boards_of_several_models(fake_nvml, environment, boards):
    """With mixed boards CUDA's numbers are not the driver's: no board is guessed, the way to say which is told."""
    fake_nvml(BOARDS=4, NAME="NVIDIA A100", OTHER_NAME="NVIDIA T4")
    opened = NvidiaReader(environment).open()
    if boards is None:
        assert opened.channels == ()
        assert "PCI_BUS_ID" in opened.absences[0].remedy
    else:
        assert [channel.device_uuid for channel in opened.channels] == boards
        assert opened.absences == []


def test_reset_of_the_driver(recorder, clock, fake_nvml):
    """A driver that is loaded anew gives one flagged interval and stays within 2 %; never less than before."""
    fake = fake_nvml(PERIOD_S=0.5, RESET_AT=clock.seconds + 20.4)
    start = clock.seconds
    taken = play(recorder, clock, NvidiaReader({}), 60)
    one = taken.tally.integrators[0]
    assert one.reset_count == 1
    assert one.joules == pytest.approx(fake.joules(start, clock.seconds), rel=0.02)
    assert one.low_joules <= fake.joules(start, clock.seconds) <= one.high_joules


def test_unplugged(recorder, clock, fake_nvml):
    """A board that falls off the bus keeps what was read and is reported; the others go on."""
    fake = fake_nvml(BOARDS=2, LOST_AT=clock.seconds + 10.5)
    start = clock.seconds
    taken = play(recorder, clock, NvidiaReader({}), 20)
    assert taken.tally.integrators[0].joules == pytest.approx(fake.joules(start, start + 10), rel=1e-3)
    assert taken.tally.lost_reads == 20


def test_visible_devices(clock, fake_nvml):
    """Only the boards that CUDA_VISIBLE_DEVICES names are measured; as in CUDA the list ends at a wrong name."""
    fake_nvml(BOARDS=8)
    uuids = lambda value: [one.device_uuid for one in NvidiaReader({"CUDA_VISIBLE_DEVICES": value}).open().channels]  # noqa: E731
    assert uuids("2,0") == ["GPU-fake-00", "GPU-fake-02"]
    assert uuids("GPU-fake-03") == ["GPU-fake-03"]
    assert uuids("1,9,2") == ["GPU-fake-01"]
    assert uuids("") == []
    assert uuids("-1") == []


def test_mig_board_counts_once(clock, fake_nvml):
    """Two of seven instances of a board give one channel of the board, with two sevenths of it as ours."""
    fake_nvml(MIG=7)
    opened = NvidiaReader({"CUDA_VISIBLE_DEVICES": "MIG-fake-00-0,MIG-fake-00-3"}).open()
    assert [(one.device_uuid, one.tier) for one in opened.channels] == [("GPU-fake-00", Tier.DERIVED)]
    assert opened.channels[0].share == pytest.approx(2 / 7)


def test_grace_hopper_module(recorder, clock, fake_nvml):
    """On GH200 the module's power is a reading of the whole board, which holds the GPU and is not added to it."""
    fake_nvml(NAME="NVIDIA GH200 480GB", HAS="energy,average,instant,module")
    channels = NvidiaReader({}).open().channels
    assert [one.domain for one in channels] == ["board", "module"]
    assert channels[1].contains == ("gpu", "cpu", "memory")


def test_driver_that_does_not_answer(clock, fake_nvml):
    """A library without a driver is an absence with a next step, not an error and not zero."""
    fake_nvml(BROKEN=1)
    opened = NvidiaReader({}).open()
    assert not opened.channels
    assert opened.absences[0].component == "gpu"


def test_board_without_power(clock, fake_nvml):
    """A virtual GPU that tells neither energy nor power is missing, by name."""
    fake_nvml(HAS="none")
    opened = NvidiaReader({}).open()
    assert not opened.channels
    assert opened.absences[0].facts == {"device": "NVIDIA Fake 350W"}


def test_rest_is_shown_apart(recorder, clock, fake_nvml):
    """Energy at the lowest power seen is told apart from the rest: a board at 50 W between bursts of 350 W."""
    fake_nvml(PERIOD_S=20)
    taken = play(recorder, clock, NvidiaReader({}), 60)
    one = taken.tally.integrators[0]
    assert one.rest_joules == pytest.approx(50 * 60, rel=0.01)
    assert one.joules == pytest.approx(200 * 60, rel=0.01)
