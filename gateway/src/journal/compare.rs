//! What the agent's rules found during an outage, held against what the gateway's found in the same frames afterwards. Pure.
//!
//! Compared is only what both must have found: the agent remembers what was present while no gateway held the lease, and the
//! gateway judges again what came from the spool. Nothing is compared when the rules differed or were softened by a context,
//! when frames are missing, or when the agent's memory may have been full.

use std::ops::Range;
use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::frame::BootId;
use ecmo_core::reconcile::{self, Finder, FoundOccurrence, RuleSet};
use ecmo_core::time::SampleTime;

use crate::decode::{OCCURRENCES_MAX, SpoolReport, Unleased};

/// So long after the last frame that was judged the agent may still be leased, and remembers nothing.
const LEASED_FOR: Duration = Duration::from_secs(2);

/// What began or ended so near to the bounds of the time without a lease is not compared: leases come twice a second.
const MARGIN: Duration = Duration::from_secs(1);

/// An occurrence as the gateway found it afterwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// The occurrence.
    pub occurrence: FoundOccurrence,
    /// The sample that raised it, its delay after the onset.
    pub raised: SampleTime,
}

/// What was judged afterwards.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Every occurrence of rules, also before and behind the gap.
    pub found: Vec<Found>,
    /// When frames did not arrive: from the publish time of the last that did to that of the last that did not.
    pub spans: Vec<Range<SampleTime>>,
    /// Whether every frame was there.
    pub is_whole: bool,
    /// Whether references of the past could be made.
    pub is_warm: bool,
}

/// By which rules it was judged.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// The run.
    pub boot: u64,
    /// The rules.
    pub rules: RuleSet,
    /// Whether contexts are declared: they soften the agent's rules, and not those that judge afterwards.
    pub has_contexts: bool,
    /// Conditions that composites tell.
    pub composites: Vec<Condition>,
}

/// What the agent says, and since when it has judged by these rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AgentWord {
    /// Its newest heartbeat.
    pub report: SpoolReport,
    /// Since when, by its clock; zero when no other rules are known of this run.
    pub rules_since: SampleTime,
}

impl AgentWord {
    /// The next heartbeat.
    pub(super) fn next(before: Option<&Self>, report: SpoolReport) -> Self {
        let same_run = before.filter(|word| word.report.boot == report.boot);
        let rules_since = match same_run {
            None => SampleTime::default(),
            Some(word) if word.report.rules == report.rules => word.rules_since,
            Some(_other_rules) => report.sent,
        };
        Self { report, rules_since }
    }
}

/// The priority as the contract numbers it.
pub(super) const fn priority(word: u32) -> Priority {
    match word {
        1 => Priority::Low,
        2 => Priority::Medium,
        4 => Priority::Information,
        // What is not known is treated as the unsafe case.
        _high => Priority::High,
    }
}

fn of_agent(one: &Unleased) -> Option<FoundOccurrence> {
    Some(FoundOccurrence {
        condition: Condition::from_id(&one.condition)?,
        boot: BootId::new(one.boot)?,
        onset: SampleTime::from_nanos(one.onset),
        end: one.end_mono_ns.map(SampleTime::from_nanos),
        priority: priority(one.priority),
    })
}

/// What matters and only one side found, of what both must have found.
#[must_use]
pub(super) fn differences(
    judged: &Judged,
    ground: &Ground,
    word: &AgentWord,
) -> Vec<(FoundOccurrence, Finder)> {
    let report = &word.report;
    let (Some(first), Some(last)) = (judged.spans.first(), judged.spans.last()) else {
        return Vec::new();
    };
    let is_fair = judged.is_whole
        && !ground.has_contexts
        && report.boot == ground.boot
        && report.rules == Some(ground.rules)
        && word.rules_since <= first.start
        && report.sent > last.end
        && report.unleased.len() < OCCURRENCES_MAX;
    if !is_fair {
        return Vec::new();
    }
    let agent: Vec<_> = report.unleased.iter().filter_map(of_agent).collect();
    let gateway: Vec<_> = judged.found.iter().map(|found| found.occurrence).collect();
    let mut differ = reconcile::differences(&agent, &gateway);
    differ.retain(|(one, finder)| {
        let counts = judged.is_warm || !ground.composites.contains(&one.condition);
        counts
            && one.matters()
            && judged.spans.iter().any(|span| match finder {
                Finder::Agent => span.start < one.onset && one.onset <= span.end,
                Finder::Gateway => report.leases_lost > 0 && was_unleased(judged, one, span),
            })
    });
    differ
}

/// Whether it was present while the agent was without a lease for certain.
fn was_unleased(judged: &Judged, one: &FoundOccurrence, span: &Range<SampleTime>) -> bool {
    let begin = span.start.plus(LEASED_FOR + MARGIN);
    let raised = judged.found.iter().find(|found| found.occurrence == *one).map(|it| it.raised);
    let raised = raised.unwrap_or(one.onset).max(begin);
    raised.plus(MARGIN) <= span.end && one.end.is_none_or(|end| end >= raised.plus(MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: RuleSet = RuleSet { profile_hash: 1, treatment_version: 2 };

    fn at(seconds: u64) -> SampleTime {
        SampleTime::from_nanos(seconds * 1_000_000_000)
    }

    fn found(condition: Condition, onset: u64, end: u64) -> Found {
        let boot = BootId::new(7).unwrap();
        let (end, priority) = (Some(at(end)), Priority::High);
        let occurrence = FoundOccurrence { condition, boot, onset: at(onset), end, priority };
        Found { occurrence, raised: at(onset + 1) }
    }

    fn unleased(condition: Condition, onset: u64, end: u64) -> Unleased {
        Unleased {
            condition: condition.to_string(),
            boot: 7,
            onset: at(onset).as_nanos(),
            end_mono_ns: Some(at(end).as_nanos()),
            priority: 3,
            sounded: true,
        }
    }

    /// An outage from 100 to 160 s.
    fn outage(found: Vec<Found>) -> Judged {
        Judged { found, spans: vec![at(100)..at(160)], is_whole: true, is_warm: false }
    }

    fn ground() -> Ground {
        let composites = vec![Condition::RETURN_OBSTRUCTION];
        Ground { boot: 7, rules: RULES, has_contexts: false, composites }
    }

    fn word(unleased: Vec<Unleased>) -> AgentWord {
        let report = SpoolReport {
            boot: 7,
            sent: at(162),
            wall_minus_mono_ns: 0,
            extents: None,
            rules: Some(RULES),
            leases_lost: 1,
            unleased,
        };
        AgentWord::next(None, report)
    }

    const FLOW: Condition = Condition::FLOW_LOW;

    #[test]
    fn what_both_found_is_no_difference_and_what_one_alone_found_is() {
        let both = (outage(vec![found(FLOW, 120, 130)]), word(vec![unleased(FLOW, 121, 131)]));
        assert_eq!(differences(&both.0, &ground(), &both.1), []);
        let gateway = outage(vec![found(FLOW, 120, 130)]);
        let differ = differences(&gateway, &ground(), &word(Vec::new()));
        assert_eq!(differ, [(gateway.found[0].occurrence, Finder::Gateway)]);
        let agent = word(vec![unleased(FLOW, 120, 130)]);
        let differ = differences(&outage(Vec::new()), &ground(), &agent);
        assert_eq!((differ.len(), differ[0].1), (1, Finder::Agent));
    }

    #[test]
    fn what_the_agent_need_not_remember_is_no_difference() {
        for (onset, end) in [(90, 103), (101, 102), (158, 170), (200, 210)] {
            let gateway = outage(vec![found(FLOW, onset, end)]);
            assert_eq!(differences(&gateway, &ground(), &word(Vec::new())), [], "{onset} to {end}");
        }
        let second = AgentWord {
            report: SpoolReport { leases_lost: 0, ..word(Vec::new()).report },
            rules_since: at(0),
        };
        let gateway = outage(vec![found(FLOW, 120, 130)]);
        assert_eq!(differences(&gateway, &ground(), &second), [], "another gateway held the lease");
    }

    #[test]
    fn what_began_before_the_outage_was_raised_at_its_time() {
        let agent = word(vec![unleased(FLOW, 90, 130)]);
        assert_eq!(differences(&outage(Vec::new()), &ground(), &agent), []);
    }

    #[test]
    fn nothing_is_compared_where_rules_or_frames_were_not_the_same() {
        let judged = outage(vec![found(FLOW, 120, 130)]);
        let hole = Judged { is_whole: false, ..outage(judged.found.clone()) };
        assert_eq!(differences(&hole, &ground(), &word(Vec::new())), []);
        let softened = Ground { has_contexts: true, ..ground() };
        assert_eq!(differences(&judged, &softened, &word(Vec::new())), []);
        let treatment_version = 3;
        let others = Ground { rules: RuleSet { treatment_version, ..RULES }, ..ground() };
        assert_eq!(differences(&judged, &others, &word(Vec::new())), []);
        let before = word(Vec::new());
        let other = SpoolReport { rules: Some(others.rules), ..before.report.clone() };
        let changed = AgentWord::next(Some(&AgentWord::next(None, other)), before.report);
        assert_eq!(differences(&judged, &ground(), &changed), [], "treated anew meanwhile");
        let full = word(vec![unleased(FLOW, 10, 11); OCCURRENCES_MAX]);
        assert_eq!(differences(&judged, &ground(), &full), []);
    }

    #[test]
    fn composites_count_once_their_references_could_be_made() {
        let obstruction = Condition::RETURN_OBSTRUCTION;
        let cold = outage(vec![found(obstruction, 120, 130)]);
        assert_eq!(differences(&cold, &ground(), &word(Vec::new())), []);
        let warm = Judged { is_warm: true, ..cold };
        assert_eq!(differences(&warm, &ground(), &word(Vec::new())).len(), 1);
    }
}
