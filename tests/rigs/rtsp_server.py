"""A real RTSP server process: GStreamer's, with H.264 and AAC, for the tests of network feeds.

Run by the system's Python, which has GStreamer's bindings (``tests/system-packages.txt``):
``/usr/bin/python3 rtsp_server.py [--changing] [--lossy] [USER PASSWORD]`` prints its port and
serves ``/camera``; the picture's size changes every second, one RTP packet of twenty is lost.
"""

import itertools
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PICTURE = (
    "videotestsrc is-live=true pattern=ball ! capsfilter name=size caps={caps}"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 bitrate=500"
    " ! rtph264pay name=pay0 pt=96 config-interval=1"
)
CAPS = "video/x-raw,width={},height={},framerate=25/1"
SIZES = ((320, 180), (480, 270))
CHANGE_MS = 1_000
LOSE_ONE_OF = 20
SOUND = (
    "audiotestsrc is-live=true freq=1000 volume=0.1 ! audio/x-raw,rate=48000,channels=2"
    " ! voaacenc bitrate=96000 ! rtpmp4gpay name=pay1 pt=97"
)


def locked(server: "GstRtspServer.RTSPServer", user: str, password: str) -> None:
    """Ask for a user and a password."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)


def change(media: "GstRtspServer.RTSPMedia") -> None:
    """Give the picture another size every second."""
    size = media.get_element().get_by_name("size")
    sizes = itertools.cycle(SIZES)

    def again() -> bool:
        size.set_property("caps", Gst.Caps.from_string(CAPS.format(*next(sizes))))
        return True

    GLib.timeout_add(CHANGE_MS, again)


def lose(media: "GstRtspServer.RTSPMedia") -> None:
    """Lose some of the picture's RTP packets."""
    counter = itertools.count(1)

    def look(*_: object) -> "Gst.PadProbeReturn":
        lost = next(counter) % LOSE_ONE_OF == 0
        return Gst.PadProbeReturn.DROP if lost else Gst.PadProbeReturn.OK

    kinds = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
    media.get_element().get_by_name("pay0").get_static_pad("src").add_probe(kinds, look)


def main(arguments: list[str]) -> None:
    """Serve until killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    picture = PICTURE.format(caps=CAPS.format(*SIZES[0]))
    factory.set_launch(f"( {picture} {SOUND} )")
    for flag, spoil in (("--changing", change), ("--lossy", lose)):
        if flag in arguments:
            factory.connect("media-configure", lambda _, media, spoil=spoil: spoil(media))
    factory.set_shared(True)
    credentials = [word for word in arguments if not word.startswith("--")]
    if credentials:
        locked(server, *credentials)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(sys.argv[1:])
