//! What is heard of a priority: a burst of pulses as IEC 60601-1-8 shapes them, as a WAV file in memory. Pure.
//!
//! Numbers are from clinical.md 3.2: high, ten pulses as five and five in the rhythm 3 + 2; medium, three; low, two. Where it gives
//! a range, the value here lies within it, and a test holds that. The melody is the general one, on one pitch.

use core::f64::consts::TAU;
use core::time::Duration;

use ecmo_core::alarm::condition::Priority;

/// Samples a second: enough for harmonics up to 4 kHz.
const RATE_HZ: u32 = 8_000;

/// Fundamental, in Hz: within 150 to 1000.
const FUNDAMENTAL_HZ: f64 = 440.0;

/// Harmonics beside the fundamental, each as loud: at least four within 300 to 4000 Hz.
const HARMONICS: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];

/// Part of a pulse in which it rises, and in which it falls: 10 to 20 %.
const RISE: f64 = 0.15;

/// Loudest sample, of 32,767: the player and the speaker say how loud that is.
const PEAK: f64 = 24_000.0;

/// Bytes of the head of a WAV file.
const HEAD_BYTES: u32 = 44;

/// Longest burst as bytes: what a pipe takes at once, so that a player that hangs holds up nobody who writes to it.
pub const BURST_BYTES_MAX: usize = 64 * 1024;

/// Pulses of one burst and when the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    pulse: Duration,
    /// Pauses between the pulses.
    pauses: &'static [Duration],
    /// From the begin of one burst to the begin of the next.
    pub every: Duration,
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Pause between pulses of high priority, between the third and the fourth (twice that and a pulse; from memory in the
/// reference), and between the fives.
const SHORT: Duration = ms(100);
const RHYTHM: Duration = ms(300);
const FIVES: Duration = ms(600);

/// Pause between pulses of medium and low priority.
const LONG: Duration = ms(200);

const HIGH_PAUSES: [Duration; 9] =
    [SHORT, SHORT, RHYTHM, SHORT, FIVES, SHORT, SHORT, RHYTHM, SHORT];

/// The burst of a priority; `None` for what has no sound.
#[must_use]
pub const fn burst(priority: Priority) -> Option<Burst> {
    match priority {
        Priority::High => Some(Burst { pulse: ms(100), pauses: &HIGH_PAUSES, every: ms(5_000) }),
        Priority::Medium => Some(Burst { pulse: ms(200), pauses: &[LONG; 2], every: ms(7_500) }),
        Priority::Low => Some(Burst { pulse: ms(200), pauses: &[LONG; 1], every: ms(20_000) }),
        Priority::Information => None,
    }
}

impl Burst {
    /// How long it is heard.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.pauses.iter().fold(self.pulse, |sum, pause| sum + *pause + self.pulse)
    }

    /// The burst as a WAV file: 16 bits, mono.
    #[must_use]
    pub fn wav(&self) -> Vec<u8> {
        let mut samples = Vec::new();
        push_pulse(&mut samples, self.pulse);
        for pause in self.pauses {
            samples.resize(samples.len() + count(*pause), 0);
            push_pulse(&mut samples, self.pulse);
        }
        let data = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
        let mut file = Vec::with_capacity(samples.len() * 2 + 44);
        file.extend(b"RIFF");
        file.extend((data + HEAD_BYTES - 8).to_le_bytes());
        file.extend(b"WAVEfmt ");
        file.extend(16_u32.to_le_bytes());
        // PCM, one channel.
        file.extend([1, 0, 1, 0]);
        file.extend(RATE_HZ.to_le_bytes());
        file.extend((RATE_HZ * 2).to_le_bytes());
        file.extend([2, 0, 16, 0]);
        file.extend(b"data");
        file.extend(data.to_le_bytes());
        file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        file
    }
}

fn count(duration: Duration) -> usize {
    usize::try_from(duration.as_millis()).unwrap_or(0) * RATE_HZ as usize / 1000
}

#[expect(clippy::cast_possible_truncation, reason = "bounded by PEAK, which fits")]
#[expect(clippy::cast_precision_loss, reason = "a pulse has a few thousand samples")]
fn push_pulse(samples: &mut Vec<i16>, pulse: Duration) {
    let length = count(pulse);
    for place in 0..length {
        let part = place as f64 / length as f64;
        let envelope = (part.min(1.0 - part) / RISE).min(1.0);
        let time = place as f64 / f64::from(RATE_HZ);
        let tone: f64 =
            HARMONICS.iter().map(|times| (TAU * FUNDAMENTAL_HZ * times * time).sin()).sum();
        let loudest = HARMONICS.len() as f64;
        samples.push((PEAK * envelope * tone / loudest) as i16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_burst_keeps_to_the_times_of_its_priority() {
        // Priority, pulses, pulse, pauses between pulses (not between the fives), repetition; in milliseconds.
        for (priority, pulses, pulse, pause, every) in [
            (Priority::High, 10, 75..=200, 50..=125, 2_500..=15_000),
            (Priority::Medium, 3, 125..=250, 125..=250, 2_500..=30_000),
            (Priority::Low, 2, 125..=250, 125..=250, 15_001..=60_000),
        ] {
            let burst = burst(priority).unwrap();
            assert_eq!(burst.pauses.len() + 1, pulses);
            assert!(pulse.contains(&burst.pulse.as_millis()), "{priority:?}");
            assert!(every.contains(&burst.every.as_millis()), "{priority:?}");
            let usual = burst.pauses.iter().filter(|one| ![RHYTHM, FIVES].contains(one));
            assert!(usual.into_iter().all(|one| pause.contains(&one.as_millis())));
            assert!(burst.length() < burst.every);
        }
        assert_eq!(RHYTHM, 2 * SHORT + ms(100));
        assert!((350..=1_300).contains(&FIVES.as_millis()));
        assert_eq!(burst(Priority::Information), None);
    }

    #[test]
    fn a_burst_is_a_wav_file_that_fits_a_pipe_and_is_neither_silent_nor_cut() {
        for priority in [Priority::High, Priority::Medium, Priority::Low] {
            let burst = burst(priority).unwrap();
            let wav = burst.wav();
            assert!(wav.len() <= BURST_BYTES_MAX, "{}", wav.len());
            assert_eq!(
                (&wav[..4], &wav[8..12], &wav[36..40]),
                (&b"RIFF"[..], &b"WAVE"[..], &b"data"[..])
            );
            assert_eq!(wav.len() - 44, count(burst.length()) * 2);
            let samples = wav[44..].chunks(2).map(|two| i16::from_le_bytes([two[0], two[1]]));
            let loudest = samples.map(i16::unsigned_abs).max().unwrap();
            assert!((8_000..32_000).contains(&loudest), "{loudest}");
        }
    }
}
