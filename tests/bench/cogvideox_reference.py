#!/usr/bin/env python3
"""The layers of CogVideoX in diffusers and transformers next to `qingyin bench`, in turn.

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install torch diffusers transformers
    /tmp/reference/bin/python tests/bench/cogvideox_reference.py build/bin/qingyin --threads 1

Random weights at full size; user and system time of each process, and the smallest and the median
of the ratios of neighbours (diffusers / qingyin: above 1, qingyin is faster). No part of the
program.
"""
import argparse
import json
import statistics
import subprocess
import time

import torch
from diffusers.models.autoencoders.autoencoder_kl_cogvideox import CogVideoXDecoder3D, CogVideoXEncoder3D
from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXBlock
from transformers import T5Config, T5EncoderModel

TEXT_ROWS = 226
BLOCKS = {"2b": (1920, 30), "5b": (3072, 48)}


def text_layer(args):
    config = T5Config(vocab_size=256, d_model=4096, d_kv=64, d_ff=10240, num_layers=1, num_heads=64,
                      feed_forward_proj="gated-gelu", is_encoder_decoder=False, use_cache=False)
    encoder = T5EncoderModel(config).eval()
    ids = torch.randint(0, 256, (1, TEXT_ROWS))
    return lambda: encoder(input_ids=ids)


def block(args):
    width, heads = BLOCKS[args.variant]
    layer = CogVideoXBlock(width, heads, 64, 512, attention_bias=True).eval()
    tokens = ((args.frames - 1) // 4 + 1) * (args.height // 16) * (args.width // 16)
    video = torch.randn(args.clips, tokens, width)
    text = torch.randn(args.clips, TEXT_ROWS, width)
    time_embedding = torch.randn(args.clips, 512)
    half = tokens, 64
    turns = None if args.variant == "2b" else (torch.ones(half), torch.zeros(half))
    return lambda: layer(video, text, time_embedding, image_rotary_emb=turns)


def vae_sizes():
    return dict(block_out_channels=(128, 256, 256, 512), layers_per_block=3, norm_num_groups=32,
                temporal_compression_ratio=4)


def decode_step(args):
    decoder = CogVideoXDecoder3D(in_channels=16, out_channels=3, **vae_sizes()).eval()
    latents = torch.randn(1, 16, args.latent_frames, args.vae_height // 8, args.vae_width // 8)
    return lambda: decoder(latents)


def encode_step(args):
    encoder = CogVideoXEncoder3D(in_channels=3, out_channels=16, **vae_sizes()).eval()
    frames = 1 if args.latent_frames == 1 else 4 * args.latent_frames - 3
    pixels = torch.randn(1, 3, frames, args.vae_height, args.vae_width)
    return lambda: encoder(pixels)


def cpu_seconds(work):
    begin = time.process_time()
    work()
    return time.process_time() - begin


def ours(args, component):
    is_vae = component in ("encode", "decode")
    size = (args.vae_width, args.vae_height) if is_vae else (args.width, args.height)
    frames = 4 * args.latent_frames - 3 if is_vae else args.frames
    command = [args.qingyin, "bench", f"cogvideox:{args.variant}", "--random-weights", "--json",
               "--component", component, "--size", f"{size[0]}x{size[1]}", "--frames", str(frames),
               "--clips", str(args.clips), "--threads", str(args.threads), "--dtype", args.dtype,
               "--repeats", str(args.warm + 1)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    part = (answer["items"][0] if "items" in answer else answer)["parts"][0]
    return part["cpu_s"][-1], part["measured"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("qingyin")
    parser.add_argument("--variant", default="2b", choices=sorted(BLOCKS))
    parser.add_argument("--component", action="append", choices=["text", "transformer", "encode", "decode"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm", type=int, default=1, help="runs before the one that counts")
    parser.add_argument("--clips", type=int, default=1)
    parser.add_argument("--frames", type=int, default=13)
    parser.add_argument("--width", type=int, default=720)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--vae-width", type=int, default=240)
    parser.add_argument("--vae-height", type=int, default=160)
    parser.add_argument("--latent-frames", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    if args.dtype == "bfloat16":
        torch.set_default_dtype(torch.bfloat16)
    makers = {"text": text_layer, "transformer": block, "encode": encode_step, "decode": decode_step}
    with torch.inference_mode():
        for component in args.component or makers:
            work = makers[component](args)
            for _ in range(args.warm):
                work()
            pairs = []
            for _ in range(args.rounds):
                mine, measured = ours(args, component)
                pairs.append((cpu_seconds(work), mine))
            ratios = sorted(reference / mine for reference, mine in pairs)
            print(f"{component:<12} {measured:<36} reference {min(p[0] for p in pairs):8.2f} s, "
                  f"here {min(p[1] for p in pairs):8.2f} s, ratio of the smallest "
                  f"{min(p[0] for p in pairs) / min(p[1] for p in pairs):.2f}, median ratio "
                  f"{statistics.median(ratios):.2f}", flush=True)
            del work


if __name__ == "__main__":
    main()
