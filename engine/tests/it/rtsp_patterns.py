"""RTSP cameras: each argument PATH=LAUNCH is served at rtsp://127.0.0.1:PORT/PATH until killed.

Usage: rtsp_patterns.py PORT PATH=LAUNCH…
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
for camera in sys.argv[2:]:
    path, launch = camera.split("=", 1)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_shared(True)
    factory.set_launch(launch)
    server.get_mount_points().add_factory("/" + path, factory)
server.attach(None)
GLib.MainLoop().run()
