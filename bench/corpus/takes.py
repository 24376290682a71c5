"""Clean takes of a sound cart, made by seed: several microphones in one room.

``take(seed, half)`` returns the samples as a recorder gives them (24-bit codes, left-justified in
int32) and all that is known of them. Nothing is stored; the same arguments give the same take.

Voices and music are real, from one half of the material. Synthetic: rooms, room tone, microphones'
own noise, props, the slate's clap, wireless gates, limiters, gain moves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from bench.corpus import happenings, microphones, room_tone, rooms
from bench.corpus.happenings import Span
from bench.corpus.material import RATE, Half, Material, Samples, load
from bench.corpus.microphones import Microphone
from capture.source import StreamInfo

BIT_DEPTH = 24
FULL_SCALE = 2**23
SAFETY_DB = -10.0
HEADROOM = 0.85  # what a mixer keeps clean takes under, the slate aside

# A smaller cart has the first of these channels; "lav" n is worn by speaker n, "spare" by nobody.
ROLES = (
    "boom", "lav", "lav", "stereo left", "stereo right", "safety", "mix", "lav", "plant", "spare",
    "boom", "spare", "plant", "plant", "spare", "spare",
)  # fmt: skip
Codes = NDArray[np.int32]


@dataclass(slots=True, kw_only=True)
class Take:
    """One take: ``samples`` (frames, channels) and the truth about them.

    ``happenings`` are innocent: a detector that fires on them fires falsely, unless ``allowed``.
    ``stereo`` is "coincident" or "spaced", how the declared ``pairs`` are set up.
    """

    seed: int
    half: Half
    samples: Codes
    roles: tuple[str, ...]
    names: tuple[str, ...]
    programme: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    stereo: str
    happenings: list[Span]
    sources: frozenset[str]
    scene: dict[str, str] = field(default_factory=dict)
    as_float: NDArray[np.float32] | None = None
    clock_ppm: float = 0.0
    """How much the device's clock is off the service's: its samples come late by this."""

    @property
    def microphones(self) -> tuple[int, ...]:
        """Channels that carry a microphone of their own: not the mix, not a safety track."""
        return tuple(i for i, role in enumerate(self.roles) if role not in ("mix", "safety"))

    @property
    def info(self) -> StreamInfo:
        """Return the stream as a capture source would describe it."""
        return StreamInfo(
            index=0,
            kind="audio",
            time_base=Fraction(1, RATE),
            sample_rate_hz=RATE,
            channels=len(self.roles),
            channel_names=self.names,
            bit_depth=32 if self.as_float is not None else BIT_DEPTH,
        )

    def get(self, channel: int, start: int = 0, end: int | None = None) -> Samples:
        """Return a stretch of one channel as float32, full scale 1."""
        return self.samples[start:end, channel].astype(np.float32) * np.float32(2.0**-31)

    def put(self, channel: int, start: int, samples: Samples) -> None:
        """Write samples over a stretch of one channel, as the converter would: 24 bits, limited."""
        self.samples[start : start + len(samples), channel] = codes(samples)

    def speech_of(self, channel: int) -> list[Span]:
        """Return when the wearer of a lavalier speaks; for other microphones, when anybody does."""
        speech = [span for span in self.happenings if span.kind == "speech"]
        if self.roles[channel] != "lav":
            return speech
        worn_by = [c for c, role in enumerate(self.roles) if role == "lav"].index(channel)
        return [span for span in speech if span.speaker == worn_by]


def codes(samples: Samples) -> Codes:
    """Return float samples as 24-bit codes, left-justified in int32; what is over is clipped."""
    scaled = np.rint(samples * np.float32(FULL_SCALE))
    np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled)
    left_justified: Codes = scaled.astype(np.int32) << 8
    return left_justified


def soft_limited(samples: Samples, ceiling: float) -> Samples:
    """Return samples through a limiter that keeps the wave's form: 2 ms ahead, 80 ms release.

    A negative for clipping: peaks pile up at one level, none of them is flat.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    reach = RATE // 500
    loudest = maximum_filter1d(np.abs(samples), 2 * reach + 1)
    held = maximum_filter1d(loudest, RATE // 12, origin=RATE // 24 - 1)
    gain = np.minimum(1, ceiling / np.maximum(held, 1e-9))
    return np.asarray(samples * uniform_filter1d(gain, reach), np.float32)


def gain_over_time(generator: np.random.Generator, frames: int) -> Samples | None:
    """Return a fader's gain over time, or None where nobody touched it."""
    if generator.random() < 0.7:
        return None
    moves = int(generator.integers(1, 4))
    at = np.sort(generator.uniform(happenings.SLATE_S * RATE, max(frames, 11 * RATE), moves))
    ends = at + generator.uniform(0.3, 4, moves) * RATE
    levels_db = np.concatenate([[0], generator.uniform(-9, 3, moves)])
    knots = np.stack([at, ends], axis=1).ravel()
    values = np.stack([levels_db[:-1], levels_db[1:]], axis=1).ravel()
    order = np.argsort(knots, kind="stable")
    gain_db = np.interp(np.arange(frames), knots[order], values)
    return np.asarray(10 ** (gain_db / 20), np.float32)


def gate(
    generator: np.random.Generator, quiet: list[tuple[int, int]], frames: int
) -> tuple[Samples, list[tuple[int, int]]]:
    """Return a wireless link's noise gate: 6 to 15 dB down in pauses, edges of 5 to 50 ms."""
    gain = np.ones(frames, np.float32)
    closed = 10 ** (-generator.uniform(6, 15) / 20)
    edge = round(generator.uniform(0.005, 0.05) * RATE)
    spans = []
    for start, end in quiet:
        if end - start < 4 * edge + RATE // 5 or generator.random() < 0.3:
            continue
        ramp = np.linspace(1, closed, edge, dtype=np.float32)
        gain[start : start + edge] = ramp
        gain[start + edge : end - edge] = closed
        gain[end - edge : end] = ramp[::-1]
        spans.append((start, end))
    return gain, spans


def pauses(spans: list[Span], frames: int) -> list[tuple[int, int]]:
    """Return the stretches between speech, from the end of the slate on."""
    found, at = [], round(happenings.SLATE_S * RATE)
    for span in sorted(spans, key=lambda span: span.start):
        if at < span.start <= frames:
            found.append((at, span.start))
        at = max(at, span.end)
    return [*found, (at, frames)] if at < frames else found


@dataclass(slots=True, kw_only=True)
class _Set:
    """A set while a take is being built: where everything stands and what is heard there."""

    generator: np.random.Generator
    frames: int
    room: rooms.Room
    sources: rooms.Sources
    places: list[rooms.Point]
    spans: list[Span]
    bed: Samples
    bed_gain: Samples
    hiss: Samples
    drawn: set[str]
    pair_bed: Samples | None = None
    """Room tone as the first microphone of the stereo pair heard it."""


def _prepare(
    generator: np.random.Generator, material: Material, half: Half, frames: int
) -> tuple[_Set, dict[str, str]]:
    """Draw a room, who speaks, what happens; return the set and a description."""
    speakers = int(generator.integers(1, 4))
    talk = happenings.dialogue(generator, material, half, frames, speakers)
    slate, slate_spans, slate_used = happenings.slate(generator, material, half, frames)
    props, prop_spans = happenings.props(generator, frames)
    tracks, used = [*talk.tracks, slate, props], talk.used | slate_used
    pieces = material.of(half, "music")
    with_music = bool(pieces) and generator.random() < 0.15
    if with_music:
        played, names = happenings.music(generator, pieces, frames)
        tracks.append(played)
        used |= names
    kind = str(generator.choice(list(room_tone.KINDS)))
    place = rooms.room(generator)
    noise_db = -generator.uniform(26, 46)
    bed = room_tone.bed(generator, kind, frames) * np.float32(10 ** (noise_db / 20))
    scene = {"room tone": kind, "speakers": str(speakers), "music": str(with_music)}
    drawn = _Set(
        generator=generator,
        frames=frames,
        room=place,
        sources=rooms.Sources(tracks),
        places=[microphones.somewhere(generator, place) for _ in tracks],
        spans=[*talk.spans, *slate_spans, *prop_spans],
        bed=bed,
        bed_gain=room_tone.levels_over_time(generator, kind, frames),
        hiss=room_tone.white(generator, frames),
        drawn=used,
    )
    return drawn, scene


def _rolled(generator: np.random.Generator, samples: Samples) -> Samples:
    """Return noise from another place in its own length, so that microphones differ."""
    return np.roll(samples, int(generator.integers(len(samples))))


def _hear(on: _Set, microphone: Microphone, level_dbfs: float) -> Samples:
    """Return what a microphone gives, its speech at about ``level_dbfs`` RMS, room tone in it."""
    responses = [
        rooms.response(on.room, place, microphone.place, microphone.tail, gain=microphone.side)
        for place in on.places
    ]
    shape = rooms.colour(microphone.low_cut_hz, microphone.high_cut_hz)
    heard = on.sources.heard(responses, shape)
    rms = happenings.active_rms(heard[round(happenings.SLATE_S * RATE) :])
    heard += _room_tone(on, microphone) * on.bed_gain
    heard *= np.float32(10 ** (level_dbfs / 20) / max(rms, 1e-6))
    return heard


def _room_tone(on: _Set, microphone: Microphone) -> Samples:
    """Return room tone as one microphone hears it; the second of a pair hears the first's too."""
    own = _rolled(on.generator, on.bed)
    if microphone.apart_m is not None and on.pair_bed is not None:
        own = rooms.diffuse(on.pair_bed, own, microphone.apart_m)
    if microphone.leads:
        on.pair_bed = own
    return own


def _finish(on: _Set, heard: Samples) -> Samples:
    """Return a microphone's track: gain moves, headroom kept, its own noise."""
    generator = on.generator
    moves = gain_over_time(generator, on.frames)
    if moves is not None:
        heard = heard * moves
    after_slate = heard[round(happenings.SLATE_S * RATE) :]
    peak = float(np.abs(after_slate).max()) if len(after_slate) else 0.0
    if peak > HEADROOM:
        heard = heard * np.float32(HEADROOM / peak)
    noise_dbfs = generator.uniform(-75, -60)
    return heard + _rolled(generator, on.hiss) * np.float32(10 ** (noise_dbfs / 20))


def _knock(on: _Set, channel: int, track: Samples) -> None:
    """Knock against a microphone now and then: a bump of 30 to 90 Hz."""
    generator = on.generator
    if generator.random() < 0.75:
        return
    for _ in range(int(generator.integers(1, 4))):
        at = int(generator.uniform(0, on.frames))
        frames = min(round(0.12 * RATE), on.frames - at)
        time_s = np.arange(frames) / RATE
        bump = np.sin(2 * np.pi * generator.uniform(30, 90) * time_s) * np.exp(-time_s / 0.025)
        level = 10 ** (generator.uniform(-26, -9) / 20)
        track[at : at + frames] += np.float32(level) * bump.astype(np.float32)
        on.spans.append(Span(kind="knock", start=at, end=at + frames, channels=(channel,)))


def _worn(on: _Set, track: Samples, channel: int, wearer: int) -> Samples:
    """Return a lavalier's track through its wireless link: now and then gated in pauses."""
    if on.generator.random() < 0.7:
        return track
    speech = [span for span in on.spans if span.kind == "speech" and span.speaker == wearer]
    gain, spans = gate(on.generator, pauses(speech, on.frames), on.frames)
    for start, end in spans:
        on.spans.append(Span(kind="gate", start=start, end=end, channels=(channel,)))
    return track * gain


def _mix(on: _Set, tracks: dict[int, Samples], channel: int) -> Samples:
    """Return a mono mix whose faders are closed while nobody speaks for a second or more."""
    generator = on.generator
    speech = [span for span in on.spans if span.kind == "speech"]
    fader = np.ones(on.frames, np.float32)
    edge = RATE // 10
    for start, end in pauses(speech, on.frames):
        if end - start < 2 * RATE or generator.random() < 0.4:
            continue
        fader[start + edge : start + 2 * edge] = np.linspace(1, 0, edge, dtype=np.float32)
        fader[start + 2 * edge : end - 2 * edge] = 0
        fader[end - 2 * edge : end - edge] = np.linspace(0, 1, edge, dtype=np.float32)
        closed = (start + 2 * edge, end - 2 * edge)
        on.spans.append(
            Span(kind="closed fader", start=closed[0], end=closed[1], channels=(channel,))
        )
    total = sum(tracks.values(), start=np.zeros(on.frames, np.float32))
    mixed = total * fader * np.float32(HEADROOM / max(float(np.abs(total).max()), HEADROOM))
    if generator.random() < 0.5:  # an analogue path's noise; else the closed fader is exact zeros
        mixed += _rolled(generator, on.hiss) * np.float32(10 ** (-100 / 20))
    return mixed


def take(
    seed: int,
    half: Half,
    *,
    seconds: float = 60.0,
    channels: int = 8,
    roles: tuple[str, ...] | None = None,
    material: Material | None = None,
) -> Take:
    """Return the clean take of a seed and half; the same every time, and of no other half.

    ``roles`` asks for other channels than the first ``channels`` of a usual cart.
    """
    assert seconds > happenings.SLATE_S, "a take outlasts its slate"
    generator = np.random.default_rng([seed, 0 if half == "tune" else 1])
    frames = round(seconds * RATE)
    on, scene = _prepare(generator, material or load(), half, frames)
    roles = roles or (ROLES + ("spare",) * channels)[:channels]
    channels = len(roles)
    stereo, pair = microphones.stereo(generator, on.room)
    out = np.empty((frames, channels), np.int32)
    tracks: dict[int, Samples] = {}
    for channel, role in enumerate(roles):
        if role in ("mix", "safety"):
            continue
        worn = roles[:channel].count("lav") if role == "lav" else 0
        track = _track(on, channel, role, pair.get(role) or _placed(on, role, worn), worn)
        out[:, channel] = codes(track)
        if role in ("boom", "lav"):
            tracks[channel] = track
    _derived(on, roles, tracks, out)
    scene["stereo"] = stereo
    return Take(
        seed=seed,
        half=half,
        samples=out,
        roles=roles,
        names=tuple(f"{role} {i + 1}" for i, role in enumerate(roles)),
        programme=tuple(i for i, role in enumerate(roles) if role == "mix"),
        pairs=_declared_pairs(roles),
        stereo=stereo,
        happenings=on.spans,
        sources=frozenset(on.drawn),
        scene=scene,
    )


def _placed(on: _Set, role: str, worn: int) -> Microphone:
    speakers = sum(1 for _ in {s.speaker for s in on.spans if s.kind == "speech"}) or 1
    return microphones.microphone(on.generator, on.room, on.places[:speakers], role, worn)


def _track(on: _Set, channel: int, role: str, microphone: Microphone, worn: int) -> Samples:
    """Return one microphone's finished track."""
    level_dbfs = on.generator.uniform(-32, -22) - (12 if role in ("spare", "plant") else 0)
    heard = _hear(on, microphone, level_dbfs)
    if role in ("boom", "lav"):
        _knock(on, channel, heard)
    if role == "lav":
        heard = _worn(on, heard, channel, worn)
    if on.generator.random() < 0.12:
        ceiling = 10 ** (-on.generator.uniform(9, 15) / 20)
        heard = soft_limited(heard, ceiling)
        on.spans.append(Span(kind="limiter", start=0, end=on.frames, channels=(channel,)))
    return _finish(on, heard)


def _derived(on: _Set, roles: tuple[str, ...], tracks: dict[int, Samples], out: Codes) -> None:
    """Fill in the tracks that have no microphone of their own: safeties and the mix."""
    makers: dict[str, Callable[[int], Samples]] = {
        "safety": lambda _: tracks[0] * np.float32(10 ** (SAFETY_DB / 20)),
        "mix": lambda channel: _mix(on, tracks, channel),
    }
    for channel, role in enumerate(roles):
        if role in makers:
            out[:, channel] = codes(makers[role](channel))


def _declared_pairs(roles: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    if "stereo right" not in roles:
        return ()
    return ((roles.index("stereo left"), roles.index("stereo right")),)
