//! The rules at the bedside against a gateway's: the same frames lead to the same occurrences; leases, treatments, restarts.

use super::thread::{Bench, Parts};
use super::*;
use crate::birth::Announcer;
use crate::clock::Stamp;
use crate::config::{Fault, FaultKind, PumpKind, SimulatedSettings, SourceSettings};
use crate::frame::Framer;
use crate::sampler::Lineup;
use crate::sensor;
use core::time::Duration;
use ecmo_core::alarm::occurrence::Transition;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::pump::Pump;
use ecmo_core::time::{ClockMap, Instant, SampleTime};
use ecmo_decode::{Accepted, Decoder, FrameBytes};
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_proto::v1::{AlarmLease, LeasedTreatment};

const PERIOD: Duration = Duration::from_millis(20);

/// Where the agent's clock stands when it starts.
const START: SampleTime = SampleTime::from_millis(500_000);

fn ms(millis: u64) -> SampleTime {
    START.plus(Duration::from_millis(millis))
}

/// An agent in virtual time: a simulated circuit, its framer, its judge.
struct Agent {
    lineup: Lineup,
    framer: Framer,
    birth: Vec<u8>,
    bench: Bench,
    lease: Arc<Lease>,
    status: Arc<Mutex<v1::LocalAlarm>>,
    counters: Arc<Counters>,
    tick: u64,
}

impl Agent {
    fn new(fault: Option<FaultKind>, kept: Kept) -> Self {
        let mut circuit = SimulatedSettings::healthy(7);
        if let Some(kind) = fault {
            circuit.add_fault(Fault { kind, at: Duration::from_secs(15), lasts: None });
            circuit.pace = 60.0;
        }
        let sensors = sensor::build(&[SourceSettings::Simulated(circuit)]).unwrap();
        let lineup = Lineup::new(sensors).unwrap();
        let address = PumpAddress { ward: Id::new("w").unwrap(), pump: Id::new("p").unwrap() };
        let boot = Boot { address, id: 7 };
        let framer = Framer::new(&boot, lineup.channels(), PERIOD);
        let announcer = Announcer::new(
            &boot,
            &lineup,
            PumpKind::Centrifugal,
            PERIOD,
            std::sync::Arc::default(),
        );
        let birth =
            announcer.birth(Stamp { mono: START, wall_ns: 0 }, v1::ClockQuality::Unspecified);
        let (lease, status): (Arc<Lease>, Arc<Mutex<v1::LocalAlarm>>) = Default::default();
        let counters: Arc<Counters> = Arc::default();
        let bench = Bench::new(Parts {
            settings: &LocalAlarmSettings::default(),
            profile: Arc::new(ecmo_profile::starter()),
            pump: "w/p".to_owned(),
            birth: ecmo_decode::birth(&birth, "p").unwrap(),
            lease: Arc::clone(&lease),
            kept,
            keeper: None,
            outputs: Outputs::default(),
            status: Arc::clone(&status),
            counters: Arc::clone(&counters),
            now: START,
        });
        Self { lineup, framer, birth, bench, lease, status, counters, tick: 0 }
    }

    /// Lives until then; every frame is seen.
    fn until(&mut self, millis: u64, mut see: impl FnMut(&PreparedFrame)) -> v1::LocalAlarm {
        while self.tick < millis {
            self.tick += 10;
            let now = ms(self.tick);
            let bench = &mut self.bench;
            let tick = self.lineup.poll(now);
            self.framer.on_tick(tick, &self.counters, |frame| {
                bench.on_frame(&frame, now);
                see(&frame);
            });
            self.bench.look(now, 0);
        }
        self.status.lock().unwrap().clone()
    }

    fn take_lease(&self, decided: u64, treatment: Option<LeasedTreatment>) {
        let decided_mono_ns = ms(decided).as_nanos();
        let lease = AlarmLease { decided_mono_ns, profile_hash: 0, treatment };
        self.lease.take("g", lease, ms(self.tick)).unwrap();
    }
}

/// Condition and onset.
type Names = Vec<(String, u64)>;

/// What a gateway raises.
#[derive(Default)]
struct Raised(Names);

impl Output for Raised {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        if change.transition == Transition::Raised {
            let id = change.occurrence.id;
            self.0.push((id.condition.to_string(), id.onset));
        }
    }
}

/// A gateway without its network: decodes what a broker would bring, 4 ms later, on another clock.
struct Gateway {
    pump: Pump,
    birth: ecmo_decode::Birth,
    decoder: Decoder,
    raised: Raised,
}

impl Gateway {
    fn new(birth: &[u8]) -> Self {
        let birth = ecmo_decode::birth(birth, "p").unwrap();
        let profile = Arc::new(ecmo_profile::starter());
        let now = Instant::default();
        let mut pump = Pump::new(profile, Duration::from_millis(100), now);
        let mut raised = Raised::default();
        let kind = birth.case_kind();
        pump.on_birth(birth.boot, &birth.channels, kind, false, now, &mut raised).unwrap();
        Self { pump, birth, decoder: Decoder::default(), raised }
    }

    fn on_frame(&mut self, frame: &PreparedFrame) {
        let late = Duration::from_micros(700);
        let payload = frame.seal(Stamp { mono: frame.finished().plus(late), wall_ns: 0 });
        let received = Instant::default().plus(frame.finished().since(START) + 4 * late);
        let bytes = FrameBytes {
            payload: &payload,
            pump: "p",
            retained: false,
            accepted: Accepted::Live,
            received,
        };
        let frame = self.decoder.frame(bytes, Some(&self.birth), &mut |_, _| {}).unwrap();
        self.pump.on_frame(frame, received, &mut self.raised).unwrap();
        self.pump.on_tick(received, &mut self.raised);
    }
}

/// Every occurrence of the agent within its run: those of the rules, as they come up.
fn occurrences(fault: FaultKind) -> (Names, Names) {
    let mut agent = Agent::new(Some(fault), Kept::default());
    let mut gateway = Gateway::new(&agent.birth);
    let mut found = Vec::new();
    for second in 1..=40_u64 {
        let status = agent.until(second * 1_000, |frame| gateway.on_frame(frame));
        let new = status.unleased.iter().map(|one| (one.condition.clone(), one.onset));
        found.extend(new.filter(|one| !found.contains(one)).collect::<Vec<_>>());
    }
    let mut raised = gateway.raised.0;
    // Absence is named by a sequence, and its onset depends on the reader's clock.
    let by_rules = |(condition, _): &(String, u64)| {
        !condition.starts_with("sensor.fault") && !condition.starts_with("comm.")
    };
    found.retain(by_rules);
    raised.retain(by_rules);
    found.sort();
    raised.sort();
    (found, raised)
}

/// Compares both sides for these faults; at least so many of them must be noticed.
fn compare(faults: impl Iterator<Item = FaultKind>, noticed_min: usize) {
    let mut noticed = 0;
    for kind in faults {
        let (found, raised) = occurrences(kind);
        assert_eq!(found, raised, "{}", kind.name());
        noticed += usize::from(!found.is_empty());
    }
    assert!(noticed >= noticed_min, "only {noticed} faults were noticed at all");
}

#[test]
fn the_same_frames_lead_to_the_same_occurrences_as_in_a_gateway() {
    compare([FaultKind::PumpStop, FaultKind::DrainageObstruction].into_iter(), 2);
}

// Two tests, so that both cores of a small machine are used.
#[test]
#[ignore = "long: every simulated fault"]
fn the_same_frames_lead_to_the_same_occurrences_as_in_a_gateway_for_every_simulated_fault() {
    compare(FaultKind::ALL.iter().copied().step_by(2), 5);
}

#[test]
#[ignore = "long: every simulated fault"]
fn the_same_frames_lead_to_the_same_occurrences_as_in_a_gateway_for_every_other_fault() {
    compare(FaultKind::ALL.iter().copied().skip(1).step_by(2), 5);
}

#[test]
fn a_lease_keeps_it_quiet_and_its_loss_sounds_the_most_urgent_two_seconds_after_what_was_judged() {
    let mut agent = Agent::new(Some(FaultKind::PumpStop), Kept::default());
    for decided in (500..=25_000).step_by(500) {
        let status = agent.until(decided, |_| {});
        assert!(!status.sounding, "{decided}");
        agent.take_lease(decided, None);
    }
    let status = agent.until(26_990, |_| {});
    assert!(status.leased && !status.sounding && status.unleased.is_empty());
    assert!(status.present.iter().any(|one| one.condition == "pump.stop"));
    let status = agent.until(27_010, |_| {});
    assert!(!status.leased && status.sounding && status.leases_lost == 1);
    let stop = status.unleased.iter().find(|one| one.condition == "pump.stop").unwrap();
    assert!(stop.end_mono_ns.is_none() && stop.priority == 3);
    let sounded: Vec<_> = status.unleased.iter().filter(|one| one.sounded).collect();
    assert_eq!(sounded.len(), 1, "one sounds: {sounded:?}");
    agent.take_lease(27_000, None);
    let status = agent.until(27_050, |_| {});
    assert!(status.leased && !status.sounding, "quiet again at once");
    assert!(!status.unleased.is_empty(), "and what was unleased is told");
}

#[test]
fn a_restart_without_a_gateway_judges_by_the_patients_limits_and_forgets_contexts() {
    let limits = vec![v1::LeasedLimit { rule: "drain.low.warn".to_owned(), number: -10.0 }];
    let context = v1::LeasedContext { kind: v1::ContextKind::Wean.into(), left_ms: 600_000 };
    let told = LeasedTreatment {
        version: 9,
        patient: 1,
        limits,
        contexts: vec![context],
        ..LeasedTreatment::default()
    };
    // As told by a lease, the patient's limit is violated by a healthy circuit.
    let mut agent = Agent::new(None, Kept::default());
    agent.until(10, |_| {});
    agent.take_lease(10, Some(told.clone()));
    let status = agent.until(30_000, |_| {});
    let has_warned = |status: &v1::LocalAlarm| {
        status.present.iter().any(|one| one.condition == "drain.low.warn")
    };
    assert_eq!(status.treatment_version, 9);
    // A healthy circuit by the profile's own limits is quiet.
    let status_without = Agent::new(None, Kept::default()).until(30_000, |_| {});
    assert!(!has_warned(&status_without) && status_without.treatment_version == 0);
    // The same after a restart that no gateway has seen.
    let kept = Kept { treatment: Some(told), ..Kept::default() };
    let mut restarted = Agent::new(None, kept);
    let status_again = restarted.until(30_000, |_| {});
    assert_eq!(status_again.treatment_version, 9);
    assert!(has_warned(&status) && has_warned(&status_again));
}

#[test]
fn a_judge_that_is_behind_is_counted_and_told() {
    let (frames, _nobody_reads) = sync_channel(1);
    let judge = Judge {
        frames,
        is_behind: AtomicBool::new(false),
        counters: Arc::default(),
        status: Arc::default(),
    };
    let mut first = None;
    Agent::new(None, Kept::default()).until(100, |frame| {
        first.get_or_insert_with(|| frame.clone());
    });
    let frame = first.unwrap();
    judge.offer(&frame);
    assert!(!judge.status().behind);
    judge.offer(&frame);
    assert!(judge.status().behind);
    assert_eq!(judge.counters.summary().frames_not_judged, 1);
}
