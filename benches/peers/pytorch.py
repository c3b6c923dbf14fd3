#!/usr/bin/env python3
"""PyTorch's SoftPool, eager and compiled, beside its own pools and a clone: on the CPU, and on CUDA where there is one.

    python3 -m venv .venv && .venv/bin/pip install -r benches/peers/requirements.txt
    .venv/bin/python benches/peers/pytorch.py [--json FILE]

Medians in milliseconds by torch.utils.benchmark, which waits for the device, of the forward pass and of forward and backward
together (from a gradient of ones), float32. The one-liner is what people use: no maximum is subtracted.
"""

import argparse
import json
import os
import platform

import torch
import torch.nn.functional as F
from torch.utils.benchmark import Timer

SHAPE = (8, 64, 112, 112)
# Kernel, stride and padding.
WINDOWS = [(2, 2, 0), (3, 2, 1), (3, 1, 1)]


class SoftPool2d(torch.nn.Module):
    """avg(exp(x) x) / avg(exp(x))."""

    def __init__(self, kernel, stride, padding):
        super().__init__()
        self.window = kernel, stride, padding

    def forward(self, x):
        e = x.exp()
        return F.avg_pool2d(e * x, *self.window) / F.avg_pool2d(e, *self.window)


def peers(kernel, stride, padding):
    soft = SoftPool2d(kernel, stride, padding)
    return {
        "clone": torch.clone,
        "SoftPool, eager": soft,
        "SoftPool, torch.compile": torch.compile(soft),
        "MaxPool2d": torch.nn.MaxPool2d(kernel, stride, padding),
        "AvgPool2d": torch.nn.AvgPool2d(kernel, stride, padding),
    }


def forward(pool, x):
    with torch.no_grad():
        return pool(x)


def forward_and_backward(pool, x):
    y = pool(x)
    return torch.autograd.grad(y, x, torch.ones_like(y))


def median_ms(step, pool, x, seconds):
    # The first call compiles.
    step(pool, x)
    timer = Timer("step(pool, x)", globals={"step": step, "pool": pool, "x": x}, num_threads=torch.get_num_threads())
    return 1e3 * timer.blocked_autorange(min_run_time=seconds).median


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the rows to a file as well")
    parser.add_argument("--seconds", type=float, default=1.0, help="time to measure each case for (default: %(default)s)")
    arguments = parser.parse_args()

    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    rows = []
    for device in devices:
        name = torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()}, {os.cpu_count()} cores"
        print(f"PyTorch {torch.__version__} on {device} ({name}), {torch.get_num_threads()} threads, {SHAPE}")
        torch.manual_seed(1)
        x = torch.randn(SHAPE, device=device, requires_grad=True)
        for kernel, stride, padding in WINDOWS:
            case = f"k{kernel} s{stride}" + (f" p{padding}" if padding else "")
            for who, pool in peers(kernel, stride, padding).items():
                steps = forward, forward_and_backward
                forward_ms, both_ms = (median_ms(step, pool, x, arguments.seconds) for step in steps)
                print(f"{case:<10} {who:<26} forward {forward_ms:9.2f} ms   forward+backward {both_ms:9.2f} ms", flush=True)
                rows.append(
                    {"device": device, "case": case, "who": who, "forward_ms": forward_ms, "forward_backward_ms": both_ms}
                )
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"torch": torch.__version__, "shape": SHAPE, "rows": rows}, file, indent=2)


if __name__ == "__main__":
    main()
