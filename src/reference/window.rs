//! One window's softmax.

use super::partial::Partial;

/// A window over some elements of x, with what is asked about its weights `w`, and about a direction `t`.
pub(super) struct Window<'a> {
    x: &'a [f32],
    taps: &'a [usize],
    pub beta: f64,
    pub y: f64,
    /// `ln sum exp(beta x_i)`.
    pub lse: f64,
    weights: Weights,
}

/// An element of a window.
pub(super) struct Element {
    /// Its index in the input.
    pub tap: usize,
    /// `w = e / s`.
    pub w: f64,
    /// `x - y`; 0 for an element that weighs nothing, so that its product with the weight is 0 even where `x` is infinite.
    pub offset: f64,
}

enum Weights {
    /// Those of the whole window.
    Of(Partial),
    /// 0: it depends on no element.
    Nothing,
    /// NaN: it has none.
    Undefined,
}

impl<'a> Window<'a> {
    /// The window over `x[taps]`, and over `t[taps]` where there is a direction.
    ///
    /// An element whose exponent `beta x_i` is -inf weighs 0. A NaN makes the window NaN; else an exponent of +inf
    /// makes it that element's value; a window of nothing but exponents of -inf, or of no element, has their value, and
    /// weights of 0.
    pub fn new(x: &'a [f32], t: Option<&[f32]>, taps: &'a [usize], beta: f32) -> Self {
        let beta = f64::from(beta);
        let window = |weights, y, lse| Self { x, taps, beta, y, lse, weights };
        if taps.iter().any(|&tap| x[tap].is_nan()) {
            return window(Weights::Undefined, f64::NAN, f64::NAN);
        }
        // The signs of what weighs most and least. beta = 0 weighs every element alike, infinite ones too; where both
        // infinities meet, +inf goes first there as well.
        let most = f64::INFINITY * sign(beta);
        let has = |infinity: f64| taps.iter().any(|&tap| f64::from(x[tap]) == infinity);
        if has(most) {
            return window(Weights::Undefined, most, f64::INFINITY);
        }
        if taps.iter().all(|&tap| f64::from(x[tap]) == -most) {
            return window(Weights::Nothing, -most, f64::NEG_INFINITY);
        }
        if beta == 0.0 && has(-most) {
            return window(Weights::Undefined, -most, f64::NEG_INFINITY);
        }
        let element = |i: usize| {
            let tap = taps[i];
            Partial::of(sign(beta) * f64::from(x[tap]), t.map_or(0.0, |t| f64::from(t[tap])))
        };
        let whole = Partial::of_all(taps.len(), beta.abs(), &element);
        let (c, d) = (whole.c, whole.q / whole.s);
        window(Weights::Of(whole), sign(beta) * (c + d), beta.abs() * c + whole.s.ln())
    }

    pub fn elements(&self) -> impl Iterator<Item = Element> {
        let (b, sign) = (self.beta.abs(), sign(self.beta));
        self.taps.iter().map(move |&tap| match self.weights {
            Weights::Undefined => Element { tap, w: f64::NAN, offset: f64::NAN },
            Weights::Nothing => Element { tap, w: 0.0, offset: 0.0 },
            Weights::Of(Partial { c, s, q, .. }) => {
                let z = sign * f64::from(self.x[tap]);
                let w = if z == f64::NEG_INFINITY { 0.0 } else { (b * (z - c)).exp() / s };
                // By way of c: x - y would have y rounded, and a large mean rounds much away.
                let offset = if w == 0.0 { 0.0 } else { sign * ((z - c) - q / s) };
                Element { tap, w, offset }
            }
        })
    }

    /// `sum w_i (x_i - y)^2`.
    pub fn variance(&self) -> f64 {
        self.moment(|Partial { s, q, a, .. }| a / s - (q / s).powi(2))
    }

    /// `V = sum w_i t_i`.
    pub fn mean(&self) -> f64 {
        self.moment(|Partial { s, t, .. }| t / s)
    }

    /// `C = sum w_i (x_i - y) t_i`.
    pub fn covariance(&self) -> f64 {
        self.moment(|Partial { s, q, t, u, .. }| sign(self.beta) * (u / s - q / s * (t / s)))
    }

    fn moment(&self, of: impl Fn(Partial) -> f64) -> f64 {
        match self.weights {
            Weights::Of(whole) => of(whole),
            Weights::Nothing => 0.0,
            Weights::Undefined => f64::NAN,
        }
    }
}

/// The sign of beta, that of 0 being 1: what weighs most is the largest `z`, the element times this.
fn sign(beta: f64) -> f64 {
    if beta < 0.0 { -1.0 } else { 1.0 }
}
