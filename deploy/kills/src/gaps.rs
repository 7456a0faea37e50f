//! How long a display was without a new view of a pump: the longest for each kill, and what that comes to by kind.

use std::collections::BTreeMap;
use std::time::Duration;

/// Arrivals of views of pumps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals {
    last: BTreeMap<String, Duration>,
    /// Pump, beginning and end of times without a view that were longer than usual.
    gaps: Vec<(String, Duration, Duration)>,
}

/// A gap that is not longer than this need not be kept: one period and a half.
const USUAL: Duration = Duration::from_millis(150);

impl Arrivals {
    /// A view of a pump whose data arrives has come.
    pub(crate) fn note(&mut self, pump: &str, at: Duration) {
        match self.last.get_mut(pump) {
            Some(last) => {
                if at.saturating_sub(*last) > USUAL {
                    self.gaps.push((pump.to_owned(), *last, at));
                }
                *last = at;
            }
            None => drop(self.last.insert(pump.to_owned(), at)),
        }
    }

    /// The longest time without a view of any pump but `except` that lies within or reaches into a window.
    pub(crate) fn longest(&self, except: Option<&str>, from: Duration, to: Duration) -> Duration {
        let counts = |pump: &str| except != Some(pump);
        let past = self
            .gaps
            .iter()
            .filter(|(pump, begun, ended)| counts(pump) && *ended >= from && *begun <= to);
        let past = past.map(|(_, begun, ended)| ended.saturating_sub(*begun));
        // What has not come back by the end of the window is a gap too.
        let open = self.last.iter().filter(|(pump, _)| counts(pump));
        let open = open.map(|(_, last)| to.saturating_sub(*last));
        past.chain(open).max().unwrap_or_default().max(USUAL)
    }
}

/// Median, 99th percentile and greatest; `None` of nothing.
pub(crate) fn summary(mut gaps: Vec<Duration>) -> Option<[Duration; 3]> {
    gaps.sort_unstable();
    let at = |part: usize| gaps.get((gaps.len() * part).div_ceil(100).saturating_sub(1)).copied();
    Some([at(50)?, at(99)?, *gaps.last()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn arrivals() -> Arrivals {
        let mut arrivals = Arrivals::default();
        for at in [0, 100, 200, 900, 1_000, 1_100, 1_200] {
            arrivals.note("a", ms(at));
        }
        for at in [0, 100, 200, 300, 400] {
            arrivals.note("b", ms(at));
        }
        arrivals
    }

    #[test]
    fn the_longest_gap_of_a_window_is_found() {
        assert_eq!(arrivals().longest(Some("b"), ms(300), ms(1_200)), ms(700));
        assert_eq!(arrivals().longest(Some("b"), ms(1_000), ms(1_200)), USUAL);
    }

    #[test]
    fn a_pump_that_does_not_come_back_is_a_gap_unless_it_is_left_out() {
        assert_eq!(arrivals().longest(None, ms(1_000), ms(1_200)), ms(800));
        assert_eq!(arrivals().longest(Some("b"), ms(1_000), ms(1_200)), USUAL);
    }

    #[test]
    fn percentiles_are_of_the_gaps() {
        let gaps = (1..=200).map(ms).collect();
        assert_eq!(summary(gaps), Some([ms(100), ms(198), ms(200)]));
        assert_eq!(summary(vec![ms(5)]), Some([ms(5); 3]));
        assert_eq!(summary(Vec::new()), None);
    }
}
