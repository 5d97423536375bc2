#!/usr/bin/env bash
# OBS publishes a film to an RTMP server again and again, without a screen and without a profile of
# its user's: Xvfb and Mesa's llvmpipe draw for it. It goes on until it is told to end (TERM, INT),
# two minutes at the most.
# Usage: scripts/obs.sh SERVER KEY FILM     as OBS asks for them: rtmp://127.0.0.1:1935/live main film.mp4
set -euo pipefail

if [ $# -ne 3 ]; then
  sed -n 's/^# Usage: /usage: /p' "$0" >&2
  exit 2
fi
for program in obs Xvfb; do
  command -v "$program" >/dev/null || {
    printf 'obs: %s is not installed: apt-get install obs-studio xvfb\n' "$program" >&2
    exit 2
  }
done
server=$1 key=$2 film=$(realpath "$3")
work=$(mktemp -d "${TMPDIR:-/tmp}/obs.XXXXXX")
started=()
clean() {
  trap - EXIT INT TERM
  for pid in "${started[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  wait
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 0' INT TERM

# It goes nowhere near the user's own settings, sound or display.
export HOME=$work XDG_CONFIG_HOME=$work/config XDG_RUNTIME_DIR=$work/run
export LIBGL_ALWAYS_SOFTWARE=1 QT_QPA_PLATFORM=xcb
unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS PULSE_SERVER
settings=$XDG_CONFIG_HOME/obs-studio
mkdir -p "$settings/basic/profiles/truck" "$settings/basic/scenes"
mkdir -m 700 "$XDG_RUNTIME_DIR"

# Whatever it would ask at its first start is answered.
cat >"$settings/global.ini" <<END
[General]
FirstRun=true
LastVersion=2147483647
EnableAutoUpdates=false
[Basic]
Profile=truck
ProfileDir=truck
SceneCollection=truck
SceneCollectionFile=truck
[BasicWindow]
WarnBeforeStartingStream=false
SysTrayEnabled=false
[OBSWebSocket]
FirstLoad=false
ServerEnabled=false
END
cat >"$settings/basic/profiles/truck/basic.ini" <<END
[General]
Name=truck
[Output]
Mode=Simple
RetryDelay=1
[SimpleOutput]
StreamEncoder=x264
UseAdvanced=true
Preset=ultrafast
VBitrate=800
ABitrate=128
[Video]
BaseCX=320
BaseCY=180
OutputCX=320
OutputCY=180
FPSType=0
FPSCommon=30
[Audio]
SampleRate=48000
ChannelSetup=Stereo
END
# quote TEXT: as JSON has it.
quote() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}
cat >"$settings/basic/profiles/truck/service.json" <<END
{ "type": "rtmp_custom", "settings": { "server": $(quote "$server"), "key": $(quote "$key"), "use_auth": false } }
END
cat >"$settings/basic/scenes/truck.json" <<END
{ "name": "truck", "current_scene": "stage", "current_program_scene": "stage",
  "scene_order": [{ "name": "stage" }],
  "sources": [
    { "id": "ffmpeg_source", "versioned_id": "ffmpeg_source", "name": "film", "mixers": 255, "volume": 1.0,
      "settings": { "is_local_file": true, "local_file": $(quote "$film"), "looping": true, "hw_decode": false } },
    { "id": "scene", "versioned_id": "scene", "name": "stage",
      "settings": { "id_counter": 1, "items": [
        { "name": "film", "id": 1, "visible": true, "pos": { "x": 0.0, "y": 0.0 },
          "bounds_type": 2, "bounds_align": 0, "bounds": { "x": 320.0, "y": 180.0 },
          "scale": { "x": 1.0, "y": 1.0 }, "align": 5 }] } }] }
END

mkfifo "$work/display"
timeout 120 Xvfb -displayfd 3 -screen 0 800x600x24 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
started+=($!)
read -r display <"$work/display"
DISPLAY=:$display timeout 120 obs --multi --startstreaming --minimize-to-tray >"$work/log" 2>&1 &
started+=($!)
wait "$!" || {
  status=$?
  tail -n 30 "$work/log" >&2
  exit "$status"
}
