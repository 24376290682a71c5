"""Rule tests as data: a TOML timeline of lines, and the transitions each step must give.

A step: ``s`` (seconds) and one of ``phase``, ``reading`` (values; with ``until`` and ``every`` it
repeats), ``event``, ``state``, ``gap``, ``hello``, ``tick``, ``moved``, ``acknowledge`` (rule),
``shelve``, ``unshelve``, ``restart``, ``finish``. ``expect`` lists every transition but pending
ones, as ``what rule SEVERITY [channel]``; ``alerts`` what must then be
on the list, ``suppressed`` what of it is not told, ``muted`` what is silent on purpose,
``groups`` how many of the list each group has.
"""

import itertools
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.loading import load_spec
from config.spec import Rule, Stage
from monitor.lines import Event, Gap, Hello, Reading, State, Stream
from monitor.rules.engine import Engine
from monitor.rules.kinds import Where
from monitor.rules.model import Transition
from monitor.rules.sources import SourceFacts
from monitor.rules.table import rules_for

FOLDER = Path(__file__).parent / "scenarios"
NS = 1_000_000_000
RATE = 48_000
SOURCES = {
    "cart": SourceFacts(
        id="cart", name="Sound cart", department="sound", group="sound",
        channel_names=("Mix", "Boom", "Lav"), programme=(0,),
    ),
    "cam-a": SourceFacts(id="cam-a", name="A camera", department="camera", group="A camera"),
}  # fmt: skip


def ns(seconds: float) -> int:
    return round(seconds * NS)


def hello(source: str, epoch: int = 0, **changes: Any) -> Hello:  # noqa: ANN401  any stream field
    sound = {"index": 0, "kind": "audio", "time_base": "1/48000", "sample_rate_hz": RATE,
             "channels": 3, "bit_depth": 24}  # fmt: skip
    picture = {"index": 0, "kind": "video", "time_base": "1/48000"}
    stream = (sound if source == "cart" else picture) | changes
    return Hello(
        node="n", boot_id="b", pid=1, source=source, kind="synthetic", epoch=epoch, latency_s=0.0,
        streams=[Stream.model_validate(stream)],
    )  # fmt: skip


def reading(source: str, from_s: float, to_s: float, values: dict[str, Any]) -> Reading:
    known = {
        key: [None if v == "unknown" else v for v in value]
        if isinstance(value, list)
        else (None if value == "unknown" else value)
        for key, value in values.items()
    }
    return Reading(
        source=source, seq=0, stream=0, epoch=0, start=round(from_s * RATE),
        end=round(to_s * RATE), t_arrival_ns=ns(to_s), values=known,
    )  # fmt: skip


def event(source: str, s: float, step: dict[str, Any]) -> Event:
    given = dict(step)
    start = round(given.pop("start_s", s) * RATE)
    end = given.pop("end_s", None)
    return Event(
        source=source, id=given.pop("id", "e"), phase=given.pop("phase", "open"),
        detector=given.pop("detector"), stream=0, epoch=given.pop("epoch", 0),
        channels=given.pop("channels", []), start=start,
        end=None if end is None else round(end * RATE), time_base="1/48000",
        t_arrival_ns=ns(s), **given,
    )  # fmt: skip


def at(source: str, channel: int) -> Where:
    return Where(source=source, stream=0, channel=channel)


def short(transition: Transition) -> str:
    alert = transition.alert
    words = [transition.what, alert.rule, alert.severity]
    return " ".join([*words, alert.channel_name] if alert.channel_name else words)


def bare(transition: Transition) -> Transition:
    """Return a transition without its level trace, which is not kept over a restart."""
    alert = transition.alert.model_copy(update={"trace": None})
    return transition.model_copy(update={"alert": alert})


@dataclass
class Run:
    """One engine driven by a timeline."""

    rules: list[Rule]
    live: bool
    told: list[Transition] = field(default_factory=list)
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.ids = itertools.count()
        self.engine = self.new_engine()
        for source in SOURCES:
            self.engine.line(hello(source), 0)

    def new_engine(self) -> Engine:
        return Engine(self.rules, SOURCES, live=self.live, new_id=lambda: f"a{next(self.ids)}")

    def of(self, rule: str) -> str:
        listed = [alert.id for alert in self.engine.alerts() if alert.rule == rule]
        assert listed, f"no alert of {rule} is on the list"
        return listed[-1]

    def step(self, step: dict[str, Any]) -> list[Transition]:
        verbs: dict[str, Callable[[dict[str, Any], int, str], list[Transition]]] = {
            "phase": lambda x, t, _: self.engine.set_phase(x["phase"], t, x.get("sources")),
            "reading": self._readings,
            "event": lambda x, t, src: self.engine.line(event(src, x["s"], x["event"]), t),
            "state": self._state,
            "gap": self._gap,
            "hello": lambda x, t, src: self.engine.line(hello(src, **x["hello"]), t),
            "tick": lambda _x, t, _src: self.engine.tick(t),
            "moved": lambda x, t, _: self.engine.moved(ns(x["moved"]), t, x.get("sources")),
            "acknowledge": lambda x, t, _: self.engine.acknowledge(
                self.of(x["acknowledge"]), "Kim", t, t
            ),
            "shelve": lambda x, t, src: self.engine.shelve(
                x["shelve"], src, x.get("channel"),
                ns(x["until"]) if "until" in x else None, "known", t,
            ),
            "unshelve": lambda x, t, src: self.engine.unshelve(
                x["unshelve"], src, x.get("channel"), t
            ),
            "mute": lambda x, t, src: self.engine.mute(at(src, x["mute"]), "Kim", t, t),
            "unmute": lambda x, t, src: self.engine.unmute(at(src, x["unmute"]), t),
            "restart": self._restart,
            "finish": lambda _x, t, _src: self.engine.finish(t),
        }  # fmt: skip
        (verb,) = [name for name in verbs if name in step]
        told = verbs[verb](step, ns(step["s"]), step.get("source", "cart"))
        self.told += told
        return told

    def _readings(self, step: dict[str, Any], t_ns: int, source: str) -> list[Transition]:
        every, at, told = step.get("every", 0.1), step["s"], []
        while at <= step.get("until", step["s"]) + 1e-9:
            line = reading(source, at - every, at, step["reading"])
            told += self.engine.line(line, ns(at))
            at += every
        return told

    def _state(self, step: dict[str, Any], t_ns: int, source: str) -> list[Transition]:
        line = State(source=source, state=step["state"], why=step.get("why"), t_mono_ns=t_ns)
        return self.engine.line(line, t_ns)

    def _gap(self, step: dict[str, Any], t_ns: int, source: str) -> list[Transition]:
        line = Gap(
            source=source, stream=0, epoch=0, start=round(step["s"] * RATE), time_base="1/48000",
            amount=step["gap"], unit="samples", reason="overflow", t_arrival_ns=t_ns,
        )  # fmt: skip
        return self.engine.line(line, t_ns)

    def _restart(self, step: dict[str, Any], t_ns: int, source: str) -> list[Transition]:
        state, self.engine = self.engine.state(), self.new_engine()
        self.engine.restore(state)
        assert self.engine.state() == state
        return []


def load(path: Path) -> list[tuple[str, dict[str, Any]]]:
    document = tomllib.loads(path.read_text())
    return [(f"{path.stem}: {one['name']}", one) for one in document["scenario"]]


def started(scenario: dict[str, Any]) -> Run:
    stage: Stage = scenario.get("stage", "feed")
    name = scenario.get("spec")
    spec = load_spec(name) if name else None
    return Run(rules=rules_for(spec, stage), live=stage == "feed")
