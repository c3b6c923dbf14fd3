// The inverse temperature, one for all channels: twice its magnitude, and its sign.

fn set_beta(plane: vec2<u32>) {}

fn beta() -> f32 {
    return params.beta;
}

fn sign_of_beta() -> f32 {
    return params.sign;
}
