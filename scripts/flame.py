#!/usr/bin/env python3
"""Draws folded stacks ("a;b;c number" a line, on stdin) as a flame graph (SVG, on stdout).

Usage: scripts/flame.py TITLE <stacks >graph.svg
"""

import sys
from html import escape
from zlib import crc32

WIDTH, ROW, LEAST = 1200.0, 18, 0.4


class Node:
    """What lies on top of one another: a name's share, and those above it."""

    def __init__(self):
        self.size, self.above = 0.0, {}


def read(lines):
    whole = Node()
    for line in lines:
        stack, _, size = line.rpartition(" ")
        at, size = whole, float(size)
        at.size += size
        for name in stack.split(";"):
            at = at.above.setdefault(name, Node())
            at.size += size
    return whole


def height(node):
    return 1 + max((height(above) for above in node.above.values()), default=0)


def draw(name, node, x, level, scale, top, out):
    width = node.size * scale
    if width < LEAST:
        return
    y = top - (level + 1) * ROW
    mark = crc32(name.encode())
    colour = f"rgb({205 + mark % 50},{80 + mark // 50 % 130},{mark // 6500 % 55})"
    out.append(f'<g><title>{escape(name)}: {node.size:.0f} ms</title>')
    out.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}"/>')
    letters = int(width / 7) - 1
    if letters > 2:
        text = name if len(name) <= letters else name[: letters - 1] + "…"
        out.append(f'<text x="{x + 3:.1f}" y="{y + ROW - 5}">{escape(text)}</text>')
    out.append("</g>")
    for name, above in sorted(node.above.items(), key=lambda one: -one[1].size):
        draw(name, above, x, level + 1, scale, top, out)
        x += above.size * scale


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    whole = read(line.rstrip("\n") for line in sys.stdin if line.strip())
    if not whole.size:
        sys.exit("flame: there are no stacks")
    top = height(whole) * ROW + ROW
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {top}" '
        'font-family="monospace" font-size="11">'
    ]
    draw(f"{sys.argv[1]}: {whole.size / 1000:.2f} CPU s", whole, 0.0, 0, WIDTH / whole.size, top, out)
    print("\n".join(out + ["</svg>"]))


main()
