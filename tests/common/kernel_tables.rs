//! The poolings whose kernels' texts are looked at: for every kernel, what makes its text differ.

use std::collections::BTreeMap;

use softpool::{GradientRule, Shape, SoftPoolConfig, SoftPoolConfigBuilder, shader_sources};

pub fn k<const RANK: usize>(kernel: [usize; RANK]) -> SoftPoolConfigBuilder {
    SoftPoolConfig::builder(kernel)
}

/// Windows of one axis: dense and with gaps, padded, dilated, incomplete, large; widths with and without multiples of 4.
pub fn one_dimensional() -> Vec<(SoftPoolConfigBuilder, Vec<usize>)> {
    vec![
        (k([2]), vec![2, 3, 16]),
        (k([2]).stride([3]), vec![2, 3, 17]),
        (k([2]).ceil_mode(true), vec![1, 2, 13]),
        (k([8]).padding([4]), vec![1, 3, 88]),
        (k([3]).stride([1]).padding([1]), vec![2, 3, 16]),
        (k([3]).stride([2]).padding([1]), vec![2, 3, 17]),
        (k([3]).stride([2]).dilation([3]), vec![1, 2, 40]),
        (k([5]).stride([7]).dilation([2]), vec![1, 2, 40]),
        (k([65]), vec![1, 2, 200]),
        (k([5000]).stride([1]), vec![1, 1, 10_000]),
    ]
}

/// The same in two dimensions, with axes that differ: windows that share no input.
pub fn two_dimensional_disjoint() -> Vec<(SoftPoolConfigBuilder, Vec<usize>)> {
    vec![
        (k([1, 1]), vec![1, 2, 5, 8]),
        (k([2, 2]), vec![2, 3, 16, 16]),
        (k([2, 2]), vec![2, 3, 17, 23]),
        (k([2, 2]).padding([1]), vec![1, 2, 9, 12]),
        (k([2, 2]).ceil_mode(true), vec![1, 2, 9, 13]),
        (k([2, 2]).stride([3]), vec![1, 2, 11, 14]),
        (k([3, 3]), vec![1, 2, 12, 12]),
        (k([4, 4]), vec![64, 64, 32, 32]),
        (k([7, 7]), vec![8, 512, 7, 7]),
        (k([16, 16]), vec![8, 8, 32, 32]),
        (k([9, 9]), vec![1, 2, 20, 20]),
        (k([1025, 1025]), vec![1, 1, 1025, 1025]),
    ]
}

/// The same for windows that overlap, with the usual pairs of kernel and stride.
pub fn two_dimensional_overlapping() -> Vec<(SoftPoolConfigBuilder, Vec<usize>)> {
    vec![
        (k([3, 3]).stride([2]).padding([1]), vec![2, 3, 16, 16]),
        (k([3, 3]).stride([2]).padding([1]), vec![1, 2, 17, 21]),
        (k([3, 3]).stride([2]).ceil_mode(true), vec![1, 2, 10, 14]),
        (k([3, 3]).stride([1]).padding([1]), vec![2, 3, 16, 16]),
        (k([2, 2]).stride([1]), vec![1, 2, 9, 12]),
        (k([3, 3]).stride([1]).padding([1]).dilation([2]), vec![1, 2, 14, 15]),
        (k([2, 3]).stride([2, 1]).padding([1, 0]), vec![1, 2, 9, 12]),
        (k([5, 5]).stride([1]).padding([2]), vec![1, 2, 12, 12]),
        (k([1, 40]).stride([1, 2]), vec![1, 2, 3, 100]),
        (k([12, 10]).stride([5, 7]), vec![1, 2, 30, 33]),
    ]
}

/// The same in three dimensions.
pub fn three_dimensional() -> Vec<(SoftPoolConfigBuilder, Vec<usize>)> {
    vec![
        (k([2, 2, 2]), vec![1, 2, 4, 6, 8]),
        (k([2, 2, 2]), vec![1, 2, 5, 7, 9]),
        (k([1, 2, 2]), vec![1, 2, 3, 8, 8]),
        (k([3, 3, 3]).stride([2]).padding([1]), vec![1, 2, 5, 6, 8]),
        (k([3, 3, 3]).stride([1]).padding([1]), vec![1, 1, 4, 5, 6]),
        (k([2, 3, 2]).stride([3, 3, 4]).ceil_mode(true), vec![1, 2, 7, 8, 10]),
        (k([2, 2, 2]).stride([1]).dilation([2, 1, 2]), vec![1, 1, 5, 5, 8]),
        (k([5, 6, 7]), vec![1, 2, 5, 6, 7]),
    ]
}

/// Windows of different sizes, small and large, in each rank; axes that divide and axes that don't; global pooling.
pub fn adaptive() -> Vec<(SoftPoolConfigBuilder, Vec<usize>)> {
    vec![
        (SoftPoolConfig::adaptive([3]), vec![1, 2, 7]),
        (SoftPoolConfig::adaptive([2, 3]), vec![1, 2, 7, 8]),
        (SoftPoolConfig::adaptive([2, 3]), vec![1, 2, 100, 100]),
        (SoftPoolConfig::adaptive([2, 3, 2]), vec![1, 2, 5, 7, 3]),
        (SoftPoolConfig::global(2), vec![1, 3, 40, 40]),
    ]
}

/// The distinct texts of all poolings of a table, by either gradient rule, with the label of one that makes each.
pub fn sources(table: Vec<(SoftPoolConfigBuilder, Vec<usize>)>) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (builder, dims) in table {
        for rule in [GradientRule::Exact, GradientRule::Detached] {
            let config = builder.clone().gradient_rule(rule).build().expect("a valid configuration");
            let shape = Shape::new(&dims).expect("a valid shape");
            let sources = shader_sources(&config, &shape).expect("a valid case");
            texts.extend(sources.into_iter().map(|(label, text)| (text, label)));
        }
    }
    texts
}
