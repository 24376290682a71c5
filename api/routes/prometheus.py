"""``/metrics`` for Prometheus, in its text format."""

from collections import Counter
from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from api.routes.needs import TheService, TheSession, Viewer

router = APIRouter(tags=["metrics"])
Sample = tuple[dict[str, str], float]


def exposition(name: str, kind: str, text: str, samples: Iterable[Sample]) -> str:
    """Return one metric with its samples, labels escaped."""
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        lines.append(f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:g}")
    return "\n".join(lines) + "\n"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(service: TheService, session: TheSession, who: Viewer) -> PlainTextResponse:
    """Return counters of the monitor itself."""
    sources = list(session.hub.watching.values())
    standing = Counter(
        (alert.severity, alert.rule, alert.source) for alert in session.hub.standing()
    )
    parts = [
        exposition(
            "takewatch_source_live",
            "gauge",
            "1 when the source is live.",
            [({"source": s.id}, float(s.state == "live")) for s in sources],
        ),
        exposition(
            "takewatch_readings_total",
            "counter",
            "Reading intervals taken, merged ones counted singly.",
            [({"source": s.id}, s.readings) for s in sources],
        ),
        exposition(
            "takewatch_coarser_total",
            "counter",
            "Readings merged into later ones for want of time.",
            [({"source": s.id}, s.coarser) for s in sources],
        ),
        exposition(
            "takewatch_dropped_total",
            "counter",
            "What a worker dropped for want of time.",
            [({"source": s.id, "what": w}, n) for s in sources for w, n in s.dropped.items()],
        ),
        exposition(
            "takewatch_alerts",
            "gauge",
            "Alerts that stand.",
            [
                ({"severity": severity, "rule": rule, "source": source}, count)
                for (severity, rule, source), count in standing.items()
            ],
        ),
        exposition(
            "takewatch_journal_writable",
            "gauge",
            "1 when the journal can be written.",
            [({}, float(session.recording))],
        ),
        exposition(
            "takewatch_journal_waiting",
            "gauge",
            "Records not written yet.",
            [({}, session.journal.waiting)],
        ),
        exposition(
            "takewatch_line_log_lost_total",
            "counter",
            "Rows the line log had no room for.",
            [({}, session.line_log.lost)],
        ),
        exposition(
            "takewatch_clients", "gauge", "Pages connected.", [({}, len(service.live.clients))]
        ),
        exposition(
            "takewatch_clients_closed_slow_total",
            "counter",
            "Pages closed because they did not keep up.",
            [({}, service.live.closed_slow)],
        ),
    ]
    return PlainTextResponse("".join(parts), media_type="text/plain; version=0.0.4; charset=utf-8")
