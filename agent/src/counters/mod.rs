//! Counts what the agent did and what it lost; every loss has its own counter.

mod lateness;

use core::time::Duration;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ecmo_proto::v1;

pub use lateness::{BOUNDS_US, BucketCount, Lateness};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one agent run, shared by its stages.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: Counter,)*
            /// How late ticks began.
            pub lateness: Lateness,
            /// What the sampling thread may rely on; empty until it runs.
            pub footing: OnceLock<Footing>,
        }

        /// The counters at one moment.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Summary {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Reads all counters.
            #[must_use]
            pub fn summary(&self) -> Summary {
                Summary { $($name: self.$name.get(),)* }
            }
        }

        impl Summary {
            /// Name and value of every counter, in the order of the data path.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

counters! {
    /// Ticks of the sampling thread that began.
    ticks,
    /// Samples that sensors delivered, and that found room on the way to the frames.
    samples,
    /// Batches of samples that found no room because the framer was held up.
    overruns,
    /// Samples of those batches.
    samples_overrun,
    /// Lines or packets from a device that could not be understood, and were dropped.
    lines_refused,
    /// Samples that an instrument's thread took and could not hand over: the sampling thread or the driver stood still.
    samples_lost,
    /// Samples that were no number; sent as a sensor fault.
    samples_not_finite,
    /// Samples that do not fit the channel's counts; sent as beyond range.
    samples_not_fitting,
    /// Ticks that began more than a millisecond late.
    ticks_late,
    /// Ticks that were left out because the one before took too long.
    ticks_missed,
    /// Times that the framer emptied the ring; it shows that it goes on.
    framer_rounds,
    /// Frames that were sealed by the sampler.
    frames_prepared,
    /// Frames that were handed to the network; a frame counts once for each path.
    frames_published,
    /// Frames dropped because the queue was full; the oldest go first.
    frames_dropped_full,
    /// Frames dropped because they waited too long to be live data.
    frames_dropped_old,
    /// Frames dropped because they are longer than a receiver accepts.
    frames_dropped_oversize,
    /// Frames not sent because the agent stopped.
    frames_dropped_stopped,
    /// Frames that the rules at the bedside did not judge, because too many waited.
    frames_not_judged,
    /// Connections to brokers that were accepted.
    connections,
    /// Attempts to connect that failed, and connections that were lost.
    connection_failures,
    /// Connections that were given up because the own heartbeat did not come back.
    connections_silent,
    /// Heartbeats that were handed to the network.
    heartbeats_published,
    /// Heartbeats that were too long and left without their lists.
    heartbeats_shortened,
    /// Probes that were answered.
    probes_answered,
    /// Requests refused: too long, damaged, or no request.
    requests_broken,
    /// Requests refused: for another pump, or from a gateway without a usable name.
    requests_elsewhere,
    /// Requests refused: for another run of this agent, or a lease that names no run.
    requests_other_boot,
    /// Requests refused: nothing is asked that this agent knows.
    requests_unknown,
    /// Requests refused: too many at once.
    requests_too_many,
    /// Leases refused: decided in the future of this agent's clock, or older than a lease lasts.
    leases_refused,
    /// Parts of backfill that a broker acknowledged.
    backfill_parts,
    /// Frames in those parts.
    backfill_frames,
    /// Reads of the spool that failed.
    backfill_failures,
}

/// What the sampling thread may rely on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Footing {
    /// Nominal time between two ticks.
    pub tick: Duration,
    /// The thread has a real-time priority.
    pub realtime: bool,
    /// Its memory stays in memory.
    pub memory_locked: bool,
    /// Why one of them is not so, and what to do; empty when both are.
    pub limitation: String,
}

impl Counters {
    /// How the sampling thread keeps its pace, as birth and heartbeat tell it.
    #[must_use]
    pub fn sampling(&self) -> v1::Sampling {
        let footing = self.footing.get().cloned().unwrap_or_default();
        v1::Sampling {
            ticks: self.ticks.get(),
            ticks_missed: self.ticks_missed.get(),
            overruns: self.overruns.get(),
            samples: self.samples.get(),
            tick_us: u32::try_from(footing.tick.as_micros()).unwrap_or(u32::MAX),
            lateness: self.lateness.buckets().map(|bucket| bucket.ticks).to_vec(),
            lateness_max_us: self.lateness.max_us(),
            realtime: footing.realtime,
            memory_locked: footing.memory_locked,
            limitation: footing.limitation,
        }
    }
}

/// One counter.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, number: u64) {
        // Relaxed: a counter orders nothing else.
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// Keeps the greater of the counter and a number.
    pub fn raise_to(&self, number: u64) {
        self.0.fetch_max(number, Ordering::Relaxed);
    }

    /// Reads.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_holds_what_was_counted() {
        let counters = Counters::default();
        counters.samples.add(3);
        counters.samples.add(4);
        let summary = counters.summary();
        assert_eq!(summary.samples, 7);
        assert!(summary.entries().contains(&("samples", 7)));
    }

    #[test]
    fn the_word_on_sampling_has_the_buckets_of_the_contract_and_what_the_system_permits() {
        let counters = Counters::default();
        assert_eq!(counters.sampling().lateness.len(), 12);
        counters.ticks.add(2);
        counters.ticks_missed.add(1);
        counters.overruns.add(3);
        counters.lateness.add(Duration::from_micros(30));
        counters.lateness.add(Duration::from_millis(30));
        let limitation = "not permitted".to_owned();
        let tick = Duration::from_millis(1);
        let footing = Footing { tick, realtime: true, memory_locked: false, limitation };
        counters.footing.set(footing).unwrap();
        let said = counters.sampling();
        assert_eq!((said.ticks, said.ticks_missed, said.overruns), (2, 1, 3));
        assert_eq!(said.lateness, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((said.tick_us, said.lateness_max_us), (1000, 30_000));
        assert!(said.realtime && !said.memory_locked);
        assert_eq!(said.limitation, "not permitted");
    }
}
