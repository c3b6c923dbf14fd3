// Runs a recipe of softpool's (`softpool recipe ... --json`) on any WebGPU device: in a browser, or in a runtime that has one.
// Nothing of it is about pooling: the recipe says what to bind and what to dispatch.

/** The version of recipes that this host reads. */
const FORMAT = 1;

/**
 * A recipe prepared on a device: pipelines, buffers and bind groups. It can be run as often as wanted.
 */
export class Call {
  /**
   * @param device a GPUDevice
   * @param recipe the parsed JSON
   * @returns {Promise<Call>} once the pipelines are compiled
   */
  static async prepare(device, recipe) {
    if (recipe.format !== FORMAT) {
      throw new Error(`a recipe of format ${recipe.format}: this host reads ${FORMAT}`);
    }
    const call = new Call(device, recipe);
    call.pipelines = await Promise.all(recipe.kernels.map((kernel) => call.#pipeline(kernel)));
    call.steps = recipe.dispatches.map((dispatch) => call.#step(dispatch));
    return call;
  }

  constructor(device, recipe) {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = (label, size) => device.createBuffer({ label, size, usage });
    this.device = device;
    this.recipe = recipe;
    /** The buffer of each tensor, by its name. */
    this.tensors = Object.fromEntries(recipe.tensors.map(({ name, bytes }) => [name, buffer(name, bytes)]));
    this.scratch = recipe.scratch.map((bytes, index) => buffer(`scratch ${index}`, bytes));
  }

  #pipeline(kernel) {
    const module = this.device.createShaderModule({ label: kernel.label, code: kernel.wgsl });
    const compute = { module, entryPoint: kernel.entry_point };
    return this.device.createComputePipelineAsync({ label: kernel.label, layout: "auto", compute });
  }

  #step({ kernel, workgroups, bindings, params }) {
    const uniform = this.device.createBuffer({
      label: "parameters",
      size: params.bytes.length,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.device.queue.writeBuffer(uniform, 0, new Uint8Array(params.bytes));
    const entries = bindings.map(({ binding, memory, byte_offset, bytes }) => {
      const buffer = "tensor" in memory ? this.tensors[memory.tensor] : this.scratch[memory.scratch];
      return { binding, resource: { buffer, offset: byte_offset, size: bytes } };
    });
    entries.push({ binding: params.binding, resource: { buffer: uniform } });
    const pipeline = this.pipelines[kernel];
    const group = this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return { pipeline, group, workgroups };
  }

  /** Records the call into a host's command encoder. */
  encode(encoder) {
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, workgroups } of this.steps) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
  }

  /** Writes a tensor's bytes: a typed array of its element type, a whole number of words of 4 bytes. */
  write(name, data) {
    this.device.queue.writeBuffer(this.tensors[name], 0, data);
  }

  /** Runs the call. */
  run() {
    const encoder = this.device.createCommandEncoder();
    this.encode(encoder);
    this.device.queue.submit([encoder.finish()]);
  }

  /** Reads a tensor's bytes. */
  async read(name) {
    const source = this.tensors[name];
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const target = this.device.createBuffer({ label: `${name}, to read`, size: source.size, usage });
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, target, 0, source.size);
    this.device.queue.submit([encoder.finish()]);
    await target.mapAsync(GPUMapMode.READ);
    const bytes = target.getMappedRange().slice(0);
    target.destroy();
    return bytes;
  }
}
