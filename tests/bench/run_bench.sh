#!/usr/bin/env bash
# Times a whole `qingyin add`: run_bench.sh BIN_DIR [--quick]
# Prints the time of each stage, the real-time factor and the peak memory for an 8 s 720p clip on
# 2 threads; without --quick also the peak memory for clips of 2 min and 2 h.
set -euo pipefail
readonly BIN=$1
readonly MODE=${2:-}
FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/qingyin.bench.XXXXXX")
readonly FOLDER
trap 'rm -rf "$FOLDER"' EXIT

# The project's own scene, silent; a moving test picture where there is no renderer.
make_clip() {
  local clip=$1
  if [ -x "$BIN/qingyin_scene" ] && "$BIN/qingyin_scene" "$clip" --height 720 --seconds 8 \
    >/dev/null 2>&1; then
    return
  fi
  ffmpeg -v error -nostdin -y \
    -f lavfi -i "color=gray:s=1280x720:r=30:d=8" -f lavfi -i "testsrc2=s=160x160:r=30:d=8" \
    -filter_complex "[0][1]overlay=x='560+400*sin(3*t)':y='280+240*abs(sin(5*t))'" \
    -c:v libx264 -preset veryfast -pix_fmt yuv420p "$clip"
}

# peak_mb REPORT
peak_mb() {
  python3 -c 'import json, sys; print(round(json.load(open(sys.argv[1]))["peak_memory_bytes"] / 2**20))' "$1"
}

make_clip "$FOLDER/clip.mp4"
begin=$(date +%s.%N)
"$BIN/qingyin" add "$FOLDER/clip.mp4" -o "$FOLDER/out.mp4" --threads 2 -q >/dev/null
end=$(date +%s.%N)
python3 - "$FOLDER/out.report.json" "$begin" "$end" <<'PYTHON'
import json, sys
report = json.load(open(sys.argv[1]))
wall = float(sys.argv[3]) - float(sys.argv[2])
for stage, seconds in report["timings_s"].items():
    print(f"{stage:<24}{seconds:8.2f} s")
print(f"{'start and the rest':<24}{wall - sum(report['timings_s'].values()):8.2f} s")
print(f"{'whole add':<24}{wall:8.2f} s")
print(f"{'real-time factor':<24}{wall / report['duration_s']:8.2f}     goal 0.75")
print(f"{'peak memory':<24}{report['peak_memory_bytes'] / 2**20:8.0f} MB  goal 700")
print(f"{'events':<24}{len(report['events']):8d}")
PYTHON
[ "$MODE" != --quick ] || exit 0

# A picture that is still but for a box now and then, for 2 min and for 2 h: memory must not follow
# the duration. Ten strikes spread over it have the engine at work too.
box="drawbox=x=20:y=20:w=20:h=20:color=white:t=fill:enable='lt(mod(t,20),2)'"
ffmpeg -v error -nostdin -y -f lavfi -i "color=gray:s=64x64:r=2:d=120,$box" -c:v mpeg4 "$FOLDER/short.mp4"
ffmpeg -v error -nostdin -y -stream_loop 59 -i "$FOLDER/short.mp4" -c copy "$FOLDER/long.mp4"
for name in short:120 long:7200; do
  python3 - "${name#*:}" >"$FOLDER/t.json" <<'PYTHON'
import json, sys
seconds = float(sys.argv[1])
events = [{"id": f"e{k}", "label": "impact", "material": "wood", "onset_s": seconds * k / 10 + 1,
           "offset_s": seconds * k / 10 + 1.1} for k in range(10)]
clip = {"path": "clip.mp4", "duration_s": seconds, "frame_rate": "2/1", "width": 64, "height": 64}
print(json.dumps({"schema": "qingyin.events/1", "clip": clip, "events": events}))
PYTHON
  name=${name%:*}
  "$BIN/qingyin" add "$FOLDER/$name.mp4" -o "$FOLDER/$name.add.mp4" --threads 2 -q >/dev/null
  "$BIN/qingyin" render "$FOLDER/t.json" "$FOLDER/$name.mp4" -o "$FOLDER/$name.render.mp4" --threads 2 -q \
    >/dev/null
  printf '%-24s%8s MB, render %s MB\n' "peak of add, $name clip" "$(peak_mb "$FOLDER/$name.add.report.json")" \
    "$(peak_mb "$FOLDER/$name.render.report.json")"
done
