"""MMAudio's networks in eager PyTorch, for timing.

The same shapes and operations as the published program performs them on a CPU, written from the
description of the networks: channels before time in convolutions, steps of the activations one by
one, both branches of guidance one after the other. Weights are random.
"""

import math

import torch
import torch.nn.functional as F

SEGMENTS, PICTURES, TEXT_TOKENS = 24, 64, 77  # 8 s
VARIANTS = {
    "small_16k": dict(dim=448, heads=7, joint=4, fused=8, latents=20, length=250, bands=80,
                      hidden=384, v2=False, rates=(4, 4, 2, 2, 2, 2), kernels=(8, 8, 4, 4, 4, 4)),
    "large_44k_v2": dict(dim=896, heads=14, joint=7, fused=14, latents=40, length=345, bands=128,
                         hidden=512, v2=True, rates=(8, 4, 2, 2, 2, 2),
                         kernels=(16, 8, 4, 4, 4, 4)),
}


class Weights:
    """Random tensors of the networks' sizes, with values in the range of trained ones."""

    def __init__(self, dtype):
        self.dtype = dtype

    def __call__(self, *shape):
        fan_in = math.prod(shape[1:]) if len(shape) > 1 else 1
        limit = math.sqrt(3 / fan_in) if len(shape) > 1 else 0.01
        return torch.empty(shape).uniform_(-limit, limit).to(self.dtype)

    def linear(self, inputs, outputs, bias=True):
        weight, offset = self(outputs, inputs), self(outputs) if bias else None
        return lambda x: F.linear(x, weight, offset)

    def conv(self, inputs, outputs, kernel, bias=True, dilation=1):
        """Over the last dimension, zeros past both ends."""
        weight, offset = self(outputs, inputs, kernel), self(outputs) if bias else None
        pad = kernel // 2 * dilation
        return lambda x: F.conv1d(x, weight, offset, padding=pad, dilation=dilation)

    def conv_last(self, inputs, outputs, kernel, bias=True):
        """The same for channels that come last: the published program turns them to and fro."""
        inner = self.conv(inputs, outputs, kernel, bias)
        return lambda x: inner(x.transpose(1, 2)).transpose(1, 2)

    def norm(self, width, eps=1e-5):
        gain, offset = torch.ones(width, dtype=self.dtype), self(width)
        return lambda x: F.layer_norm(x, (width,), gain, offset, eps)


# Encoders


def packed_attention(w, width, heads, causal=False):
    into, out = w.linear(width, 3 * width), w.linear(width, width)

    def run(x):
        parts = into(x).unflatten(-1, (3, heads, width // heads)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts, is_causal=causal)
        return out(mixed.transpose(1, 2).flatten(2))

    return run


def clip_block(w, width, heads, causal):
    norm_1, norm_2 = w.norm(width), w.norm(width)
    attention = packed_attention(w, width, heads, causal)
    wide, narrow = w.linear(width, 4 * width), w.linear(4 * width, width)

    def run(x):
        x = x + attention(norm_1(x))
        hidden = wide(norm_2(x))
        return x + narrow(hidden * torch.sigmoid(1.702 * hidden))

    return run


def clip_pictures(w, count):
    width, grid = 1280, 27
    patches, start = w(width, 3, 14, 14), w(width)
    places, projection = w(grid * grid + 1, width), w(width, 1024)
    before, after = w.norm(width), w.norm(width)
    blocks = [clip_block(w, width, 16, False) for _ in range(32)]
    pictures = torch.rand(count, 3, 384, 384).to(w.dtype)

    def run():
        x = F.conv2d(pictures, patches, stride=14).flatten(2).transpose(1, 2)
        x = before(torch.cat([start.expand(count, 1, width), x], 1) + places)
        for block in blocks:
            x = block(x)
        return F.normalize(after(x[:, 0]) @ projection, dim=-1)

    return run


def clip_text(w, count):
    width = 1024
    table, places, after = w(49408, width), w(TEXT_TOKENS, width), w.norm(width)
    blocks = [clip_block(w, width, 16, True) for _ in range(24)]
    tokens = torch.randint(0, 49408, (count, TEXT_TOKENS))

    def run():
        x = F.embedding(tokens, table) + places
        for block in blocks:
            x = block(x)
        return F.normalize(after(x), dim=-1)

    return run


def divided_attention(w, width, heads, over_time):
    into, out = w.linear(width, 3 * width), w.linear(width, width)
    times, places, size = 8, 196, width // heads

    def grouped(x, batch):
        x = x.reshape(batch * heads, times, places, size)
        x = x.transpose(1, 2) if over_time else x
        return x.reshape(-1, places if not over_time else times, size)

    def attend(q, k, v):
        return torch.softmax(q @ k.transpose(-2, -1), -1) @ v

    def run(x):
        batch = x.size(0)
        q, k, v = (part.unflatten(-1, (heads, size)).transpose(1, 2).flatten(0, 1)
                   for part in into(x).chunk(3, -1))  # [B H, 1 + N, K]
        q = q * size**-0.5
        first = attend(q[:, :1], k, v)
        groups = [grouped(part[:, 1:], batch) for part in (q, k, v)]
        repeats = groups[0].size(0) // (batch * heads)
        keys, values = (torch.cat([part[:, :1].repeat_interleave(repeats, 0), group], 1)
                        for part, group in ((k, groups[1]), (v, groups[2])))
        mixed = attend(groups[0], keys, values)
        if over_time:
            mixed = mixed.reshape(batch * heads, places, times, size).transpose(1, 2)
        mixed = mixed.reshape(batch * heads, times * places, size)
        x = torch.cat([first, mixed], 1).reshape(batch, heads, -1, size)
        return out(x.transpose(1, 2).flatten(2))

    return run


def synchformer_block(w, width, heads):
    norms = [w.norm(width, 1e-6) for _ in range(3)]
    time_attention = divided_attention(w, width, heads, True)
    space_attention = divided_attention(w, width, heads, False)
    wide, narrow = w.linear(width, 4 * width), w.linear(4 * width, width)

    def run(x):
        x = x + time_attention(norms[2](x))
        x = x + space_attention(norms[0](x))
        return x + narrow(F.gelu(wide(norms[1](x))))

    return run


def synchformer(w, count):
    width, heads = 768, 12
    patches, bias, start = w(width, 3, 2, 16, 16), w(width), w(1, 1, width)
    places, times = w(1, 197, width), w(1, 8, width)
    blocks = [synchformer_block(w, width, heads) for _ in range(12)]
    last, norm_1, norm_2 = w.norm(width, 1e-6), w.norm(width, 1e-6), w.norm(width, 1e-6)
    own, attention = w(1, 1, width), packed_attention(w, width, heads)
    wide, narrow = w.linear(width, 4 * width), w.linear(4 * width, width)
    segments = torch.rand(count, 3, 16, 224, 224).to(w.dtype)

    def run():
        x = F.conv3d(segments, patches, bias, stride=(2, 16, 16)).flatten(2).transpose(1, 2)
        x = torch.cat([start.expand(count, -1, -1), x], 1)
        tiled = places[:, 1:].repeat(1, 8, 1) + times.repeat_interleave(196, 1)
        x = x + torch.cat([places[:, :1], tiled], 1)
        for block in blocks:
            x = block(x)
        x = last(x[:, 1:]).reshape(count * 8, 196, width)
        x = torch.cat([own.expand(x.size(0), -1, -1), x], 1)
        x = x + attention(norm_1(x))
        return (x + narrow(F.gelu(wide(norm_2(x)))))[:, 0].reshape(count, 8, width)

    return run


# Flow network


def gated_mlp(w, width, hidden, kernel):
    def layer(inputs, outputs):
        if kernel == 0:
            return w.linear(inputs, outputs, False)
        return w.conv_last(inputs, outputs, kernel, False)

    gate, value, back = layer(width, hidden), layer(width, hidden), layer(hidden, width)
    return lambda x: back(F.silu(gate(x)) * value(x))


def rotations(count, size, scale=1.0):
    waves = scale / 10000 ** (torch.arange(0, size, 2) / size)
    angles = torch.outer(torch.arange(count).float(), waves)
    return torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], -1).unflatten(
        -1, (2, 2))


def rotated(x, table):
    pairs = x.float().unflatten(-1, (-1, 1, 2))
    return (table[..., 0] * pairs[..., 0] + table[..., 1] * pairs[..., 1]).flatten(-2).to(x.dtype)


def modulated(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift


class Stream:
    """What one kind of token has in a block."""

    def __init__(self, w, width, heads, hidden, kernel, is_last=False):
        self.heads, self.is_last = heads, is_last
        self.into = w.linear(width, 3 * width)
        self.gains = [torch.ones(64, dtype=w.dtype) for _ in range(2)]
        self.modulation = w.linear(width, (2 if is_last else 6) * width)
        if is_last:
            return
        self.out = w.conv_last(width, width, kernel) if kernel else w.linear(width, width)
        self.mlp = gated_mlp(w, width, hidden, kernel)

    def before(self, x, condition, table):
        self.terms = self.modulation(F.silu(condition)).chunk(2 if self.is_last else 6, -1)
        qkv = self.into(modulated(x, self.terms[0], self.terms[1]))
        q, k, v = qkv.unflatten(-1, (self.heads, 64, 3)).permute(4, 0, 2, 1, 3)
        q, k = F.rms_norm(q, (64,), self.gains[0]), F.rms_norm(k, (64,), self.gains[1])
        if table is not None:
            q, k = rotated(q, table), rotated(k, table)
        return q, k, v

    def after(self, x, mixed):
        if self.is_last:
            return x
        x = x + self.out(mixed) * self.terms[2]
        return x + self.mlp(modulated(x, self.terms[3], self.terms[4])) * self.terms[5]


def attend(parts):
    mixed = F.scaled_dot_product_attention(*(part.contiguous() for part in parts))
    return mixed.transpose(1, 2).flatten(2)


def flow(w, steps, c):
    width, heads, length = c["dim"], c["heads"], c["length"]
    hidden = 256 * math.ceil(int(2 * 4 * width / 3) / 256)
    enter, enter_mlp = w.conv_last(c["latents"], width, 7), gated_mlp(w, width, hidden, 7)
    activation = F.silu if c["v2"] else F.selu
    waves = width if c["v2"] else 256
    time_1, time_2 = w.linear(waves, width), w.linear(width, width)
    both = gated_mlp(w, width, hidden, 0)
    joint = [[Stream(w, width, heads, hidden, kernel, i + 1 == c["joint"] and s > 0)
              for s, kernel in enumerate((3, 3, 0))] for i in range(c["joint"])]
    fused = [Stream(w, width, heads, hidden, 3) for _ in range(c["fused"])]
    last_modulation, last = w.linear(width, 2 * width), w.conv_last(width, c["latents"], 7)
    tables = [rotations(length, 64), rotations(PICTURES, 64, length / PICTURES), None]
    branches = [tuple(torch.randn(1, n, width).to(w.dtype)
                      for n in (length, PICTURES, TEXT_TOKENS, 1)) for _ in range(2)]

    def evaluate(x, time_now, conditions):
        sync, *others, words = conditions
        latent = enter_mlp(activation(enter(x)))
        angles = time_now * 10000 ** (-torch.arange(0, waves, 2) / waves)
        embedded = torch.cat([angles.cos(), angles.sin()]).to(w.dtype)
        world = time_2(F.silu(time_1(embedded))) + both(words)
        each = world + sync
        streams = [latent, *others]
        for block in joint:
            known = [stream.before(s, each if i == 0 else world, tables[i])
                     for i, (stream, s) in enumerate(zip(block, streams))]
            mixed = attend([torch.cat(parts, 2) for parts in zip(*known)])
            pieces = mixed.split([s.size(1) for s in streams], 1)
            streams = [stream.after(s, piece) for stream, s, piece in zip(block, streams, pieces)]
        latent = streams[0]
        for block in fused:
            latent = block.after(latent, attend(block.before(latent, each, tables[0])))
        return last(modulated(latent, *last_modulation(F.silu(world)).chunk(2, -1)))

    def run():
        x = torch.randn(1, length, c["latents"]).to(w.dtype)
        for step in range(steps):
            wish, empty = (evaluate(x, step / steps, branch) for branch in branches)
            x = x + (4.5 * wish - 3.5 * empty) / steps
        return x

    return run


# Mel decoder and vocoder


def unit(x, dim):
    norm = torch.linalg.vector_norm(x, dim=dim, keepdim=True, dtype=torch.float32)
    return x / (1e-4 + norm / math.sqrt(x.size(dim))).to(x.dtype)


def soft(x):
    return F.silu(x) / 0.596


def mixed_sum(a, b):
    return torch.lerp(a, b, 0.3) / math.hypot(0.7, 0.3)


def vae_block(w, inputs, outputs):
    conv_1, conv_2 = w.conv(inputs, outputs, 3, False), w.conv(outputs, outputs, 3, False)
    aside = w.conv(inputs, outputs, 1, False) if inputs != outputs else None

    def run(x):
        x = unit(x, 1)
        h = conv_2(soft(conv_1(soft(x))))
        return mixed_sum(aside(x) if aside else x, h).clamp(-256, 256)

    return run


def vae_attention(w, width):
    into, out = w.conv(width, 3 * width, 1, False), w.conv(width, width, 1, False)

    def run(x):
        q, k, v = unit(into(x).reshape(x.size(0), 1, width, 3, -1), 2).unbind(3)
        h = F.scaled_dot_product_attention(*(p.transpose(-1, -2) for p in (q, k, v)))
        return mixed_sum(x, out(h.transpose(-1, -2).reshape(x.shape)))

    return run


def mel_decoder(w, c):
    wide, middle, narrow = 4 * c["hidden"], 2 * c["hidden"], c["hidden"]
    steps = [w.conv(c["latents"], wide, 3, False), vae_block(w, wide, wide),
             vae_attention(w, wide), vae_block(w, wide, wide)]
    steps += [vae_block(w, wide, wide) for _ in range(3)]
    steps += [vae_block(w, wide if i == 0 else middle, middle) for i in range(3)]
    steps += [lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest-exact"),
              w.conv(middle, middle, 3, False)]
    steps += [vae_block(w, middle if i == 0 else narrow, narrow) for i in range(3)]
    steps += [soft, w.conv(narrow, c["bands"], 3, False)]
    latents = torch.randn(1, c["latents"], c["length"]).to(w.dtype)

    def run():
        x = latents
        for step in steps:
            x = step(x)
        return x

    return run


TAPS = [0.00202896, 0.00938947, -0.02554346, -0.05765738, 0.12857258, 0.44320980]


def snake(w, channels):
    taps = torch.tensor(TAPS + TAPS[::-1]).view(1, 1, 12).to(w.dtype)
    alpha, beta = w(1, channels, 1), w(1, channels, 1)

    def run(x):
        x = F.pad(x, (5, 5), mode="replicate")
        x = 2 * F.conv_transpose1d(x, taps.expand(channels, -1, -1), stride=2, groups=channels)
        x = x[..., 15:-15]
        x = x + (1.0 / (torch.exp(beta) + 1e-9)) * torch.pow(torch.sin(x * torch.exp(alpha)), 2)
        x = F.pad(x, (5, 6), mode="replicate")
        return F.conv1d(x, taps.expand(channels, -1, -1), stride=2, groups=channels)

    return run


def vocoder_block(w, channels, kernel):
    layers = [(snake(w, channels), w.conv(channels, channels, kernel, dilation=dilation),
               snake(w, channels), w.conv(channels, channels, kernel)) for dilation in (1, 3, 5)]

    def run(x):
        for before, conv_1, between, conv_2 in layers:
            x = conv_2(between(conv_1(before(x)))) + x
        return x

    return run


def vocoder(w, c):
    channels = 1536
    first = w.conv(c["bands"], channels, 7)
    stages = []
    for rate, kernel in zip(c["rates"], c["kernels"]):
        up, bias = w(channels, channels // 2, kernel), w(channels // 2)
        channels //= 2
        stages.append((up, bias, rate, (kernel - rate) // 2,
                       [vocoder_block(w, channels, k) for k in (3, 7, 11)]))
    act, last = snake(w, channels), w.conv(channels, 1, 7)
    mel = torch.randn(1, c["bands"], 2 * c["length"]).to(w.dtype)

    def run():
        x = first(mel)
        for up, bias, rate, pad, blocks in stages:
            x = F.conv_transpose1d(x, up, bias, stride=rate, padding=pad)
            total = blocks[0](x)
            for block in blocks[1:]:
                total = total + block(x)
            x = total / 3
        return torch.tanh(last(act(x)))

    return run
