//! The guide: documents of the repository, and nothing else.

/// What a pooling computes: windows, types, values at the edges.
pub mod semantics {
    #![doc = include_str!("../docs/semantics.md")]
}

/// How far results may be off, and why.
pub mod accuracy {
    #![doc = include_str!("../docs/accuracy.md")]
}

/// Time, beside copies and other libraries.
pub mod performance {
    #![doc = include_str!("../docs/performance.md")]
}

/// Your own device, buffers and encoder; adapters; errors.
pub mod hosts {
    #![doc = include_str!("../docs/hosts.md")]
}

/// Textures and mip chains, in a renderer.
pub mod textures {
    #![doc = include_str!("../docs/textures.md")]
}

/// The program `softpool`.
pub mod command_line {
    #![doc = include_str!("../docs/command-line.md")]
}

/// How it is built.
pub mod architecture {
    #![doc = include_str!("../ARCHITECTURE.md")]
}

/// How to change it.
pub mod contributing {
    #![doc = include_str!("../CONTRIBUTING.md")]
}

/// What changed.
pub mod changelog {
    #![doc = include_str!("../CHANGELOG.md")]
}
