#!/usr/bin/env python3
"""Times of one product by weights in 8 bits, by every way that libtorch has on a CPU.

One thread, CPU time, the least of five; sizes are those of MMAudio's medium and large flow network
(690 rows: 345 latents, both branches of guidance) and of CLIP's two towers.
usage: .venv/bin/python tests/bench/int8_products.py
"""

import time

import torch

SIZES = [(690, 896, 2688), (690, 896, 2560), (690, 2560, 896), (77, 1024, 4096), (730, 1280, 5120)]


def milliseconds(run, repeats=5):
    run()
    times = []
    for _ in range(repeats):
        begin = time.thread_time()
        run()
        times.append(time.thread_time() - begin)
    return min(times) * 1e3


def fast(x, weight):
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


def in_eight_bits(x):
    scale = x.abs().amax(1, keepdim=True) / 127
    return (x / scale).round().to(torch.int8), scale


def ways(x, weight):
    scales = weight.abs().amax(1) / 127
    values = (weight / scales[:, None]).round().to(torch.int8)
    x16, w16, s16 = x.bfloat16(), weight.bfloat16(), scales.bfloat16()

    def both_in_eight_bits():
        rows, row_scales = in_eight_bits(x)
        return torch._int_mm(rows, values.t()).float() * row_scales * scales

    return {
        "float32": lambda: fast(x, weight),
        "8 bits, widened to float32": lambda: fast(x, values.float()) * scales,
        "bfloat16": lambda: torch.nn.functional.linear(x16, w16),
        "8 bits, widened to bfloat16": lambda: torch.nn.functional.linear(x16, values.bfloat16()) * scales,
        "_weight_int8pack_mm, bfloat16": lambda: torch._weight_int8pack_mm(x16, values, s16),
        "both sides in 8 bits, _int_mm": both_in_eight_bits,
    }


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    with torch.inference_mode():
        for rows, width, out in SIZES:
            x, weight = torch.randn(rows, width), torch.randn(out, width) / width**0.5
            exact = x @ weight.t()
            print(f"{rows} x {width} x {out}")
            for name, run in ways(x, weight).items():
                error = ((run().float() - exact).norm() / exact.norm()).item()
                print(f"  {name:32} {milliseconds(run):7.1f} ms   error {100 * error:.2f} %")


if __name__ == "__main__":
    main()
