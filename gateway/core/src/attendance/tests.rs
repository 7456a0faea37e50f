//! Displays that attend, freeze, hide, leave and lie; alarms that wait for them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::alarm::blank::blank;
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::Transition;

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn attendance() -> Attendance {
    Attendance::new(&blank(), 8)
}

fn health(painted_ms: u64) -> Health {
    Health {
        painted: Some(at(painted_ms)),
        frames_per_second: 30.0,
        lag_ms: 20,
        audio: AudioOutput::On,
        visible: true,
    }
}

fn word(display: &str, wards: &[&str], health: Health) -> AttendWord {
    let wards = wards.iter().map(|ward| Arc::from(*ward)).collect();
    AttendWord { display: display.into(), wards, health }
}

/// A healthy display at this time.
fn attend(attendance: &mut Attendance, display: &str, wards: &[&str], ms: u64) -> DisplayState {
    attendance.attend(word(display, wards, health(ms)), at(ms)).unwrap()
}

const fn high<'a>(id: &'a str, ward: Option<&'a str>, revision: u32) -> HandedOver<'a> {
    HandedOver {
        id,
        ward,
        revision,
        covers_from: revision,
        must_be_seen: true,
        signals: true,
        is_over: false,
    }
}

const STOP: &str = "nicu/p1/pump.stop/7-1";

#[derive(Default)]
struct Heard(Vec<(String, Condition, Transition, Priority)>);

impl WardOutput for Heard {
    fn ward_alarm(&mut self, ward: &Arc<str>, change: AlarmChange<'_>) {
        let one = change.occurrence;
        self.0.push((ward.to_string(), one.id.condition, change.transition, one.priority));
    }
}

#[test]
fn a_display_attends_while_its_lease_holds_and_it_paints_where_a_person_sees_it() {
    let told = |health: Health, now_ms| {
        let mut attendance = attendance();
        attendance.attend(word("d", &[], health), at(10_000)).unwrap();
        attendance.displays()[0].state(at(now_ms))
    };
    let fine = health(9_900);
    for (health, now_ms, expected) in [
        (fine, 10_000, DisplayState::Attends),
        (fine, 12_899, DisplayState::Attends),
        (fine, 12_900, DisplayState::NotPainting),
        (fine, 12_999, DisplayState::NotPainting),
        (fine, 13_000, DisplayState::Lost),
        (Health { visible: false, ..fine }, 10_000, DisplayState::NotPainting),
        (Health { painted: None, ..fine }, 10_000, DisplayState::NotPainting),
        (Health { painted: Some(at(7_000)), ..fine }, 10_000, DisplayState::NotPainting),
        (Health { painted: Some(at(7_001)), ..fine }, 10_000, DisplayState::Attends),
        // What was painted of a message that was not made yet is a lie or an error.
        (Health { painted: Some(at(10_001)), ..fine }, 10_000, DisplayState::NotPainting),
        // Sound, pictures a second and lag are told, and decide nothing here.
        (Health { audio: AudioOutput::None, ..fine }, 10_000, DisplayState::Attends),
        (
            Health { frames_per_second: f32::NAN, lag_ms: u32::MAX, ..fine },
            10_000,
            DisplayState::Attends,
        ),
    ] {
        assert_eq!(told(health, now_ms), expected, "{health:?} at {now_ms}");
    }
}

#[test]
fn a_high_alarm_waits_until_a_display_of_its_ward_has_shown_what_is_new() {
    let mut all = attendance();
    attend(&mut all, "own", &["nicu"], 1_000);
    attend(&mut all, "other", &["picu"], 1_000);
    all.on_alarm(high(STOP, Some("nicu"), 1), at(1_000));
    assert_eq!(all.next_deadline(at(1_000)), Some(at(3_000)));
    let of_other = all.confirm("other", STOP, 1, None, at(1_100));
    assert_eq!(of_other, Taken { known: true, counts: false });
    let of_nobody = all.confirm("stranger", STOP, 1, None, at(1_100));
    assert_eq!(of_nobody, Taken { known: true, counts: false });
    let of_the_future = all.confirm("own", STOP, 2, None, at(1_100));
    assert_eq!(of_the_future, Taken::default());
    assert_eq!((all.overdue(at(2_999)), all.overdue(at(3_000))), (None, Some(at(1_000))));
    let took = Some(Duration::from_millis(120));
    assert_eq!(all.confirm("own", STOP, 1, took, at(1_120)), Taken { known: true, counts: true });
    assert_eq!(all.overdue(at(60_000)), None);
    let alarm = all.alarm(STOP).unwrap();
    let by = alarm.confirmations.iter().filter(|one| one.counted == 1).collect::<Vec<_>>();
    assert_eq!((by.len(), &*by[0].display, by[0].took), (1, "own", took));

    // It comes back worse: an old confirmation does not cover it. What only its data did is covered.
    all.on_alarm(high(STOP, Some("nicu"), 3), at(5_000));
    assert!(!all.confirm("own", STOP, 2, None, at(5_001)).counts, "its lease is over");
    attend(&mut all, "own", &["nicu"], 5_002);
    all.confirm("own", STOP, 2, None, at(5_003));
    assert_eq!(all.overdue(at(7_000)), Some(at(5_000)));
    all.on_alarm(HandedOver { covers_from: 3, ..high(STOP, Some("nicu"), 4) }, at(5_500));
    all.confirm("own", STOP, 3, None, at(5_600));
    assert_eq!(all.overdue(at(7_000)), None);
}

#[test]
fn what_signals_no_longer_or_is_not_high_waits_no_more() {
    for quiet in [
        HandedOver { signals: false, ..high(STOP, Some("nicu"), 2) },
        HandedOver { must_be_seen: false, ..high(STOP, Some("nicu"), 2) },
        HandedOver { is_over: true, signals: false, ..high(STOP, Some("nicu"), 2) },
    ] {
        let mut all = attendance();
        all.on_alarm(high(STOP, Some("nicu"), 1), at(0));
        assert_eq!(all.overdue(at(2_000)), Some(at(0)));
        all.on_alarm(quiet, at(2_000));
        assert_eq!(all.overdue(at(9_000)), None, "{quiet:?}");
        assert_eq!(all.alarm(STOP).is_none(), quiet.is_over);
    }
}

#[test]
fn what_nobody_of_the_ward_has_shown_goes_to_all_and_any_display_that_attends_counts_then() {
    let mut all = attendance();
    all.on_alarm(high(STOP, Some("nicu"), 1), at(1_000));
    all.on_alarm(high("nicu/p10/pump.stop/7-1", Some("nicu"), 1), at(2_000));
    all.on_alarm(high("/@gateway/comm.broker/0-1", None, 1), at(1_000));
    assert!(all.take_redirects(at(2_999)).is_empty());
    let named: Vec<_> = all.take_redirects(at(3_000)).iter().map(ToString::to_string).collect();
    assert_eq!(named, [STOP], "the gateway's own concerns every ward anyway");
    assert!(all.take_redirects(at(3_001)).is_empty(), "each is named once");
    assert!(all.is_redirected(STOP));
    // Only the agent of that pump must not be quiet, and not one whose id begins alike.
    let unheard = |all: &Attendance, ms| {
        ["nicu/p1", "nicu/p10", "nicu/p", "picu/p1"].map(|pump| all.is_unheard(pump, at(ms)))
    };
    assert_eq!(unheard(&all, 3_000), [true, false, false, false]);
    assert_eq!(unheard(&all, 4_000), [true, true, false, false]);
    attend(&mut all, "other", &["picu"], 5_000);
    assert!(all.confirm("other", STOP, 1, None, at(5_100)).counts);
    assert_eq!(unheard(&all, 5_100), [false, true, false, false]);
    assert!(all.is_redirected(STOP), "displays that show it must see its end");
    all.on_alarm(HandedOver { is_over: true, ..high(STOP, Some("nicu"), 2) }, at(6_000));
    assert!(!all.is_redirected(STOP));
}

#[test]
fn the_gateways_own_alarm_counts_as_seen_by_any_display_that_attends() {
    let id = "/@gateway/comm.broker/0-1";
    let mut all = attendance();
    all.on_alarm(high(id, None, 1), at(1_000));
    let hidden = Health { visible: false, ..health(1_000) };
    all.attend(word("d", &["picu"], hidden), at(1_000)).unwrap();
    assert!(!all.confirm("d", id, 1, None, at(1_100)).counts);
    assert_eq!(all.overdue(at(3_000)), Some(at(1_000)));
    // A person looks at it again: what it showed while nobody saw it counts from now on.
    attend(&mut all, "d", &["picu"], 3_100);
    assert_eq!(all.overdue(at(3_100)), None);
}

#[test]
fn who_has_not_confirmed_is_named() {
    let mut all = attendance();
    for (display, wards) in
        [("a", &["nicu"][..]), ("b", &[]), ("c", &["picu"]), ("d", &["nicu", "picu"])]
    {
        attend(&mut all, display, wards, 1_000);
    }
    all.on_alarm(high(STOP, Some("nicu"), 1), at(1_000));
    all.confirm("d", STOP, 1, None, at(1_100));
    let missing = |all: &Attendance, ms| {
        let names = all.missing(all.alarm(STOP).unwrap(), at(ms));
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(missing(&all, 1_100), ["a", "b"]);
    all.leave("b");
    assert_eq!(missing(&all, 1_100), ["a"]);
    all.on_alarm(high(STOP, Some("nicu"), 2), at(1_200));
    assert_eq!(missing(&all, 1_200), ["a", "d"], "what it showed is old");
}

/// What the wards hear when displays are told of at these times (ms, display, wards, health; `None`: goodbye), by looks of
/// 100 ms.
type Told = (u64, &'static str, &'static [&'static str], Option<Health>);

fn heard(told: &[Told], until_ms: u64) -> Vec<(u64, String, Condition, Transition)> {
    let (mut all, mut heard, mut steps) = (attendance(), Heard::default(), Vec::new());
    for ms in (0..=until_ms).step_by(100) {
        for (_, display, wards, health) in told.iter().filter(|told| told.0 == ms) {
            match health {
                Some(health) => {
                    all.attend(word(display, wards, *health), at(ms)).unwrap();
                }
                None => all.leave(display),
            }
        }
        all.set_wards(vec!["nicu".into()], at(ms));
        all.on_tick(at(ms), &mut heard);
        let new = heard.0.drain(..);
        steps.extend(new.map(|(ward, condition, step, _)| (ms, ward, condition, step)));
    }
    steps
}

#[test]
fn a_ward_that_nobody_attends_for_ten_seconds_is_told_until_somebody_does() {
    let none = Condition::DISPLAY_NONE;
    let told: Vec<Told> =
        (10..20).map(|s| (s * 1_000, "d", &["nicu"][..], Some(health(s * 1_000)))).collect();
    let nicu = || "nicu".to_owned();
    let steps = heard(&told[2..], 40_000);
    assert_eq!(
        steps,
        [
            (10_000, nicu(), none, Transition::Raised),
            (12_000, nicu(), none, Transition::Ended),
            (22_000, nicu(), Condition::DISPLAY_LOST, Transition::Raised),
            (32_000, nicu(), none, Transition::Raised),
        ]
    );
    // One of another ward is of no use.
    let told: Vec<Told> =
        (0..20).map(|s| (s * 1_000, "d", &["picu"][..], Some(health(s * 1_000)))).collect();
    assert_eq!(heard(&told, 15_000), [(10_000, nicu(), none, Transition::Raised)]);
}

#[test]
fn a_ward_whose_displays_cannot_be_heard_is_told_after_ten_seconds() {
    let silent = Condition::DISPLAY_SILENT;
    let told: Vec<Told> = (0..30)
        .map(|second| {
            let ms = second * 1_000;
            let audio = if second < 15 { AudioOutput::Blocked } else { AudioOutput::On };
            (ms, "d", &[][..], Some(Health { audio, ..health(ms) }))
        })
        .collect();
    let nicu = || "nicu".to_owned();
    let steps = heard(&told, 29_000);
    assert_eq!(
        steps,
        [(10_000, nicu(), silent, Transition::Raised), (15_000, nicu(), silent, Transition::Ended)]
    );
}

#[test]
fn a_display_that_freezes_hides_or_vanishes_is_lost_and_one_that_leaves_is_not() {
    let wards: &[&str] = &["nicu"];
    let lost = Condition::DISPLAY_LOST;
    let second = |s: u64| -> Told { (s * 1_000, "d", wards, Some(health(s * 1_000))) };
    let healthy = |until: u64| (0..=until).map(second).collect::<Vec<_>>();
    let after = |more: Vec<Told>| {
        let told: Vec<Told> = healthy(5).into_iter().chain(more).collect();
        let steps = heard(&told, 14_000).into_iter();
        steps.filter(|step| step.2 == lost).map(|step| (step.0, step.3)).collect::<Vec<_>>()
    };
    let with = |ms: u64, health: Health| -> Told { (ms, "d", wards, Some(health)) };
    let frozen = (6..14).map(|s| with(s * 1_000, health(5_000))).collect();
    assert_eq!(after(frozen), [(8_000, Transition::Raised)], "its picture is of 5 s");
    let hidden = Health { visible: false, ..health(0) };
    let hides = (6..14)
        .map(|s| with(s * 1_000, Health { painted: Some(at(s * 1_000)), ..hidden }))
        .collect();
    assert_eq!(after(hides), [(9_000, Transition::Raised)], "three seconds out of sight");
    assert_eq!(after(Vec::new()), [(8_000, Transition::Raised)], "its lease ran out");
    assert_eq!(after(vec![(5_500, "d", wards, None)]), [], "it said goodbye");
    let back = vec![with(10_000, health(10_000)), with(12_000, health(12_000))];
    assert_eq!(after(back), [(8_000, Transition::Raised), (10_000, Transition::Ended)]);
    let never = (0..14).map(|s| -> Told { (s * 1_000, "e", wards, Some(hidden)) }).collect();
    assert_eq!(after(never), [(8_000, Transition::Raised)], "of d; e has never attended");
}

#[test]
fn a_lost_display_is_forgotten_after_ten_minutes() {
    let told: Vec<Told> = vec![(0, "d", &["nicu"], Some(health(0)))];
    let steps = heard(&told, 700_000);
    let lost: Vec<_> = steps.iter().filter(|step| step.2 == Condition::DISPLAY_LOST).collect();
    let at: Vec<_> = lost.iter().map(|step| (step.0, step.3)).collect();
    assert_eq!(at, [(3_000, Transition::Raised), (603_000, Transition::Ended)]);
}

#[test]
fn a_ward_without_pumps_needs_no_display() {
    let (mut all, mut out) = (attendance(), Heard::default());
    all.set_wards(vec!["nicu".into(), "picu".into()], at(0));
    all.on_tick(at(0), &mut out);
    all.on_tick(at(10_000), &mut out);
    let wards: Vec<_> = out.0.drain(..).map(|it| (it.0, it.2)).collect();
    let expected = ["nicu", "picu"].map(|ward| (ward.to_owned(), Transition::Raised));
    assert_eq!(wards, expected);
    all.set_wards(vec!["picu".into()], at(11_000));
    all.on_tick(at(11_000), &mut out);
    let wards: Vec<_> = out.0.drain(..).map(|it| (it.0, it.2)).collect();
    assert_eq!(wards, [("nicu".to_owned(), Transition::Ended)]);
    assert_eq!(all.ward_alarms().count(), 1, "nothing is kept of it");
    assert!(all.ward_alarms_mut("picu").is_some() && all.ward_alarms_mut("nicu").is_none());
}

#[test]
fn what_is_known_of_displays_is_bounded_and_a_lost_one_makes_room() {
    let mut all = attendance();
    for number in 0..8 {
        attend(&mut all, &std::format!("d{number}"), &[], 1_000 + number);
    }
    let ninth = word("d9", &[], health(1_500));
    assert_eq!(all.attend(ninth.clone(), at(1_500)), Err(TooManyDisplays));
    attend(&mut all, "d0", &[], 2_000);
    all.on_alarm(high(STOP, Some("nicu"), 1), at(2_000));
    // The longest lost goes.
    assert!(all.attend(ninth, at(4_100)).is_ok());
    let names: Vec<_> = all.displays().iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["d0", "d2", "d3", "d4", "d5", "d6", "d7", "d9"]);
    // Displays that come and go leave no more names than there may be displays.
    for number in 0..1_000 {
        let name = std::format!("guest{number}");
        all.leave("d0");
        all.leave(&std::format!("guest{}", number - 1));
        attend(&mut all, &name, &[], 5_000);
        assert!(all.confirm(&name, STOP, 1, None, at(5_000)).counts);
    }
    assert_eq!(all.alarm(STOP).unwrap().confirmations.len(), 8);
}

#[derive(Debug, Clone)]
enum Step {
    Attend(u8, bool),
    Leave(u8),
    Confirm(u8, u32),
    Change { seen_differently: bool },
    Pass(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..3, any::<bool>()).prop_map(|(display, paints)| Step::Attend(display, paints)),
        (0_u8..3).prop_map(Step::Leave),
        (0_u8..3, 0_u32..6).prop_map(|(display, back)| Step::Confirm(display, back)),
        any::<bool>().prop_map(|seen_differently| Step::Change { seen_differently }),
        (0_u16..1_500).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Display 0 is of the ward, 1 of all, 2 of another. An alarm waits exactly as long as none of the first two, while it
    /// attended or before it did, has named a revision that shows as much as the present one.
    #[test]
    fn an_alarm_waits_until_somebody_can_have_seen_it_and_no_longer(
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let (mut all, mut now, mut revision, mut covers_from) = (attendance(), 10_000, 5, 5);
        let names = ["own", "all", "other"];
        let wards: [&[&str]; 3] = [&["nicu"], &[], &["picu"]];
        all.on_alarm(high(STOP, Some("nicu"), revision), at(now));
        let mut since = Some(now);
        // The model: lease and paint times, newest revision named, and the newest that counted.
        let mut leases: BTreeMap<u8, (u64, bool)> = BTreeMap::new();
        let mut named: BTreeMap<u8, (u32, u32)> = BTreeMap::new();
        for step in steps {
            let attends = |leases: &BTreeMap<u8, (u64, bool)>, display: u8, now: u64| {
                leases.get(&display).is_some_and(|(renewed, paints)| *paints && now < renewed + 3_000)
            };
            match step {
                Step::Attend(display, paints) => {
                    let said = Health { visible: paints, ..health(now) };
                    let index = usize::from(display);
                    all.attend(word(names[index], wards[index], said), at(now)).unwrap();
                    leases.insert(display, (now, paints));
                    if let Some((it, counted)) = named.get_mut(&display).filter(|_| paints && display < 2) {
                        *counted = *it;
                    }
                }
                Step::Leave(display) => {
                    all.leave(names[usize::from(display)]);
                    leases.remove(&display);
                }
                Step::Confirm(display, back) => {
                    let it = (revision + 1).saturating_sub(back);
                    let taken = all.confirm(names[usize::from(display)], STOP, it, None, at(now));
                    let counts = display < 2 && attends(&leases, display, now) && it <= revision;
                    prop_assert_eq!(taken.counts, counts);
                    if it <= revision && leases.contains_key(&display) {
                        let known = named.entry(display).or_default();
                        known.0 = known.0.max(it);
                        known.1 = known.1.max(if counts { it } else { 0 });
                    }
                }
                Step::Change { seen_differently } => {
                    revision += 1;
                    covers_from = if seen_differently { revision } else { covers_from };
                    all.on_alarm(HandedOver { covers_from, ..high(STOP, Some("nicu"), revision) }, at(now));
                }
                Step::Pass(ms) => now += u64::from(ms),
            }
            let seen = named.values().any(|(_, counted)| *counted >= covers_from);
            since = if seen { None } else { since.or(Some(now)) };
            let overdue = since.filter(|since| now >= since + 2_000).map(at);
            prop_assert_eq!(all.overdue(at(now)), overdue);
            prop_assert_eq!(all.is_unheard("nicu/p1", at(now)), overdue.is_some());
        }
    }
}
