//! When a pump's agent is asked for its time and told that it is heard: every half second, on each path, pump by pump.

use std::time::Duration;

use ecmo_core::clock_estimate::ProbeTimes;
use ecmo_core::path::{Path, PerPath};
use ecmo_core::pump::{Link, Pump};
use ecmo_core::time::{Instant, SampleTime};
use ecmo_proto::topic::PumpAddress;

use crate::decode::Echo;
use crate::fanout::RuleBook;
use crate::ingest::Requests;
use crate::metrics::BrokerPath;
use crate::request::{Asker, Lease};

/// Time between two probes, and two leases, of one pump on one path.
const PERIOD: Duration = Duration::from_millis(500);

/// Pumps that are asked at one look: at one look each 10 ms every pump has its turn within a third of a second.
pub(super) const ASKED_PER_LOOK_MAX: usize = 8;

/// A pump whose newest judged frame is older than this gets no lease: nobody judges for it now. This is what ends the lease
/// of a thread that is too slow as well, so that its load needs no rule of its own.
const DECIDED_AGE_MAX: Duration = Duration::from_secs(1);

/// Probes whose answers may still come: 32 s of them.
const PENDING: usize = 64;

/// The core's name of a path.
pub(super) const fn path(path: BrokerPath) -> Path {
    match path {
        BrokerPath::A => Path::A,
        BrokerPath::B => Path::B,
    }
}

/// Probes of one path.
#[derive(Debug, Clone, Copy)]
struct Probes {
    next: u64,
    sent: [u64; PENDING],
}

impl Default for Probes {
    fn default() -> Self {
        Self { next: 0, sent: [0; PENDING] }
    }
}

impl Probes {
    fn slot(&mut self, number: u64) -> Option<&mut u64> {
        self.sent.get_mut(usize::try_from(number % PENDING as u64).unwrap_or(0))
    }

    fn ask(&mut self, now: Instant) -> u64 {
        let number = self.next;
        self.next += 1;
        if let Some(sent) = self.slot(number) {
            *sent = now.as_nanos();
        }
        number
    }

    /// Whether the answer is one that is awaited: the time of a probe is taken from nobody else.
    fn knows(&mut self, echo: &Echo) -> bool {
        let sent = echo.sent.as_nanos();
        echo.number < self.next && self.slot(echo.number).is_some_and(|slot| *slot == sent)
    }
}

/// What one pump's agent is asked.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) due_at: Instant,
    probes: PerPath<Probes>,
}

/// What asking needs of the gateway.
#[derive(Debug)]
pub(super) struct Voice {
    /// Makes the requests.
    pub(super) asker: Asker,
    /// Carries them.
    pub(super) requests: Requests,
    /// Hash of the profile in force.
    pub(super) profile_hash: u64,
    /// Whether the alarms of the pump in turn reach somebody: while a high alarm of it has been confirmed by no display, its
    /// agent must not be quiet.
    pub(super) heard: bool,
}

impl Asking {
    /// Begins at a time of its own within the period, so that pumps do not all have their turn at once.
    pub(super) fn new(number: usize, now: Instant) -> Self {
        let stagger = u64::try_from(number * 37 % 500).unwrap_or(0);
        Self { due_at: now.plus(Duration::from_millis(stagger)), probes: PerPath::default() }
    }

    /// Sends what is due. Requests that find no way are dropped and counted there.
    pub(super) fn ask(
        &mut self,
        address: &PumpAddress,
        pump: &Pump,
        book: &RuleBook,
        voice: &Voice,
        now: Instant,
    ) {
        self.due_at = now.plus(PERIOD);
        let Some(boot) = pump.boot() else { return };
        let id = address.pump.as_str();
        let lease = decided(pump, now).filter(|_| voice.heard).map(|decided| {
            let treatment = pump.treatment();
            let membrane_baseline = book.membrane_baseline;
            let profile_hash = voice.profile_hash;
            let lease = Lease { decided, profile_hash, treatment, membrane_baseline };
            voice.asker.lease(id, boot, lease, now)
        });
        for of in voice.requests.paths().filter(|of| voice.requests.is_up(*of)) {
            let number = self.probes.get_mut(path(of)).ask(now);
            // Whether they are sent or dropped is counted; both come again in half a second.
            let probe = voice.asker.probe(id, boot, number, now);
            let _counted = voice.requests.try_send(of, address, probe);
            if let Some(lease) = &lease {
                let _counted = voice.requests.try_send(of, address, lease.clone());
            }
        }
    }

    /// The four times of a probe that was answered, if this gateway sent it.
    pub(super) fn times(
        &mut self,
        echo: &Echo,
        of: BrokerPath,
        (answered, received): (SampleTime, Instant),
        asker: &Asker,
    ) -> Option<ProbeTimes> {
        let known = echo.gateway == asker.gateway() && self.probes.get_mut(path(of)).knows(echo);
        known.then_some(ProbeTimes { sent: echo.sent, read: echo.read, answered, received })
    }
}

/// When the newest judged frame left the agent, if that is recent enough for a lease.
fn decided(pump: &Pump, now: Instant) -> Option<SampleTime> {
    let decided = pump.judged_until().filter(|_| pump.link(now) == Link::Live)?;
    let age = now.since(pump.clock().to_reader(decided, now));
    (age <= DECIDED_AGE_MAX).then_some(decided)
}
