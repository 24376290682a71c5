"""What the page is shown, made from the hub's state. Pure."""

from collections.abc import Sequence

from api.messages import Glance, LineUpView, MutedView, SourceView
from monitor.hub.glance import Verdict
from monitor.hub.hub import Hub
from monitor.hub.watching import Watching
from monitor.lines import Stream
from monitor.rules.muting import Mute


def source_view(hub: Hub, source: Watching) -> SourceView:
    """Return one source."""
    offset_ns = hub.wall.offset_ns
    return SourceView(
        id=source.id,
        name=source.settings.name,
        kind=source.settings.kind,
        group=source.group,
        department=source.department,
        practice=source.practice,
        state=source.state,
        why=source.why,
        since_utc_ns=source.since_ns + offset_ns,
        last_seen_utc_ns=None if source.last_seen_ns is None else source.last_seen_ns + offset_ns,
        streams=_named(source),
        programme=_programme(source),
        still=_still(source),
        words=source.words(),
        muted=[_muted(mute) for mute in hub.engine.mutes() if mute.where.source == source.id],
        line_up=_line_up(hub, source),
    )


def _line_up(hub: Hub, source: Watching) -> LineUpView:
    known = hub.line_up.learned.get(source.id)
    return LineUpView(
        learned_utc_ns=known.utc_ns if known else None,
        who=known.who if known else None,
        learned=len(known.body.channels) if known else 0,
        channels=hub.line_up.channels(hub, source) if hub.line_up.on else [],
    )


def _muted(mute: Mute) -> MutedView:
    return MutedView(
        stream=mute.where.stream or 0,
        channel=mute.where.channel or 0,
        who=mute.who,
        since_utc_ns=mute.utc_ns,
    )


def _named(source: Watching) -> list[Stream]:
    """Return the streams, the first sound's channels with the names of the settings."""
    names, streams = source.settings.channel_names, list(source.streams)
    for at, stream in enumerate(streams):
        if stream.kind == "audio" and names and stream.channels:
            given = [*names, *(stream.channel_names or [])[len(names) :]][: stream.channels]
            streams[at] = stream.model_copy(update={"channel_names": given})
            break
    return streams


def _programme(source: Watching) -> list[int] | None:
    chosen = source.settings.programme
    return None if chosen is None else [channel - 1 for channel in chosen]


def _still(source: Watching) -> str | None:
    if not source.stills:
        return None
    return f"/api/stills/{source.id}-{min(source.stills)}?n={source.stills_seen}"


def source_views(hub: Hub) -> list[SourceView]:
    """Return every source, in the order of the settings."""
    return [source_view(hub, source) for source in hub.watching.values()]


def steady(view: SourceView) -> SourceView:
    """Return a source without what moves while nothing happens: when it was last seen."""
    since_s = view.since_utc_ns // 1_000_000_000
    return view.model_copy(update={"last_seen_utc_ns": None, "since_utc_ns": since_s})


class Since:
    """Remembers since when each department has had its word."""

    def __init__(self) -> None:
        self._words: dict[str, tuple[str, int]] = {}

    def glances(self, verdicts: Sequence[Verdict], utc_ns: int) -> list[Glance]:
        """Return the verdicts with the time their word began."""
        shown = []
        for verdict in verdicts:
            word, since = self._words.get(verdict.department, ("", utc_ns))
            if word != verdict.word:
                since = utc_ns
            self._words[verdict.department] = (verdict.word, since)
            shown.append(
                Glance(
                    department=verdict.department,
                    word=verdict.word,
                    subject=verdict.subject,
                    detail=verdict.detail,
                    say=verdict.say,
                    since_utc_ns=since,
                )
            )
        return shown
