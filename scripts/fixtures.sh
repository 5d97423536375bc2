#!/usr/bin/env bash
# Makes the media that the demo, the tests and the benches play, with the ffmpeg of the system.
# Each file is written beside its place and moved in when it is whole; what is there is kept,
# unless this script has changed since.
# Usage: scripts/fixtures.sh [bench]     bench adds the long clip only the benches need
set -euo pipefail
cd "$(dirname "$0")/.."
self=$PWD/scripts/fixtures.sh
bunny=$PWD/fixtures/clips/bigbuckbunny-720p25.mp4
mkdir -p fixtures/generated
cd fixtures/generated

recipe=$(cksum <"$self")
if [ "$(cat .recipe 2>/dev/null || true)" != "$recipe" ]; then
  stale=yes
else
  stale=no
fi

parts=$(mktemp -d ./.parts.XXXXXX)
trap 'rm -rf "$parts"' EXIT

# needed NAME: whether NAME is yet to be made.
needed() {
  if [ -s "$1" ] && [ $stale = no ]; then
    return 1
  fi
  printf 'fixtures: %s\n' "$1" >&2
}
# make NAME ARGUMENTS…: one run of ffmpeg into NAME.
make() {
  local name=$1
  shift
  ffmpeg -nostdin -hide_banner -v error -y "$@" -map_metadata -1 -fflags +bitexact "$parts/$name"
  mv -f "$parts/$name" "$name"
}
# cut_short NAME FROM PERCENT: the first PERCENT of the bytes of FROM.
cut_short() {
  local bytes
  bytes=$(stat -c %s "$2")
  head -c $((bytes * $3 / 100)) "$2" >"$parts/$1"
  mv -f "$parts/$1" "$1"
}

x264=(-c:v libx264 -preset veryfast -pix_fmt yuv420p)
aac=(-c:a aac -b:a 96k -ar 48000 -ac 2)
small="scale=320:180:flags=bilinear"

# --- The demo's cameras: 960x540 at 25 frames a second, each with a tone of its own. ---

if needed main.mp4; then
  make main.mp4 -stream_loop -1 -i "$bunny" -t 30 -vf scale=960:540 \
    "${x264[@]}" -crf 25 -g 25 "${aac[@]}" -movflags +faststart
fi
# camera NAME PITCH FILTER: one artist.
camera() {
  if needed "$1"; then
    make "$1" -stream_loop -1 -i "$bunny" -f lavfi -i "sine=frequency=$2:sample_rate=48000" -t 10 \
      -map 0:v -map 1:a -vf "$3,scale=960:540,setsar=1" -af "volume=0.5" \
      "${x264[@]}" -crf 26 -g 50 "${aac[@]}" -movflags +faststart
  fi
}
camera guitar.mp4 330 "crop=640:360:40:200,hue=h=70"
camera drums.mp4 110 "hflip,crop=800:450:400:60,hue=h=200:s=1.6"
camera voice.mp4 523 "crop=480:270:x='400+200*sin(n/40)':y=200,hue=s=0"

# --- Small clips, each with one thing about it. ---

# White for two frames, with a beep, from the start of every second: for measuring sound against picture.
if needed flash-beep.mp4; then
  make flash-beep.mp4 -f lavfi -i "color=black:size=640x360:rate=25" \
    -f lavfi -i "aevalsrc='0.7*sin(2*PI*1000*t)*lt(mod(n,48000),3840)':s=48000" -t 10 \
    -vf "drawbox=color=white:t=fill:enable='lt(mod(n,25),2)'" \
    "${x264[@]}" -crf 20 -g 25 "${aac[@]}"
fi
if needed base.mp4; then
  make base.mp4 -i "$bunny" -t 4 -vf "$small" "${x264[@]}" -crf 26 -g 25 "${aac[@]}" -movflags +faststart
fi
if needed base-moov-last.mp4; then make base-moov-last.mp4 -i base.mp4 -c copy; fi
if needed base.ts; then make base.ts -i base.mp4 -c copy; fi
if needed base.mkv; then make base.mkv -i base.mp4 -c copy; fi
if needed base.flv; then make base.flv -i base.mp4 -c copy -flvflags no_duration_filesize; fi
if needed video-only.mp4; then make video-only.mp4 -i base.mp4 -c copy -an; fi
if needed audio-only.m4a; then make audio-only.m4a -i base.mp4 -c copy -vn; fi

# Sound of another length than its pictures, which a loop must bear.
if needed short-sound.mp4; then
  make short-sound.mp4 -i base.mp4 -t 1.3 -i base.mp4 -map 0:v -map 1:a -c copy
fi
if needed long-sound.mp4; then
  make long-sound.mp4 -t 1.3 -i base.mp4 -i base.mp4 -map 0:v -map 1:a -c copy
fi
# Sound that begins or ends seconds from its pictures, and a codec that nobody decodes.
for kind in ts mkv flv; do
  if needed late-sound.$kind; then
    make late-sound.$kind -i base.mp4 -itsoffset 3 -i base.mp4 -map 0:v -map 1:a -c copy -shortest
  fi
  if needed late-picture.$kind; then
    make late-picture.$kind -stream_loop 1 -i base.mp4 -itsoffset 5 -i base.mp4 -map 1:v -map 0:a -c copy
  fi
  if needed short-sound.$kind; then make short-sound.$kind -stream_loop 1 -i base.mp4 -t 1.3 -i base.mp4 -map 0:v -map 1:a -c copy; fi
  if needed long-sound.$kind; then make long-sound.$kind -t 1.3 -i base.mp4 -stream_loop 1 -i base.mp4 -map 0:v -map 1:a -c copy; fi
done
if needed no-decoder-sound.mkv; then make no-decoder-sound.mkv -stream_loop 1 -i base.mp4 -c:v copy -c:a alac; fi
if needed no-decoder-picture.mkv; then make no-decoder-picture.mkv -i base.mp4 -c:v ffv1 -c:a copy; fi

if needed odd.mp4; then # H.264 has odd sizes only without chroma subsampling
  make odd.mp4 -i base.mp4 -vf scale=321:181 -c:v libx264 -preset veryfast -crf 26 -pix_fmt yuv444p -c:a copy
fi
if needed odd.webm; then
  make odd.webm -i base.mp4 -t 2 -vf scale=323:181 -c:v libvpx -deadline realtime -cpu-used 8 -b:v 400k \
    -c:a libopus -b:a 64k
fi
if needed yuv422.mp4; then
  make yuv422.mp4 -i base.mp4 -c:v libx264 -preset veryfast -crf 26 -pix_fmt yuv422p -c:a copy
fi
if needed ten-bit.mp4; then
  make ten-bit.mp4 -i base.mp4 -c:v libx264 -preset veryfast -crf 26 -pix_fmt yuv420p10le -c:a copy
fi
if needed hevc.mp4; then
  make hevc.mp4 -i base.mp4 -t 2 -c:v libx265 -preset ultrafast -crf 30 -x265-params log-level=error \
    -tag:v hvc1 -c:a copy
fi
if needed vfr.mp4; then # 25 frames a second, then every third of them, then 25 again
  make vfr.mp4 -i base.mp4 -vf "select='not(between(n,25,74))+not(mod(n,3))'" -fps_mode vfr \
    "${x264[@]}" -crf 26 -c:a copy
fi
if needed rotated.mp4; then # shown a quarter turn clockwise by its display matrix only; FFmpeg 6 changed how to say so
  if ffmpeg -hide_banner -h full 2>/dev/null | grep -e -display_rotation >/dev/null; then
    make rotated.mp4 -display_rotation -90 -i base.mp4 -c copy
  else
    make rotated.mp4 -i base.mp4 -c copy -metadata:s:v rotate=270
  fi
fi
if needed interlaced.mp4; then
  make interlaced.mp4 -i base.mp4 -vf "framerate=50,tinterlace=interleave_top,fieldorder=tff" \
    -c:v libx264 -preset veryfast -crf 26 -pix_fmt yuv420p -flags +ildct+ilme -x264-params tff=1 -c:a copy
fi

# --- Damage. ---

if needed truncated.mp4; then cut_short truncated.mp4 base.mp4 60; fi
if needed truncated-moov-last.mp4; then cut_short truncated-moov-last.mp4 base-moov-last.mp4 60; fi
if needed truncated.mkv; then cut_short truncated.mkv base.mkv 60; fi
if needed truncated.ts; then cut_short truncated.ts base.ts 60; fi
if needed truncated.flv; then cut_short truncated.flv base.flv 60; fi
if needed not-media.mp4; then
  printf 'This is a text file that somebody named .mp4.\n' >"$parts/not-media.mp4"
  mv -f "$parts/not-media.mp4" not-media.mp4
fi

printf '%s\n' "$recipe" >"$parts/recipe"

# --- For the benches: ten seconds of full-size film with grain, so that no encoder has it easy. ---

if [ "${1:-}" = bench ] || { [ $stale = yes ] && [ -e bench-1080p25.mp4 ]; }; then
  if needed bench-1080p25.mp4; then
    make bench-1080p25.mp4 -stream_loop -1 -i "$bunny" -t 10 \
      -vf "scale=1920:1080,noise=alls=10:allf=t:all_seed=1" \
      "${x264[@]}" -b:v 12M -maxrate 12M -bufsize 12M -g 50 "${aac[@]}" -movflags +faststart
  fi
fi
mv -f "$parts/recipe" .recipe
