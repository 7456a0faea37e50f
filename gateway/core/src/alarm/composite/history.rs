//! A slow history of one number: one note in so many seconds, on the absolute grid of the sample clock.

use crate::signal::median_of;
use crate::time::SampleTime;

const SECOND_NS: u64 = 1_000_000_000;

/// The last `N` notes; NaN where there was nothing to note.
#[derive(Debug, Clone)]
pub(super) struct History<const N: usize> {
    /// Time between two notes in seconds.
    step_s: u64,
    notes: [f32; N],
    /// Number of the newest note on the grid, and how many there are.
    newest: Option<u64>,
    count: usize,
}

impl<const N: usize> History<N> {
    pub(super) const fn new(step_s: u64) -> Self {
        Self { step_s, notes: [f32::NAN; N], newest: None, count: 0 }
    }

    fn number(&self, tick: SampleTime) -> u64 {
        tick.as_nanos() / self.step_s.saturating_mul(SECOND_NS).max(1)
    }

    /// How many steps are known of.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// Whether a note is due: the first point of each step.
    pub(super) fn is_due(&self, tick: SampleTime) -> bool {
        self.newest.is_none_or(|newest| self.number(tick) > newest)
    }

    /// Takes a note, NaN for nothing to note; steps that were left out are nothing.
    pub(super) fn note(&mut self, value: f32, tick: SampleTime) {
        let number = self.number(tick);
        let skipped = self.newest.map_or(1, |newest| number.saturating_sub(newest));
        let steps = usize::try_from(skipped).unwrap_or(N).clamp(1, N);
        self.notes.rotate_right(steps);
        for place in self.notes.iter_mut().take(steps) {
            *place = f32::NAN;
        }
        if let Some(first) = self.notes.first_mut() {
            *first = value;
        }
        self.newest = Some(number);
        self.count = self.count.saturating_add(steps).min(N);
    }

    /// The newest notes with their ages in seconds, newest first; what is unknown is left out.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = (f32, f32)> {
        let mut age = 0.0;
        #[expect(clippy::cast_precision_loss, reason = "a step is at most an hour")]
        let step = self.step_s as f32;
        let aged = self.notes.iter().take(count.min(self.count)).map(move |note| {
            let noted = (age, *note);
            age += step;
            noted
        });
        aged.filter(|(_age, note)| !note.is_nan())
    }

    /// Median of so many notes, so many back; `None` with less than four fifths of them.
    pub(super) fn median(&self, back: usize, count: usize) -> Option<f32> {
        let mut known = [0.0; N];
        let mut found = 0;
        let notes = self.notes.iter().take(self.count).skip(back).take(count);
        for note in notes.filter(|note| !note.is_nan()) {
            *known.get_mut(found)? = *note;
            found += 1;
        }
        if found * 5 < count * 4 {
            return None;
        }
        median_of(known.get_mut(..found)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_taken_once_a_step_and_steps_left_out_are_nothing() {
        let mut history: History<4> = History::new(10);
        let at = SampleTime::from_millis;
        for (ms, value) in [(9_900, 1.0), (10_000, 2.0), (19_900, 3.0), (40_100, 4.0)] {
            if history.is_due(at(ms)) {
                history.note(value, at(ms));
            }
        }
        let notes: Vec<_> = history.newest(4).collect();
        assert_eq!(notes, [(0.0, 4.0), (30.0, 2.0)]);
        assert_eq!(history.median(0, 4), None);
        assert_eq!(history.median(3, 1), Some(2.0));
        history.note(5.0, SampleTime::from_nanos(u64::MAX));
        assert_eq!(history.newest(4).count(), 1);
    }
}
