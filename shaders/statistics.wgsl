// Windows as a forward pass saved them: c, s and d.

fn covering_window(plane: u32, window: vec3<u32>) -> Window {
    let at = params.statistics_start + 3u * window_index(plane, window);
    return Window(load_statistics(at), load_statistics(at + 1u), load_statistics(at + 2u), 0.0);
}
