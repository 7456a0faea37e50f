//! The few functions that the model needs, the same to the bit on every machine: noise, periodic shapes, rounding.

use core::f64::consts::TAU;

use fastrand::Rng;

/// Standard deviation of the sum of four uniform numbers of 16 bits.
const SUM_DEVIATION: f64 = 37_837.2;

/// Noise around 0 with standard deviation 1: four uniform numbers are near enough to a normal one, and one draw.
pub(crate) fn noise(rng: &mut Rng) -> f64 {
    let bits = rng.u64(..);
    let [a, b, c, d] = [bits & 0xFFFF, (bits >> 16) & 0xFFFF, (bits >> 32) & 0xFFFF, bits >> 48];
    let sum = u32::try_from(a + b + c + d).unwrap_or(131_070);
    (f64::from(sum) - 131_070.0) / SUM_DEVIATION
}

/// The nearest multiple of `step`; halves go to the even one.
pub(crate) fn quantise(value: f64, step: f64) -> f64 {
    // Adding 1.5 * 2^52 leaves no bit for a fraction: a rounding that needs no call.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    if value.abs() < 1e9 { ((value / step + SHIFT) - SHIFT) * step } else { value }
}

/// Moves a value towards another with a time constant.
pub(crate) fn approach(value: &mut f64, goal: f64, step_s: f64, constant_s: f64) {
    *value += (goal - *value) * (step_s / constant_s).min(1.0);
}

/// Between two values: `share` 0 is the first, 1 the second.
pub(crate) fn between(first: f64, second: f64, share: f64) -> f64 {
    first + (second - first) * share
}

/// One period of a shape in 256 points.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    points: Vec<f64>,
}

impl Shape {
    /// A sine from -1 to 1.
    pub(crate) fn sine() -> Self {
        Self::of_harmonics(&[(1.0, 0.0)], 2.0)
    }

    /// An arterial pulse: steep rise, notch, slow fall; mean 0, from top to bottom 1.
    pub(crate) fn pulse() -> Self {
        // Amplitude and phase of the harmonics of a newborn's pulse, as it looks in recordings.
        Self::of_harmonics(&[(1.0, 1.2), (0.55, 2.0), (0.25, 2.6), (0.12, 3.4), (0.06, -1.9)], 1.0)
    }

    fn of_harmonics(harmonics: &[(f64, f64)], span: f64) -> Self {
        let at = |point: u32| {
            let angle = TAU * f64::from(point) / 256.0;
            let each = (1..).zip(harmonics).map(|(number, (amplitude, phase))| {
                amplitude * libm::sin(f64::from(number) * angle + phase)
            });
            each.sum::<f64>()
        };
        let mut points: Vec<f64> = (0..256).map(at).collect();
        let low = points.iter().copied().fold(f64::INFINITY, f64::min);
        let high = points.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for point in &mut points {
            *point *= span / (high - low);
        }
        // The first point once more: interpolation needs no turn.
        points.extend(points.first().copied());
        Self { points }
    }

    /// The shape at a phase, between its points.
    pub(crate) fn at(&self, phase: Phase) -> f64 {
        let place = usize::try_from(phase.0 >> 24).unwrap_or(0);
        let share = f64::from(phase.0 & 0x00FF_FFFF) / 16_777_216.0;
        match self.points.get(place..place + 2) {
            Some(&[here, next]) => between(here, next, share),
            _ => 0.0,
        }
    }
}

/// A place in a period: the whole range of the number is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phase(pub(crate) u32);

impl Phase {
    /// Moves on; whether a new period has begun.
    pub(crate) fn advance(&mut self, hertz: f64, step_s: f64) -> bool {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to half a period"
        )]
        let step = ((hertz * step_s).clamp(0.0, 0.5) * 4_294_967_296.0) as u32;
        let (next, wrapped) = self.0.overflowing_add(step);
        self.0 = next;
        wrapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_mean_0_and_deviation_1() {
        let mut rng = Rng::with_seed(1);
        let draws: Vec<f64> = (0..100_000).map(|_| noise(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let square = draws.iter().map(|draw| draw * draw).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((square - 1.0).abs() < 0.02, "{square}");
    }

    #[test]
    fn values_become_multiples_of_the_step() {
        for (value, step, expected) in
            [(12.34, 0.1, 12.3), (-0.26, 0.1, -0.3), (364.0, 10.0, 360.0), (-2.6, 1.0, -3.0)]
        {
            assert!((quantise(value, step) - expected).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn a_pulse_rises_steeply_and_keeps_its_mean() {
        let pulse = Shape::pulse();
        let points: Vec<f64> = (0..256).map(|point| pulse.at(Phase(point << 24))).collect();
        let mean = points.iter().sum::<f64>() / 256.0;
        assert!(mean.abs() < 0.01, "{mean}");
        let rising = points.windows(2).filter(|pair| pair[1] > pair[0]).count();
        assert!(rising < 128, "{rising} of 256 points rise");
    }
}
