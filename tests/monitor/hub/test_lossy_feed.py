"""A lossy link is one alert that names the link, not one of every rule it breaks."""

from pathlib import Path

from config.loading import load_spec
from config.settings import SourceSettings
from monitor.hub.hub import Hub
from monitor.lines import Credit, OutLine, Reading
from monitor.rules.model import Alert
from monitor.rules.table import rules_for
from tests.rigs.clips import Clips
from tests.rigs.feeds import ClipSender, free_udp_port
from tests.rigs.relay import LossyRelay
from tests.rigs.workers import Worker, opening

SHARE = 0.03
CLEAN, LOSSY = 40, 80  # readings, of 0.1 s
IT = SourceSettings(id="it", kind="network_feed", name="A camera", department="camera")


def a_hub() -> Hub:
    return Hub(
        [IT],
        rules_for(load_spec("tv-25p-hd"), "feed"),
        production="P",
        unit="U",
        boot_id="boot",
        day=lambda utc_ns: "2026-11-23",
        new_id=iter(map(str, range(10_000))).__next__,
    )


def told(hub: Hub) -> dict[str, Alert]:
    """Return what a page would list, by rule: not what follows from another, no notes."""
    shown = [alert for alert in hub.standing() if alert.suppressed_by is None]
    return {alert.rule: alert for alert in shown if alert.severity != "NOTE"}


def test_a_lossy_link_is_one_alert_that_names_the_link(clips: Clips) -> None:
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25")
    clip: Path = clips.picture(".ts", size="640x360", frames=100, codec=(*codec, "-b:v", "2M"))
    port, hub, readings = free_udp_port(), a_hub(), 0
    before: dict[str, Alert] = {}
    with (
        LossyRelay(port, seed=5) as relay,
        ClipSender(clip, ("-f", "mpegts", f"udp://127.0.0.1:{relay.port}?pkt_size=1316")),
        Worker(
            opening("network_feed", address=f"udp://127.0.0.1:{port}"), Credit(readings=2)
        ) as worker,
    ):

        def heard(line: OutLine) -> bool:
            nonlocal readings, before
            t_ns = worker.arrived_ns[-1]
            hub.line(line, t_ns)
            hub.tick(t_ns)
            if isinstance(line, Reading):
                readings += 1
                if readings == 1:
                    hub.roll(t_ns, "Ada")
                if readings == CLEAN:
                    before = told(hub)
                    relay.share = SHARE
            return readings >= CLEAN + LOSSY

        worker.until(heard, credit=True)
    new = {rule: alert for rule, alert in told(hub).items() if rule not in before}
    assert relay.lost > 10
    assert "video.block_loss" not in before
    assert [(alert.rule, alert.cause) for alert in new.values()] == [("video.block_loss", "link")]
