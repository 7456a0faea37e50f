//! The real arterial pressure: a recorded wave with its beats found, laid over another source again and again.

use core::time::Duration;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use ecmo_core::channel::ChannelSpec;
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

use crate::source::{Sample, Source};

/// Time between two samples of the recorded wave: 125 Hz.
const SAMPLE: Duration = Duration::from_millis(8);

/// Time between two numerics.
const NUMERIC: Duration = Duration::from_secs(1);

/// A monitor's numerics are taken over this long.
const NUMERIC_WINDOW: usize = 625;

/// The parameters that the wave brings.
const PARAMETERS: [(Parameter, Duration); 4] = [
    (Parameter::PatientAbp, SAMPLE),
    (Parameter::PatientAbpSys, NUMERIC),
    (Parameter::PatientAbpDia, NUMERIC),
    (Parameter::PatientAbpMean, NUMERIC),
];

/// A recorded wave at 125 Hz, in mmHg.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave(Arc<Vec<f32>>);

impl Wave {
    /// The recording that the agent can replay too.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn recorded() -> Result<Self> {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../agent/records/abp-125hz-10min.csv");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        if lines.next() != Some("pt.abp") {
            bail!("{}: not a single column pt.abp", file.display());
        }
        let samples: Vec<f32> = lines
            .map(|line| {
                line.trim().parse().with_context(|| format!("{}: {line:?}", file.display()))
            })
            .collect::<Result<_>>()?;
        if samples.len() < NUMERIC_WINDOW {
            bail!("{}: shorter than the window of a numeric", file.display());
        }
        Ok(Self(Arc::new(samples)))
    }

    /// The sample with a number, beginning anew after the last one.
    fn at(&self, number: usize) -> Option<f32> {
        self.0.get(number % self.0.len().max(1)).copied()
    }

    /// Systolic, diastolic and mean pressure over the window before a sample, as a monitor shows them: the extremes of
    /// each second, averaged, so that a single beat does not decide.
    fn numerics(&self, number: usize) -> Option<[f32; 3]> {
        // Before the first sample lies the end of the round before.
        let to = number + self.0.len();
        let from = to.checked_sub(NUMERIC_WINDOW)?;
        let window: Vec<f32> = (from..to).filter_map(|sample| self.at(sample)).collect();
        let (mut high, mut low, mut sum, mut seconds) = (0.0, 0.0, 0.0, 0.0_f32);
        for second in window.chunks_exact(125) {
            high += second.iter().copied().fold(f32::MIN, f32::max);
            low += second.iter().copied().fold(f32::MAX, f32::min);
            sum += second.iter().sum::<f32>() / 125.0;
            seconds += 1.0;
        }
        (seconds > 0.0).then(|| [high / seconds, low / seconds, sum / seconds])
    }
}

/// A source whose arterial pressure is replaced by the wave.
#[derive(Debug)]
pub struct Overlay<S> {
    inner: S,
    wave: Wave,
    /// Samples of the wave that were delivered.
    played: usize,
}

impl<S: Source> Overlay<S> {
    /// Lays the wave over a source.
    #[must_use]
    pub const fn new(inner: S, wave: Wave) -> Self {
        Self { inner, wave, played: 0 }
    }

    /// The source below.
    #[must_use]
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    fn deliver(&mut self, at: Duration, out: &mut Vec<Sample>) {
        let sample = |parameter, value| Sample { parameter, at, reading: Reading::Value(value) };
        out.extend(self.wave.at(self.played).map(|value| sample(Parameter::PatientAbp, value)));
        if self.played.is_multiple_of(125)
            && let Some(numerics) = self.wave.numerics(self.played)
        {
            let of_wave = PARAMETERS.iter().skip(1).zip(numerics);
            out.extend(of_wave.map(|((parameter, _), value)| sample(*parameter, value.round())));
        }
        self.played += 1;
    }
}

impl<S: Source> Source for Overlay<S> {
    fn channels(&self) -> Vec<ChannelSpec> {
        let mut specs = self.inner.channels();
        specs.retain(|spec| !is_of_wave(spec.parameter));
        specs.extend(
            PARAMETERS
                .map(|(parameter, interval)| ChannelSpec { parameter, interval: Some(interval) }),
        );
        specs
    }

    fn advance(&mut self, out: &mut Vec<Sample>) -> Result<Option<Duration>> {
        let from = out.len();
        let Some(until) = self.inner.advance(out)? else { return Ok(None) };
        let mut kept = out.split_off(from);
        kept.retain(|sample| !is_of_wave(sample.parameter));
        out.append(&mut kept);
        loop {
            let at = SAMPLE.saturating_mul(u32::try_from(self.played).unwrap_or(u32::MAX));
            if at > until {
                break;
            }
            self.deliver(at, out);
        }
        out.get_mut(from..).unwrap_or_default().sort_by_key(|sample| sample.at);
        Ok(Some(until))
    }
}

fn is_of_wave(parameter: Parameter) -> bool {
    PARAMETERS.iter().any(|(of_wave, _)| *of_wave == parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that delivers an arterial pressure of zero and a drainage pressure, for two hours.
    struct Flat(Duration);

    impl Source for Flat {
        fn channels(&self) -> Vec<ChannelSpec> {
            let interval = Some(Duration::from_millis(10));
            [Parameter::PatientAbp, Parameter::PressDrain]
                .map(|parameter| ChannelSpec { parameter, interval })
                .into()
        }

        fn advance(&mut self, out: &mut Vec<Sample>) -> Result<Option<Duration>> {
            self.0 += Duration::from_millis(10);
            for parameter in [Parameter::PatientAbp, Parameter::PressDrain] {
                out.push(Sample { parameter, at: self.0, reading: Reading::Value(0.0) });
            }
            Ok((self.0 < Duration::from_secs(1_200)).then_some(self.0))
        }
    }

    #[test]
    fn the_recorded_wave_replaces_the_pressure_and_begins_anew_at_its_end() {
        let mut overlay = Overlay::new(Flat(Duration::ZERO), Wave::recorded().unwrap());
        assert_eq!(overlay.channels().len(), 5);
        let mut samples = Vec::new();
        while overlay.advance(&mut samples).unwrap().is_some() {}
        assert!(samples.is_sorted_by_key(|sample| sample.at));
        let of = |parameter| {
            let of_it = samples.iter().filter(move |sample| sample.parameter == parameter);
            of_it.filter_map(|sample| sample.reading.value()).collect::<Vec<f32>>()
        };
        let wave = of(Parameter::PatientAbp);
        assert_eq!(wave[..3], [51.56, 51.32, 50.93]);
        assert_eq!(wave[75_000..75_003], [51.56, 51.32, 50.93]);
        let (sys, dia, mean) = (
            of(Parameter::PatientAbpSys),
            of(Parameter::PatientAbpDia),
            of(Parameter::PatientAbpMean),
        );
        assert_eq!((sys.len(), dia.len()), (1_200, mean.len()));
        for ((sys, dia), mean) in sys.iter().zip(&dia).zip(&mean) {
            assert!(dia < mean && mean < sys && *sys < 250.0 && *dia > 20.0, "{sys} {dia} {mean}");
        }
    }
}
