"""FFmpeg's own test sources, as seasoning: hard edges, pure colours, no camera in front of them."""

import av
import cv2
import numpy as np

from bench.pictures.paint import Canvas, Picture, Pictures, Plane
from bench.pictures.scenes.scene import Paint, scene

HALVED_LINES = 720  # from here on painted at half size: some sources take 25 ms at 1080 lines
SOURCES = {
    "testsrc2": "testsrc2=size={size}:rate={rate}",
    "mandelbrot": "mandelbrot=size={size}:rate={rate}",
    "life": "life=size={size}:rate={rate}:ratio=0.1:mold=10:seed={seed}",
    "cellauto": "cellauto=size={size}:rate={rate}:rule=110:seed={seed}",
    "sierpinski": "sierpinski=size={size}:rate={rate}:seed={seed}",
    "perlin": "perlin=size={size}:rate={rate}:random_mode=seed:random_seed={seed}",
    "zoneplate": "zoneplate=size={size}:rate={rate}:kx2=40:ky2=40:kt=8",
}


def _grown(plane: Plane, times: int) -> Plane:
    if times == 1:
        return plane
    return np.asarray(cv2.resize(plane, None, fx=times, fy=times), np.uint8)


def _generated(graph: str) -> Paint:
    def paint(canvas: Canvas, random: np.random.Generator) -> Pictures:
        larger = 2 if canvas.height >= HALVED_LINES else 1
        size = f"{canvas.width // larger}x{canvas.height // larger}"
        seed, skipped = int(random.integers(1, 1 << 30)), int(random.integers(1, 30))
        words = graph.format(size=size, rate=round(canvas.rate), seed=seed)
        with av.open(f"{words},format=yuv420p", format="lavfi") as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number >= skipped:
                    planes = [
                        np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, -1)[
                            :, : plane.width
                        ]
                        for plane in frame.planes
                    ]
                    yield Picture(*(_grown(plane, larger) for plane in planes))

    return paint


for _name, _graph in SOURCES.items():
    scene(
        f"lavfi {_name}",
        says=f"FFmpeg's {_name}, with sensor noise",
        grain=(0.5, 1.2),
        moves=_name != "cellauto",
        fine=False,
        lit=False,
        synthetic=True,
    )(_generated(_graph))
