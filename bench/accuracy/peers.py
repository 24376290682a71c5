"""Other people's detectors on the same takes and labels: Essentia's, and FFmpeg's filters.

Essentia is AGPL and large, so it is no dependency: it is put into ``.make/essentia`` by pip, and
where that cannot be done the page says so. Detections closer than a quarter of a second are one
episode, as ours are.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.accuracy.detection import FOLDER, ROOT, Results, Told, code_key, shape_of
from bench.accuracy.page import Peer
from bench.corpus.faults.fault import FAULTS, Label
from bench.corpus.material import RATE, Half, Material
from bench.corpus.score import Heard, judge, spoil
from bench.corpus.takes import Take, take

ESSENTIA = "essentia==2.1b6.dev1438"
PYTHON = ROOT / ".make" / "essentia" / "bin" / "python"
WORKER = Path(__file__).with_name("essentia_worker.py")
HALF: Half = "held_out"
TAKES = 3
TAKES_OF_PAIRS = 24
ONE_EPISODE_S = 0.25
JUDGED = ("bench/corpus", "bench/accuracy/peers.py", "bench/accuracy/essentia_worker.py")

Detect = Callable[[Path, Take], list[Heard]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One detector, how it is run, and the faults it might find."""

    name: str
    run: Detect
    faults: tuple[str, ...]


def _merged(name: str, found: Sequence[tuple[tuple[int, ...], float, float]]) -> list[Heard]:
    """Return detections as episodes: what is close on one channel is one."""
    episodes: dict[tuple[int, ...], list[Heard]] = {}
    for channels, start_s, end_s in sorted(found):
        start, end = round(start_s * RATE), round(end_s * RATE)
        of_channel = episodes.setdefault(channels, [])
        last = of_channel[-1] if of_channel else None
        if last is not None and start - (last.end or 0) < ONE_EPISODE_S * RATE:
            last.end = max(last.end or 0, end)
            last.told.append(end)
        else:
            of_channel.append(
                Heard(detector=name, channels=channels, start=start, end=end, told=[end])
            )
    return [one for of_channel in episodes.values() for one in of_channel]


def essentia(algorithm: str) -> Detect:
    """Return a runner of one of Essentia's detectors."""

    def run(path: Path, _: Take) -> list[Heard]:
        command = [str(PYTHON), str(WORKER), algorithm, str(RATE), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = json.loads(done.stdout.splitlines()[-1])
        pair = algorithm == "FalseStereoDetector"
        found = [((0, 1) if pair else (int(c),), start, end) for c, start, end in rows]
        return _merged(f"Essentia {algorithm}", found)

    return run


def _ffmpeg(path: Path, take_: Take, audio_filter: str) -> str:
    program = shutil.which("ffmpeg")
    assert program is not None, "the benchmark needs ffmpeg on the PATH"
    samples = np.load(path)
    command = [program, "-hide_banner", "-nostats", "-f", "f32le", "-ar", str(RATE), "-ac"]
    command += [str(len(take_.roles)), "-i", "-", "-af", audio_filter, "-f", "null", "-"]
    sound: bytes = samples.tobytes()
    done = subprocess.run(command, input=sound, capture_output=True, check=True)
    return done.stderr.decode()


def silencedetect(path: Path, take_: Take) -> list[Heard]:
    """Run FFmpeg's silencedetect, each channel by itself: 0.25 s under -90 dB."""
    text = _ffmpeg(path, take_, "silencedetect=n=-90dB:d=0.25:mono=1")
    found = [
        ((int(channel),), float(end) - float(length), float(end))
        for channel, end, length in re.findall(
            r"channel: (\d+) \| silence_end: (\S+) \| silence_duration: (\S+)", text
        )
    ]
    return _merged("FFmpeg silencedetect", found)


def aphasemeter(path: Path, take_: Take) -> list[Heard]:
    """Run FFmpeg's aphasemeter: stretches of 2 s that are mono or out of phase."""
    text = _ffmpeg(path, take_, "aphasemeter=video=0:phasing=1:duration=2")
    found = [
        ((0, 1), float(end) - float(length), float(end))
        for kind, end, length in re.findall(
            r"(mono|out_phase)_end: (\S+) \| (?:mono|out_phase)_duration: (\S+)", text
        )
        if kind
    ]
    return _merged("FFmpeg aphasemeter", found)


CLIPS = ("clip at full scale", "clip below full scale", "clip, then low-pass, 1 %")
GAPS = ("digital zeros", "dropout")
PAIRS = ("polarity, coincident pair", "polarity, spaced pair", "dual mono", "duplicate track")
RIVALS = (
    Rival(name="Essentia SaturationDetector", run=essentia("SaturationDetector"), faults=CLIPS),
    Rival(name="Essentia GapsDetector", run=essentia("GapsDetector"), faults=GAPS),
    Rival(
        name="Essentia DiscontinuityDetector",
        run=essentia("DiscontinuityDetector"),
        faults=("dropout", "repeated buffer"),
    ),
    Rival(
        name="Essentia ClickDetector",
        run=essentia("ClickDetector"),
        faults=("clicks", "single click"),
    ),
    Rival(
        name="Essentia HumDetector",
        run=essentia("HumDetector"),
        faults=("hum at -60 dBFS", "hum at -70 dBFS"),
    ),
    Rival(
        name="Essentia FalseStereoDetector", run=essentia("FalseStereoDetector"), faults=PAIRS[2:]
    ),
    Rival(name="FFmpeg silencedetect", run=silencedetect, faults=GAPS),
    Rival(name="FFmpeg aphasemeter", run=aphasemeter, faults=PAIRS),
)


def has_essentia(told: Told) -> bool:
    """Say whether Essentia is there, and try to get it where it is not."""
    if not PYTHON.exists():
        told(f"{ESSENTIA} goes into .make/essentia")
        folder = str(PYTHON.parents[1])
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(PYTHON), "-m", "pip", "-q", "--disable-pip-version-check", "install", ESSENTIA]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder)
            told(f"not to be had: {done.stderr.strip().splitlines()[-1:]}")
            return False
    return True


def measure(material: Material, told: Told, *, quick: bool) -> list[Peer]:
    """Give the first held-out takes to every rival; return what each found."""
    results = Results(FOLDER / f"{'quick-' if quick else ''}peers-{code_key(JUDGED)}.jsonl")
    there = not quick and has_essentia(told)
    chosen = [r for r in RIVALS if there or not r.name.startswith("Essentia")]
    jobs = [(rival, name) for rival in chosen for name in (None, *rival.faults)]
    for shape in dict.fromkeys(shape_of(FAULTS[n]) for rival in chosen for n in rival.faults):
        of_shape = [
            (rival, name)
            for rival, name in jobs
            if shape_of(FAULTS[name or rival.faults[0]]) == shape
        ]
        count = 1 if quick else TAKES if shape[1] is None else TAKES_OF_PAIRS
        for seed in range(count):
            todo = [(r, n) for r, n in of_shape if results.get(HALF, _key(r, n), seed) is None]
            if todo:
                told(f"peers, take {seed}: {', '.join(sorted({r.name for r, _ in todo}))}")
                clean = take(seed, HALF, seconds=shape[0], roles=shape[1], material=material)
                _run(results, clean, todo)
    return [_peer(results, rival, name) for rival in chosen for name in rival.faults]


def _key(rival: Rival, fault: str | None) -> str:
    return f"{rival.name}: {fault or 'clean'}"


def _run(results: Results, clean: Take, todo: list[tuple[Rival, str | None]]) -> None:
    """Run rivals over one take as it is and as each fault spoils it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(name for _, name in todo):
        fault = None if name is None else FAULTS[name]
        spoilt, labels = (clean, list[Label]()) if fault is None else spoil(clean, fault)
        with tempfile.NamedTemporaryFile(dir=FOLDER, suffix=".npy") as file:
            np.save(file, spoilt.samples.astype(np.float32) * np.float32(2.0**-31))
            file.flush()
            for rival in [rival for rival, wanted in todo if wanted == name]:
                heard = rival.run(Path(file.name), spoilt) if labels or fault is None else []
                mine = fault and replace(
                    fault,
                    detectors=(rival.name,),
                    also=(),
                    words=(),
                    not_words=(),
                    within_s=float("inf"),
                )
                result = judge(spoilt, mine, labels, heard)
                results.add(replace(result, fault=_key(rival, name)))


def _peer(results: Results, rival: Rival, name: str) -> Peer:
    spoilt, clean = results.of(HALF, _key(rival, name)), results.of(HALF, _key(rival, None))
    return Peer(
        name=rival.name,
        fault=name,
        labels=sum(r.labels for r in spoilt),
        hits=sum(r.hits for r in spoilt),
        false=sum(sum(r.false.values()) for r in clean),
        clean_h=sum(r.channel_s for r in clean) / 3600,
    )
