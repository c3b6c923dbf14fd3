//! What drivers make of the functions that WGSL leaves open, and which of them kernels therefore use.

use crate::common::{assert_same_bits, contexts, on_every_adapter, one_of_each_kernel, pool, sweep};
use softpool::{ElementType, GpuTensor, Natives, Tuning, measure_natives};

/// By default kernels leave nothing to a driver that does it worse than they promise.
#[test]
fn defaults_are_what_the_driver_does_right() {
    on_every_adapter(|context| {
        let errors = measure_natives(&context.device, &context.queue).expect("a device that works");
        println!("{}: {errors:?}", context.name());
        let natives = Tuning::of(&context.device).natives;
        assert!(errors.allow(natives), "{} by default uses {natives:?}, but: {errors:?}", context.name());
    });
}

/// The conversions that a driver does right make no difference to a bit, but for which NaN a NaN is.
#[test]
fn f16_by_the_driver_is_f16_by_integers() {
    on_every_adapter(|context| {
        let errors = measure_natives(&context.device, &context.queue).expect("a device that works");
        let own = Tuning::of(&context.device);
        let natives =
            Natives { unpack_f16: errors.unpack_f16 == Some(0), pack_f16: errors.pack_f16 == Some(0), exp2: false };
        for case in one_of_each_kernel() {
            // From subnormal to infinite, and to what rounds to infinite.
            let scale = |index: usize| [1.0, 1e-4, 1e-7, 3e4, f32::INFINITY][index % 5];
            let values = case.x.iter().enumerate().map(|(index, &x)| x * scale(index / 7)).collect::<Vec<_>>();
            let results = [Natives::NONE, natives].map(|natives| {
                let pool = pool(context, &case.config).with_tuning(Tuning { natives, ..own });
                let tensor = |shape, values: &[f32]| {
                    let (device, queue) = (&context.device, &context.queue);
                    GpuTensor::from_slice_as(device, queue, shape, ElementType::F16, values).expect("a small tensor")
                };
                let (x, g) = (tensor(case.shape, &values), tensor(case.pooled(), &case.grad_output));
                let (y, gx) = (pool.forward(&x).expect("a valid case"), pool.backward(&x, &g).expect("a valid case"));
                [y, gx].map(|tensor| {
                    let values = tensor.read_blocking().expect("a device that works").into_iter();
                    values.map(|value| if value.is_nan() { f32::NAN } else { value }).collect::<Vec<_>>()
                })
            });
            let what = format!("{} with {natives:?} on {}", case.name, context.name());
            for (native, by_integers) in results[1].iter().zip(&results[0]) {
                assert_same_bits(&what, native, by_integers);
            }
        }
    });
}

/// Exponentials by the driver give what is promised of them, where the driver gives what is promised of it.
#[test]
fn exponentials_by_the_driver_keep_their_promise() {
    let natives = Natives { exp2: true, ..Natives::NONE };
    let context = &contexts()[0];
    let errors = measure_natives(&context.device, &context.queue).expect("a device that works");
    if errors.allow(natives) {
        sweep(&one_of_each_kernel(), |own| vec![Tuning { natives, ..own }, Tuning { natives, ..Tuning::GPU }]);
    } else {
        println!("{} keeps no promise: {errors:?}", context.name());
    }
}
