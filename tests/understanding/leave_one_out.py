#!/usr/bin/env python3
"""Leave-one-clip-out figures of the motion detector.  Needs python3 and numpy.

  leave_one_out.py [--motion-only] CLIPS_FOLDER CLUES [COPIES...]

CLIPS_FOLDER holds clips.json and score_onsets.py; CLUES and COPIES are folders that motion_clues
wrote, CLUES for the clips themselves, COPIES for altered copies with the same timing.  For each
clip of grade A or N the two logistic functions of the picker are fitted, and its two thresholds
chosen, on all other clips and their copies; the clip itself is then scored as it is.  What the
detector network says near an event is added with a weight that is not fitted; --motion-only leaves
it out.
"""
import importlib.util, json, os, sys
import numpy as np

TOLERANCES = (0.05, 0.1)
CONFIDENCES = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
PROMINENCES = (0.2, 0.25, 0.3, 0.35, 0.4)
FALSE_COST = 0.002  # of F1 for one false event per minute on the clips of grade N
RIDGE = 0.01
SEEN_WEIGHT = 0.0 if "--motion-only" in sys.argv else 0.3  # of the network's log-odds


def features(event, kind):
    log = lambda v: np.log(max(v, 0.01))
    if kind == "stop":
        return [log(event["clear"]), event["full"], 1.0]
    return [log(event["growth"]), event["prominence"], 1.0]


def fit(x, y, weight):
    """Ridge-regularised logistic regression by Newton's method, on standardised features."""
    mean, spread = x.mean(0), x.std(0)
    mean[-1], spread[-1] = 0, 1
    z, ridge = (x - mean) / spread, RIDGE * len(y) * np.r_[np.ones(x.shape[1] - 1), 0]
    b = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-z @ b))
        gradient = z.T @ (weight * (p - y)) + ridge * b
        b -= np.linalg.solve((z * (weight * p * (1 - p))[:, None]).T @ z + np.diag(ridge), gradient)
    raw = b / spread
    raw[-1] -= (raw[:-1] * mean[:-1]).sum()
    return raw


def train(events):
    model = {}
    for kind, low, high in (("stop", -1, 0.5), ("start", 0.5, 2)):
        own = [e for e in events if low <= e["start_share"] < high and e["label"] is not None
               and e["prominence"] > 0.2]
        count = {c: sum(e["clip"] == c for e in own) for c in {e["clip"] for e in own}}
        weight = np.array([1 / count[e["clip"]] for e in own])
        model[kind] = fit(np.array([features(e, kind) for e in own]),
                          np.array([float(e["label"]) for e in own]), weight / weight.mean())
    return model


def confidences(events, model):
    if not events:
        return np.zeros(0)
    seen = SEEN_WEIGHT * np.array([e["seen"] for e in events])
    return np.max([1 / (1 + np.exp(-np.array([features(e, k) for e in events]) @ model[k] - seen))
                   for k in model], axis=0)


def main():
    words = [w for w in sys.argv[1:] if w != "--motion-only"]
    folder, folders = words[0], words[1:]
    spec = importlib.util.spec_from_file_location("score", os.path.join(folder, "score_onsets.py"))
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    clips = [c for c in json.load(open(os.path.join(folder, "clips.json")))["clips"]
             if c["grade"] in "AN"]
    table = {}
    for place in folders:
        for c in clips:
            name = os.path.splitext(c["file"])[0]
            clues = json.load(open(os.path.join(place, name + ".json")))
            events = clues["events"]
            for e in events:
                near = lambda onsets: any(abs(e["time_s"] - t) <= 0.1 for t in onsets)
                hit = near(c["onsets_strong_s"])
                unsure = not hit and c["grade"] == "A" and near(c["onsets_weak_s"])
                e.update(clip=name, label=None if unsure else hit)
            table[place, name] = events

    def f1(c, times):
        found = [score.match(times, c["onsets_strong_s"], c["onsets_weak_s"], t)[:2]
                 for t in TOLERANCES]
        return [score.prf(h, n, len(c["onsets_strong_s"]))[2] for h, n in found]

    def chosen(place, name, model, least, prominence):
        events = table[place, name]
        return [e["time_s"] for e, p in zip(events, confidences(events, model))
                if p > least and e["prominence"] > prominence]

    results, false, minutes = [], 0, 0
    for held in clips:
        held_name = os.path.splitext(held["file"])[0]
        others = [c for c in clips if c is not held]
        model = train([e for (_, n), es in table.items() if n != held_name for e in es])
        best = None
        for least in CONFIDENCES:
            for prominence in PROMINENCES:
                gains, wrong, length = [], 0, 0
                for place in folders:
                    for c in others:
                        times = chosen(place, os.path.splitext(c["file"])[0], model, least, prominence)
                        if c["grade"] == "A":
                            gains.append(sum(f1(c, times)))
                        else:
                            wrong += len(times)
                            length += c["duration_s"] / 60
                value = np.mean(gains) - FALSE_COST * wrong / max(length, 1e-9)
                if best is None or value > best[0]:
                    best = (value, least, prominence)
        times = chosen(folders[0], held_name, model, best[1], best[2])
        line = f"{held_name:16s} confidence > {best[1]:.2f} prominence > {best[2]:.2f}"
        if held["grade"] == "A":
            results.append(f1(held, times))
            print(f"{line}  F1 {results[-1][0]:.2f} {results[-1][1]:.2f}")
        else:
            counted = score.match(times, [], held["onsets_weak_s"], 0.05)[1]
            false += counted
            minutes += held["duration_s"] / 60
            print(f"{line}  false events {counted}")
    macro = np.mean(results, axis=0)
    print(f"left out: macro F1 {macro[0]:.3f} at 0.05 s, {macro[1]:.3f} at 0.1 s; "
          f"{false / minutes:.1f} false events per minute")
    model = train([e for es in table.values() for e in es])
    for kind, b in model.items():
        print(f"fitted on all, {kind}: " + " ".join(f"{v:.2f}" for v in b))
    return 0


if __name__ == "__main__":
    sys.exit(main())
