"""What is read beside a picture does not keep the picture."""

import gc

import av
from av.video.frame import VideoFrame

from capture.quantiser import export_quantisers, quantiser_of
from tests.rigs.clips import Clips

PICTURES = 20


def pictures_alive() -> int:
    return sum(isinstance(one, VideoFrame) for one in gc.get_objects())


def test_pictures_whose_quantisers_were_told_are_let_go_at_once(clips: Clips) -> None:
    gc.collect()
    before = pictures_alive()
    gc.disable()
    try:
        with av.open(str(clips.picture(frames=PICTURES))) as container:
            stream = container.streams.video[0]
            assert export_quantisers(stream)
            told = [quantiser_of(frame, "h264")() for frame in container.decode(stream)]
        kept = pictures_alive() - before
    finally:
        gc.enable()
    assert len(told) == PICTURES
    assert None not in told
    assert kept <= 2  # the decoder's last one or two
