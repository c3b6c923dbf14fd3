// The inverse temperature read from a tensor with one for each channel: twice its magnitude, and its sign.

// Of the plane that the invocation works on; block_at sets it.
var<private> beta_of_plane: f32;
var<private> sign_of_plane: f32;

fn set_beta(plane: vec2<u32>) {
    let value = load_betas(params.betas.start + plane.y * params.betas.channel);
    // A beta whose double is beyond f32 is as good as the largest.
    beta_of_plane = 2.0 * min(abs(value), 0.5 * LARGEST);
    sign_of_plane = select(1.0, -1.0, value < 0.0);
}

fn beta() -> f32 {
    return beta_of_plane;
}

fn sign_of_beta() -> f32 {
    return sign_of_plane;
}
