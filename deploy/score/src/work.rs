//! Does many jobs on two threads; the results come in the order of the jobs, whoever did them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, anyhow};

/// As many as the smallest machine that must run the score has cores.
const WORKERS: usize = 2;

/// Does every job and returns the results in order.
///
/// # Errors
/// The first failure in the order of the jobs.
pub fn run_all<J: Sync, R: Send>(
    jobs: &[J],
    work: impl Fn(&J) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(place) else { return done };
            done.push((place, work(job)));
        }
    };
    let mut results = Vec::with_capacity(jobs.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_worker| scope.spawn(worker)).collect();
        for worker in workers {
            let done = worker.join().map_err(|_panic| anyhow!("a worker panicked; see above"))?;
            results.extend(done);
        }
        Ok::<(), anyhow::Error>(())
    })?;
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..500).collect();
        let results = run_all(&jobs, |job| Ok(job * job)).unwrap();
        assert!(results.iter().zip(&jobs).all(|(result, job)| *result == job * job));
        assert_eq!(results.len(), jobs.len());
    }

    #[test]
    fn the_first_failure_in_order_is_told() {
        let jobs: Vec<u64> = (0..100).collect();
        let fail = |job: &u64| if *job >= 40 { Err(anyhow!("job {job}")) } else { Ok(()) };
        assert_eq!(run_all(&jobs, fail).unwrap_err().to_string(), "job 40");
    }
}
