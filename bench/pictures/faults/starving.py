"""Encoders that get too few bits: the picture falls into blocks."""

from dataclasses import replace

import numpy as np

from bench.pictures.coders import BY_NAME, Coder
from bench.pictures.faults.fault import FIRST_S, Inject, fault
from bench.pictures.scenes.scene import Scene
from bench.pictures.shots import Shot, Wanted

SHARE = (0.03, 0.1)  # of the bits that good quality takes: 20 quantiser steps and more too coarse


def _eats_bits(scene: Scene) -> bool:
    """Say whether a coder needs bits for it at all: a still dark set looks well at any rate."""
    return scene.moves and (scene.fine or scene.name in ("water", "rain"))


def _starve(name: str) -> Inject:
    def inject(shot: Shot, random: np.random.Generator) -> None:
        """Code the second half with a fraction of the bits."""
        start = round(float(random.uniform(FIRST_S, FIRST_S + 2)) * float(shot.rate))
        shot.starve = float(random.uniform(*SHARE))
        shot.segments.append(replace(shot.segments[0], start=start))
        shot.label(name, start, shot.frames, shot.starve)

    return inject


def _coders(codec: str, *, names: tuple[str, ...] = ()) -> Wanted:
    def suits(coder: Coder) -> bool:
        fits = coder.codec == codec and (coder.container == "mpegts" or codec == "mjpeg")
        return fits and (coder.name in names if names else coder.pixel_format != "yuv420p10le")

    assert any(suits(coder) for coder in BY_NAME.values())
    return Wanted(seconds=10.0, scenes=_eats_bits, coders=suits)


for _name, _codec, _metric, _auc in (
    ("pixellation H.264", "libx264", "quantiser", 0.98),
    ("pixellation MPEG-2", "mpeg2video", "quantiser", 0.98),
    ("pixellation MJPEG", "mjpeg", "blockiness", 0.98),
    ("pixellation HEVC", "libx265", "blockiness", 0.90),
):
    fault(
        _name,
        says="the encoder gets 3 to 10 % of the bits that good quality takes, from 3 to 5 s on",
        detectors=["pixellation"],
        metric=_metric,
        auc=_auc,
        within_s=3.0,
        wanted=_coders(_codec),
    )(_starve(_name))
