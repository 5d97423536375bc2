#!/usr/bin/env python3
"""Glass to glass: how long a picture takes from an encoder's input to a player's output.

Pictures that bear a number go into an ffmpeg that encodes and pushes them over RTMP (loopback);
another ffmpeg plays what comes out, and the number tells when its picture went in. In between
stands nothing (what the two cost by themselves), one ffmpeg that encodes anew, or obvan with each
of its latencies. The table shows the median and the 95th percentile in ms, in all and without what
the two ffmpegs cost.

Usage: scripts/glass.py [SECONDS] [ROUNDS] [WHAT…]

10 s, 3 rounds in turn of nothing, ffmpeg, low, normal and quality, or of what is named. With
`--way` obvan also tells (OBVAN_LOG=obvan::way=trace) when each picture was where, and a second
table shows how long each leg of the way took. OBVAN=FILE for another binary, BUFFER_MS=60.
"""
import collections
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

WIDTH, HEIGHT, RATE = 640, 360, 25
BITS, BAR = 16, 40
BUFFER_MS = int(os.environ.get("BUFFER_MS", "60"))
MIDDLES = ["nothing", "ffmpeg", "low", "normal", "quality"]
QUIET = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
LOW = ["-fflags", "nobuffer", "-flags", "low_delay", "-probesize", "5000", "-analyzeduration", "0"]
CODED = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "1500k", "-maxrate", "1500k", "-bufsize", "1500k",
         "-g", "50", "-threads", "1"]


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def picture(number):
    """Bright and dark bars: the number's bits, the highest first; grey noise would cost, so none."""
    row = bytearray()
    for bit in range(BITS):
        row += bytes([200 if number >> (BITS - 1 - bit) & 1 else 50]) * BAR
    return bytes(row) * HEIGHT + bytes([128]) * (WIDTH * HEIGHT // 2)


def number(pixels):
    """The number in a played picture of BITS x 1 pixels."""
    value = 0
    for pixel in pixels:
        value = value << 1 | (pixel > 125)
    return value


def feed(sender, went_in, until):
    """Hands a picture to the sender's encoder at each tick."""
    begin, at = time.monotonic(), 0
    while time.monotonic() < until:
        time.sleep(max(0.0, begin + at / RATE - time.monotonic()))
        data = picture(at)
        went_in[at] = time.monotonic()
        try:
            sender.stdin.write(data)
            sender.stdin.flush()
        except BrokenPipeError:
            return
        at += 1


def play(player, came_out, stop):
    """Notes when each number is first seen."""
    while not stop.is_set():
        pixels = player.stdout.read(BITS)
        if len(pixels) < BITS:
            return
        came_out.setdefault(number(pixels), time.monotonic())


SHOW = """show "glass" {{
  video {size} {rate}fps
  audio 48kHz stereo
  listen {{ http "127.0.0.1:{http}"; rtmp "127.0.0.1:{rtmp}" }}
  camera main {{ line one push "rtmp:live/glass" buffer={buffer}ms }}
  ladder one {{ preset veryfast; latency {latency}; keyframe 2s; audio 96k; rung only {size} 1500k }}
  channel program {{ sources main; ladder one; egress web serve http-flv }}
}}
"""


STATION = re.compile(r"T(\d+):(\d+):([\d.]+)Z TRACE obvan::way: station=(\w+) time=(-?\d+)(?: next=(-?\d+))?")
# Added to every time stamp (engine/src/channel/mod.rs, `lead`).
LEAD_MS = 2000 // RATE + 1


def legs(log):
    """How long each picture was on each leg of its way, in ms, by the leg's name: what obvan traced."""
    passed = collections.defaultdict(dict)
    for line in log:
        found = STATION.search(line)
        if found:
            hours, minutes, seconds, station, at, becomes = found.groups()
            wall = 1000 * (3600 * int(hours) + 60 * int(minutes) + float(seconds))
            passed[station].setdefault(int(at), (wall, int(becomes or at)))
    took = collections.defaultdict(list)
    for arrived, (start, _) in passed["Arrived"].items():
        wall, at = start, arrived
        stops = ["Read", "Placed", "Taken", "Composed", "Encoded", "Tagged", "Written"]
        way = []
        for station in stops:
            at = at + LEAD_MS if station == "Written" else at
            if at not in passed[station]:
                break
            then, wall, at = wall, *passed[station][at]
            way.append((station, wall - then))
        else:
            if arrived > 2000:
                for station, ms in [*way, ("in all", wall - start)]:
                    took[station].append(ms)
    return took


def run(middle, seconds, log=None):
    """One round: delays in ms of all pictures after the first two seconds."""
    port, went_in, came_out, stop = free_port(), {}, {}, threading.Event()
    started, folder = [], tempfile.TemporaryDirectory()
    url = f"rtmp://127.0.0.1:{port}/live/glass"
    tail = ["-an", "-threads", "1", "-vf", f"scale={BITS}:1:flags=area,format=gray", "-vsync", "passthrough",
            "-f", "rawvideo", "-"]

    def start(args, **how):
        process = subprocess.Popen(args, **{"stdin": subprocess.DEVNULL, **how})
        started.append(process)
        return process

    try:
        if middle == "nothing":
            player = start([*QUIET, *LOW, "-threads", "1", "-listen", "1", "-i", url, *tail], stdout=subprocess.PIPE)
        elif middle == "ffmpeg":
            coder = start([*QUIET, *LOW, "-listen", "1", "-i", url, *CODED, "-tune", "zerolatency", "-an",
                           "-flush_packets", "1", "-f", "flv", "-"], stdout=subprocess.PIPE)
            player = start([*QUIET, *LOW, "-threads", "1", "-i", "-", *tail], stdin=coder.stdout,
                           stdout=subprocess.PIPE)
        else:
            http = free_port()
            show = os.path.join(folder.name, "glass.show")
            with open(show, "w", encoding="utf-8") as file:
                file.write(SHOW.format(size=f"{WIDTH}x{HEIGHT}", rate=RATE, http=http, rtmp=port,
                                       buffer=BUFFER_MS, latency=middle))
            tracing = {**os.environ, "OBVAN_LOG": "obvan::way=trace", "NO_COLOR": "1"} if log else None
            start([OBVAN, "run", show, "--for", f"{seconds + 12}s", "--out", folder.name], env=tracing,
                  stdout=subprocess.DEVNULL, stderr=log or subprocess.DEVNULL)
        time.sleep(1.5)
        sender = start([*[word for word in QUIET if word != "-nostdin"], "-f", "rawvideo", "-pix_fmt", "yuv420p",
                        "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", str(RATE), "-i", "-", *CODED,
                        "-preset", "ultrafast", "-tune", "zerolatency", "-flush_packets", "1", "-f", "flv", url],
                       stdin=subprocess.PIPE)
        if middle not in ("nothing", "ffmpeg"):
            web = f"http://127.0.0.1:{http}/live/program/only.flv"
            player = start([*QUIET, *LOW, "-threads", "1", "-i", web, *tail], stdout=subprocess.PIPE)
        reader = threading.Thread(target=play, args=(player, came_out, stop), daemon=True)
        reader.start()
        feed(sender, went_in, time.monotonic() + seconds + 2)
        time.sleep(1)
    finally:
        stop.set()
        for process in started:
            process.kill()
            process.wait()
        folder.cleanup()
    first = 2 * RATE
    return [1000 * (out - went_in[at]) for at, out in came_out.items() if at >= first and at in went_in]


def main():
    words = [word for word in sys.argv[1:] if word != "--way"]
    numbers = [int(word) for word in words if word.isdigit()]
    seconds, rounds = [*numbers, 10, 3][:2] if len(numbers) != 1 else (numbers[0], 3)
    middles = [word for word in words if not word.isdigit()] or MIDDLES
    if set(middles) - set(MIDDLES):
        sys.exit(f"glass: legal is {', '.join(MIDDLES)}")
    medians, lates, seen = ({middle: [] for middle in middles} for _ in range(3))
    ways = {}
    for turn in range(rounds):
        for middle in middles:
            print(f"glass: round {turn + 1} of {rounds}, {middle}", file=sys.stderr)
            with tempfile.TemporaryFile("w+") as log:
                traced = "--way" in sys.argv and middle in MIDDLES[2:]
                delays = sorted(run(middle, seconds, log if traced else None))
                log.seek(0)
                ways[middle] = legs(log)
            if len(delays) < seconds * RATE // 2:
                sys.exit(f"glass: with {middle} in between only {len(delays)} pictures came through")
            medians[middle].append(statistics.median(delays))
            lates[middle].append(delays[len(delays) * 95 // 100])
            seen[middle].append(len(delays))
    bare = statistics.median(medians.get("nothing", [0]))
    print(f"{'in between':24} {'pictures':>8} {'median ms':>10} {'(each round)':>24} {'95 % ms':>8} {'its own ms':>10}")
    for middle in middles:
        name = middle if middle in ("nothing", "ffmpeg") else f"obvan, latency {middle}"
        median = statistics.median(medians[middle])
        each = " ".join(f"{value:.0f}" for value in sorted(medians[middle]))
        late = statistics.median(lates[middle])
        print(f"{name:24} {min(seen[middle]):8} {median:10.0f} {'(' + each + ')':>24} {late:8.0f} {median - bare:10.0f}")
    print(f"obvan's line waits {BUFFER_MS} ms for late packets (buffer={BUFFER_MS}ms); a tick is {1000 // RATE} ms.")
    for middle, took in ways.items():
        for station, ms in took.items():
            ms.sort()
            label = f"{middle}: {'up to ' if station != 'in all' else ''}{station.lower()}"
            print(f"{label:32} {len(ms):6} {statistics.median(ms):10.1f} ms, 95 %: {ms[len(ms) * 95 // 100]:.1f} ms")


OBVAN = os.path.abspath(os.environ.get("OBVAN", os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "release", "obvan")))
if __name__ == "__main__":
    main()
