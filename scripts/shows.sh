# Sourced after ladder.sh by what runs obvan to measure it: shows of its film, beside examples/versus.show.
# All use `film`, which `measured` sets.

# copied_show: the film's own pictures as the largest rung, and three that are encoded.
copied_show() {
  cat <<SHOW
show "copied" {
  video 1920x1080 25fps
  audio 48kHz stereo
  camera film { line disk file "$film" }
  ladder own {
    preset veryfast; keyframe 2s; audio 128k
    rung source copy
    rung 720p 1280x720 2500k
    rung 480p 854x480 1200k
    rung 360p 640x360 700k
  }
  channel program { sources film; ladder own; egress disk record "{rung}.flv" }
  rundown program { at 0:10 end }
}
SHOW
}

# five_show LADDER SECONDS: four cameras with a channel each and a program of cuts between them, all
# marked with logo.png, encrypted with tour.key, four rungs each. With the ladder `four` the program
# carries what the cameras' channels encode; with `alone` its rungs have a kilobit more, so that it
# encodes for itself.
five_show() {
  local cameras="a b c d" camera
  printf 'show five {\n  video 1920x1080 25fps\n  audio 48kHz stereo\n'
  for camera in $cameras; do
    printf '  camera %s { line disk file "%s" loop=true }\n' "$camera" "$film"
  done
  printf '  watermark bug { image "logo.png" at=top-right margin=32 opacity=0.8 }\n'
  printf '  key tour { id 1 file="tour.key" }\n'
  local name more
  for name in four alone; do
    more=$([ "$name" = four ] && echo 0 || echo 1)
    printf '  ladder %s { preset veryfast; keyframe 2s; audio 128k; rung 1080p 1920x1080 %dk; rung 720p 1280x720 %dk; rung 480p 854x480 %dk; rung 360p 640x360 %dk }\n' \
      "$name" $((4500 + more)) $((2500 + more)) $((1200 + more)) $((700 + more))
  done
  local rest='watermark bug; encrypt tour; egress disk record "{channel}-{rung}.flv"'
  printf '  channel program { sources %s; ladder %s; %s }\n' "$cameras" "$1" "$rest"
  for camera in $cameras; do
    printf '  channel own-%s { sources %s; ladder four; %s }\n' "$camera" "$camera" "$rest"
  done
  # A cut every 1.4 s.
  printf '  rundown program {\n'
  local ms seconds=$2
  for ((ms = 1400, turn = 1; ms < seconds * 1000; ms += 1400, turn++)); do
    # shellcheck disable=SC2086
    set -- $cameras
    shift $((turn % 4))
    printf '    at 0:%02d.%03d cut %s\n' $((ms / 1000)) $((ms % 1000)) "$1"
  done
  printf '  }\n}\n'
}

# beside_shows FOLDER: what five_show's shows read.
beside_shows() {
  cp fixtures/pictures/logo.png "$1/"
  printf '000102030405060708090a0b0c0d0e0f' >"$1/tour.key"
  chmod 600 "$1/tour.key"
}
