//! Counts what the agent did and what it lost; every loss has its own counter.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one agent run, shared by its stages.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: Counter,)*
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
    /// Samples that sensors delivered.
    samples,
    /// Lines or packets from a device that could not be understood, and were dropped.
    lines_refused,
    /// Samples that were no number; sent as a sensor fault.
    samples_not_finite,
    /// Samples that do not fit the channel's counts; sent as beyond range.
    samples_not_fitting,
    /// Ticks that began more than a millisecond late.
    ticks_late,
    /// Ticks that were left out because the one before took too long.
    ticks_missed,
    /// Greatest lateness of a tick, in microseconds.
    tick_lateness_max_us,
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
        counters.tick_lateness_max_us.raise_to(9);
        counters.tick_lateness_max_us.raise_to(5);
        let summary = counters.summary();
        assert_eq!((summary.samples, summary.tick_lateness_max_us), (7, 9));
        assert!(summary.entries().contains(&("samples", 7)));
    }
}
