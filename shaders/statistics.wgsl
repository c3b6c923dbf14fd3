// Windows as a forward pass saved them: c, s and d.

fn covering_window(plane: vec2<u32>, window: vec3<u32>) -> Window {
    return Window(
        load_statistics(statistics_index(plane, window)),
        load_statistics(statistics_index(plane, window) + params.statistics.word),
        load_statistics(statistics_index(plane, window) + 2u * params.statistics.word),
        0.0,
    );
}
