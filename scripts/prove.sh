#!/usr/bin/env bash
# Proves what a demo left in a folder: the recordings open with the key and with nothing less,
# decode without an error, are aligned, and the report tells what happened.
# Usage: scripts/prove.sh [FOLDER [EXIT-STATUS-OF-THE-SHOW]]
set -uo pipefail
cd "$(dirname "$0")/.."
out=${1:-out}
ran=${2:-0}
obvan=${OBVAN:-target/release/obvan}
rungs=(540p:960x540 432p:768x432 360p:640x360 240p:426x240)
story="start:guitar cut:main cut:drums mix:main filler:standby recovered:main cut:voice mix:guitar end:"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# verdict HOLDS WHAT…: HOLDS is 0 where it does.
verdict() {
  if [ "$1" -eq 0 ]; then
    printf 'PASS  %s\n' "${*:2}"
  else
    printf 'FAIL  %s\n' "${*:2}"
    failures=$((failures + 1))
  fi
}
# equal WHAT FOUND EXPECTED
equal() {
  if [ "$2" = "$3" ]; then
    verdict 0 "$1: $2"
  else
    verdict 1 "$1: $2, and should be $3"
  fi
}
# decodes FILE: no error from the first to the last frame.
decodes() {
  ffmpeg -nostdin -hide_banner -v error -xerror -i "$1" -f null - >"$work/decode.log" 2>&1 && [ ! -s "$work/decode.log" ]
}
# packets FILE: time and flags of each picture, in order of time.
packets() {
  ffprobe -v error -select_streams v:0 -show_entries packet=pts_time,flags -of csv=p=0 "$1" | sort -n
}
# report EXPRESSION: of the report, as JavaScript calls it.
report() {
  node -e 'const report = JSON.parse(require("fs").readFileSync(process.argv[1]));
    const channel = report.channels[0];
    console.log(eval(process.argv[2]))' "$out/report.json" "$1" 2>/dev/null
}

equal "the show's exit status" "$ran" 0

for rung in "${rungs[@]}"; do
  name=${rung%%:*}
  recording=$out/program-$name.flv
  clear=$work/$name.flv
  if ! [ -s "$recording" ]; then
    verdict 1 "$name: there is no $recording"
    continue
  fi
  "$obvan" probe "$recording" >"$work/probe.txt" 2>&1
  verdict $? "$name: obvan probe reads the recording ($(stat -c %s "$recording") bytes)"
  "$obvan" decrypt "$recording" "$clear" --key-file "$out/demo.key" >"$work/decrypt.log" 2>&1
  verdict $? "$name: the recording decrypts"
  decodes "$clear"
  verdict $? "$name: what was decrypted decodes without an error"
  [ -s "$work/decode.log" ] && head -n 3 "$work/decode.log" | sed 's/^/        /'
  equal "$name: size" "$(ffprobe -v error -select_streams v:0 -show_entries stream=width,height -of csv=p=0:s=x "$clear")" "${rung#*:}"
  packets "$clear" >"$work/$name.packets"
done

# Every rung has the same pictures, and its key frames at the same times.
first=${rungs[0]%%:*}
frames=$(wc -l <"$work/$first.packets" 2>/dev/null || echo 0)
keys=$(grep -c K "$work/$first.packets" 2>/dev/null || echo 0)
same=0
for rung in "${rungs[@]:1}"; do
  cmp -s <(tr -d ' ' <"$work/$first.packets" | sed -E 's/,.*K.*/,K/;s/,[^K]*$/,/') \
    <(tr -d ' ' <"$work/${rung%%:*}.packets" | sed -E 's/,.*K.*/,K/;s/,[^K]*$/,/') || same=1
done
[ "$frames" -gt 0 ] || same=1
verdict $same "all rungs have the same $frames pictures, with $keys key frames at the same times"

# Without the key it is noise.
if [ -s "$work/240p.flv" ]; then
  psnr=$(ffmpeg -nostdin -hide_banner -v info -i "$out/program-240p.flv" -i "$work/240p.flv" \
    -lavfi "[0:v][1:v]psnr" -an -f null - 2>&1 | sed -nE 's/.*PSNR .*average:([0-9.]+|inf).*/\1/p' | tail -n 1)
  awk -v p="${psnr:-inf}" 'BEGIN { exit !(p != "inf" && p + 0 < 20) }'
  verdict $? "240p: without the key it is noise (PSNR ${psnr:-unknown} dB, below 20)"
fi

# A viewer who came in late starts at a key frame and sees a clean picture.
if [ -s "$out/viewer-240p.flv" ]; then
  "$obvan" decrypt "$out/viewer-240p.flv" "$work/viewer.flv" --key-file "$out/demo.key" >"$work/decrypt.log" 2>&1
  verdict $? "the late viewer's stream decrypts"
  decodes "$work/viewer.flv"
  verdict $? "the late viewer's stream decodes without an error"
  [ -s "$work/decode.log" ] && head -n 3 "$work/decode.log" | sed 's/^/        /'
  ffprobe -v error -select_streams v:0 -show_entries packet=flags -of csv=p=0 "$work/viewer.flv" >"$work/viewer.packets"
  head -n 1 "$work/viewer.packets" | grep -q K
  verdict $? "the late viewer's stream begins with a key frame"
else
  verdict 1 "the late viewer got nothing from /live/program/240p.flv"
fi

# What the report says was on air, why, and since when.
if [ -s "$out/report.json" ]; then
  told=$(report 'channel.on_air.map(e => `${e.reason}:${e.source ?? ""}`).join(" ")')
  awk -v story="$story" -v told="$told" 'BEGIN {
    n = split(story, want, " "); m = split(told, have, " "); at = 1
    for (i = 1; i <= m && at <= n; i++) if (have[i] == want[at]) at++
    exit at <= n
  }'
  verdict $? "the report's story: ${told:-none}"
  equal "pictures by the report" "$(report 'channel.frames')" "$frames"
  late=$(report 'channel.late_ticks')
  # A tick now and then may be late on a busy machine; one in fifty is not real time any more.
  awk -v late="${late:-x}" -v frames="$frames" 'BEGIN { exit !(late ~ /^[0-9]+$/ && late * 50 <= frames) }'
  verdict $? "real time: ${late:-unknown} late ticks of $frames"
else
  verdict 1 "there is no $out/report.json"
fi

if [ $failures -eq 0 ]; then
  printf 'PASS: everything the demo shows holds\n'
else
  printf 'FAIL: %s of the above\n' $failures
fi
[ $failures -eq 0 ]
