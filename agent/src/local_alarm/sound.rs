//! Decides what sounds: quiet while a gateway holds the lease, else the most urgent condition that is present. Pure.
//!
//! The lease itself says when it is lost, two seconds after the newest data that a gateway judged; here nothing is added to
//! that. Nobody can acknowledge at the bedside, so nothing is acknowledged here: a condition that latches is recalled for
//! [`LATCHED_FOR`] after it is gone, or until a gateway is back, whichever is first.

use core::fmt;
use core::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::time::SampleTime;

/// How long a latching condition sounds after it is gone (own proposal: as long as the longest pause of sound).
pub const LATCHED_FOR: Duration = Duration::from_secs(120);

/// A condition that may sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub condition: Condition,
    /// How urgent.
    pub priority: Priority,
    /// Since when.
    pub onset: SampleTime,
}

/// Why it sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A condition of the rules.
    Condition(Condition),
    /// Nothing is wrong that the rules know, but no gateway listens.
    Unattended,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition(condition) => condition.fmt(formatter),
            Self::Unattended => formatter.write_str("local.unattended"),
        }
    }
}

/// What sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// How urgent.
    pub priority: Priority,
    /// Why.
    pub reason: Reason,
}

/// What a site may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundRules {
    /// How long an agent is quiet that no gateway has leased since its start.
    pub grace: Duration,
    /// How urgent it is that no gateway listens; `None`: that alone does not sound.
    pub unattended: Option<Priority>,
    /// How long that sounds.
    pub unattended_for: Duration,
}

/// Decides what sounds. It is told of the lease and of the conditions at each look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sounder {
    rules: SoundRules,
    begun: SampleTime,
    was_leased: bool,
    alone_since: Option<SampleTime>,
}

impl Sounder {
    /// Quiet, from the agent's start on.
    #[must_use]
    pub const fn new(rules: SoundRules, begun: SampleTime) -> Self {
        Self { rules, begun, was_leased: false, alone_since: None }
    }

    /// What sounds now; `None`: nothing.
    pub fn look(
        &mut self,
        now: SampleTime,
        is_leased: bool,
        findings: impl Iterator<Item = Finding>,
    ) -> Option<Sound> {
        if is_leased {
            self.was_leased = true;
            self.alone_since = None;
            return None;
        }
        let in_grace = !self.was_leased && now.since(self.begun) < self.rules.grace;
        if in_grace {
            return None;
        }
        let alone_since = *self.alone_since.get_or_insert(now);
        let audible = findings.filter(|finding| finding.priority > Priority::Information);
        // The more urgent first, then the older, then by name: one answer whatever the order.
        let urgency = |one: &Finding| (core::cmp::Reverse(one.priority), one.onset, one.condition);
        if let Some(first) = audible.min_by_key(urgency) {
            let reason = Reason::Condition(first.condition);
            return Some(Sound { priority: first.priority, reason });
        }
        let lasts = now.since(alone_since) < self.rules.unattended_for;
        let priority = self.rules.unattended.filter(|_| lasts)?;
        Some(Sound { priority, reason: Reason::Unattended })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: SoundRules = SoundRules {
        grace: Duration::from_secs(30),
        unattended: Some(Priority::Low),
        unattended_for: Duration::from_secs(60),
    };

    fn at(seconds: u64) -> SampleTime {
        SampleTime::from_millis(seconds * 1000)
    }

    fn finding(condition: Condition, priority: Priority, onset: u64) -> Finding {
        Finding { condition, priority, onset: at(onset) }
    }

    #[test]
    fn a_lost_lease_sounds_at_once_and_a_held_one_is_quiet_whatever_is_present() {
        let stop = finding(Condition::PUMP_STOP, Priority::High, 1);
        let sound = Sound { priority: stop.priority, reason: Reason::Condition(stop.condition) };
        let mut sounder = Sounder::new(RULES, at(0));
        for (second, is_leased, expected) in [
            // Never leased: a gateway has time to come.
            (1, false, None),
            (29, false, None),
            (30, false, Some(sound)),
            (31, true, None),
            // Leased once: no more grace.
            (32, false, Some(sound)),
            (33, true, None),
        ] {
            assert_eq!(
                sounder.look(at(second), is_leased, [stop].into_iter()),
                expected,
                "{second}"
            );
        }
    }

    #[test]
    fn the_most_urgent_sounds_then_the_oldest() {
        let findings = [
            finding(Condition::FLOW_LOW, Priority::Medium, 1),
            finding(Condition::AIR_VENOUS, Priority::High, 9),
            finding(Condition::PUMP_STOP, Priority::High, 5),
            finding(Condition::PULSE_LOW, Priority::Information, 0),
        ];
        let mut sounder = Sounder::new(RULES, at(0));
        let mut reason = |findings: &[Finding]| {
            sounder.look(at(40), false, findings.iter().copied()).map(|sound| sound.reason)
        };
        assert_eq!(reason(&findings), Some(Reason::Condition(Condition::PUMP_STOP)));
        assert_eq!(reason(&findings[..2]), Some(Reason::Condition(Condition::AIR_VENOUS)));
        assert_eq!(reason(&findings[..1]), Some(Reason::Condition(Condition::FLOW_LOW)));
        assert_eq!(reason(&findings[3..]), Some(Reason::Unattended), "information has no sound");
    }

    #[test]
    fn that_nobody_listens_sounds_for_its_time_and_again_at_the_next_loss() {
        let mut sounder = Sounder::new(RULES, at(0));
        let mut sounds =
            |second, is_leased| sounder.look(at(second), is_leased, core::iter::empty()).is_some();
        assert!(!sounds(1, true));
        assert!(sounds(3, false) && sounds(62, false) && !sounds(63, false));
        assert!(!sounds(70, true) && sounds(80, false));
        let silent = SoundRules { unattended: None, ..RULES };
        assert_eq!(Sounder::new(silent, at(0)).look(at(99), false, core::iter::empty()), None);
    }

    proptest! {
        #[test]
        fn nothing_that_is_present_is_quiet_while_nobody_listens(
            looks in proptest::collection::vec((any::<bool>(), any::<bool>()), 1..60),
        ) {
            let stop = finding(Condition::PUMP_STOP, Priority::High, 0);
            let mut sounder = Sounder::new(SoundRules { grace: Duration::ZERO, ..RULES }, at(0));
            for (second, (is_leased, is_present)) in (0..).zip(looks) {
                let findings = is_present.then_some(stop).into_iter();
                let sound = sounder.look(at(second), is_leased, findings);
                prop_assert!(!is_leased || sound.is_none());
                if !is_leased && is_present {
                    prop_assert_eq!(sound.map(|sound| sound.priority), Some(Priority::High));
                }
            }
        }
    }
}
