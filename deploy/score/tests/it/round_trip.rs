//! A simulated run that was written as a recording raises the same alarms at the same samples when it is read again.

use ecmo_circuit::Fault;
use ecmo_score::export::export;
use ecmo_score::judge::Told;
use ecmo_score::plan::{Job, Wish, plan};
use ecmo_score::recording::load_folder;
use ecmo_score::rules::RuleBook;
use ecmo_score::score::{judge_job, judge_recording};
use ecmo_score::verdict::verdict;

/// What must be alike: everything but the reason for a missing value, which a table cannot say.
fn alike(told: &[Told]) -> Vec<String> {
    let line = |told: &Told| {
        format!(
            "{:?} {} {:?} {:?} {}",
            told.at, told.condition, told.transition, told.priority, told.raised
        )
    };
    told.iter().map(line).collect()
}

#[test]
fn a_run_that_was_written_down_raises_the_same_alarms() {
    let rules = RuleBook::shipped();
    let faults = [
        Fault::PumpStop,
        Fault::ReturnOpen,
        Fault::ReturnObstruction,
        Fault::DrainVeryLow,
        Fault::AirBubble,
        Fault::SensorOff,
        Fault::SensorRange,
        Fault::GasFailure,
    ];
    let jobs: Vec<Job> = faults
        .into_iter()
        .flat_map(|fault| {
            plan(&Wish { runs: 1, hours: 0.0, seed: 5, quick: true, fault: Some(fault) })
        })
        .collect();
    for job in &jobs {
        let folder = tempfile::tempdir().unwrap();
        export(std::slice::from_ref(job), folder.path()).unwrap();
        let mut notices = Vec::new();
        let recordings = load_folder(folder.path(), &mut notices).unwrap();
        assert_eq!(notices, Vec::<String>::new(), "{}", job.name());
        let (judged, truth) = judge_job(job, &rules).unwrap();
        let [recording] = recordings.as_slice() else { panic!("{} recordings", recordings.len()) };
        let read = judge_recording(recording, &rules).unwrap();
        assert_eq!(alike(&judged.told), alike(&read.told), "{}", job.name());
        assert!(!judged.told.is_empty(), "{}", job.name());
        assert_eq!(recording.truth, truth, "{}", job.name());
        let verdicts = (verdict(&judged, truth.as_ref()), verdict(&read, recording.truth.as_ref()));
        assert_eq!(verdicts.0.outcome, verdicts.1.outcome, "{}", job.name());
    }
}
