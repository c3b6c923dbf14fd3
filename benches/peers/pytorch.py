#!/usr/bin/env python3
"""PyTorch's SoftPool, eager and compiled, beside its own pools and a clone: on the CPU, and on CUDA where there is one.

    python3 -m venv .venv && .venv/bin/pip install -r benches/peers/requirements.txt
    .venv/bin/python benches/peers/pytorch.py [--json FILE]

Medians in milliseconds by torch.utils.benchmark, which waits for the device, of the forward pass and of forward and backward
together (from a gradient of ones), float32. The one-liner is what people use: no maximum is subtracted.

scripts/gpu-proof runs it with --proof FILE: on CUDA, by its events, in the sizes, types and layouts of the proof's roofline, forward
and backward each by itself, on the same inputs; and the results of SoftPool, PyTorch's and softpool's, are compared with float64.
"""

import argparse
import functools
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
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


def by_benchmark(arguments):
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


LARGE = (32, 64, 224, 224)
SMALL = (2, 16, 56, 56)
# As in the proof's roofline, those that matter most first: shape, type, whether channels are last.
STORAGES = [(torch.float32, False), (torch.float16, False), (torch.bfloat16, False)]
STORAGES += [(torch.float32, True), (torch.float16, True), (torch.bfloat16, True)]
# What a case is called: benches/cases/mod.rs.
TYPES = {torch.float32: "", torch.float16: " f16", torch.bfloat16: " bf16"}
SAMPLES = 21
PASS_MS = 2.0


@functools.cache
def normal(device):
    """What benches/measure/mod.rs fills tensors with: as many values as 8x64x112x112 has."""
    count = 4 * 8 * 64 * 112 * 112
    # The states of the generator, all at once: state k is a^k + c (a^(k-1) + ... + 1), modulo 2^32.
    powers = numpy.cumprod(numpy.full(count, 1_664_525, numpy.uint32), dtype=numpy.uint32)
    sums = numpy.cumsum(numpy.concatenate([numpy.ones(1, numpy.uint32), powers[:-1]]), dtype=numpy.uint32)
    states = powers + numpy.uint32(1_013_904_223) * sums
    u = ((states >> 8).astype(numpy.float32) / numpy.float32(1 << 24)).reshape(-1, 4).T
    return torch.from_numpy((u[0] + u[1] + u[2] + u[3] - numpy.float32(2)) * numpy.sqrt(numpy.float32(3))).to(device)


def values(shape, device):
    """A tensor of these values, which repeat if it is larger."""
    count = math.prod(shape)
    block = normal(device)
    return block.repeat(-(-count // block.numel()))[:count].reshape(shape).clone()


class DeviceClock:
    """Times a step on the device by CUDA's events, or by the clock where there is no CUDA."""

    def __init__(self, device, smoke):
        self.cuda = device == "cuda"
        self.samples, self.pass_ms = (1, 0.0) if smoke else (SAMPLES, PASS_MS)

    def once(self, step, repeats):
        if not self.cuda:
            start = time.perf_counter()
            for _ in range(repeats):
                step()
            return (time.perf_counter() - start) * 1e3 / repeats
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(repeats):
            step()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / repeats

    def median_ms(self, step):
        # The first call compiles, the second may still choose.
        for _ in range(3):
            first = self.once(step, 1)
        repeats = max(1, min(64, int(self.pass_ms / max(first, 1e-6)) + 1))
        samples = sorted(self.once(step, repeats) for _ in range(self.samples))
        return samples[len(samples) // 2]


class Report:
    """The stage's rows, written as they come: proof/src/record.rs has the format."""

    def __init__(self, file):
        self.file, self.start = Path(file), time.monotonic()
        self.rows, self.notes, self.errors = [], [], []

    def write(self):
        seconds = time.monotonic() - self.start
        stage = {"title": "PyTorch", "notes": self.notes, "faults": [], "seconds": seconds}
        stage |= {"rows": self.rows, "errors": self.errors}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.with_suffix(".json").write_text(json.dumps(stage, indent=2) + "\n", encoding="utf-8")
        lines = ["## PyTorch", "", "| case | who | median ms |", "|---|---|---|"]
        lines += [f"| {row['case']} | {row['who']} | {row['ms']:.4f} |" for row in self.rows]
        lines += ["", "| case | whose | largest error, of the largest value |", "|---|---|---|"]
        lines += [f"| {row['case']} | {row['whose']} | {row['error']:.2e} |" for row in self.errors]
        lines += [""] + [f"- {note}" for note in self.notes]
        self.file.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def note(self, note):
        print(note, flush=True)
        self.notes.append(note)
        self.write()

    def row(self, case, who, ms):
        print(f"{case:<48} {who:<26} {ms:10.4f} ms", flush=True)
        self.rows.append({"case": case, "who": who, "ms": ms})
        self.write()

    def error(self, case, whose, error):
        print(f"{case:<48} {whose:<26} off by {error:.2e} of the largest value", flush=True)
        self.errors.append({"case": case, "whose": whose, "error": error})
        self.write()


def name(direction, shape, window, dtype, channels_last):
    kernel, stride, padding = window
    padded = f" p{padding}" if padding else ""
    layout = " channels-last" if channels_last else ""
    return f"{direction} {'x'.join(map(str, shape))} k{kernel} s{stride}{padded}{layout}{TYPES[dtype]}"


def steps(pool, x, g):
    """The forward pass, and the backward pass by itself."""
    def ahead():
        with torch.no_grad():
            return pool(x)

    y = pool(x)

    def back():
        return torch.autograd.grad(y, x, g, retain_graph=True)

    return {"forward": ahead, "backward": back}


def in_float64(window, x, g):
    """SoftPool and its gradient, with the maximum subtracted, on PyTorch's device."""
    kernel, stride, padding = window
    x = x.detach().double().requires_grad_()
    e = (x - x.max()).exp()
    y = F.avg_pool2d(e * x, kernel, stride, padding) / F.avg_pool2d(e, kernel, stride, padding)
    return y.detach(), torch.autograd.grad(y, x, g.double())[0]


def compare(report, softpool, window, device):
    """The errors of everyone's SoftPool on one small tensor."""
    kernel, stride, padding = window
    shape = (2, 64, 112, 112)
    x = values(shape, device).requires_grad_()
    like_y = SoftPool2d(*window)(x)
    g = values(like_y.shape, device)
    wants = dict(zip(("forward", "backward"), in_float64(window, x, g)))
    gots = {}
    for who, pool in peers(*window).items():
        if who.startswith("SoftPool"):
            try:
                y = pool(x)
                gots["PyTorch's " + who] = {"forward": y.detach(), "backward": torch.autograd.grad(y, x, g)[0]}
            except Exception as error:  # What has no compiler here has no result.
                report.note(f"{who}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
    with tempfile.TemporaryDirectory() as folder:
        files = {file: str(Path(folder) / f"{file}.npy") for file in ("x", "g", "y", "gx")}
        numpy.save(files["x"], x.detach().cpu().numpy())
        numpy.save(files["g"], g.cpu().numpy())
        windows = [f"--kernel={kernel}", f"--stride={stride}", f"--padding={padding}"]
        # Not the CPU where there is no adapter.
        windows.append("--device=" + os.environ.get("SOFTPOOL_ADAPTER", "0"))
        for command in (
            ["forward", "--input", files["x"], "--output", files["y"]],
            ["backward", "--input", files["x"], "--grad-output", files["g"], "--output", files["gx"]],
        ):
            subprocess.run([softpool, *command, *windows], check=True)
        got = {"forward": files["y"], "backward": files["gx"]}
        gots["softpool"] = {direction: torch.from_numpy(numpy.load(file)).to(device) for direction, file in got.items()}
    for direction, want in wants.items():
        case = name(direction, shape, window, torch.float32, False)
        for who, got in gots.items():
            report.error(case, who, float((got[direction].double() - want).abs().max() / want.abs().max()))


def cases(smoke):
    if smoke:
        return [(SMALL, dtype, last, window) for dtype, last in STORAGES[:2] for window in WINDOWS[:1]]
    shapes = (LARGE, STORAGES[:2]), (SHAPE, STORAGES[:2]), (LARGE, STORAGES[2:]), (SHAPE, STORAGES[2:])
    return [(shape, dtype, last, window) for shape, storages in shapes for dtype, last in storages for window in WINDOWS]


def proof(arguments):
    report = Report(arguments.proof)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    device_name = torch.cuda.get_device_name() if device == "cuda" else platform.machine()
    report.note(f"PyTorch {torch.__version__} on {device_name}, medians by {'events' if device == 'cuda' else 'the clock'}")
    # A graph that is kept runs again only so.
    import torch._functorch.config

    if hasattr(torch._functorch.config, "donated_buffer"):
        torch._functorch.config.donated_buffer = False
    clock = DeviceClock(device, arguments.smoke)
    for window in WINDOWS[:1] if arguments.smoke else WINDOWS:
        compare(report, arguments.softpool, window, device)
    all_cases = cases(arguments.smoke)
    for index, (shape, dtype, channels_last, window) in enumerate(all_cases):
        if time.monotonic() - report.start > arguments.seconds:
            report.note(f"time was up after {index} of {len(all_cases)} cases")
            break
        layout = torch.channels_last if channels_last else torch.contiguous_format
        x = values(shape, device).to(dtype).contiguous(memory_format=layout).requires_grad_()
        for who, pool in peers(*window).items():
            if who == "clone":
                continue
            try:
                like_y = pool(x)
                g = values(like_y.shape, device).to(dtype).contiguous(memory_format=layout)
                for direction, step in steps(pool, x, g).items():
                    report.row(name(direction, shape, window, dtype, channels_last), who, clock.median_ms(step))
            except Exception as error:  # One that fails says so; the others are still worth it.
                message = str(error).splitlines()[0] if str(error) else type(error).__name__
                report.note(f"{name('forward', shape, window, dtype, channels_last)}, {who}: {message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the rows to a file as well")
    parser.add_argument("--seconds", type=float, default=1.0, help="time to measure each case for (default: %(default)s)")
    parser.add_argument("--proof", metavar="FILE", help="the proof's part: FILE.json and FILE.md, within --seconds in all")
    parser.add_argument("--softpool", metavar="FILE", help="softpool's command line, for --proof")
    parser.add_argument("--smoke", action="store_true", help="with --proof: small tensors, one sample each")
    arguments = parser.parse_args()
    if arguments.proof and not arguments.softpool:
        sys.exit("--proof compares with softpool's command line: --softpool FILE")
    proof(arguments) if arguments.proof else by_benchmark(arguments)


if __name__ == "__main__":
    main()
