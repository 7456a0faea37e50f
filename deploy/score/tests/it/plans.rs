//! What a score is made of, and that it comes out alike each time.

use std::collections::BTreeSet;
use std::time::Duration;

use ecmo_circuit::Fault;
use ecmo_core::alarm::condition::Priority;
use ecmo_core::case::{PumpKind, Therapy};
use ecmo_score::plan::{Job, Purpose, Wish, plan};
use ecmo_score::report::report;
use ecmo_score::rules::RuleBook;
use ecmo_score::score::{judge_job, score_jobs};

pub(crate) fn wish() -> Wish {
    Wish { runs: 640, hours: 500.0, seed: 1, quick: false, fault: None }
}

fn fault_of(job: &Job) -> Option<Fault> {
    match job.purpose {
        Purpose::Fault { fault, .. } => Some(fault),
        Purpose::Harmless(_) | Purpose::RealPressure(_) => None,
    }
}

fn harmless(job: &Job) -> Option<Duration> {
    match job.purpose {
        Purpose::Fault { .. } => None,
        Purpose::Harmless(length) | Purpose::RealPressure(length) => Some(length),
    }
}

#[test]
fn every_fault_meets_every_circuit_and_the_hours_are_full() {
    let jobs = plan(&wish());
    assert!(jobs.iter().filter(|job| fault_of(job).is_some()).count() >= 640);
    for fault in Fault::ALL {
        for (kind, therapy) in
            PumpKind::ALL.iter().flat_map(|kind| Therapy::ALL.map(|one| (*kind, one)))
        {
            let circuit = format!("{} {} ", kind.id(), therapy.id());
            let met = jobs
                .iter()
                .any(|job| fault_of(job) == Some(*fault) && job.circuit().starts_with(&circuit));
            assert_eq!(met, fault.applies_to(kind, therapy), "{fault} on {circuit}");
        }
    }
    let hours: Duration = jobs.iter().filter_map(harmless).sum();
    assert_eq!(hours, Duration::from_secs(500 * 3_600));
    let names: BTreeSet<String> = jobs.iter().map(Job::name).collect();
    assert_eq!(names.len(), jobs.len());
}

#[test]
fn a_plan_follows_from_its_wish_and_another_seed_makes_another() {
    let jobs = plan(&wish());
    assert_eq!(plan(&wish()), jobs);
    let others = plan(&Wish { seed: 2, ..wish() });
    assert_eq!(others.len(), jobs.len());
    assert!(jobs.iter().zip(&others).all(|(job, other)| job.circuit() != other.circuit()));
}

#[test]
fn a_quick_plan_has_every_fault_once() {
    let jobs = plan(&Wish { quick: true, hours: 2.0, ..wish() });
    let faults: Vec<Fault> = jobs.iter().filter_map(fault_of).collect();
    let once: BTreeSet<Fault> = faults.iter().copied().collect();
    assert_eq!((faults.len(), once.len()), (Fault::ALL.len(), Fault::ALL.len()));
}

#[test]
fn a_score_comes_out_alike_whichever_thread_is_faster() {
    let jobs: Vec<Job> = plan(&wish())
        .into_iter()
        .filter(|job| {
            [Some(Fault::PumpStop), Some(Fault::ReturnObstruction)].contains(&fault_of(job))
        })
        .take(6)
        .collect();
    let rules = RuleBook::shipped();
    let score = |jobs: &[Job]| report("", &score_jobs(jobs, &rules).unwrap());
    let first = score(&jobs);
    assert_eq!(first, score(&jobs));
    assert!(first.contains("| pump-stop "), "{first}");
}

#[test]
fn the_real_arterial_pressure_raises_no_high_alarm_in_an_hour() {
    let jobs = plan(&wish());
    let job = jobs.iter().find(|job| matches!(job.purpose, Purpose::RealPressure(_))).unwrap();
    assert_eq!(harmless(job), Some(Duration::from_secs(3_600)));
    let (judged, truth) = judge_job(job, &RuleBook::shipped()).unwrap();
    assert_eq!(truth, None);
    assert!(judged.length >= Duration::from_secs(3_599));
    let high: Vec<_> = judged
        .told
        .iter()
        .filter(|told| told.raised && told.priority == Priority::High)
        .map(|told| (told.at, told.condition.to_string()))
        .collect();
    assert_eq!(high, []);
}
