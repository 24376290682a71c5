"""``takewatch doctor``: what works on this machine, and what to install."""

import ctypes
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

import api
from api.folders import data_folder
from capture import srt_bridge
from capture.srt import find_ffmpeg

PYTHON_MIN = (3, 11)
CORES_MIN = 2  # what docs/performance.md is measured on
DISK_MIN_GIB = 5.0  # the line log's 2 GiB, stills and a journal of some weeks
SOUND_LIMIT_S = 15.0  # a sound server that hangs must not hang the doctor
HEALTH_LIMIT_S = 2.0
CLOCK_UNSYNCHRONISED = 5  # adjtimex(2): TIME_ERROR
TIMEX_BYTES = 256  # struct timex is 208 bytes on 64-bit Linux; nothing in it is read
LOOPBACK = "127.0.0.1"
SOUND_TRIAL = """
import sounddevice
print(sounddevice.get_portaudio_version()[1].partition(",")[0])
print(sum(device["max_input_channels"] > 0 for device in sounddevice.query_devices()))
"""

State = Literal["ok", "limited", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. ``limited``: a part of Takewatch cannot work. ``broken``: none can."""

    what: str
    state: State
    found: str
    advice: str = ""


def python_finding(version: tuple[int, ...]) -> Finding:
    """Judge the Python this runs on."""
    enough = version[:2] >= PYTHON_MIN
    return Finding(
        what="Python",
        state="ok" if enough else "broken",
        found=".".join(map(str, version[:3])) + f" on {platform.system()} {platform.machine()}",
        advice="" if enough else "install Python 3.11 or newer",
    )


def media_finding() -> Finding:
    """Judge FFmpeg's libraries, which come with PyAV and read feeds and files."""
    try:
        import av
    except ImportError as fault:
        return Finding(
            what="FFmpeg", state="broken", found=str(fault), advice="reinstall: pip install av"
        )
    codec = ".".join(map(str, av.library_versions["libavcodec"]))
    missing = sorted({"h264", "hevc", "aac", "pcm_s24le"} - av.codecs_available)
    return Finding(
        what="FFmpeg",
        state="limited" if missing else "ok",
        found=f"{av.ffmpeg_version_info} (libavcodec {codec}) in PyAV {av.__version__}",
        advice=f"this build cannot decode {', '.join(missing)}" if missing else "",
    )


def sound_finding(python: str = sys.executable) -> Finding:
    """Judge PortAudio by opening it, in a process of its own: it may hang or crash."""
    advice = "only sound cards need it; on Debian: sudo apt-get install libportaudio2"
    try:
        done = subprocess.run(
            [python, "-I", "-c", SOUND_TRIAL],
            capture_output=True,
            text=True,
            check=False,
            timeout=SOUND_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        found = f"does not answer within {SOUND_LIMIT_S:g} s"
        return Finding(what="PortAudio", state="limited", found=found, advice=advice)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["ended without a word"])[-1]
        return Finding(what="PortAudio", state="limited", found=last, advice=advice)
    version, inputs = done.stdout.splitlines()[-2:]
    return Finding(what="PortAudio", state="ok", found=f"{version}; {inputs} sound inputs")


def srt_finding(library: bool, ffmpeg: str | None) -> Finding:
    """Judge what can receive SRT feeds: libsrt, else an FFmpeg program, else nothing."""
    advice = "on Debian: sudo apt-get install srt-tools"
    if library:
        return Finding(what="SRT", state="ok", found="libsrt")
    if ffmpeg:
        hides = f"lost packets are not counted through it; {advice}"
        return Finding(what="SRT", state="limited", found=f"FFmpeg at {ffmpeg}", advice=hides)
    advice = f"only srt:// feeds need it; {advice}"
    return Finding(what="SRT", state="limited", found="nothing that receives it", advice=advice)


def cores_finding(cores: int) -> Finding:
    """Judge the processor cores this process may use."""
    few = cores < CORES_MIN
    return Finding(
        what="Processor",
        state="limited" if few else "ok",
        found=f"{cores} core{'' if cores == 1 else 's'}",
        advice="every figure of ours is for two; expect coarser readings" if few else "",
    )


def disk_finding(folder: Path) -> Finding:
    """Judge the disk under the data folder: room, and whether it can be written."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(existing, os.W_OK):
        found, advice = f"{existing} cannot be written", "choose another with storage.folder"
        return Finding(what="Data folder", state="broken", found=found, advice=advice)
    free_gib = shutil.disk_usage(existing).free / 2**30
    short = free_gib < DISK_MIN_GIB
    return Finding(
        what="Data folder",
        state="limited" if short else "ok",
        found=f"{folder}, {free_gib:.1f} GiB free",
        advice=f"make room: {DISK_MIN_GIB:g} GiB see a shoot through" if short else "",
    )


def clock_finding() -> Finding:
    """Judge whether the kernel holds its clock to be synchronised."""
    advice = "alerts are placed in takes all the same; times of day may differ from other devices'"
    if not sys.platform.startswith("linux"):
        return Finding(what="Clock", state="ok", found="not known on this system", advice=advice)
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    if answer == CLOCK_UNSYNCHRONISED:
        return Finding(what="Clock", state="limited", found="not synchronised", advice=advice)
    known = answer >= 0
    found = "synchronised" if known else "not known: the kernel does not say"
    return Finding(what="Clock", state="ok", found=found, advice="" if known else advice)


def _is_takewatch(port: int) -> bool:
    try:
        address = f"http://{LOOPBACK}:{port}/api/health"
        with urllib.request.urlopen(address, timeout=HEALTH_LIMIT_S) as answer:
            return isinstance(json.load(answer), dict)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def port_finding(port: int) -> Finding:
    """Judge whether the page can be served at its port, or already is."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError as fault:
            reason = fault.strerror or str(fault)
        else:
            return Finding(what=f"Port {port}", state="ok", found="free")
    if _is_takewatch(port):
        return Finding(what=f"Port {port}", state="ok", found="Takewatch is running here")
    advice = f"stop what listens there, or: takewatch run --port {port + 1}"
    return Finding(what=f"Port {port}", state="broken", found=reason.lower(), advice=advice)


def page_finding(folder: Path) -> Finding:
    """Judge whether the tablet page is built."""
    built = (folder / "index.html").is_file()
    return Finding(
        what="Page",
        state="ok" if built else "broken",
        found="built" if built else f"not in {folder}",
        advice="" if built else "from a checkout: make run, or python hatch_build.py",
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def examine(port: int, folder: Path) -> Iterator[Finding]:
    """Look at everything, in the order a person would."""
    yield python_finding(tuple(sys.version_info[:3]))
    yield media_finding()
    yield sound_finding()
    yield srt_finding(srt_bridge.library() is not None, find_ffmpeg())
    yield cores_finding(usable_cores())
    yield disk_finding(folder)
    yield clock_finding()
    yield port_finding(port)
    yield page_finding(Path(api.__file__).parent.parent / "dashboard" / "dist")


LOOKS = {"ok": ("ok     ", "green"), "limited": ("LIMITED", "yellow"), "broken": ("BROKEN ", "red")}


def show(finding: Finding) -> None:
    """Print one finding."""
    word, colour = LOOKS[finding.state]
    click.echo(f"{click.style(word, fg=colour)}  {finding.what:<12} {finding.found}")
    if finding.advice:
        click.echo(f"{'':<22} {finding.advice}")


@click.command()
@click.option("--port", default=8400, show_default=True, help="Where the page would be served.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the journal would be kept.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(port: int, folder: Path | None, form: str) -> None:
    """Say what works on this machine, and what to install.

    Exit code 0: Takewatch can run, if not with every kind of source. 1: it cannot.
    """
    findings = list(examine(port, folder or data_folder()))
    works = all(finding.state != "broken" for finding in findings)
    if form == "json":
        click.echo(json.dumps({"works": works, "findings": [asdict(f) for f in findings]}))
    else:
        for finding in findings:
            show(finding)
    raise SystemExit(0 if works else 1)
