"""What a fault injection is: it spoils a clean take and says exactly where. And the registry.

``inject(take, generator)`` changes the take's samples in place and returns one label a spoilt
stretch. It knows nothing of the detectors' code: only the words an event is recognised by stand
beside it, and the aim that the project set for the rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.corpus.happenings import SLATE_S, Span
from bench.corpus.material import RATE, Samples
from bench.corpus.takes import Take

QUIETEST = 10 ** (-70 / 20)
FIRST_S = SLATE_S + 2  # a take is left alone until its microphones have been heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One injected fault: samples ``start`` to ``end`` (exclusive) of these channels."""

    fault: str
    start: int
    end: int
    channels: tuple[int, ...]
    amount: float = 0.0
    """How bad, in the fault's own unit: a share, dB or samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault: how it is injected, which events find it, and what is aimed at.

    ``detectors``: names of the events that are meant to tell it; those of ``also`` count as finding
    it too. Where ``words`` is not empty the event's detail must hold one of them, and none of
    ``not_words``. With ``metric`` a rule on that metric tells it, not an event: ``detectors`` then
    holds the rule's name, and the detail is the alert's message. ``within_s``: an event told later
    than this after the label's start is too late; with ``from_end``, after its end.
    ``recall`` and ``false_per_h`` (a channel-hour) are the aims; None where none was set.
    ``roles`` and ``seconds``: the take it wants, when a usual cart's would be a waste.
    """

    name: str
    says: str
    detectors: tuple[str, ...]
    also: tuple[str, ...]
    metric: str | None
    words: tuple[str, ...]
    not_words: tuple[str, ...]
    recall: float | None
    false_per_h: float | None
    within_s: float
    from_end: bool
    seconds: float
    roles: tuple[str, ...] | None
    inject: Callable[[Take, np.random.Generator], list[Label]]


Inject = Callable[[Take, np.random.Generator], list[Label]]
FAULTS: dict[str, Fault] = {}


def fault(
    name: str,
    *,
    says: str,
    detectors: Sequence[str],
    also: Sequence[str] = (),
    metric: str | None = None,
    words: Sequence[str] = (),
    not_words: Sequence[str] = (),
    recall: float | None = None,
    false_per_h: float | None = None,
    within_s: float = 1.0,
    from_end: bool = False,
    seconds: float = 60.0,
    roles: tuple[str, ...] | None = None,
) -> Callable[[Inject], Inject]:
    """Register an injection; the arguments are those of ``Fault``."""

    def register(inject: Inject) -> Inject:
        assert name not in FAULTS, f"fault registered twice: {name}"
        FAULTS[name] = Fault(
            name=name,
            says=says,
            detectors=tuple(detectors),
            also=tuple(also),
            metric=metric,
            words=tuple(words),
            not_words=tuple(not_words),
            recall=recall,
            false_per_h=false_per_h,
            within_s=within_s,
            from_end=from_end,
            seconds=seconds,
            roles=roles,
            inject=inject,
        )
        return inject

    return register


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A stretch of one channel where a fault may go."""

    channel: int
    start: int
    end: int


def spots(
    take: Take,
    generator: np.random.Generator,
    length_s: tuple[float, float],
    *,
    apart_s: float,
    channels: Sequence[int] | None = None,
) -> list[Spot]:
    """Return stretches of a random length over the microphones, ``apart_s`` between them."""
    found = []
    for channel in take.microphones if channels is None else channels:
        at = (FIRST_S + generator.uniform(0, apart_s)) * RATE
        while True:
            low, high = length_s
            frames = max(1, round(low * (high / low) ** generator.random() * RATE))
            if at + frames > len(take.samples) - RATE:
                break
            found.append(Spot(channel=channel, start=round(at), end=round(at) + frames))
            at += frames + apart_s * RATE * generator.uniform(1, 1.5)
    return found


def spoken_windows(
    take: Take, generator: np.random.Generator, length_s: float, *, apart_s: float
) -> list[Spot]:
    """Return windows of a fixed length that hold at least half a second of the channel's speech."""
    found = []
    frames = round(length_s * RATE)
    for spot in spots(take, generator, (length_s, length_s), apart_s=apart_s):
        speech = take.speech_of(spot.channel)
        if sum(overlap(span, spot.start, spot.start + frames) for span in speech) > RATE // 2:
            found.append(spot)
    return found


def eased(frames: int, edge_s: float) -> Samples:
    """Return a gain from 0 to 1 and back, its edges half cosines: what fades in makes no click."""
    edge = min(round(edge_s * RATE), frames // 2)
    gain = np.ones(frames, np.float32)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / max(edge, 1))
    gain[:edge], gain[frames - edge :] = ramp, ramp[::-1]
    return gain


def overlap(span: Span, start: int, end: int) -> int:
    """Return how many samples a span shares with a stretch."""
    return max(0, min(span.end, end) - max(span.start, start))


def floor_rms(samples: Samples) -> float:
    """Return the level of the quietest twentieth of 20 ms frames: room tone and self noise."""
    frame = RATE // 50
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    return float(np.sqrt(np.quantile(np.mean(whole**2, axis=1), 0.05)))
