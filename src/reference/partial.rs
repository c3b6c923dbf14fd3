//! The partial window and its merge, which is associative: whatever parts a window is evaluated in, in whatever order, it is the
//! same window. Every kernel is a schedule of it.

/// What has been seen of a window, with `z = x` for a beta of 0 or more, else `-x`, and `b = |beta|`; `t` is a direction.
///
/// ```text
/// c = max z_i    e_i = exp(b (z_i - c))    s = sum e_i
/// q = sum e_i (z_i - c)    a = sum e_i (z_i - c)^2    t = sum e_i t_i    u = sum e_i (z_i - c) t_i
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Partial {
    /// The centre, -inf where nothing has been seen that weighs anything.
    pub c: f64,
    pub s: f64,
    pub q: f64,
    pub a: f64,
    pub t: f64,
    pub u: f64,
}

impl Partial {
    /// Of no element; and of elements whose exponent is -inf, which weigh nothing.
    pub const NOTHING: Self = Self { c: f64::NEG_INFINITY, s: 0.0, q: 0.0, a: 0.0, t: 0.0, u: 0.0 };

    /// Of one element, of a z below +inf.
    pub fn of(z: f64, t: f64) -> Self {
        if z == f64::NEG_INFINITY { Self::NOTHING } else { Self { c: z, s: 1.0, t, ..Self::NOTHING } }
    }

    /// Of two parts that share no element, about the larger centre.
    pub fn merge(self, other: Self, b: f64) -> Self {
        let c = self.c.max(other.c);
        let (first, second) = (self.about(c, b), other.about(c, b));
        Self {
            c,
            s: first.s + second.s,
            q: first.q + second.q,
            a: first.a + second.a,
            t: first.t + second.t,
            u: first.u + second.u,
        }
    }

    /// The same about another centre, not below its own: what is counted from the centre moves with it.
    fn about(self, c: f64, b: f64) -> Self {
        // 0 times an infinite step is not what weighs nothing.
        if self.c == c || self == Self::NOTHING {
            return self;
        }
        let step = self.c - c;
        let f = (b * step).exp();
        Self {
            c,
            s: f * self.s,
            q: f * (self.q + self.s * step),
            a: f * (self.a + step * (2.0 * self.q + self.s * step)),
            t: f * self.t,
            u: f * (self.u + self.t * step),
        }
    }

    /// Of `count` elements, merged in pairs, so that errors grow with the logarithm of how many they are.
    pub fn of_all(count: usize, b: f64, element: &impl Fn(usize) -> Self) -> Self {
        Self::of_range(0..count, b, element)
    }

    fn of_range(range: std::ops::Range<usize>, b: f64, element: &impl Fn(usize) -> Self) -> Self {
        match range.len() {
            0 => Self::NOTHING,
            1 => element(range.start),
            count => {
                let middle = range.start + count / 2;
                Self::of_range(range.start..middle, b, element).merge(Self::of_range(middle..range.end, b, element), b)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::Partial;

    /// Merges two neighbours, which `picks` choose, until one part is left.
    fn merged(mut parts: Vec<Partial>, picks: &[usize], b: f64) -> Partial {
        for pick in picks.iter().cycle() {
            if parts.len() < 2 {
                break;
            }
            let first = pick % (parts.len() - 1);
            let second = parts.remove(first + 1);
            // The merge has no first and second.
            parts[first] = if pick % 2 == 0 { parts[first].merge(second, b) } else { second.merge(parts[first], b) };
        }
        parts.pop().unwrap_or(Partial::NOTHING)
    }

    /// What a part of these elements has, by the definition: sums, and how far each may be off, which is [`ULPS`] of each term and
    /// two more for each unit of its exponent, since what rounds there is so much of the weight.
    fn by_definition(elements: &[(f64, f64)], b: f64) -> [(f64, f64); 5] {
        let counted = || elements.iter().filter(|(z, _)| *z > f64::NEG_INFINITY);
        let c = counted().map(|(z, _)| *z).fold(f64::NEG_INFINITY, f64::max);
        let sum = |term: &dyn Fn(f64, f64) -> f64| {
            let terms = counted().map(|&(z, t)| ((b * (z - c)).exp() * term(z - c, t), b * (c - z)));
            terms.fold((0.0, LEAST), |(sum, off): (f64, f64), (term, exponent)| {
                // What weighs nothing may have any exponent.
                let ulps = if term == 0.0 { 0.0 } else { ULPS + 2.0 * exponent };
                (sum + term, off + ulps * f64::EPSILON * term.abs())
            })
        };
        [sum(&|_, _| 1.0), sum(&|u, _| u), sum(&|u, _| u * u), sum(&|_, t| t), sum(&|u, t| u * t)]
    }

    /// Two dozen merges, one after the other, round more often than a tree of them.
    const ULPS: f64 = 16.0;
    /// What is left of weights below the range of f64.
    const LEAST: f64 = 1e-290;

    fn assert_same(got: &Partial, elements: &[(f64, f64)], b: f64, what: &str) {
        let largest = elements.iter().map(|(z, _)| *z).fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(got.c, largest, "{what}");
        let sums = [("s", got.s), ("q", got.q), ("a", got.a), ("t", got.t), ("u", got.u)];
        for ((name, got), (want, off)) in sums.into_iter().zip(by_definition(elements, b)) {
            assert!(
                (got - want).abs() <= off,
                "{what}: {name} is {got:e}, {want:e} by the definition, give or take {off:e}"
            );
        }
    }

    /// A z: of the size of activations, around a large mean, far below all others, or -inf.
    fn z() -> impl Strategy<Value = f64> {
        prop_oneof![
            6 => -8.0..8.0f64,
            2 => 9999.0..10001.0f64,
            1 => -1e30..1e30f64,
            1 => Just(f64::NEG_INFINITY),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(160_614),
            failure_persistence: None,
            ..ProptestConfig::with_cases(2000)
        })]

        #[test]
        fn any_order_and_any_grouping_of_merges_gives_the_same_window(
            elements in vec((z(), -2.0..2.0f64), 0..24),
            order in vec(any::<u32>(), 24),
            picks in vec(0..1000usize, 24),
            b in prop_oneof![Just(0.0), 1e-3..10.0f64],
        ) {
            let part = |&(z, t): &(f64, f64)| Partial::of(z, t);
            let in_pairs = Partial::of_all(elements.len(), b, &|i| part(&elements[i]));
            assert_same(&in_pairs, &elements, b, "in pairs");
            let mut shuffled: Vec<_> = elements.iter().zip(&order).collect();
            shuffled.sort_by_key(|(_, order)| **order);
            let parts: Vec<Partial> = shuffled.into_iter().map(|(element, _)| part(element)).collect();
            assert_same(&merged(parts.clone(), &picks, b), &elements, b, "in another order and grouping");
            let one_by_one = parts.into_iter().fold(Partial::NOTHING, |window, part| window.merge(part, b));
            assert_same(&one_by_one, &elements, b, "one by one");
        }
    }

    #[test]
    fn nothing_changes_nothing() {
        for part in [Partial::of(1.5, 2.0), Partial::of(-1e30, 1.0), Partial::NOTHING] {
            for b in [0.0, 1.0, 1e38] {
                for nothing in [Partial::NOTHING, Partial::of(f64::NEG_INFINITY, 7.0)] {
                    assert_eq!(part.merge(nothing, b), part);
                    assert_eq!(nothing.merge(part, b), part);
                }
            }
        }
    }
}
