//! Two verdicts over one pump: what the agent's rules find at the bedside against what the gateway finds. Pure.
//!
//! Both run the same core over the same frames, so a difference that lasts is a fault of one of them, and an alarm. Compared is
//! whether a condition is present, never its onset or priority: what a person acknowledges or escalates here is unknown there.
//! Not compared is what a reader's clock or a reader's own history decides:
//! - silence, a second agent, wall clocks, rates, and what gateway and agent say of themselves;
//! - everything while the two hold different rules, which is told as itself;
//! - everything while frames are lost between them and [`EXCUSED_FOR`] after, and as long after one of them began;
//! - composites until [`REFERENCES_FOR`] after one of them began with the run: their references are made of the past.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::alarm::condition::{Condition, Priority};
use crate::frame::BootId;
use crate::time::{Instant, SampleTime};

/// A condition must be seen by one side alone for so long (own proposal: a few heartbeats).
pub const DIFFERS_FOR: Duration = Duration::from_secs(5);

/// Rules must differ for so long: a lease brings the treatment within two seconds (own proposal).
pub const RULES_DIFFER_FOR: Duration = Duration::from_secs(10);

/// No difference must be seen for so long until the alarm ends (own proposal).
pub const ALIKE_FOR: Duration = Duration::from_secs(10);

/// How long after a loss of frames, or after the begin, nothing is compared (own proposal).
pub const EXCUSED_FOR: Duration = Duration::from_secs(30);

/// How long after the begin composites are not compared: the usual working point looks back 10 minutes.
pub const REFERENCES_FOR: Duration = Duration::from_secs(11 * 60);

/// Most conditions that are watched at once; a pump has far fewer that differ.
const WATCHED_MAX: usize = 64;

/// Who finds something that the other does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Finder {
    /// The agent at the bedside.
    Agent,
    /// The gateway.
    Gateway,
}

/// How two verdicts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The profiles differ.
    Profile,
    /// The profile is the same, and the treatments differ.
    Treatment,
    /// One finds a condition that the other does not.
    Condition(Condition, Finder),
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile => formatter.write_str("agent and gateway run different profiles"),
            Self::Treatment => formatter.write_str("agent and gateway hold different treatments"),
            Self::Condition(condition, Finder::Agent) => {
                write!(formatter, "the agent finds {condition}, the gateway does not")
            }
            Self::Condition(condition, Finder::Gateway) => {
                write!(formatter, "the gateway finds {condition}, the agent does not")
            }
        }
    }
}

/// What makes rules: equal hashes and versions are equal rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleSet {
    /// Hash of the profile.
    pub profile_hash: u64,
    /// Version of the treatment.
    pub treatment_version: u64,
}

/// What one side finds.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// Its rules.
    pub rules: RuleSet,
    /// Conditions that are present.
    pub present: &'a [Condition],
}

/// What excuses a difference, as the gateway knows it.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The run that both judge.
    pub boot: BootId,
    /// Frames of it that were lost, and times its stream was silent; any change is a loss.
    pub losses: u64,
    /// The conditions that composites tell.
    pub composites: &'a [Condition],
}

/// Whether both sides must agree on a condition: samples alone decide it.
#[must_use]
pub fn is_comparable(condition: Condition) -> bool {
    let own_clock = ["comm", "agent", "clock", "source", "gateway", "delivery", "alarm", "sensor"];
    let family = condition.family().split('.').next().unwrap_or_default();
    !own_clock.contains(&family)
}

/// Compares from heartbeat to heartbeat.
#[derive(Debug, Clone, Default)]
pub struct Reconciler {
    boot: Option<BootId>,
    joined: Instant,
    losses: u64,
    lost_at: Option<Instant>,
    rules_since: Option<(Difference, Instant)>,
    /// What one side alone finds, and since when.
    watched: Vec<(Condition, Finder, Instant)>,
    alike_since: Option<Instant>,
    told: Option<Difference>,
    /// A difference was told before a restart of the reader, and neither was found since.
    restored: bool,
}

impl Reconciler {
    /// A difference was told before a restart of the reader.
    pub(crate) const fn resume(&mut self) {
        self.restored = self.told.is_none();
    }

    /// Whether a difference of before a restart of the reader may still be there.
    #[must_use]
    pub(crate) const fn may_differ(&self) -> bool {
        self.restored
    }

    /// The difference that is told now; it stays until both have been alike for [`ALIKE_FOR`].
    #[must_use]
    pub const fn told(&self) -> Option<Difference> {
        self.told
    }

    /// Takes what the agent finds, with what the gateway finds at the same time; what is to be told.
    pub fn compare(
        &mut self,
        agent: Verdict<'_>,
        gateway: Verdict<'_>,
        circumstances: Circumstances<'_>,
        now: Instant,
    ) -> Option<Difference> {
        self.note(circumstances, now);
        let found = match self.rules(agent.rules, gateway.rules, now) {
            Ok(()) => self.conditions(agent, gateway, circumstances.composites, now),
            Err(lasting) => {
                self.watched.clear();
                lasting
            }
        };
        let is_alike = found.is_none() && self.rules_since.is_none() && self.watched.is_empty();
        self.alike_since = is_alike.then(|| self.alike_since.unwrap_or(now));
        match found {
            Some(found) => (self.told, self.restored) = (Some(found), false),
            None if self.alike_since.is_some_and(|since| now.since(since) >= ALIKE_FOR) => {
                (self.told, self.restored) = (None, false);
            }
            None => {}
        }
        self.told
    }

    /// Takes note of a new run and of losses.
    fn note(&mut self, circumstances: Circumstances<'_>, now: Instant) {
        if self.boot != Some(circumstances.boot) {
            let (boot, told, restored) = (Some(circumstances.boot), self.told, self.restored);
            *self = Self { boot, joined: now, told, restored, ..Self::default() };
        } else if self.losses != circumstances.losses {
            self.lost_at = Some(now);
        }
        self.losses = circumstances.losses;
    }

    /// Whether the rules are the same; if not, whether that lasts.
    fn rules(
        &mut self,
        agent: RuleSet,
        gateway: RuleSet,
        now: Instant,
    ) -> Result<(), Option<Difference>> {
        let difference = if agent.profile_hash != gateway.profile_hash {
            Difference::Profile
        } else if agent.treatment_version != gateway.treatment_version {
            Difference::Treatment
        } else {
            self.rules_since = None;
            return Ok(());
        };
        let before = self.rules_since.filter(|(before, _since)| *before == difference);
        let since = before.map_or(now, |(_difference, since)| since);
        self.rules_since = Some((difference, since));
        Err((now.since(since) >= RULES_DIFFER_FOR).then_some(difference))
    }

    /// What one side alone has found for long enough, the first such condition.
    fn conditions(
        &mut self,
        agent: Verdict<'_>,
        gateway: Verdict<'_>,
        composites: &[Condition],
        now: Instant,
    ) -> Option<Difference> {
        let is_settled = now.since(self.joined) >= EXCUSED_FOR
            && self.lost_at.is_none_or(|lost| now.since(lost) >= EXCUSED_FOR);
        if !is_settled {
            self.watched.clear();
            return None;
        }
        let has_references = now.since(self.joined) >= REFERENCES_FOR;
        let counts = |condition: &Condition| {
            is_comparable(*condition) && (has_references || !composites.contains(condition))
        };
        let only = |own: Verdict<'_>, other: Verdict<'_>, finder| {
            let own = own.present.iter().copied().filter(counts);
            let found: Vec<_> = own
                .filter(|condition| !other.present.contains(condition))
                .map(|condition| (condition, finder))
                .collect();
            found
        };
        let mut differ = only(agent, gateway, Finder::Agent);
        differ.extend(only(gateway, agent, Finder::Gateway));
        self.watched.retain(|(condition, finder, _)| differ.contains(&(*condition, *finder)));
        for (condition, finder) in differ {
            let is_known = self.watched.iter().any(|it| (it.0, it.1) == (condition, finder));
            if !is_known && self.watched.len() < WATCHED_MAX {
                self.watched.push((condition, finder, now));
            }
        }
        let lasting = self.watched.iter().find(|(_, _, since)| now.since(*since) >= DIFFERS_FOR);
        lasting.map(|(condition, finder, _since)| Difference::Condition(*condition, *finder))
    }
}

/// An occurrence as either side found it afterwards in the same run's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundOccurrence {
    /// What was wrong.
    pub condition: Condition,
    /// The agent's run.
    pub boot: BootId,
    /// First sample.
    pub onset: SampleTime,
    /// When it was gone; `None` while it is present.
    pub end: Option<SampleTime>,
    /// How urgent.
    pub priority: Priority,
}

impl FoundOccurrence {
    /// Whether two are the same: they have one onset, or were present at one time. A side that began later, or whose lease
    /// ended later, sees a part only.
    fn is_same(&self, other: &Self) -> bool {
        let ends_after = |one: &Self, at: SampleTime| one.end.is_none_or(|end| end >= at);
        self.condition == other.condition
            && self.boot == other.boot
            && (self.onset == other.onset
                || (ends_after(self, other.onset) && ends_after(other, self.onset)))
    }

    /// Whether a difference over it is an alarm: high or medium priority, and decided by samples alone.
    #[must_use]
    pub fn matters(&self) -> bool {
        self.priority >= Priority::Medium && is_comparable(self.condition)
    }
}

/// What only one side found, in the order given, the agent's first. Conditions that a reader's clock decides are left out.
#[must_use]
pub fn differences(
    agent: &[FoundOccurrence],
    gateway: &[FoundOccurrence],
) -> Vec<(FoundOccurrence, Finder)> {
    let only = |own: &[FoundOccurrence], other: &[FoundOccurrence], finder| {
        let own = own.iter().filter(|one| is_comparable(one.condition));
        let lonely = own.filter(|one| !other.iter().any(|its| one.is_same(its)));
        lonely.map(|one| (*one, finder)).collect::<Vec<_>>()
    };
    let mut found = only(agent, gateway, Finder::Agent);
    found.extend(only(gateway, agent, Finder::Gateway));
    found
}

#[cfg(test)]
mod tests;
