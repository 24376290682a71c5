"""The monitor as a source of its own: its disk, and the times it was away. Pure."""

from monitor.hub.keeping import Keeping
from monitor.lines import Event, Hello, Reading, Stream
from monitor.metrics import Value, declare
from monitor.records import GapBody, GapRecord
from monitor.rules.sources import SourceFacts
from monitor.takes.assign import SERVICE

OWN_STREAM = Stream(index=0, kind="data", time_base="1/1000000000")
OURSELVES = SourceFacts(id=SERVICE, name="the monitor", department="both", group=SERVICE)

declare("storage_left_min", "min", "scalar", "min", "minutes the journal's disk still holds")
declare("storage_free_bytes", "bytes", "scalar", "min", "free space on the journal's disk")


def hello(boot_id: str) -> Hello:
    """Return the line by which the rules know the monitor's own stream; its ticks are the axis."""
    return Hello(
        node="", boot_id=boot_id, pid=0, source=SERVICE, kind="service", epoch=0, latency_s=0.0,
        streams=[OWN_STREAM],
    )  # fmt: skip


def _reading(start_ns: int, end_ns: int, values: dict[str, Value]) -> Reading:
    return Reading(
        source=SERVICE, seq=0, stream=0, epoch=0, start=start_ns, end=end_ns, t_arrival_ns=end_ns,
        values=values,
    )  # fmt: skip


def storage(hub: Keeping, left_min: float, free_bytes: int, t_ns: int) -> None:
    """Take what the disk of the journal still holds; it obeys a rule like any other metric."""
    values: dict[str, Value] = {"storage_left_min": left_min, "storage_free_bytes": free_bytes}
    hub.judged(hub.engine.line(_reading(t_ns, t_ns, values), t_ns), t_ns)


def down(hub: Keeping, since_ns: int, t_ns: int, why: str) -> None:
    """Say that nothing was watched from ``since_ns`` until now: a hole, and an alert."""
    away_s = round((t_ns - since_ns) / 1e9, 3)
    event = {
        "source": SERVICE,
        "stream": 0,
        "epoch": 0,
        "time_base": OWN_STREAM.time_base,
        "id": f"{SERVICE}-{since_ns}-{t_ns}",
        "detector": "monitoring_lost",
        "start": since_ns,
        "end": t_ns,
        "worst": away_s,
        "unit": "s",
        "detail": why,
        "t_arrival_ns": t_ns,
    }
    hub.engine.line(_reading(since_ns, t_ns, {}), t_ns)  # where our own ticks lie on the axis
    for phase in ("open", "close"):
        line = Event.model_validate({**event, "phase": phase})
        hub.judged(hub.engine.line(line, t_ns), t_ns)
    gap = GapRecord(
        source=SERVICE, stream=None, amount=away_s, unit="s", reason=why, t_ns=t_ns
    )  # the report counts back from the end
    hub.record(GapBody(gap=gap), t_ns)
