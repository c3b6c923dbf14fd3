// What a block of inputs falls back to: each visits the windows that hold it.

fn store_block_window_by_window(block: Block) {
    for (var i = 0u; i < CELLS_D * CELLS_H * CELLS_W; i++) {
        let in_block = vec3(i / (CELLS_H * CELLS_W), i / CELLS_W % CELLS_H, i % CELLS_W);
        let at = block.first * STRIDE + in_block;
        if (all(at < params.input_size)) {
            let gradient = input_gradient(block.plane, at);
            store_grad_input(grad_input_index(block.plane, at), gradient);
        }
    }
}
