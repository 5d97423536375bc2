#!/usr/bin/env bash
# Runs examples/demo.show in real time, with an encoder that pushes the main camera, dies in
# mid-show and comes back, and a viewer who joins late; then proves what came out.
# Everything stays on this machine. Usage: scripts/demo.sh   (after `cargo build --release`)
set -euo pipefail
cd "$(dirname "$0")/.."
obvan=${OBVAN:-target/release/obvan}
out=out

# Recordings of an earlier demo are kept.
if [ -d $out ]; then
  kept=$out/earlier/$(date -r $out +%Y%m%d-%H%M%S)
  for entry in $out/* $out/.[!.]*; do
    if [ -e "$entry" ] && [ "$entry" != $out/earlier ]; then
      mkdir -p "$kept"
      mv "$entry" "$kept/"
    fi
  done
  if [ -d "$kept" ]; then
    printf 'demo: the earlier recordings are in %s\n' "$kept"
  fi
fi
mkdir -p $out

# free_port FIRST: the first port from there on that nobody answers at.
free_port() {
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    port=$((port + 1))
  done
  printf '%s' "$port"
}
http=127.0.0.1:$(free_port 8080)
rtmp=127.0.0.1:$(free_port 1935)

# A key for this run alone, beside what it opens.
OBVAN_KEY=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export OBVAN_KEY
(umask 077 && printf '%s\n' "$OBVAN_KEY" >$out/demo.key)

# What happens around the show, in its seconds: encoder on, off, on; a viewer from 0:08.
children=()
push() {
  ffmpeg -nostdin -hide_banner -v error -re -ss "$1" -i fixtures/generated/main.mp4 -c copy \
    -f flv "rtmp://$rtmp/live/main" >>$out/encoder.log 2>&1 &
  encoder=$!
  children+=("$encoder")
}
pause() { # unlike a plain sleep, one that a signal ends
  sleep "$1" &
  nap=$!
  wait $nap
}
stagehand() {
  trap 'kill "${children[@]}" "${nap:-}" 2>/dev/null; exit 0' TERM
  local tries
  for tries in $(seq 150); do
    if curl -fsS -m 1 -o /dev/null "http://$http/healthz" 2>/dev/null; then
      break
    fi
    sleep 0.1
  done
  push 0
  pause 8
  curl -sS -N -m 60 -o $out/viewer-240p.flv "http://$http/live/program/240p.flv" 2>>$out/viewer.log &
  children+=($!)
  pause 11
  kill -KILL "$encoder" 2>/dev/null || true
  pause 5
  push 3
  wait
}
stagehand &
hand=$!
trap 'kill $hand 2>/dev/null || true; wait $hand 2>/dev/null || true' EXIT

printf 'demo: the page with the key of this run: http://%s/#key=1:%s\n' "$http" "$OBVAN_KEY"
status=0
"$obvan" run examples/demo.show --http "$http" --rtmp "$rtmp" --out $out --report $out/report.json || status=$?

# The encoder has nobody to push to any more; the viewer writes out what came last.
sleep 0.5
kill $hand 2>/dev/null || true
wait $hand 2>/dev/null || true
trap - EXIT

printf '\ndemo: the show is over (exit %s). Recordings, key and report are in %s/; now the proof.\n' "$status" $out
OBVAN=$obvan scripts/prove.sh $out "$status"
