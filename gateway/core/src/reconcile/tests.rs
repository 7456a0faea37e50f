//! Differences that last are told, and nothing that has an excuse.

use super::*;
use alloc::vec;
use proptest::prelude::*;

const RULES: RuleSet = RuleSet { profile_hash: 7, treatment_version: 2 };

const STOP: Condition = Condition::PUMP_STOP;

fn boot() -> BootId {
    BootId::new(1).unwrap()
}

/// Two sides that speak each second; a second's word is the conditions of the agent and of the gateway.
struct Sides {
    reconciler: Reconciler,
    second: u64,
    losses: u64,
    agent: RuleSet,
}

impl Sides {
    /// Both have judged one run for an hour.
    fn settled() -> Self {
        let mut sides = Self::begun();
        sides.say(3_600, &[], &[]);
        sides
    }

    fn begun() -> Self {
        Self { reconciler: Reconciler::default(), second: 0, losses: 0, agent: RULES }
    }

    /// The same word for so many seconds; what is told at the end.
    fn say(
        &mut self,
        seconds: u64,
        agent: &[Condition],
        gateway: &[Condition],
    ) -> Option<Difference> {
        let mut told = self.reconciler.told();
        for _second in 0..seconds {
            self.second += 1;
            let circumstances = Circumstances {
                boot: boot(),
                losses: self.losses,
                composites: &[Condition::DRAIN_OBSTRUCTION],
            };
            let agent = Verdict { rules: self.agent, present: agent };
            let gateway = Verdict { rules: RULES, present: gateway };
            let now = Instant::from_millis(self.second * 1_000);
            told = self.reconciler.compare(agent, gateway, circumstances, now);
        }
        told
    }
}

#[test]
fn a_condition_that_one_side_alone_finds_for_5_s_is_told_and_ends_10_s_after_they_agree() {
    for (agent, gateway, finder) in
        [(&[STOP][..], &[][..], Finder::Agent), (&[], &[STOP], Finder::Gateway)]
    {
        let mut sides = Sides::settled();
        assert_eq!(sides.say(5, agent, gateway), None);
        let told = Some(Difference::Condition(STOP, finder));
        assert_eq!(sides.say(1, agent, gateway), told);
        assert_eq!(sides.say(10, &[STOP], &[STOP]), told);
        assert_eq!(sides.say(1, &[STOP], &[STOP]), None);
    }
}

#[test]
fn a_lag_of_a_few_heartbeats_is_no_difference() {
    let mut sides = Sides::settled();
    for _time in 0..20 {
        assert_eq!(sides.say(4, &[STOP], &[]), None);
        assert_eq!(sides.say(1, &[STOP], &[STOP]), None);
        assert_eq!(sides.say(4, &[], &[STOP]), None);
    }
}

#[test]
fn what_a_readers_clock_decides_is_not_compared() {
    let mut sides = Sides::settled();
    let own = [
        Condition::COMM_STALE,
        Condition::COMM_CONSOLE_SILENT,
        Condition::CLOCK_SKEW,
        Condition::SOURCE_DUPLICATE,
        Condition::COMM_DAMAGED,
        Condition::GATEWAY_OVERLOAD,
        Condition::AGENT_RECORDING,
        Condition::SENSOR_RATE,
        Condition::sensor_fault(crate::parameter::Parameter::PressDrain),
    ];
    assert_eq!(sides.say(60, &own, &[]), None);
    assert_eq!(sides.say(60, &[], &own), None);
}

#[test]
fn losses_and_a_late_begin_excuse_and_references_of_composites_longer() {
    let mut sides = Sides::begun();
    assert_eq!(sides.say(35, &[STOP], &[]), None);
    assert!(sides.say(1, &[STOP], &[]).is_some(), "30 s after the begin, and 5 s of difference");
    let mut sides = Sides::begun();
    let composite = [Condition::DRAIN_OBSTRUCTION];
    assert_eq!(sides.say(660, &composite, &[]), None);
    assert!(sides.say(10, &composite, &[]).is_some());
    let mut sides = Sides::settled();
    for _loss in 0..10 {
        sides.losses += 1;
        assert_eq!(sides.say(30, &[STOP], &[]), None, "while frames are lost");
    }
    assert!(sides.say(6, &[STOP], &[]).is_some());
}

#[test]
fn other_rules_are_told_as_that_after_10_s_and_hide_what_follows_from_them() {
    for (agent, told) in [
        (RuleSet { profile_hash: 8, ..RULES }, Difference::Profile),
        (RuleSet { treatment_version: 1, ..RULES }, Difference::Treatment),
        (RuleSet { profile_hash: 8, treatment_version: 1 }, Difference::Profile),
    ] {
        let mut sides = Sides::settled();
        sides.agent = agent;
        assert_eq!(sides.say(10, &[STOP], &[]), None);
        assert_eq!(sides.say(1, &[STOP], &[]), Some(told));
        sides.agent = RULES;
        assert_eq!(sides.say(11, &[], &[]), None);
    }
}

#[test]
fn occurrences_are_the_same_by_their_onset_or_by_a_time_in_common() {
    let at = SampleTime::from_millis;
    let found = |condition, onset, end: Option<u64>, priority| FoundOccurrence {
        condition,
        boot: boot(),
        onset: at(onset),
        end: end.map(at),
        priority,
    };
    let stop = |onset, end| found(STOP, onset, end, Priority::High);
    for (agent, gateway, lonely) in [
        (vec![stop(10, Some(20))], vec![stop(10, Some(30))], 0),
        (vec![stop(15, None)], vec![stop(10, Some(30))], 0),
        (vec![stop(10, Some(20))], vec![stop(21, Some(30))], 2),
        (vec![stop(10, Some(20))], vec![], 1),
        (vec![], vec![stop(10, None)], 1),
        (vec![found(Condition::COMM_STALE, 1, None, Priority::High)], vec![], 0),
    ] {
        assert_eq!(differences(&agent, &gateway).len(), lonely, "{agent:?} {gateway:?}");
    }
    let of_agent = differences(&[stop(10, None)], &[]);
    assert_eq!(of_agent, [(stop(10, None), Finder::Agent)]);
    assert!(of_agent[0].0.matters());
    assert!(!found(Condition::FLOW_HIGH, 1, None, Priority::Low).matters());
}

proptest! {
    #[test]
    fn two_sides_that_say_the_same_never_differ(
        words in proptest::collection::vec((0..6_usize, any::<bool>()), 0..200),
    ) {
        let mut sides = Sides::settled();
        for (count, loss) in words {
            sides.losses += u64::from(loss);
            let present = &Condition::ALL[..count];
            prop_assert_eq!(sides.say(1, present, present), None);
        }
    }
}
