"""A real RTSP server process: GStreamer's, with H.264 and AAC, for the tests of network feeds.

Run by the system's Python, which has GStreamer's bindings (``tests/system-packages.txt``):
``/usr/bin/python3 rtsp_server.py [USER PASSWORD]`` prints its port and serves ``/camera``.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PICTURE = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=25/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 bitrate=500"
    " ! rtph264pay name=pay0 pt=96 config-interval=1"
)
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


def main(arguments: list[str]) -> None:
    """Serve until killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {PICTURE} {SOUND} )")
    factory.set_shared(True)
    if arguments:
        locked(server, *arguments)
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
