"""An RTSP camera: serves a film's own streams at rtsp://127.0.0.1:PORT/cam until it is killed.

Usage: rtsp_server.py PORT FILM
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

port, film = sys.argv[1:]
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
factory.set_launch(
    f'( filesrc location="{film}" ! qtdemux name=film '
    "film. ! queue ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 "
    "film. ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97 )"
)
server.get_mount_points().add_factory("/cam", factory)
server.attach(None)
GLib.MainLoop().run()
