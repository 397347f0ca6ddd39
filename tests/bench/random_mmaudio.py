#!/usr/bin/env python3
"""Writes a full-size MMAudio folder of random weights for `--engine mmaudio:custom --models DIR`.

  .venv/bin/python tests/bench/random_mmaudio.py ../shared/parity/mmaudio small_16k DIR

Names and shapes are those of the published files (the fixtures' key manifests); the values keep the
signals in the range of trained networks. Takes 6 to 11 GB of disk; what is there is left alone.
"""

import argparse
import gzip
import itertools
import json
import math
from pathlib import Path

import torch


def random_tensor(name, shape):
    if name.endswith("filter"):
        taps = [0.00202896, 0.00938947, -0.02554346, -0.05765738, 0.12857258, 0.44320980]
        return torch.tensor(taps + taps[::-1]).view(shape)
    if name in ("data_std", "latent_std") or ("norm" in name and name.endswith("weight")):
        return torch.ones(shape)
    if ".ln_" in name or name.startswith("ln_"):
        return torch.ones(shape) if name.endswith("weight") else torch.zeros(shape)
    if name.endswith("weight_g"):
        return torch.ones(shape) * 0.6
    if len(shape) < 2 or name.endswith(("alpha", "beta", "gain")):
        return torch.zeros(shape)
    limit = math.sqrt(3 / max(1, math.prod(shape[1:])))
    return torch.empty(shape).uniform_(-limit, limit)


def tensors_of(manifest, prefix=""):
    made = {}
    for line in manifest.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, shape = line.split("\t")
        made[prefix + name] = random_tensor(name, json.loads(shape))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("variant", choices=("small_16k", "small_44k", "medium_44k", "large_44k",
                                            "large_44k_v2"))
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    torch.manual_seed(1)
    keys, is_16k = args.fixtures / "keys", args.variant.endswith("16k")
    files = {
        f"mmaudio_{args.variant}.pth": (f"flow_{args.variant}", None),
        "v1-16.pth" if is_16k else "v1-44.pth": ("vae_16k" if is_16k else "vae_44k", None),
        "best_netG.pt" if is_16k else "bigvgan_generator.pt":
            ("bigvgan_16k_generator" if is_16k else "bigvgan_44k_generator", "generator"),
        "synchformer_state_dict.pth": ("synchformer_visual", None),
        "open_clip_pytorch_model.bin": ("clip_vit_h_14_378_quickgelu", None),
    }
    args.folder.mkdir(parents=True, exist_ok=True)
    for name, (manifest, wrapper) in files.items():
        if (args.folder / name).exists():
            continue
        tensors = tensors_of(keys / f"{manifest}.txt")
        torch.save({wrapper: tensors} if wrapper else tensors, args.folder / name)
        print(name, flush=True)
    with gzip.open(args.fixtures / "bpe_simple_vocab_16e6.txt.gz", "rt", encoding="utf-8") as lines:
        merges = list(itertools.islice(lines, 1 + 49152 - 256 - 2))  # a head line before them
    (args.folder / "merges.txt").write_text("".join(merges), encoding="utf-8")
    (args.folder / "mmaudio.json").write_text(json.dumps(
        {"schema": "qingyin.mmaudio/1", "like": args.variant, "licence": "random numbers"}))


if __name__ == "__main__":
    main()
