"""A worker that cannot keep up with a real feed, as a real process."""

import pytest

from capture.source import RUNGS
from monitor.lines import Event, Gap, Reading
from tests.rigs.feeds import TsSender, free_udp_port
from tests.rigs.workers import Worker, opening

# A viewer that takes four times as long as a picture lasts, for the feed's first ten seconds.
SLOW = """
import time
import monitor.worker.ladder as ladder
from monitor.measure.picture.viewer import viewer
ladder.OPENING_S = ladder.UP_S = 1.0
BEGAN = []
@viewer("slow", sparse=True)
class Slow:
    def __init__(self, setup): pass
    def see(self, view):
        BEGAN.append(view.tick)
        end = time.monotonic() + (0.16 if view.tick - BEGAN[0] < 7 * 90_000 else 0)
        while time.monotonic() < end:
            time.sleep(0.01)
    def drain(self): return {}
    def events(self): return []
    def reset(self): pass
    def finish(self, end): pass
"""


def test_a_starved_worker_climbs_down_says_so_keeps_every_packet_and_climbs_up_again() -> None:
    port = free_udp_port()
    with TsSender(port) as sender:
        options: dict[str, object] = {"address": sender.address}
        with Worker(opening("network_feed", **options), before=SLOW) as worker:
            rungs: list[str] = []

            def is_up_again(line: object) -> bool:
                if isinstance(line, Reading) and "decoding" in line.values:
                    rungs.append(str(line.values["decoding"]))
                return len(rungs) > 1 and rungs[-1] == RUNGS[0]

            worker.until(is_up_again)
            lines = list(worker.lines)
    assert rungs[:3] == list(RUNGS[:3])
    assert rungs[-2:] == [RUNGS[1], RUNGS[0]]
    events = [line for line in lines if isinstance(line, Event)]
    told = [e for e in events if e.detector == "decoding_key_frames"]
    assert [e.phase for e in told][:2] == ["open", "close"]
    assert "freeze" in str(told[0].detail)
    assert told[1].worst is not None
    assert told[1].worst > 0
    # conformance: packets are measured without a gap, and nothing is blamed on the feed
    gaps = [(line.unit, line.reason) for line in lines if isinstance(line, Gap)]
    assert [gap for gap in gaps if gap[0] != "frames"] == []
    assert not {e.detector for e in events} & {"frames_dropped", "picture_damaged", "freeze"}
    readings = [
        r for r in lines if isinstance(r, Reading) and "key_frame_interval_max_s" in r.values
    ]
    assert readings[-1].values["key_frame_interval_max_s"] == pytest.approx(0.48)
    rates = [r.values["bit_rate_1s_bps"] for r in readings if r.values.get("bit_rate_1s_bps")]
    span_s = (readings[-1].end - readings[0].end) / 90_000
    assert len(rates) > 2 * span_s
