# Sourced by the scripts that compare: what is measured, and the ladder of examples/versus.show, made
# by ffmpeg.

# measured: in `obvan` the binary, in `film` ten seconds of 1080p25, both from wherever one is.
measured() {
  obvan=${OBVAN:-${CARGO_TARGET_DIR:-target}/release/obvan}
  film=$PWD/fixtures/generated/bench-1080p25.mp4
  local name
  name=$(basename "$0" .sh)
  if [ ! -x "$obvan" ]; then
    printf '%s: there is no %s: make %s builds it\n' "$name" "$obvan" "$name" >&2
    exit 2
  fi
  obvan=$(realpath "$obvan")
  if [ ! -s "$film" ]; then
    scripts/fixtures.sh bench
  fi
}

# Name, size, kbit/s.
rungs=("1080p 1920:1080 4500" "720p 1280:720 2500" "480p 854:480 1200" "360p 640:360 700")
ffmpeg=(ffmpeg -nostdin -hide_banner -v error -y)

# x264 RATE: how a rung is encoded.
x264() {
  printf '%s ' -c:v libx264 -preset veryfast -pix_fmt yuv420p -b:v "${1}k" -maxrate "${1}k" -bufsize "${1}k" \
    -g 50 -sc_threshold 0
}

# plain_ladder [LOGO]: what most people write, in `ladder`: split, a scaler a rung, four encoders of
# picture and four of sound. With a logo it lies over the film before it is split. What is read is
# `source`, ffmpeg's options of an input.
plain_ladder() {
  ladder=("${ffmpeg[@]}" "${source[@]}")
  if [ $# -gt 0 ]; then
    ladder+=(-i "$1")
    split_into '[0:v][1:v]overlay=W-w-32:32,' "${rungs[@]}"
  else
    split_into '[0:v]' "${rungs[@]}"
  fi
}

# copied_ladder: the same with the film's own pictures as the largest rung, source.flv.
copied_ladder() {
  ladder=("${ffmpeg[@]}" "${source[@]}")
  split_into '[0:v]' "${rungs[@]:1}"
  ladder+=(-map 0:v -map 0:a -c:v copy -c:a aac -b:a 128k -f flv source.flv)
}

# split_into HEAD RUNG…: adds to `ladder` what comes of a graph with this head.
split_into() {
  local rung name size rate graph="$1split=$(($# - 1))" scales= outputs=()
  shift
  for rung in "$@"; do
    read -r name size rate <<<"$rung"
    graph+="[$name]"
    scales+=";[$name]scale=$size[s$name]"
    # shellcheck disable=SC2046
    outputs+=(-map "[s$name]" -map 0:a $(x264 "$rate") -c:a aac -b:a 128k -f flv "$name.flv")
  done
  # To a scaler a size that is there already is no work.
  ladder+=(-filter_complex "$graph$scales" "${outputs[@]}")
}

# best_ladder: the best that we can write, in `ladder`: each rung scaled from the one above it, one
# thread an encoder, one encoder of sound whose packets go into all files. Of `source`, too.
best_ladder() {
  local rung name size rate n=0 from=0:v graph= encoders=() files=
  ladder=("${ffmpeg[@]}" "${source[@]}")
  for rung in "${rungs[@]}"; do
    read -r name size rate <<<"$rung"
    local scale=
    if [ "$size" != 1920:1080 ]; then
      scale="scale=$size,"
    fi
    # The last one is scaled on by nobody.
    if [ $n -lt $((${#rungs[@]} - 1)) ]; then
      graph+="[$from]${scale}split[$name][below$n];"
    else
      graph+="[$from]${scale%,}[$name];"
    fi
    from="below$n"
    encoders+=(-map "[$name]" "-b:v:$n" "${rate}k" "-maxrate:v:$n" "${rate}k" "-bufsize:v:$n" "${rate}k")
    files+="[f=flv:select=\\'v:$n,a\\']$name.flv|"
    n=$((n + 1))
  done
  ladder+=(-filter_complex "${graph%;}" "${encoders[@]}" -map 0:a -c:v libx264 -preset veryfast -pix_fmt yuv420p
    -threads:v 1 -g 50 -sc_threshold 0 -c:a aac -b:a 128k -flags +global_header -f tee "${files%|}")
}

# judge FILE SIZE: what a rung of `film` came to, "pictures kbit/s SSIM". The pictures are compared by
# their number, so one too many or too few shows; the film is scaled by a filter that neither side uses.
judge() {
  local file=$1 size=$2
  ffprobe -v error -select_streams v -show_entries packet=size -of csv=p=0 "$file" |
    awk -F, '{ n++; bytes += $1 } END { printf "%d %.0f ", n, bytes * 8 * 25 / n / 1000 }'
  ffmpeg -nostdin -hide_banner -i "$file" -i "$film" -lavfi "[0:v]settb=1/25,setpts=N[rung];\
[1:v]scale=$size:flags=lanczos+accurate_rnd,settb=1/25,setpts=N[film];[rung][film]ssim=shortest=1" -f null - 2>&1 |
    sed -nE 's/.*SSIM.* All:([0-9.]+).*/\1/p'
}
