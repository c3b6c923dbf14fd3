"""Runs recipes of golden cases by host.py, on the adapter that wgpu's Python package takes by itself, and compares.

    python hosts/test.py FOLDER

FOLDER has calls.json and a recipe for each call (web/tests/recipes.mjs writes them). Results are held against what PyTorch
computed in float64 (tests/golden): they may be off by 16 ulp of the largest, and by half an ulp of what they are stored as; halves
by two, since their inputs are rounded too. Ends with "N passed, M failed".
"""

import json
import pathlib
import sys

import numpy
import wgpu

from host import Call

GOLDEN = pathlib.Path(__file__).parent.parent / "tests" / "golden"
# What fills outputs before a run, so that an element that no kernel writes shows.
POISON = numpy.float32(-7.77e33)
# Which file of a golden case is a tensor of a call.
FILES = {
    "x": "x",
    "y": "y",
    "lse": "lse",
    "grad_output": "grad_output",
    "grad_input": "grad_input",
}


def encode(values: numpy.ndarray, element_type: str) -> bytes:
    """The bytes of values as a type, to the nearest, in whole words."""
    if element_type == "bfloat16":
        bits = values.astype(numpy.float32).view(numpy.uint32)
        stored = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)
    else:
        stored = values.astype(element_type)
    data = stored.tobytes()
    return data + bytes(-len(data) % 4)


def decode(data: memoryview, element_type: str, count: int) -> numpy.ndarray:
    if element_type == "bfloat16":
        halves = numpy.frombuffer(data, numpy.uint16, count)
        return (halves.astype(numpy.uint32) << 16).view(numpy.float32)
    return numpy.frombuffer(data, element_type, count).astype(numpy.float32)


def digits(element_type: str) -> int:
    """Bits behind the binary point."""
    return {"float32": 23, "float16": 10, "bfloat16": 7}[element_type]


def places(tensor: dict) -> numpy.ndarray:
    """Where each element is in the tensor's buffer, in elements."""
    axes = numpy.indices(tensor["shape"])
    return sum(axis * stride for axis, stride in zip(axes, tensor["strides"])).ravel()


def check(device, call: dict, recipe: dict) -> float:
    """The largest error beside what is allowed."""
    folder = GOLDEN / call["case"]
    host = Call(device, recipe)
    for tensor in recipe["tensors"]:
        count = tensor["bytes"] // 4 * (1 if tensor["element_type"] == "float32" else 2)
        stored = numpy.full(count, POISON, numpy.float32)
        if not tensor["written"]:
            stored[:] = 0
            stored[places(tensor)] = numpy.load(folder / f"{FILES[tensor['name']]}.npy").ravel()
        with numpy.errstate(over="ignore"):
            host.write(tensor["name"], encode(stored, tensor["element_type"]))
    host.run()
    worst = 0.0
    for tensor in (tensor for tensor in recipe["tensors"] if tensor["written"]):
        name, element_type = tensor["name"], tensor["element_type"]
        if name == "grad_beta":
            want = numpy.array([json.loads((folder / "case.json").read_text())["grad_beta"]])
        else:
            detached = "_detached" if call["detached"] else ""
            want = numpy.load(folder / f"{FILES[name]}{detached if name == 'grad_input' else ''}.npy").ravel()
        got = decode(host.read(name), element_type, tensor["bytes"] // (4 if element_type == "float32" else 2))
        got = got[places(tensor)].astype(numpy.float64)
        scale = numpy.abs(want).max()
        # Inputs in halves are rounded, which moves the result by as much.
        roundings = 0.5 if element_type == "float32" else 2.0
        allowed = 16 * 2.0**-23 * scale + roundings * 2.0 ** -digits(element_type) * scale
        worst = max(worst, float(numpy.abs(got - want).max() / allowed))
    return worst


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    adapter = wgpu.gpu.request_adapter_sync(power_preference="high-performance")
    device = adapter.request_device_sync()
    print(f"Python, wgpu {wgpu.__version__}, on {adapter.info['device']} ({adapter.info['backend_type']})")
    passed = failed = 0
    for call in json.loads((folder / "calls.json").read_text()):
        recipe = json.loads((folder / f"{call['name']}.json").read_text())
        try:
            worst = check(device, call, recipe)
            right = worst <= 1.0
            print(f"  {'ok' if right else 'FAILED'}: {call['name']}: {worst:.3f} of what is allowed")
        except Exception as error:  # One that fails is no reason to leave out the others.
            right = False
            print(f"  FAILED: {call['name']}: {error}")
        passed, failed = passed + right, failed + (not right)
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
