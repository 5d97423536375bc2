"""An RTSP camera at rtsp://127.0.0.1:PORT/cam that is told on its standard input what to change.

Usage: rtsp_told.py PORT LAUNCH

`set ELEMENT PROPERTY VALUE` changes what it sends; `anew LAUNCH` is what it will be from the next
connection on, and ends those there are.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
factory.set_launch(sys.argv[2])
running = []
factory.connect("media-configure", lambda _, media: running.append(media))
server.get_mount_points().add_factory("/cam", factory)
server.attach(None)


def told(line):
    what, rest = line.strip().split(" ", 1)
    if what == "set":
        name, key, value = rest.split(" ", 2)
        element = running[-1].get_element().get_by_name(name)
        if key == "caps":
            element.set_property(key, Gst.Caps.from_string(value))
        else:
            Gst.util_set_object_arg(element, key, value)
    else:
        factory.set_launch(rest)
        server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)


def read():
    for line in sys.stdin:
        GLib.idle_add(told, line)


threading.Thread(target=read, daemon=True).start()
GLib.MainLoop().run()
