"""The audio interface source against the virtual sound card, through the real PortAudio.

PortAudio lists devices once a process, so each case runs in a worker of its own, or in a small
process that prints what ``AudioDevice`` gave.
"""

import json
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from capture.source import DeviceMissing
from capture.sources.audio_device import Ring, choose, lost_frames
from monitor.lines import Event, Gap, Hello, Reading, State
from tests.rigs.sound_card import WITHOUT_PORTAUDIO, Format, SoundCard, await_true, environment
from tests.rigs.workers import Worker, is_a, is_live, opening

RATE = 48_000
CAPTURE = """
import json, sys, zlib
from capture.source import Block, OpenFailed
from capture.sources.audio_device import AudioDevice, AudioDeviceOptions
device = AudioDevice(AudioDeviceOptions.model_validate(json.loads(sys.argv[1])))
try:
    (stream,) = device.open()
except OpenFailed as fault:
    print(json.dumps({"fault": type(fault).__name__, "why": str(fault)}))
    sys.exit()
items = []
while sum(len(item.samples) for item in items if isinstance(item, Block)) < 24000:
    item = device.read(0.5)
    if item is not None:
        items.append(item)
device.close()
device.close()
blocks = [item for item in items if isinstance(item, Block)]
print(json.dumps({
    "channels": stream.channels, "rate": stream.sample_rate_hz, "form": stream.sample_format,
    "latency_s": device.latency_s,
    "arrivals": [block.t_arrival_ns for block in blocks],
    "starts": [block.start for block in blocks], "sizes": [len(block.samples) for block in blocks],
    "sums": [zlib.crc32(block.samples.tobytes()) for block in blocks],
    "lost": [item.amount for item in items if not isinstance(item, Block)],
}))
"""


def noise(channels: int, seconds: float = 4.0, quiet: bool = False) -> np.ndarray:
    """Return 24-bit noise, another on every channel and frame, so that nothing can be swapped."""
    random = np.random.default_rng(channels)
    top = 2**16 if quiet else 2**23
    return random.integers(-top, top, (int(RATE * seconds), channels), np.int32) << 8


def capture(card: SoundCard, **options: object) -> dict[str, object]:
    command = [sys.executable, "-c", CAPTURE, json.dumps({"device": card.name, **options})]
    done = subprocess.run(
        command, env=environment(card), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("channels", "form"), [(2, "S32_LE"), (8, "S24_3LE"), (32, "S32_LE"), (8, "FLOAT_LE")]
)
def test_every_sample_arrives_as_the_card_sent_it(
    tmp_path: Path, card_library: Path, channels: int, form: Format
) -> None:
    sent = noise(channels)
    floats = form == "FLOAT_LE"
    with SoundCard(tmp_path, card_library, sent, form=form) as card:
        got = capture(card, sample_format="float32" if floats else None)
    assert (got["channels"], got["rate"]) == (channels, RATE)
    assert got["form"] == ("float32" if floats else "int32")
    expected = (sent / 2**31).astype(np.float32) if floats else sent
    starts, sizes, sums = got["starts"], got["sizes"], got["sums"]
    assert isinstance(starts, list)
    assert isinstance(sizes, list)
    assert isinstance(sums, list)
    if got["lost"]:  # a machine that stood still for a while: what came before it must be exact
        starts = starts[
            : next(n for n in range(1, len(starts)) if starts[n] != starts[n - 1] + 960)
        ]
    assert len(starts) >= 3
    for start, size, checksum in zip(starts, sizes, sums, strict=False):
        assert (
            zlib.crc32(np.ascontiguousarray(expected[start : start + size]).tobytes()) == checksum
        )


def test_fewer_channels_than_the_card_has_are_not_given(tmp_path: Path, card_library: Path) -> None:
    with SoundCard(tmp_path, card_library, noise(2)) as card:
        got = capture(card, channels=4)
    assert got["fault"] == "OpenFailed"
    assert "has 2 input channels, 4 are wanted" in str(got["why"])


def test_an_unknown_device_is_missing_and_the_message_lists_what_is_there(
    tmp_path: Path, card_library: Path
) -> None:
    with SoundCard(tmp_path, card_library, noise(2)) as card:
        got = capture(card, device="no such card")
    assert got["fault"] == "DeviceMissing"
    assert "'cart'" in str(got["why"])


def test_without_portaudio_the_source_says_what_to_install() -> None:
    code = (
        f"{WITHOUT_PORTAUDIO}"
        "from capture.sources.audio_device import AudioDevice, AudioDeviceOptions\n"
        "from capture.source import LibraryMissing\n"
        "try: AudioDevice(AudioDeviceOptions(device='x')).open()\n"
        "except LibraryMissing as fault: print(fault)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "libportaudio2" in done.stdout


def test_a_clip_on_the_card_is_an_event_at_its_sample(tmp_path: Path, card_library: Path) -> None:
    sent = noise(8, quiet=True)
    sent[RATE : RATE + 5, 2] = (2**23 - 1) << 8
    with (
        SoundCard(tmp_path, card_library, sent, form="S24_3LE") as card,
        Worker(opening("audio_device", device="cart"), env=card.env) as worker,
    ):
        hello = worker.until(is_a("hello"))
        event = worker.until(is_a("event"))
        gaps = [line for line in worker.lines if isinstance(line, Gap)]
    assert isinstance(hello, Hello)
    assert isinstance(event, Event)
    assert 0 < hello.latency_s < 0.5
    assert (event.detector, event.channels, event.worst) == ("clipping", [2], 5.0)
    assert event.start == RATE or gaps  # a gap before it is counted by the clock, not exact


def test_an_overrun_is_a_gap_and_sound_goes_on(tmp_path: Path, card_library: Path) -> None:
    with (
        SoundCard(tmp_path, card_library, noise(2)) as card,
        Worker(opening("audio_device", device="cart"), env=card.env) as worker,
    ):
        worker.until(is_a("reading"))
        before = card.overruns
        card.overrun()
        gap = worker.until(is_a("gap"))
        assert isinstance(gap, Gap)
        after = worker.until(lambda line: line.line == "reading" and line.start > (gap.start or 0))
        assert card.overruns > before
    assert (gap.unit, gap.reason) == ("samples", "the device overran")
    assert 0 < gap.amount < RATE
    assert isinstance(after, Reading)


@pytest.mark.parametrize("how", ["unplugged", "its clock stands still"])
def test_a_device_that_goes_is_lost_within_two_seconds(
    tmp_path: Path, card_library: Path, how: str
) -> None:
    with (
        SoundCard(tmp_path, card_library, noise(2)) as card,
        Worker(opening("audio_device", device="cart"), env=card.env) as worker,
    ):
        worker.until(is_live)
        last = worker.until(is_a("reading"))
        (card.unplug if how == "unplugged" else card.stall)()
        lost = worker.until(lambda line: line.line == "state" and line.state == "lost")
        assert isinstance(last, Reading)
        assert isinstance(lost, State)
        readings = [line for line in worker.lines if isinstance(line, Reading)]
        assert lost.t_mono_ns - readings[-1].t_arrival_ns < 2_000_000_000
        assert worker.wait() == 4


def test_a_device_that_is_not_there_ends_the_worker_with_its_own_status(
    tmp_path: Path, card_library: Path
) -> None:
    with SoundCard(tmp_path, card_library, noise(2)) as card:
        card.unplug()
        with Worker(opening("audio_device", device="cart"), env=card.env) as worker:
            last = worker.rest()[-1]
            assert isinstance(last, State)
            assert last.state == "lost"
            assert "cart" in str(last.why)
            assert worker.wait() == 5


def test_a_fast_card_clock_shows_in_the_count_of_samples(
    tmp_path: Path, card_library: Path
) -> None:
    with SoundCard(tmp_path, card_library, noise(2)) as card:
        card.clock_offset(200_000)
        got = capture(card)
    arrivals, starts = got["arrivals"], got["starts"]
    assert isinstance(arrivals, list)
    assert isinstance(starts, list)
    rate = (starts[-1] - starts[0]) / (arrivals[-1] - arrivals[0]) * 1e9
    assert rate == pytest.approx(1.2 * RATE, rel=0.06)


def test_a_device_is_chosen_by_its_whole_name_before_a_part_of_it() -> None:
    names = ["cart 2", "cart", "USB Scarlett"]
    assert choose("cart", names) == 1
    assert choose("scarlett", names) == 2
    with pytest.raises(DeviceMissing, match="several inputs match 'car'"):
        choose("car", names)
    with pytest.raises(DeviceMissing, match="inputs here: none"):
        choose("cart", [])


def test_a_full_ring_counts_what_it_could_not_take() -> None:
    ring = Ring(2, 4, 1, "int32")
    for value in (1, 2, 3, 4):
        ring.put(np.full((4, 1), value, np.int32), False, value)
    assert [int(ring.take()[0][0, 0]) for _ in range(2)] == [1, 2]
    ring.put(np.full((3, 1), 5, np.int32), True, 5)
    samples, overflow, missed, arrival = ring.take()
    assert (samples.tolist(), overflow, missed, arrival) == ([[5], [5], [5]], True, 8, 5)
    assert not ring.wait(0.0)


def test_an_overrun_costs_the_time_that_passed_less_the_block_and_at_least_a_sample() -> None:
    assert lost_frames(50_000_000, 960, RATE) == 1440
    assert lost_frames(20_000_000, 960, RATE) == 1
    assert lost_frames(0, 960, RATE) == 1


def test_the_card_itself_tells_when_a_frame_leaves_it(tmp_path: Path, card_library: Path) -> None:
    with (
        SoundCard(tmp_path, card_library, noise(2)) as card,
        Worker(opening("audio_device", device="cart"), env=card.env) as worker,
    ):
        reading = worker.until(is_a("reading"))
        assert isinstance(reading, Reading)
        await_true(lambda: card.started[0] > 0)
        left = card.leaves_ns(reading.end)
        assert -20_000_000 < reading.t_arrival_ns - left < 500_000_000
