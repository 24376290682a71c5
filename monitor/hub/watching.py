"""What the service knows of each source: its last hello, state, newest values and still. Pure."""

from base64 import b64decode
from dataclasses import dataclass, field

from config.settings import SourceSettings
from config.spec import Department
from monitor.hub.glance import Watched
from monitor.lines import Hello, Reading, State, Still, Stream
from monitor.metrics import Value


@dataclass(slots=True)
class Watching:
    """One source as last heard of. Times are on the engine's axis."""

    settings: SourceSettings
    state: str = "starting"
    why: str | None = None
    since_ns: int = 0
    last_seen_ns: int | None = None
    hello: Hello | None = None
    axis_shift_ns: int = 0
    """Added to its times to lie on the engine's axis; not 0 when it runs on another machine."""
    values: dict[int, dict[str, Value]] = field(default_factory=dict)
    readings: int = 0
    stills: dict[int, bytes] = field(default_factory=dict)
    stills_seen: int = 0
    integrated_since: str | None = None
    paused: bool = False
    """Whether somebody paused its integrated values."""
    coarser: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its id in the settings."""
        return self.settings.id

    @property
    def streams(self) -> list[Stream]:
        """The streams of its last hello."""
        return self.hello.streams if self.hello else []

    @property
    def latency_ns(self) -> int:
        """How much older a value is than its arrival."""
        return round((self.hello.latency_s if self.hello else 0.0) * 1e9)

    @property
    def department(self) -> Department:
        """Whose it is: as set, else sound without pictures and camera with them."""
        if self.settings.department:
            return self.settings.department
        if self.hello is None:
            return "sound" if self.settings.kind == "audio_device" else "camera"
        return "camera" if any(s.kind == "video" for s in self.hello.streams) else "sound"

    @property
    def group(self) -> str:
        """Which part of a take it belongs to."""
        default = "sound" if self.department == "sound" else self.settings.name
        return self.settings.group or default

    @property
    def practice(self) -> bool:
        """Whether it is a practice feed."""
        return self.hello.practice if self.hello else self.settings.kind == "synthetic"

    def take_hello(self, line: Hello) -> None:
        """Take a new description; values of another layout are forgotten."""
        if self.hello is None or self.hello.streams != line.streams:
            self.values.clear()
        self.hello = line

    def take_state(self, line: State, t_ns: int) -> bool:
        """Take a state; say whether it changed."""
        self.coarser, self.dropped = line.coarser, dict(line.dropped)
        changed = (line.state, line.why) != (self.state, self.why)
        if line.state != self.state:
            self.since_ns = t_ns
            if line.state in ("lost", "stalled"):
                self.values.clear()  # stale values must not look alive; other streams' come again
        self.state, self.why = line.state, line.why
        return changed

    def take_reading(self, line: Reading) -> None:
        """Take new values; what a reading does not mention stays as it was."""
        self.readings += line.intervals
        old = self.values.get(line.stream, {})
        self.values[line.stream] = old | line.values

    def take_still(self, line: Still) -> None:
        """Keep the newest still of each stream."""
        self.stills[line.stream] = b64decode(line.jpeg_base64)
        self.stills_seen += 1

    def words(self) -> dict[str, str]:
        """Return the metrics that are words, and since when integrated values count."""
        found = {
            key: value
            for values in self.values.values()
            for key, value in values.items()
            if isinstance(value, str)
        }
        if self.integrated_since:
            found["integrated_since"] = self.integrated_since
        return found

    def watched(self) -> Watched:
        """Return what the glance needs of it."""
        return Watched(
            id=self.id,
            name=self.settings.name,
            department=self.department,
            group=self.group,
            state=self.state,
            why=self.why,
        )
