//! A time without samples, and why.

use crate::bytes::{Cursor, put_signed};
use crate::chunk::VERSION;

/// Why there are no samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapReason {
    /// The gateway did not run.
    NotRunning,
    /// Nothing was received of the pump.
    NotReceived,
    /// The agent was started anew.
    AgentRestarted,
    /// What was received could not be kept: the disk was full, failed or too slow.
    NotRecorded,
    /// The wall clock was set forward: the time never was.
    ClockSet,
    /// What was kept is damaged.
    Damaged,
    /// Nothing is known: before the first sample, after the last one, or what was kept is gone.
    Unknown,
}

impl GapReason {
    /// Every reason, with the word for it.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("not_running", Self::NotRunning),
        ("not_received", Self::NotReceived),
        ("agent_restarted", Self::AgentRestarted),
        ("not_recorded", Self::NotRecorded),
        ("clock_set", Self::ClockSet),
        ("damaged", Self::Damaged),
        ("unknown", Self::Unknown),
    ];

    const fn code(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::NotRunning => 1,
            Self::NotReceived => 2,
            Self::AgentRestarted => 3,
            Self::NotRecorded => 4,
            Self::ClockSet => 5,
            Self::Damaged => 6,
        }
    }

    /// A code of a later version is a reason that this version does not know.
    fn from_code(code: u8) -> Self {
        let known = Self::WORDS.iter().find(|(_word, reason)| reason.code() == code);
        known.map_or(Self::Unknown, |(_word, reason)| *reason)
    }
}

/// A time without samples of a pump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Its begin: wall time in nanoseconds since 1970.
    pub from_ns: i64,
    /// Its end.
    pub to_ns: i64,
    /// Why.
    pub reason: GapReason,
}

impl Gap {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.reason.code()];
        put_signed(&mut out, self.from_ns);
        put_signed(&mut out, self.to_ns);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.byte()? != VERSION {
            return None;
        }
        let reason = GapReason::from_code(cursor.byte()?);
        Some(Self { reason, from_ns: cursor.signed()?, to_ns: cursor.signed()? })
    }
}

/// What of `[from, to)` no span covers: each part with the reason of the gap that overlaps it most, or unknown. Parts shorter
/// than `least_ns` that no gap explains are the time between two samples, and are left out.
pub(crate) fn uncovered(
    (from_ns, to_ns): (i64, i64),
    mut covered: Vec<(i64, i64)>,
    known: &[Gap],
    least_ns: i64,
) -> Vec<Gap> {
    covered.sort_unstable();
    let mut holes = Vec::new();
    let mut at = from_ns;
    for (begin, end) in covered {
        if begin > at {
            holes.push((at, begin.min(to_ns)));
        }
        at = at.max(end);
    }
    if at < to_ns {
        holes.push((at, to_ns));
    }
    let mut gaps = Vec::new();
    for (begin, end) in holes.into_iter().filter(|(begin, end)| begin < end) {
        let overlap = |gap: &Gap| gap.to_ns.min(end) - gap.from_ns.max(begin);
        let best = known.iter().filter(|gap| overlap(gap) > 0).max_by_key(|gap| overlap(gap));
        let reason = best.map(|gap| gap.reason);
        if reason.is_some() || end - begin >= least_ns {
            let reason = reason.unwrap_or(GapReason::Unknown);
            gaps.push(Gap { from_ns: begin, to_ns: end, reason });
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_comes_back_and_one_of_a_later_version_is_unknown() {
        for (_word, reason) in GapReason::WORDS {
            let gap = Gap { from_ns: -5, to_ns: 1 << 60, reason };
            assert_eq!(Gap::decode(&gap.encode()), Some(gap));
        }
        assert_eq!(GapReason::from_code(200), GapReason::Unknown);
    }

    #[test]
    fn what_no_span_covers_has_its_reason_and_what_was_filled_later_is_no_gap() {
        let gap = |from_ns, to_ns, reason| Gap { from_ns, to_ns, reason };
        let known = [gap(10, 20, GapReason::NotRunning), gap(40, 41, GapReason::NotReceived)];
        let cases = [
            (vec![(0, 10), (20, 60)], vec![gap(10, 20, GapReason::NotRunning)]),
            (vec![(0, 60)], vec![]),
            (vec![(0, 12), (15, 60)], vec![gap(12, 15, GapReason::NotRunning)]),
            (vec![(20, 60), (0, 18)], vec![gap(18, 20, GapReason::NotRunning)]),
            (vec![(0, 40), (41, 60)], vec![gap(40, 41, GapReason::NotReceived)]),
            (vec![(0, 30), (50, 60)], vec![gap(30, 50, GapReason::NotReceived)]),
            (vec![(0, 48), (50, 60)], vec![]),
            (vec![], vec![gap(0, 60, GapReason::NotRunning)]),
        ];
        for (covered, expected) in cases {
            let found = uncovered((0, 60), covered.clone(), &known, 5);
            assert_eq!(found, expected, "{covered:?}");
        }
        assert_eq!(uncovered((0, 60), vec![(0, 30)], &[], 5), [gap(30, 60, GapReason::Unknown)]);
    }
}
