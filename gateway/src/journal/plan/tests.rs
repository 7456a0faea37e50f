//! The plan against simulated agents: whatever is lost, doubled or restarted, in the end everything is there once.

use super::*;
use ecmo_proto::topic::Id;
use proptest::prelude::*;

fn pump(name: &str) -> PumpAddress {
    PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new(name).unwrap() }
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(1_000 + ms)
}

fn extent(boot: u64, frames: Range<u64>) -> Extent {
    Extent { boot, frames }
}

/// A plan that has been told twice, so that what the spool holds has settled, at 2 s.
fn told(extents: &[Extent]) -> Plan {
    let mut plan = Plan::default();
    for ms in [0, 1_000, 2_000] {
        plan.on_extents(&pump("p1"), extents.to_vec(), at(ms));
    }
    plan
}

fn one(plan: &mut Plan, ms: u64) -> Option<(u64, Range<u64>)> {
    plan.step(at(ms)).pop().map(|ask| (ask.boot, ask.frames))
}

fn keep(plan: &mut Plan, boot: u64, frames: Range<u64>) {
    frames.for_each(|sequence| plan.on_kept(&pump("p1"), boot, sequence, Source::Live));
}

#[test]
fn the_newest_gap_comes_first_and_in_pieces() {
    let mut plan = told(&[extent(2, 0..100), extent(1, 0..10_000)]);
    keep(&mut plan, 2, 0..50);
    keep(&mut plan, 2, 60..100);
    assert_eq!(one(&mut plan, 2_000), Some((2, 50..60)));
    assert_eq!(one(&mut plan, 2_100), None, "one request at a time");
    keep(&mut plan, 2, 50..60);
    let head = PartHead { number: 1, boot: 2, gone: Ranges::default(), last: true };
    assert_eq!(plan.on_part(&pump("p1"), &head, at(2_200)), Some(50..60));
    plan.on_part_done(&pump("p1"), &head, 10, at(2_200));
    assert_eq!(one(&mut plan, 2_200), Some((1, 7_000..10_000)));
}

#[test]
fn what_has_not_settled_and_what_an_unheard_agent_has_is_not_asked_for() {
    let mut plan = Plan::default();
    plan.on_extents(&pump("p1"), vec![extent(1, 0..10)], at(0));
    assert_eq!(one(&mut plan, 500), None, "it may be on its way");
    assert_eq!(one(&mut plan, 3_500), None, "the agent is unheard");
    plan.on_extents(&pump("p1"), vec![extent(1, 0..10)], at(4_000));
    assert_eq!(one(&mut plan, 4_000), Some((1, 0..10)));
}

#[test]
fn a_request_without_an_answer_is_made_again_on_another_path() {
    let mut plan = told(&[extent(1, 0..10)]);
    assert_eq!(plan.step(at(2_000))[0].attempt, 0);
    plan.on_extents(&pump("p1"), vec![extent(1, 0..10)], at(6_900));
    assert!(plan.step(at(6_999)).is_empty());
    let again = plan.step(at(7_000)).remove(0);
    assert_eq!((again.number, again.attempt, again.frames), (2, 1, 0..10));
    // The part of the first request comes late, and is taken all the same.
    let late = PartHead { number: 1, boot: 1, gone: Ranges::default(), last: true };
    assert_eq!(plan.on_part(&pump("p1"), &late, at(7_100)), Some(0..10));
    let strange = PartHead { number: 9, ..late };
    assert_eq!(plan.on_part(&pump("p1"), &strange, at(7_100)), None);
}

#[test]
fn what_is_gone_is_given_up_and_counted_as_lost() {
    let mut plan = told(&[extent(1, 0..10)]);
    plan.step(at(2_000));
    let gone = Ranges::from_iter([0..4, 9..99]);
    let head = PartHead { number: 1, boot: 1, gone, last: true };
    plan.on_part(&pump("p1"), &head, at(2_100));
    for sequence in 4..9 {
        plan.on_kept(&pump("p1"), 1, sequence, Source::Spool);
    }
    assert!(plan.take_closed(&pump("p1")).is_empty(), "it is still being answered");
    plan.on_part_done(&pump("p1"), &head, 5, at(2_100));
    assert_eq!(one(&mut plan, 2_200), None);
    let sum = plan.completeness(&pump("p1"), true);
    let counts = (sum.kept, sum.missing, sum.backfilled, sum.lost);
    assert_eq!(counts, (5, 0, 5, 5));
    assert_eq!(plan.take_closed(&pump("p1")), [(1, std::iter::once(4..9).collect())]);
    assert!(plan.take_closed(&pump("p1")).is_empty(), "each frame is judged once");
}

#[test]
fn what_a_spool_dropped_before_it_was_asked_is_lost() {
    let mut plan = told(&[extent(1, 0..10)]);
    for ms in [3_000, 4_000, 5_000] {
        plan.on_extents(&pump("p1"), vec![extent(2, 0..5)], at(ms));
    }
    keep(&mut plan, 2, 0..5);
    assert_eq!(plan.completeness(&pump("p1"), true).lost, 10);
}

#[test]
fn a_gap_that_is_neither_filled_nor_given_up_is_left_alone_for_a_minute() {
    let mut plan = told(&[extent(1, 0..10)]);
    let mut asked = 0;
    for second in 2..100 {
        plan.on_extents(&pump("p1"), vec![extent(1, 0..10)], at(second * 1_000));
        for ask in plan.step(at(second * 1_000)) {
            asked += 1;
            let head =
                PartHead { number: ask.number, boot: 1, gone: Ranges::default(), last: true };
            plan.on_part(&pump("p1"), &head, at(second * 1_000));
            plan.on_part_done(&pump("p1"), &head, 0, at(second * 1_000));
        }
    }
    assert_eq!(asked, 6, "three, and three after a minute");
}

#[test]
fn a_journal_that_is_full_asks_for_nothing_older_than_what_it_holds() {
    let mut plan = told(&[extent(2, 0..10), extent(1, 0..10)]);
    keep(&mut plan, 2, 4..6);
    plan.set_full(&pump("p1"), true);
    assert_eq!(one(&mut plan, 2_000), Some((2, 6..10)));
}

#[test]
fn pumps_have_their_turn() {
    let mut plan = Plan::default();
    let names: Vec<_> = (0..10).map(|number| pump(&format!("p{number}"))).collect();
    let mut asked = BTreeMap::new();
    for second in 0..20 {
        for name in &names {
            plan.on_extents(name, vec![extent(1, 0..1_000_000)], at(second * 1_000));
        }
        for ask in plan.step(at(second * 1_000)) {
            *asked.entry(ask.pump.clone()).or_insert(0) += 1;
            let head =
                PartHead { number: ask.number, boot: 1, gone: Ranges::default(), last: true };
            plan.on_part_done(&ask.pump, &head, 1, at(second * 1_000));
        }
    }
    assert_eq!(asked.len(), 10);
    assert!(asked.values().max().unwrap() - asked.values().min().unwrap() <= 1, "{asked:?}");
}

/// What happens in one step of a simulated outage.
#[derive(Debug, Clone)]
enum Event {
    /// Frames are sampled; each arrives live or not.
    Sampled(Vec<bool>),
    /// The agent's heartbeat arrives.
    Heartbeat,
    /// The gateway asks; the answer's parts arrive or not, some of them twice or in another order.
    Answer { arrive: Vec<bool>, doubled: bool, reversed: bool },
    /// The agent starts anew; its spool loses so many frames of its end.
    AgentCrash(u64),
    /// The gateway starts anew with what is on disk.
    GatewayCrash,
    /// The spool drops its oldest frames.
    Evicted(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let flags = |most| proptest::collection::vec(any::<bool>(), 0..most);
    prop_oneof![
        flags(40).prop_map(Event::Sampled),
        Just(Event::Heartbeat),
        (flags(6), any::<bool>(), any::<bool>())
            .prop_map(|(arrive, doubled, reversed)| Event::Answer { arrive, doubled, reversed }),
        (0_u64..5).prop_map(Event::AgentCrash),
        Just(Event::GatewayCrash),
        (1_u64..10).prop_map(Event::Evicted),
    ]
}

/// An agent with its spool, and a gateway with its disk.
#[derive(Default)]
struct World {
    plan: Plan,
    now: u64,
    boot: u64,
    next: u64,
    spool: BTreeMap<u64, Ranges>,
    /// Every frame that was written to the gateway's disk, in order, with its source.
    disk: Vec<(u64, u64, Source)>,
}

impl World {
    fn keep(&mut self, boot: u64, sequence: u64, source: Source) -> bool {
        if self.plan.has(&pump("p1"), boot, sequence) {
            return false;
        }
        self.disk.push((boot, sequence, source));
        self.plan.on_kept(&pump("p1"), boot, sequence, source);
        true
    }

    fn sample(&mut self, arrives: bool) {
        let (boot, sequence) = (self.boot, self.next);
        self.spool.entry(boot).or_default().insert(sequence..sequence + 1);
        self.next += 1;
        if arrives {
            self.keep(boot, sequence, Source::Live);
        }
    }

    fn heartbeat(&mut self) {
        let extents = self
            .spool
            .iter()
            .rev()
            .filter_map(|(boot, held)| Some(Extent { boot: *boot, frames: held.hull()? }));
        let extents = extents.collect();
        self.plan.on_extents(&pump("p1"), extents, at(self.now));
    }

    /// Answers what is asked as an agent does; whether something was asked.
    fn answer(&mut self, arrive: &[bool], doubled: bool, reversed: bool) -> bool {
        let Some(ask) = self.plan.step(at(self.now)).pop() else { return false };
        let held = self.spool.get(&ask.boot).cloned().unwrap_or_default();
        let gone = held.missing(ask.frames.clone());
        let mut parts: Vec<(PartHead, Vec<u64>)> = Vec::new();
        let wanted: Vec<u64> = ask.frames.clone().filter(|one| held.contains(*one)).collect();
        for chunk in wanted.chunks(7) {
            let head = PartHead {
                number: ask.number,
                boot: ask.boot,
                gone: Ranges::default(),
                last: false,
            };
            parts.push((head, chunk.to_vec()));
        }
        parts.push((PartHead { number: ask.number, boot: ask.boot, gone, last: true }, Vec::new()));
        let mut arriving: Vec<_> = parts
            .into_iter()
            .enumerate()
            .filter(|(place, _)| arrive.get(*place).copied().unwrap_or(true))
            .map(|(_, part)| part)
            .collect();
        if reversed {
            arriving.reverse();
        }
        let twice = if doubled { 2 } else { 1 };
        for (head, sequences) in arriving.iter().flat_map(|part| std::iter::repeat_n(part, twice)) {
            let Some(asked) = self.plan.on_part(&pump("p1"), head, at(self.now)) else { continue };
            let wanted = sequences.iter().filter(|one| asked.contains(one));
            let new = wanted.filter(|one| self.keep(head.boot, **one, Source::Spool)).count();
            self.plan.on_part_done(&pump("p1"), head, new as u64, at(self.now));
        }
        true
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Sampled(arrive) => arrive.iter().for_each(|one| self.sample(*one)),
            Event::Heartbeat => self.heartbeat(),
            Event::Answer { arrive, doubled, reversed } => {
                self.answer(arrive, *doubled, *reversed);
            }
            Event::AgentCrash(torn) => {
                if let Some(held) = self.spool.get_mut(&self.boot) {
                    let kept = 0..self.next.saturating_sub(*torn);
                    *held = held.without(&std::iter::once(kept.end..u64::MAX).collect());
                }
                (self.boot, self.next) = (self.boot + 1, 0);
            }
            Event::GatewayCrash => {
                self.plan = Plan::default();
                let mut kept: BTreeMap<u64, Restored> = BTreeMap::new();
                for (boot, sequence, source) in &self.disk {
                    let of = kept.entry(*boot).or_default();
                    of.have.insert(*sequence..sequence + 1);
                    if *source == Source::Spool {
                        of.backfilled.insert(*sequence..sequence + 1);
                    }
                }
                kept.into_iter()
                    .for_each(|(boot, kept)| self.plan.restore(&pump("p1"), boot, kept));
            }
            Event::Evicted(frames) => {
                let oldest = self.spool.values_mut().find(|held| !held.is_empty());
                if let Some((held, first)) = oldest.and_then(|held| {
                    let first = held.hull()?.start;
                    Some((held, first))
                }) {
                    *held = held.without(&std::iter::once(0..first + frames).collect());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn in_the_end_everything_that_a_spool_holds_is_there_once(events in proptest::collection::vec((event(), 0_u64..7_000), 0..60)) {
        let mut world = World { boot: 1, ..World::default() };
        for (event, later) in &events {
            world.now += later;
            world.happen(event);
        }
        // The agent lives and answers from now on.
        for _ in 0..400 {
            world.now += 1_000;
            world.heartbeat();
            world.answer(&[], false, false);
        }
        for (boot, held) in &world.spool {
            for sequence in held.iter().flatten() {
                prop_assert!(world.plan.has(&pump("p1"), *boot, sequence), "boot {} frame {}", boot, sequence);
            }
        }
        let mut disk: Vec<_> = world.disk.iter().map(|(boot, sequence, _)| (*boot, *sequence)).collect();
        let written = disk.len();
        disk.sort_unstable();
        disk.dedup();
        prop_assert_eq!(disk.len(), written, "each frame is written once");
        let sum = world.plan.completeness(&pump("p1"), true);
        prop_assert_eq!((sum.kept, sum.missing), (written as u64, 0));
        let _judged = world.plan.take_closed(&pump("p1"));
        prop_assert!(world.plan.take_closed(&pump("p1")).is_empty());
    }
}
