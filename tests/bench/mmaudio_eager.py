#!/usr/bin/env python3
"""Times MMAudio's stages in eager PyTorch (mmaudio_eager_networks.py) next to `qingyin bench`, in
turns: each stage by one side and then by the other, in processes of their own.

  .venv/bin/python tests/bench/mmaudio_eager.py build/bin/qingyin small_16k --dtype float32

Prints for each stage the least CPU and wall seconds of either side over the repeats, the ratio of
the least CPU seconds, the median of the ratios within a repeat, and the largest resident memory.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import torch

import mmaudio_eager_networks as networks

STAGES = ("clip", "synchformer", "text", "flow", "mel decoder", "vocoder")


def largest_memory():
    with open("/proc/self/status", encoding="ascii") as facts:
        return next(int(line.split()[1]) for line in facts if line.startswith("VmHWM")) * 1024


def measure_stage(args):
    """Runs one stage and prints what it took."""
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    torch.manual_seed(1)
    config = networks.VARIANTS[args.variant]
    w = networks.Weights(torch.bfloat16 if args.dtype == "bfloat16" else torch.float32)
    run = {
        "clip": lambda: networks.clip_pictures(w, args.count),
        "synchformer": lambda: networks.synchformer(w, args.count),
        "text": lambda: networks.clip_text(w, args.count),
        "flow": lambda: networks.flow(w, args.count, config),
        "mel decoder": lambda: networks.mel_decoder(w, config),
        "vocoder": lambda: networks.vocoder(w, config),
    }[args.stage]()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    print(json.dumps({"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu,
                      "peak": largest_memory()}))


def ours(args, stage):
    command = [args.program, "bench", f"mmaudio:{args.variant}", "--random-weights", "--threads",
               str(args.threads), "--dtype", args.dtype, "--weights", args.weights, "--json",
               "--stages", stage]
    if args.vocabulary:
        command += ["--vocabulary", args.vocabulary]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(made.stdout)["items"][0]["stages"][0]


def theirs(args, stage, count):
    command = [sys.executable, __file__, args.program, args.variant, "--dtype", args.eager_dtype,
               "--threads", str(args.threads), "--stage", stage, "--count", str(count)]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(made.stdout)


def wanted_stages(args):
    if args.stages:
        return args.stages.split(",")
    return [stage for stage in STAGES if stage != "text" or args.vocabulary]


def measure_once(args, stage, rows):
    """One run of either side, entered into the rows by stage."""
    mine = ours(args, stage)
    count, _, everything = mine["measured"].split()[:3]
    scale = float(everything) / float(count)
    eager = theirs(args, stage, int(count))
    print(json.dumps([mine, eager]), file=sys.stderr, flush=True)
    row = rows.setdefault(stage, {"gflop": mine["gflop"], "ours": [], "eager": [],
                                  "peaks": [0, 0]})
    row["ours"].append((mine["cpu_seconds"], mine["seconds"]))
    row["eager"].append((eager["cpu"] * scale, eager["seconds"] * scale))
    row["peaks"] = [max(row["peaks"][0], mine["peak_memory_bytes"]),
                    max(row["peaks"][1], eager["peak"])]


def compare(args):
    rows = {}
    for _ in range(args.repeats):
        for stage in wanted_stages(args):
            measure_once(args, stage, rows)
    print(f"{args.variant} {args.dtype} against eager {args.eager_dtype}, "
          f"{args.threads} threads, {args.repeats} repeats")
    print(f"{'stage':<12}{'GFLOP':>8}{'CPU s':>9}{'eager':>9}{'ratio':>8}{'median':>8}"
          f"{'wall s':>9}{'eager':>9}{'ratio':>8}{'peak GB':>9}{'eager':>8}")
    for name, row in rows.items():
        median = statistics.median(b[0] / a[0] for a, b in zip(row["ours"], row["eager"]))
        mine, eager = ([min(values) for values in zip(*row[side])] for side in ("ours", "eager"))
        print(f"{name:<12}{row['gflop']:>8.0f}{mine[0]:>9.2f}{eager[0]:>9.2f}"
              f"{eager[0] / mine[0]:>8.2f}{median:>8.2f}{mine[1]:>9.2f}{eager[1]:>9.2f}"
              f"{eager[1] / mine[1]:>8.2f}{row['peaks'][0] / 1e9:>9.2f}"
              f"{row['peaks'][1] / 1e9:>8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="qingyin")
    parser.add_argument("variant", choices=networks.VARIANTS)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--weights", choices=("full", "int8"), default="full")
    parser.add_argument("--eager-dtype", choices=("float32", "bfloat16"))
    parser.add_argument("--vocabulary", help="CLIP's, to time the tower that reads words too")
    parser.add_argument("--stages", help="names with commas between: only these")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stage", help="run this one alone, in PyTorch")
    parser.add_argument("--count", type=int, default=1)
    args = parser.parse_args()
    args.eager_dtype = args.eager_dtype or args.dtype
    measure_stage(args) if args.stage else compare(args)


if __name__ == "__main__":
    main()
