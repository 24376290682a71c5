"""The audio-video offset of a live feed, from a real sender's flashes and beeps to the hub."""

from pathlib import Path

import pytest

from monitor.lines import Credit, OutLine
from tests.monitor.hub.test_lossy_feed import a_hub
from tests.monitor.measure.test_av_offset import OUT_OF_STEP_S, shown
from tests.rigs.feeds import TsSender, free_udp_port
from tests.rigs.workers import Worker, opening

LATE_MS = 85.0
LIVE_MS = 10.0  # one of six runs on loaded cores was 6 ms off


def test_a_live_feed_s_offset_is_known_after_some_flashes_and_told_when_too_large(
    tmp_path: Path,
) -> None:
    clip = shown(tmp_path / "it.ts", "25", LATE_MS, OUT_OF_STEP_S, "aac -b:a 128k", "1")
    port, hub = free_udp_port(), a_hub()
    hub.set_line_up(True, 0, "Ada")
    with (
        Worker(
            opening("network_feed", address=f"udp://127.0.0.1:{port}"), Credit(readings=2)
        ) as worker,
        TsSender(port, file=clip),
    ):

        def known(line: OutLine) -> bool:
            t_ns = worker.arrived_ns[-1]
            hub.line(line, t_ns)
            hub.tick(t_ns)
            values = hub.watching["it"].values.get(0, {})
            pairs = values.get("av_offset_pairs")
            return isinstance(pairs, int) and pairs >= 7

        worker.until(known, credit=True)
    values = hub.watching["it"].values[0]
    offset = values["av_offset_ms"]
    assert isinstance(offset, float)
    assert offset == pytest.approx(-LATE_MS, abs=LIVE_MS)
    told = {alert.rule: alert for alert in hub.standing()}
    assert told["video.av_offset"].severity == "CHECK"
    assert told["video.av_offset"].cause == "setting"
