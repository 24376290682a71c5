"""The kind ``state``: a source that is lost or stalled. Absence is a rule of its own."""

from collections.abc import Iterator

from config.spec import Rule
from monitor.lines import OutLine, State
from monitor.rules.kinds import Evidence, View, Where, kind

ENDED_LIVE = "lost"  # a live peer that ends politely is as gone as one that was cut off


def judged(wanted: str, found: str, live: bool) -> bool | None:
    """Say whether a state is the wanted one; what is starting has not come back yet."""
    if found == "ended" and live:
        found = ENDED_LIVE
    if found == wanted:
        return True
    if found == "live" or (found == "lost" and wanted == "stalled"):
        return False
    return False if found == "ended" else None


@kind("state", ("state",), needs_limit=True)
def state(rule: Rule, line: OutLine, t_ns: int, view: View) -> Iterator[Evidence]:
    """Draw evidence from a state line; ``limit.value`` is the state the rule is about."""
    assert isinstance(line, State)
    assert rule.limit is not None
    true = judged(str(rule.limit.value), line.state, view.live)
    where = Where(source=line.source)
    if true or view.followed(rule, where):
        yield Evidence(
            where=where, true=true, from_ns=t_ns, to_ns=t_ns, lasting=True, detail=line.why
        )
