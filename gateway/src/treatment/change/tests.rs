//! What a change does to a record, what it refuses, and that nothing that is said can break it.

use ecmo_core::case::Case;
use ecmo_core::time::Instant;
use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Stamp {
    let wall_ns = i64::try_from(seconds).unwrap() * 1_000_000_000;
    Stamp { now: Instant::from_millis(seconds * 1_000), wall_ns }
}

fn nurse() -> Person {
    Person::new(" A. Nurse ").unwrap()
}

fn case() -> CaseEntry {
    CaseEntry {
        pseudonym: "blue".to_owned(),
        case: Case { weight_kg: Some(3.0), ..Case::default() },
        drainage_cannula: String::new(),
        return_cannula: String::new(),
        oxygenator: String::new(),
        circuit_start_wall_ns: 0,
        indication: crate::treatment::Indication::Other,
    }
}

fn started() -> Record {
    Record::default().start(0, case(), &nurse(), at(1)).unwrap()
}

fn set(record: &Record, rule: &str, number: Option<f32>) -> Result<Record, ChangeError> {
    let profile = ecmo_profile::starter();
    record.set_limit(record.version, (rule, number), (&nurse(), "why"), at(2), &profile)
}

#[test]
fn a_new_patient_keeps_nothing_of_the_one_before() {
    let profile = ecmo_profile::starter();
    let record = set(&started(), "flow.low", Some(70.0)).unwrap();
    let record = record.start_context(ContextKind::Wean, 5, &nurse(), at(3), &profile).unwrap();
    let record = record.with_baseline(1, Some(9.0)).unwrap();
    let next = record.start(3, case(), &nurse(), at(4)).unwrap();
    assert_eq!((next.version, next.patient, next.circuit), (4, 2, 2));
    assert_eq!((next.limits.len(), next.contexts.len(), next.changes.len()), (0, 0, 0));
    assert_eq!(next.membrane_baseline, None);
    assert_eq!((next.case_by.as_str(), next.case_wall_ns), ("A. Nurse", 4_000_000_000));
}

#[test]
fn another_case_of_the_same_patient_keeps_the_limits_and_another_circuit_its_number() {
    let start = |record: &Record, circuit_start_wall_ns| {
        let case = CaseEntry { circuit_start_wall_ns, ..case() };
        record.change_case(record.version, case, &nurse(), at(5)).unwrap()
    };
    let record = set(&started(), "flow.low", Some(70.0)).unwrap();
    let record = record.with_baseline(1, Some(9.0)).unwrap();
    // That the start becomes known, or is taken back, is no other membrane.
    let known = start(&record, 100);
    assert_eq!((known.circuit, known.membrane_baseline), (1, Some(9.0)));
    assert_eq!(start(&known, 0).circuit, 1);
    let other = start(&known, 200);
    assert_eq!((other.circuit, other.membrane_baseline, other.limits.len()), (2, None, 1));
    assert_eq!((other.patient, other.version), (1, 4));
    let none = Record::default().change_case(0, case(), &nurse(), at(5));
    assert_eq!(none, Err(ChangeError::NoCase));
}

#[test]
fn the_reference_of_a_membrane_is_taken_once_and_only_of_the_present_circuit() {
    let record = started();
    assert_eq!(record.with_baseline(2, Some(9.0)), None);
    assert_eq!(record.with_baseline(1, None), None);
    assert_eq!(record.with_baseline(1, Some(f32::NAN)), None);
    assert_eq!(Record::default().with_baseline(0, Some(9.0)), None, "there is no case");
    let known = record.with_baseline(1, Some(9.0)).unwrap();
    assert_eq!((known.membrane_baseline, known.version), (Some(9.0), 1));
    // What is learnt after a restart is of a membrane that has aged.
    assert_eq!(known.with_baseline(1, Some(20.0)), None);
}

#[test]
fn a_limit_is_set_within_the_span_noted_and_taken_back() {
    let low = set(&started(), "flow.low", Some(70.0)).unwrap();
    assert_eq!(low.number(RuleKey::from_id("flow.low").unwrap()), Some(70.0));
    let lower = set(&low, "flow.low", Some(60.0)).unwrap();
    let back = set(&lower, "flow.low", None).unwrap();
    assert!(back.limits.is_empty());
    let noted: Vec<_> = back.changes.iter().map(|it| (it.from, it.to, it.version)).collect();
    assert_eq!(noted, [(60.0, 80.0, 4), (70.0, 60.0, 3), (80.0, 70.0, 2)]);
    for number in [39.9, 150.1, f32::NAN, f32::INFINITY, -1.0] {
        let error = set(&started(), "flow.low", Some(number)).unwrap_err();
        assert!(matches!(&error, ChangeError::Invalid(it) if it.contains("40 to 150")), "{error}");
    }
    for rule in ["", "flow.lo", "flow.low#9", "pump.stop#2", "sensor.fault.hb", "flow.low#1"] {
        let error = set(&started(), rule, Some(1.0)).unwrap_err();
        assert_eq!(error, ChangeError::UnknownRule(rule.to_owned()));
    }
    let error = set(&started(), "air.arterial", Some(0.5)).unwrap_err();
    assert!(error.to_string().contains("lets nobody set"), "{error}");
    assert_eq!(set(&Record::default(), "flow.low", Some(70.0)), Err(ChangeError::NoCase));
}

#[test]
fn a_change_that_rests_on_another_version_is_refused_with_the_present_one() {
    let profile = ecmo_profile::starter();
    let record = started();
    let refused = ChangeError::Version { present: 1 };
    for seen in [0, 2, u64::MAX] {
        assert_eq!(record.start(seen, case(), &nurse(), at(1)), Err(refused.clone()));
        assert_eq!(record.change_case(seen, case(), &nurse(), at(1)), Err(refused.clone()));
        let change = ("flow.low", Some(70.0));
        let set = record.set_limit(seen, change, (&nurse(), "why"), at(1), &profile);
        assert_eq!(set, Err(refused.clone()));
    }
}

#[test]
fn a_context_is_prolonged_cut_short_ended_and_never_longer_than_the_profile_allows() {
    let profile = ecmo_profile::starter();
    let longest = profile.context(ContextKind::Wean).unwrap().longest.as_secs() / 60;
    let longest = u32::try_from(longest).unwrap();
    let record = started();
    for minutes in [0, longest + 1, u32::MAX] {
        let refused = record.start_context(ContextKind::Wean, minutes, &nurse(), at(9), &profile);
        assert!(matches!(refused, Err(ChangeError::Invalid(_))), "{minutes}");
    }
    let once = record.start_context(ContextKind::Wean, 2, &nurse(), at(10), &profile).unwrap();
    let again = once.start_context(ContextKind::Wean, 1, &nurse(), at(20), &profile).unwrap();
    let [context] = &again.contexts[..] else { panic!("{again:?}") };
    assert_eq!((context.since_wall_ns, context.until), (10_000_000_000, at(80).now));
    let ended = again.end_context(ContextKind::Wean, at(21)).unwrap();
    assert_eq!((ended.contexts.len(), ended.version), (0, 4));
    let expired = again.end_context(ContextKind::Wean, at(80));
    assert_eq!(expired, Err(ChangeError::NotDeclared("wean")));
}

#[test]
fn after_a_restart_contexts_go_on_by_the_wall_clock_and_never_beyond_the_profile() {
    let profile = ecmo_profile::starter();
    let longest = profile.context(ContextKind::Suctioning).unwrap().longest;
    let record = started();
    let record =
        record.start_context(ContextKind::Suctioning, 1, &nurse(), at(100), &profile).unwrap();
    let resumed = |wall_s: i64| {
        let at = Stamp { now: at(7).now, wall_ns: wall_s * 1_000_000_000 };
        let ends = record.clone().resumed(at, &profile).contexts.first().map(|it| it.until);
        ends.map(|ends| ends.since(at.now))
    };
    assert_eq!(resumed(130), Some(Duration::from_secs(30)));
    assert_eq!(resumed(160), None);
    // A clock that was set back must not keep an alarm softened for days.
    assert_eq!(resumed(-1_000_000), Some(longest));
}

#[test]
fn a_limit_that_the_profile_no_longer_allows_goes_back_and_that_is_noted() {
    let record = set(&started(), "flow.low", Some(45.0)).unwrap();
    let mut profile = ecmo_profile::starter();
    assert_eq!(record.clone().resumed(at(9), &profile), record);
    for limit in &mut profile.limits {
        limit.span = limit.span.map(|(_low, high)| (50.0, high));
    }
    let resumed = record.resumed(at(9), &profile);
    assert!(resumed.limits.is_empty());
    let noted = resumed.changes.first().unwrap();
    assert_eq!((noted.from, noted.to, noted.by.as_str()), (45.0, 80.0, GATEWAY));
    assert_eq!((resumed.version, noted.version), (3, 3));
}

#[test]
fn what_is_impossible_in_a_case_is_refused_with_its_range() {
    let refused = |case: CaseEntry, says: &str| {
        let error = Record::default().start(0, case, &nurse(), at(1)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    for pseudonym in ["", "  ", "a\nb", &"x".repeat(65)] {
        refused(CaseEntry { pseudonym: pseudonym.to_owned(), ..case() }, "pseudonym: use 1 to 64");
    }
    refused(CaseEntry { oxygenator: "x".repeat(65), ..case() }, "oxygenator: use 0 to 64");
    refused(CaseEntry { circuit_start_wall_ns: -1, ..case() }, "circuit_start");
    for weight in [0.29, 10.1, f32::NAN, f32::NEG_INFINITY] {
        let of = Case { weight_kg: Some(weight), ..Case::default() };
        refused(CaseEntry { case: of, ..case() }, "weight_kg: use 0.3 to 10");
    }
    let of = Case { flow_target: Some(0.0), ..Case::default() };
    refused(CaseEntry { case: of, ..case() }, "flow_target: use 1 to 9990");
    let of = Case { speed_max: Some(6001.0), ..Case::default() };
    refused(CaseEntry { case: of, ..case() }, "speed_max: use 1 to 6000");
    assert!(Person::new("a\u{7}").is_err() && Person::new("").is_err());
}

/// One thing that somebody says, possible or not.
#[derive(Debug, Clone)]
enum Said {
    Start(u64, f32),
    Case(u64, f32, i64),
    Limit(u64, usize, Option<f32>),
    Context(usize, u32),
    End(usize),
    Baseline(u32, f32),
    Resume,
}

fn said() -> impl Strategy<Value = Said> {
    let number = || prop_oneof![any::<f32>(), 0.0_f32..200.0];
    let seen = || 0..12_u64;
    prop_oneof![
        (seen(), number()).prop_map(|(seen, kg)| Said::Start(seen, kg)),
        (seen(), number(), -1..3_i64).prop_map(|(seen, kg, start)| Said::Case(seen, kg, start)),
        (seen(), 0..60_usize, proptest::option::of(number()))
            .prop_map(|(seen, rule, number)| Said::Limit(seen, rule, number)),
        (0..8_usize, 0..200_u32).prop_map(|(kind, minutes)| Said::Context(kind, minutes)),
        (0..8_usize).prop_map(Said::End),
        (0..4_u32, number()).prop_map(|(circuit, found)| Said::Baseline(circuit, found)),
        Just(Said::Resume),
    ]
}

fn apply(record: &Record, said: &Said, at: Stamp, profile: &Profile) -> Option<Record> {
    let entry = |kg, circuit_start_wall_ns| CaseEntry {
        case: Case { weight_kg: Some(kg), ..Case::default() },
        circuit_start_wall_ns,
        ..case()
    };
    match said {
        Said::Start(seen, kg) => record.start(*seen, entry(*kg, 0), &nurse(), at).ok(),
        Said::Case(seen, kg, start) => {
            record.change_case(*seen, entry(*kg, *start), &nurse(), at).ok()
        }
        Said::Limit(seen, rule, number) => {
            let spec = profile.limits.get(*rule % profile.limits.len())?;
            let id = spec.rule.key.to_string();
            record.set_limit(*seen, (&id, *number), (&nurse(), "why"), at, profile).ok()
        }
        Said::Context(kind, minutes) => {
            record.start_context(ContextKind::ALL[*kind], *minutes, &nurse(), at, profile).ok()
        }
        Said::End(kind) => record.end_context(ContextKind::ALL[*kind], at).ok(),
        Said::Baseline(circuit, found) => record.with_baseline(*circuit, Some(*found)),
        Said::Resume => Some(record.clone().resumed(at, profile)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is said in whatever order: versions only grow, everything stays bounded and within the site's spans, and
    /// the rules that follow can be made.
    #[test]
    fn nothing_that_is_said_breaks_a_record(all in proptest::collection::vec(said(), 0..120)) {
        let profile = ecmo_profile::starter();
        let mut record = Record::default();
        for (second, said) in (0..).zip(&all) {
            let Some(next) = apply(&record, said, at(second), &profile) else { continue };
            prop_assert!(next.version >= record.version);
            prop_assert!(next.patient >= record.patient && next.circuit >= record.circuit);
            record = next;
            prop_assert!(record.changes.len() <= CHANGES_MAX);
            prop_assert!(record.contexts.len() <= ContextKind::ALL.len());
            for limit in &record.limits {
                let (low, high) = profile.limit(limit.key).unwrap().span.unwrap();
                prop_assert!((low..=high).contains(&limit.number));
            }
            let rules = profile.resolve(&record.treatment());
            for rule in rules.limits() {
                if let ecmo_core::alarm::rule::Limit::Fixed(limit) = rule.limit {
                    prop_assert!(limit.is_finite(), "{rule:?}");
                }
            }
        }
    }
}
