//! The alarm lease: whether a gateway hears this agent and alarms for it. While nobody does, the agent alarms by itself.
//!
//! A lease is not a promise for a time from its arrival. It says up to which moment of this agent's own data a gateway has
//! judged, and it holds [`LEASE`] longer than that moment, by this agent's own clock. A lease that was held up, doubled or
//! overtaken on its way therefore never holds longer than one that was not, and no two clocks need to agree.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ecmo_core::time::SampleTime;
use ecmo_proto::v1::{AlarmLease, LeasedTreatment};
use tokio::sync::watch;

/// How long a lease holds after the newest data that was judged. A gateway renews it twice a second: three renewals may be lost.
pub const LEASE: Duration = Duration::from_secs(2);

/// What a gateway said with its lease, so that the agent judges by the same rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Leased {
    /// Name of the gateway process.
    pub gateway: String,
    /// Publish time of the newest frame that it had judged, on this agent's clock.
    pub decided: SampleTime,
    /// Hash of the profile that it runs.
    pub profile_hash: u64,
    /// What people have said about the treatment; `None` when nothing was said.
    pub treatment: Option<LeasedTreatment>,
}

/// Why a lease is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeaseRefused {
    /// It claims to have judged what this agent has not published yet.
    #[error("the lease was decided in the future of this agent's clock: it is for another agent")]
    Future,
    /// It had ended before it came.
    #[error("the lease had ended before it came: look at the delay of the network")]
    Ended,
}

/// Keeps the lease. Pure: it is told what came and what time it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaseKeeper {
    /// When the best lease ends; of several gateways the best counts.
    until: Option<SampleTime>,
    /// Whether the end of the present lease was not counted yet.
    is_held: bool,
    lost: u64,
}

impl LeaseKeeper {
    /// Takes a lease that came at `now`.
    ///
    /// # Errors
    /// It was decided in the future, or has ended.
    pub fn take(&mut self, decided: SampleTime, now: SampleTime) -> Result<(), LeaseRefused> {
        self.look(now);
        if decided > now {
            return Err(LeaseRefused::Future);
        }
        let until = decided.plus(LEASE);
        if until <= now {
            return Err(LeaseRefused::Ended);
        }
        self.until = self.until.max(Some(until));
        self.is_held = true;
        Ok(())
    }

    /// Whether a gateway holds the lease. Takes note of its loss.
    pub fn look(&mut self, now: SampleTime) -> bool {
        let is_leased = self.until.is_some_and(|until| now < until);
        if self.is_held && !is_leased {
            self.is_held = false;
            self.lost += 1;
        }
        is_leased
    }
}

/// The lease as all parts of an agent share it.
#[derive(Debug)]
pub struct Lease {
    keeper: Mutex<LeaseKeeper>,
    said: watch::Sender<Option<Arc<Leased>>>,
}

impl Default for Lease {
    fn default() -> Self {
        Self { keeper: Mutex::default(), said: watch::Sender::new(None) }
    }
}

impl Lease {
    fn keeper(&self) -> MutexGuard<'_, LeaseKeeper> {
        // Nothing in here can panic half way.
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a gateway sent for this run of the agent.
    ///
    /// # Errors
    /// It was decided in the future, or has ended; what it says is then not heard either.
    pub fn take(
        &self,
        gateway: &str,
        lease: AlarmLease,
        now: SampleTime,
    ) -> Result<(), LeaseRefused> {
        let decided = SampleTime::from_nanos(lease.decided_mono_ns);
        self.keeper().take(decided, now)?;
        self.said.send_if_modified(|said| {
            // A lease that was overtaken on its way does not bring back an older treatment.
            let is_newest = said.as_ref().is_none_or(|before| decided >= before.decided);
            if is_newest {
                *said = Some(Arc::new(Leased {
                    gateway: gateway.to_owned(),
                    decided,
                    profile_hash: lease.profile_hash,
                    treatment: lease.treatment,
                }));
            }
            is_newest
        });
        Ok(())
    }

    /// Whether a gateway holds the lease now.
    #[must_use]
    pub fn is_leased(&self, now: SampleTime) -> bool {
        self.keeper().look(now)
    }

    /// When the best lease that ever came ends or has ended; `None` before the first.
    #[must_use]
    pub fn until(&self) -> Option<SampleTime> {
        self.keeper().until
    }

    /// Times that it was lost until now.
    #[must_use]
    pub fn lost(&self, now: SampleTime) -> u64 {
        let mut keeper = self.keeper();
        keeper.look(now);
        keeper.lost
    }

    /// What the newest lease said; `None` before the first. It stays when the lease is lost: it is the best that is known.
    #[must_use]
    pub fn said(&self) -> watch::Receiver<Option<Arc<Leased>>> {
        self.said.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(millis: u64) -> SampleTime {
        SampleTime::from_millis(millis)
    }

    #[test]
    fn a_lease_holds_two_seconds_after_what_was_judged() {
        let mut keeper = LeaseKeeper::default();
        assert!(!keeper.look(ms(10_000)), "nobody alarms for an agent that nobody has heard");
        // (time, decided, answer)
        for (now, decided, answer) in [
            (10_000, 9_900, Ok(())),
            (10_500, 10_400, Ok(())),
            // Overtaken, and doubled.
            (10_600, 9_900, Ok(())),
            (10_700, 10_400, Ok(())),
            (10_800, 10_801, Err(LeaseRefused::Future)),
            (10_800, 8_800, Err(LeaseRefused::Ended)),
            (10_800, 8_801, Ok(())),
            (10_800, 0, Err(LeaseRefused::Ended)),
            (10_800, u64::MAX / 1_000_000, Err(LeaseRefused::Future)),
        ] {
            assert_eq!(keeper.take(ms(decided), ms(now)), answer, "{now} {decided}");
        }
        assert!(keeper.look(ms(12_399)));
        assert_eq!(keeper.lost, 0);
        assert!(!keeper.look(ms(12_400)));
        assert!(!keeper.look(ms(99_000)));
        assert_eq!(keeper.lost, 1, "one loss, however often it is looked at");
        keeper.take(ms(100_000), ms(100_000)).unwrap();
        keeper.take(ms(110_000), ms(110_000)).unwrap();
        assert_eq!(keeper.lost, 2, "a loss between two leases that nobody looked at");
    }

    #[test]
    fn an_older_lease_brings_no_older_treatment_back() {
        let lease = Lease::default();
        let said = lease.said();
        let with = |decided_ms: u64, version| AlarmLease {
            decided_mono_ns: decided_ms * 1_000_000,
            profile_hash: 7,
            treatment: Some(LeasedTreatment { version, ..LeasedTreatment::default() }),
        };
        let version = || said.borrow().as_ref().unwrap().treatment.as_ref().unwrap().version;
        assert!(said.borrow().is_none());
        lease.take("g", with(1000, 1), ms(1000)).unwrap();
        lease.take("g", with(1500, 2), ms(1500)).unwrap();
        lease.take("g", with(1000, 1), ms(1600)).unwrap();
        assert_eq!(version(), 2);
        assert_eq!(lease.take("g", with(9000, 3), ms(1600)), Err(LeaseRefused::Future));
        assert_eq!(version(), 2, "what is refused is not heard");
        assert!(lease.is_leased(ms(3499)) && !lease.is_leased(ms(3500)));
        assert_eq!((version(), lease.lost(ms(3500))), (2, 1));
        assert_eq!(lease.until(), Some(ms(3500)));
    }

    proptest! {
        /// Leases that were decided at some times, and came at others: late, doubled, in any order.
        #[test]
        fn no_delay_order_or_repetition_makes_a_lease_longer(
            sent in proptest::collection::vec((0..20_000u64, 0..10_000u64, 1..3usize), 0..40),
            looks in proptest::collection::vec(0..40_000u64, 1..40),
        ) {
            let mut comings: Vec<(u64, Option<u64>)> = sent
                .iter()
                .flat_map(|(decided, delay, times)| {
                    (0..*times as u64).map(move |again| (decided + delay * (again + 1), Some(*decided)))
                })
                .chain(looks.iter().map(|look| (*look, None)))
                .collect();
            comings.sort_unstable();
            let mut keeper = LeaseKeeper::default();
            let mut came = Vec::new();
            for (now, decided) in comings {
                if let Some(decided) = decided {
                    let answer = keeper.take(ms(decided), ms(now));
                    prop_assert_eq!(answer.is_ok(), now < decided + 2000);
                    came.push(decided);
                }
                let expected = came.iter().any(|decided| now < decided + 2000);
                prop_assert_eq!(keeper.look(ms(now)), expected);
            }
        }
    }
}
