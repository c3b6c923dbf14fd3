"""Runs a recipe of softpool's (`softpool recipe ... --json`) by wgpu's Python package, on any adapter that it finds.

Nothing of it is about pooling: the recipe says what to bind and what to dispatch.
"""

import wgpu

# The version of recipes that this host reads.
FORMAT = 1


class Call:
    """A recipe prepared on a device: pipelines, buffers and bind groups. It can be run as often as wanted."""

    def __init__(self, device: wgpu.GPUDevice, recipe: dict):
        if recipe["format"] != FORMAT:
            raise ValueError(f"a recipe of format {recipe['format']}: this host reads {FORMAT}")
        self.device = device
        self.recipe = recipe
        self.tensors = {tensor["name"]: self._buffer(tensor["name"], tensor["bytes"]) for tensor in recipe["tensors"]}
        self.scratch = [self._buffer(f"scratch {index}", size) for index, size in enumerate(recipe["scratch"])]
        self.pipelines = [self._pipeline(kernel) for kernel in recipe["kernels"]]
        self.steps = [self._step(dispatch) for dispatch in recipe["dispatches"]]

    def _buffer(self, label: str, size: int) -> wgpu.GPUBuffer:
        usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC | wgpu.BufferUsage.COPY_DST
        return self.device.create_buffer(label=label, size=size, usage=usage)

    def _pipeline(self, kernel: dict) -> wgpu.GPUComputePipeline:
        label = kernel["label"]
        module = self.device.create_shader_module(label=label, code=kernel["wgsl"])
        compute = {"module": module, "entry_point": kernel["entry_point"]}
        return self.device.create_compute_pipeline(label=label, layout="auto", compute=compute)

    def _step(self, dispatch: dict) -> tuple:
        params = dispatch["params"]
        uniform = self.device.create_buffer_with_data(data=bytes(params["bytes"]), usage=wgpu.BufferUsage.UNIFORM)
        entries = [{"binding": params["binding"], "resource": {"buffer": uniform}}]
        for binding in dispatch["bindings"]:
            [(kind, name)] = binding["memory"].items()
            buffer = self.tensors[name] if kind == "tensor" else self.scratch[name]
            resource = {"buffer": buffer, "offset": binding["byte_offset"], "size": binding["bytes"]}
            entries.append({"binding": binding["binding"], "resource": resource})
        pipeline = self.pipelines[dispatch["kernel"]]
        group = self.device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
        return pipeline, group, dispatch["workgroups"]

    def encode(self, encoder: wgpu.GPUCommandEncoder) -> None:
        """Records the call into a host's command encoder."""
        compute_pass = encoder.begin_compute_pass()
        for pipeline, group, workgroups in self.steps:
            compute_pass.set_pipeline(pipeline)
            compute_pass.set_bind_group(0, group)
            compute_pass.dispatch_workgroups(*workgroups)
        compute_pass.end()

    def write(self, name: str, data) -> None:
        """Writes a tensor's bytes: an array of its element type, a whole number of words of 4 bytes."""
        self.device.queue.write_buffer(self.tensors[name], 0, data)

    def run(self) -> None:
        encoder = self.device.create_command_encoder()
        self.encode(encoder)
        self.device.queue.submit([encoder.finish()])

    def read(self, name: str) -> memoryview:
        """Reads a tensor's bytes."""
        return self.device.queue.read_buffer(self.tensors[name])
