"""Source kinds, one a file; importing this package registers them all.

To add one: write ``capture/sources/x.py`` with ``@source("x", ...)`` and add it to this list.
"""

from capture.sources import audio_device, camera, media_file, network_feed, synthetic

__all__ = ["audio_device", "camera", "media_file", "network_feed", "synthetic"]
