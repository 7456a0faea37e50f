//! A display that joins, leaves and comes back ends where one is that never left.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use ecmo_core::alarm::occurrence::Occurrence;
use ecmo_proto::topic::Id;
use futures_util::future::FutureExt as _;
use proptest::prelude::*;

use super::*;
use crate::fanout::sample::{address, occurrence};
use crate::fanout::{ALARMS_QUEUED_MAX, AlarmMailbox, ENDED_MAX, MailboxEnd, Seen, alarm_mailbox};

const WARDS: [&str; 2] = ["nicu", "picu"];

#[derive(Debug, Clone)]
enum Step {
    /// One of a few alarms changes; or ends, and another one of its kind may begin later.
    Change {
        alarm: usize,
        ends: bool,
    },
    Heartbeat,
    /// A display reads what there is.
    Read(usize),
    /// A display goes, with what it has not read.
    Leave(usize),
    /// A display comes, or comes back.
    Join(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_usize, any::<bool>()).prop_map(|(alarm, ends)| Step::Change { alarm, ends }),
        1 => Just(Step::Heartbeat),
        2 => (0..3_usize).prop_map(Step::Read),
        1 => (0..3_usize).prop_map(Step::Leave),
        2 => (0..3_usize).prop_map(Step::Join),
    ]
}

/// A display: what it shows, and what it has learned to have ended.
#[derive(Debug, Default)]
struct Display {
    ward: Option<Id>,
    mailbox: Option<AlarmMailbox>,
    rows: BTreeMap<u64, u32>,
    ended: Vec<u64>,
    seen: Option<Instant>,
    /// Ends that had been before its first snapshot: nobody owes it those.
    before: BTreeSet<u64>,
}

/// The number under which the test knows an occurrence.
fn number(update: &AlarmUpdate) -> u64 {
    update.occurrence.id.onset
}

impl Display {
    fn read(&mut self) {
        let Some(mailbox) = &mut self.mailbox else { return };
        while let Some(item) = mailbox.next().now_or_never() {
            let item = item.expect("nobody was cut off");
            let Stamped { item, made_at, .. } = item.value();
            assert!(self.seen.is_none_or(|seen| *made_at > seen), "times go up");
            self.seen = Some(*made_at);
            match item {
                AlarmItem::Snapshot(snapshot) => {
                    let listed = snapshot.alarms.iter().map(Encoded::value);
                    let own = listed.filter(|one| one.concerns(self.ward.as_ref()));
                    self.rows = own.map(|one| (number(one), one.occurrence.revision)).collect();
                    assert!(!snapshot.ended_incomplete);
                    let ended = snapshot.ended.iter().rev();
                    self.ended.extend(ended.map(|one| number(one.value())));
                }
                AlarmItem::Change(update) => {
                    let update = update.value();
                    if update.occurrence.has_ended() {
                        self.rows.remove(&number(update));
                        self.ended.push(number(update));
                    } else {
                        let revision = update.occurrence.revision;
                        let before = self.rows.insert(number(update), revision);
                        assert_eq!(before.unwrap_or(0) + 1, revision, "no revision was left out");
                    }
                }
                AlarmItem::Redirected(_) | AlarmItem::Drill { .. } | AlarmItem::Heartbeat => {}
            }
        }
    }
}

/// The alarms as they are.
struct Truth {
    lane: AlarmLane,
    active: Vec<Option<Occurrence>>,
    ended: Vec<(u64, usize)>,
    begun: u64,
}

impl Truth {
    fn update(&self, alarm: usize, one: &Occurrence) -> AlarmUpdate {
        AlarmUpdate {
            address: Some(address(WARDS[alarm % 2], &format!("p{alarm}"))),
            ward: None,
            gateway: Arc::from(""),
            redirected: false,
            occurrence: one.clone(),
            transition: None,
            onset_wall_ns: 0,
            path: crate::fanout::PathTimes::default(),
        }
    }

    fn change(&mut self, alarm: usize, ends: bool) {
        let mut one = self.active[alarm].take().unwrap_or_else(|| {
            self.begun += 1;
            let mut one = occurrence();
            one.latching = false;
            (one.id.onset, one.revision) = (self.begun, 0);
            one
        });
        one.revision += 1;
        one.present = !ends || one.revision == 1;
        let update = self.update(alarm, &one);
        assert_eq!(self.lane.change(update), 0);
        if one.has_ended() {
            self.ended.push((one.id.onset, alarm));
        } else {
            self.active[alarm] = Some(one);
        }
    }

    fn list(&self) -> Vec<AlarmUpdate> {
        let active = self.active.iter().enumerate();
        active.filter_map(|(alarm, one)| Some(self.update(alarm, one.as_ref()?))).collect()
    }

    /// As the alarm thread does.
    fn watch(&mut self, outlet: AlarmOutlet) {
        let listed = match self.lane.listed() {
            Some(listed) => listed,
            None => {
                let active = self.list();
                self.lane.list(active)
            }
        };
        self.lane.watch(outlet, listed);
    }

    fn join(&mut self, display: &mut Display) {
        if display.mailbox.is_some() {
            return;
        }
        let (outlet, mailbox) = alarm_mailbox(display.ward.clone(), display.seen.map(Seen::Here));
        self.watch(outlet);
        if display.seen.is_none() && display.before.is_empty() {
            display.before = self.ended.iter().map(|(number, _)| *number).collect();
        }
        display.mailbox = Some(mailbox);
    }

    fn is_seen(&self, display: &Display) {
        let own = |alarm: usize| {
            display.ward.as_ref().is_none_or(|ward| ward.as_str() == WARDS[alarm % 2])
        };
        let active = self.active.iter().enumerate().filter(|(alarm, _)| own(*alarm));
        let rows: BTreeMap<u64, u32> = active
            .filter_map(|(_, one)| one.as_ref().map(|it| (it.id.onset, it.revision)))
            .collect();
        assert_eq!(display.rows, rows);
        let ended = self
            .ended
            .iter()
            .filter(|(number, alarm)| own(*alarm) && !display.before.contains(number));
        let ended: Vec<u64> = ended.map(|(number, _)| *number).collect();
        assert_eq!(display.ended, ended, "each end once, in order");
    }
}

fn truth() -> Truth {
    let lane = AlarmLane::new(Clock::start());
    Truth { lane, active: vec![None; 6], ended: Vec::new(), begun: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_between_snapshot_and_changes_is_lost_or_doubled_however_often_a_display_comes_back(
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let mut truth = truth();
        let mut displays: Vec<Display> = (0..3).map(|_| Display::default()).collect();
        displays[1].ward = Some(Id::new("nicu").unwrap());
        for step in steps {
            match step {
                Step::Change { alarm, ends } => truth.change(alarm, ends),
                Step::Heartbeat => assert_eq!(truth.lane.tell(AlarmItem::Heartbeat), 0),
                Step::Read(display) => displays[display].read(),
                Step::Leave(display) => {
                    displays[display].mailbox = None;
                    if displays[display].seen.is_none() {
                        // It never read its snapshot: it begins anew.
                        displays[display].before.clear();
                    }
                }
                Step::Join(display) => truth.join(&mut displays[display]),
            }
        }
        for display in &mut displays {
            truth.join(display);
            display.read();
            truth.is_seen(display);
        }
    }
}

#[test]
fn a_display_that_was_away_for_too_long_is_told_that_more_ended_than_is_remembered() {
    let mut truth = truth();
    let mut display = Display::default();
    truth.join(&mut display);
    display.read();
    display.mailbox = None;
    let come_back = |truth: &mut Truth, seen| {
        let (outlet, mut mailbox) = alarm_mailbox(None, Some(seen));
        truth.watch(outlet);
        let first = mailbox.next().now_or_never().unwrap().unwrap();
        let AlarmItem::Snapshot(snapshot) = &first.value().item else { panic!("{first:?}") };
        (snapshot.ended.len(), snapshot.ended_incomplete)
    };
    let (here, before) = (Seen::Here(display.seen.unwrap()), Seen::Before(0));
    for _ in 0..ENDED_MAX {
        truth.change(0, false);
        truth.change(0, true);
    }
    assert_eq!(come_back(&mut truth, here), (ENDED_MAX, false));
    let wall_ns = truth.lane.clock.wall_ns();
    assert_eq!(come_back(&mut truth, before), (ENDED_MAX, true), "nothing is known of before");
    truth.change(0, false);
    truth.change(0, true);
    assert_eq!(come_back(&mut truth, here), (ENDED_MAX, true));
    assert_eq!(come_back(&mut truth, Seen::Before(wall_ns)), (1, false));
}

#[test]
fn what_an_earlier_start_remembered_is_told_by_the_wall_clock() {
    let mut truth = truth();
    let now = truth.lane.clock.now();
    let ago = |seconds| {
        let mut one = occurrence();
        one.changed_at = now.minus(Duration::from_secs(seconds));
        truth.update(0, &one)
    };
    let ended = vec![ago(200), ago(100)];
    truth.lane.restore(ended);
    let wall_ns = truth.lane.clock.wall_ns();
    let before = |seconds: i64| Seen::Before(wall_ns - seconds * 1_000_000_000);
    for (seen, expected) in [
        (before(300), (2, true)),
        (before(199), (1, false)),
        (before(101), (1, false)),
        (before(99), (0, false)),
        (Seen::Here(Instant::from_nanos(1)), (0, false)),
    ] {
        let (ended, incomplete) = truth.lane.ended.since(seen, None);
        assert_eq!((ended.len(), incomplete), expected, "{seen:?}");
        let (elsewhere, _) = truth.lane.ended.since(seen, Some(&Id::new("picu").unwrap()));
        assert_eq!(elsewhere.len(), 0);
    }
}

#[test]
fn a_full_mailbox_costs_its_display_the_stream_and_the_others_nothing() {
    let mut truth = truth();
    let (mut stalled, mut healthy) = (Display::default(), Display::default());
    truth.join(&mut stalled);
    truth.join(&mut healthy);
    healthy.read();
    let mut cut_off = 0;
    for change in 0..ALARMS_QUEUED_MAX + 10 {
        let update = {
            let mut one = occurrence();
            (one.id.onset, one.revision, one.present) = (change as u64 + 1, 1, true);
            truth.update(0, &one)
        };
        cut_off += truth.lane.change(update);
        healthy.read();
    }
    assert_eq!(cut_off, 1, "once, and told once");
    assert_eq!(healthy.rows.len(), ALARMS_QUEUED_MAX + 10);
    let end = stalled.mailbox.unwrap().next().now_or_never().unwrap();
    assert_eq!(end.err(), Some(MailboxEnd::CutOff), "what lies in it is no longer complete");
}
