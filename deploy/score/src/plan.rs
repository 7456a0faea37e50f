//! Which runs a score is made of: every fault on every circuit that it applies to, and long runs without a fault.

use core::time::Duration;

use ecmo_circuit::{Disturbance, Event, Fault, Feed, Setup, What};
use ecmo_core::case::{PumpKind, Therapy};
use fastrand::Rng;

use crate::simulated::{Circuit, Until, expected};

/// Weights of the patients, in kg.
const WEIGHTS: [f64; 4] = [2.0, 3.0, 4.0, 5.0];

/// Blood flow that the circuits are set up for, in mL/min for each kg.
const FLOW_PER_KG: [f64; 2] = [100.0, 130.0];

/// Earliest and latest start of a fault: references of a minute are filled by then.
const LEAD: [u64; 2] = [150, 210];

/// Earliest and latest start of a harmless disturbance before a fault.
const BEFORE: [u64; 2] = [20, 60];

/// So long a fault is given to show; the slowest fault of the simulator takes hours.
const ONSET_MAX: Duration = Duration::from_secs(12 * 3_600);

/// So long a run goes on after the bound of a fault that lasts, to tell late from missed.
const AFTER_BOUND: Duration = Duration::from_secs(30);

/// So long a run goes on after the end of a fault that passes.
const AFTER_END: Duration = Duration::from_secs(240);

/// Longest run without a fault.
const HARMLESS: Duration = Duration::from_secs(4 * 3_600);

/// Replay of the real arterial pressure.
const REAL_PRESSURE: Duration = Duration::from_secs(3_600);

/// Least and greatest length of a disturbance, as a share of its usual one.
const LENGTH: [f64; 2] = [0.6, 1.4];

/// How many times faster than life a membrane clots in a run that waits for it.
const CLOTTING_PACE: f64 = 4.0;

/// Mean time between two harmless disturbances, in seconds: six an hour.
const DISTURBANCE_EVERY_S: f64 = 600.0;

/// Which runs are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// At least so many with a fault; every fault on every circuit comes once at least unless `quick`.
    pub runs: usize,
    /// At least so many hours without a fault.
    pub hours: f64,
    /// Makes another set of runs.
    pub seed: u64,
    /// Every fault once, on one circuit.
    pub quick: bool,
    /// Only this fault.
    pub fault: Option<Fault>,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A fault that lasts to the end of the run, or one that passes.
    Fault {
        /// Which.
        fault: Fault,
        /// Whether it passes.
        passes: bool,
    },
    /// No fault, for so long.
    Harmless(Duration),
    /// No fault and no disturbance, and the recorded arterial pressure instead of the simulated one.
    RealPressure(Duration),
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// From 1.
    pub number: usize,
    /// What it is for.
    pub purpose: Purpose,
    /// The circuit, with everything that happens to it but how long a fault that passes lasts.
    setup: Setup,
}

impl Job {
    /// The name of the run: its number and its circuit.
    #[must_use]
    pub fn name(&self) -> String {
        let what = match self.purpose {
            Purpose::Fault { fault, .. } => fault.name(),
            Purpose::Harmless(_) => "harmless",
            Purpose::RealPressure(_) => "real-pressure",
        };
        format!("{:04}-{what}", self.number)
    }

    /// The circuit in words.
    #[must_use]
    pub fn circuit(&self) -> String {
        let setup = &self.setup;
        let feed = match setup.feed {
            Feed::Raw => "raw feed",
            Feed::Console => "console feed",
        };
        format!(
            "{} {} {:.1} kg, {:.0} mL/min, {feed}, seed {}",
            setup.kind.id(),
            setup.therapy.id(),
            setup.kg,
            setup.target_ml_min,
            setup.seed
        )
    }

    /// The circuit and when its run ends. For a fault that passes the circuit is run alone first, to let the fault last
    /// beyond its bound.
    #[must_use]
    pub fn prepare(&self) -> (Setup, Until) {
        let mut setup = self.setup.clone();
        let (fault, passes) = match self.purpose {
            Purpose::Fault { fault, passes } => (fault, passes),
            Purpose::Harmless(length) | Purpose::RealPressure(length) => {
                return (setup, Until::Time(length));
            }
        };
        let after = expected(fault).within + AFTER_BOUND;
        let lasting = Until::AfterOnset { for_: after, at_most: ONSET_MAX };
        if !passes {
            return (setup, lasting);
        }
        let Some(onset) = Circuit::onset(setup.clone(), ONSET_MAX) else { return (setup, lasting) };
        let until = onset + after;
        for event in &mut setup.events {
            if matches!(event.what, What::Fault(_)) {
                event.lasts = Some(until.saturating_sub(event.at));
            }
        }
        (setup, Until::Time(until + AFTER_END))
    }
}

/// Plans the runs of a score, always the same for the same wish.
#[must_use]
pub fn plan(wish: &Wish) -> Vec<Job> {
    let mut jobs = Vec::new();
    let faults =
        || Fault::ALL.iter().copied().filter(|fault| wish.fault.is_none_or(|only| only == *fault));
    let mut round = 0_u32;
    loop {
        let before = jobs.len();
        for (kind, therapy) in circuits() {
            for fault in faults().filter(|fault| fault.applies_to(kind, therapy)) {
                let is_there = |job: &Job| matches!(job.purpose, Purpose::Fault { fault: other, .. } if other == fault);
                if !(wish.quick && jobs.iter().any(is_there)) {
                    jobs.push(fault_job(jobs.len() + 1, fault, kind, therapy, round, wish.seed));
                }
            }
        }
        round += 1;
        if wish.quick || jobs.len() >= wish.runs || jobs.len() == before {
            break;
        }
    }
    if wish.fault.is_none() {
        harmless_jobs(wish, &mut jobs);
    }
    jobs
}

fn circuits() -> impl Iterator<Item = (PumpKind, Therapy)> {
    PumpKind::ALL.into_iter().flat_map(|kind| Therapy::ALL.map(|therapy| (kind, therapy)))
}

/// A number that differs in every bit with the seed and the run's number.
fn mixed(seed: u64, number: usize) -> u64 {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number).u64(..)
}

fn patient(kind: PumpKind, therapy: Therapy, turn: usize, random: &mut Rng) -> Setup {
    let kg = WEIGHTS.get(turn % WEIGHTS.len()).copied().unwrap_or(3.0);
    let [least, most] = FLOW_PER_KG;
    let per_kg = least + (most - least) * random.f64();
    Setup {
        seed: random.u64(..),
        kind,
        therapy,
        kg,
        target_ml_min: (kg * per_kg / 10.0).round() * 10.0,
        speed_set: None,
        feed: Feed::Raw,
        pace: 1.0,
        events: Vec::new(),
    }
}

/// In every second round a disturbance comes first, and in every other pair of rounds the fault passes.
fn fault_job(
    number: usize,
    fault: Fault,
    kind: PumpKind,
    therapy: Therapy,
    round: u32,
    seed: u64,
) -> Job {
    let mut random = Rng::with_seed(mixed(seed, number));
    let turn = usize::try_from(round).unwrap_or(0) + number;
    let mut setup = patient(kind, therapy, turn, &mut random);
    if round % 2 == 1 {
        let [earliest, latest] = BEFORE;
        let at = Duration::from_millis(random.u64(earliest * 1_000..latest * 1_000));
        setup.events.extend(disturbance(at, &mut random).map(|(event, _)| event));
    }
    let [earliest, latest] = LEAD;
    let at = Duration::from_millis(random.u64(earliest * 1_000..latest * 1_000));
    setup.events.push(Event { what: What::Fault(fault), at, lasts: None });
    if fault == Fault::Clotting {
        setup.pace = CLOTTING_PACE;
    }
    let passes = number.is_multiple_of(2);
    Job { number, purpose: Purpose::Fault { fault, passes }, setup }
}

/// A disturbance of a kind and length by chance, with the time that it takes.
fn disturbance(at: Duration, random: &mut Rng) -> Option<(Event, Duration)> {
    // What grows over hours is put into runs of hours on purpose.
    let passing: Vec<Disturbance> = Disturbance::ALL
        .iter()
        .copied()
        .filter(|kind| *kind != Disturbance::SlowClotting)
        .collect();
    let kind = random.choice(passing)?;
    let usual = kind.usual_seconds().map(|usual| {
        let [least, most] = LENGTH;
        Duration::from_secs_f64(usual * (least + (most - least) * random.f64()))
    });
    let event = Event { what: What::Disturbance(kind), at, lasts: usual };
    Some((event, usual.unwrap_or_default()))
}

fn harmless_jobs(wish: &Wish, jobs: &mut Vec<Job>) {
    let mut left = Duration::from_secs_f64(wish.hours * 3_600.0);
    let mut turn = 0;
    let circuits: Vec<_> = circuits().collect();
    while !left.is_zero() {
        let number = jobs.len() + 1;
        let mut random = Rng::with_seed(mixed(wish.seed, number));
        let (kind, therapy) = circuits
            .get(turn % circuits.len())
            .copied()
            .unwrap_or((PumpKind::Centrifugal, Therapy::VenoArterial));
        let mut setup = patient(kind, therapy, turn / circuits.len(), &mut random);
        // The first of each circuit is judged with the real arterial pressure.
        let purpose = if turn < circuits.len() {
            Purpose::RealPressure(REAL_PRESSURE.min(left))
        } else {
            Purpose::Harmless(HARMLESS.min(left))
        };
        let length = match purpose {
            Purpose::RealPressure(length) | Purpose::Harmless(length) => length,
            Purpose::Fault { .. } => Duration::ZERO,
        };
        if turn % 4 == 3 {
            setup.feed = Feed::Console;
        }
        // The real pressure stands beside a circuit of which nothing else could alarm.
        if matches!(purpose, Purpose::Harmless(_)) {
            disturb(&mut setup, length, &mut random);
        }
        if turn % 3 == 2 {
            let what = What::Disturbance(Disturbance::SlowClotting);
            setup.events.push(Event { what, at: Duration::ZERO, lasts: None });
        }
        jobs.push(Job { number, purpose, setup });
        left = left.saturating_sub(length);
        turn += 1;
    }
}

/// Lets disturbances happen at their rate over a run; none begins before the one before has passed.
fn disturb(setup: &mut Setup, length: Duration, random: &mut Rng) {
    let mut at = Duration::from_secs(30);
    loop {
        at += Duration::from_secs_f64(20.0 + 2.0 * (DISTURBANCE_EVERY_S - 20.0) * random.f64());
        if at >= length {
            break;
        }
        let Some((event, length)) = disturbance(at, random) else { break };
        at += length;
        setup.events.push(event);
    }
}
