// Windows as a forward pass saved them: c, s and d.

fn covering_window(plane: u32, window: vec3<u32>) -> Window {
    return Window(
        load_statistics(statistics_index(0u, plane, window)),
        load_statistics(statistics_index(1u, plane, window)),
        load_statistics(statistics_index(2u, plane, window)),
        0.0,
    );
}
