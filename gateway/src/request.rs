//! What the gateway says over the brokers, as sealed bytes: to agents probes, leases and requests for missing frames; to other
//! gateways that it lives, and what it decided. The other direction is `decode`.

mod decision;

mod drill;

mod peer;

mod waiting;

use bytes::Bytes;
use ecmo_core::alarm::treatment::{ContextKind, Treatment};
use ecmo_core::case::{Case, PumpKind, Therapy};
use ecmo_core::frame::BootId;
use ecmo_core::time::{Instant, SampleTime};
use ecmo_proto::sealed;
use ecmo_proto::v1;
use ecmo_proto::v1::request::Ask;

pub use decision::decision;

pub use drill::DrillPump;

pub use peer::peer_heartbeat;

/// Makes the requests of one gateway process.
#[derive(Debug, Clone)]
pub struct Asker {
    gateway: String,
}

/// What a lease says.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// Publish time of the newest frame that was judged, by the agent's clock.
    pub decided: SampleTime,
    /// Hash of the profile in force.
    pub profile_hash: u64,
    /// What people have said.
    pub treatment: &'a Treatment,
    /// Resistance of the membrane when it was new, in mmHg.min/L, once known.
    pub membrane_baseline: Option<f32>,
}

impl Asker {
    /// Requests in the name of this process; the name is random, so that no two are alike.
    #[must_use]
    pub fn new() -> Self {
        Self { gateway: format!("{:016x}", fastrand::u64(1..)) }
    }

    /// The name of this process in its requests.
    #[must_use]
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// What time is it there.
    #[must_use]
    pub fn probe(&self, pump: &str, boot: BootId, number: u64, sent: Instant) -> Bytes {
        let sent_mono_ns = sent.as_nanos();
        self.ask(pump, boot, Ask::Probe(v1::Probe { number, sent_mono_ns }))
    }

    /// The gateway hears this agent and alarms for it.
    #[must_use]
    pub fn lease(&self, pump: &str, boot: BootId, lease: Lease<'_>, now: Instant) -> Bytes {
        let treatment = (lease.treatment.version > 0)
            .then(|| leased(lease.treatment, lease.membrane_baseline, now));
        let ask = v1::AlarmLease {
            decided_mono_ns: lease.decided.as_nanos(),
            profile_hash: lease.profile_hash,
            treatment,
        };
        self.ask(pump, boot, Ask::Lease(ask))
    }

    /// Frames of a run are missing, from the first to before the end. Whichever run lives answers.
    #[must_use]
    pub fn backfill(&self, pump: &str, number: u64, boot: BootId, missing: (u64, u64)) -> Bytes {
        let (first_sequence, end_sequence) = missing;
        let ask = v1::BackfillRequest { number, boot_id: boot.get(), first_sequence, end_sequence };
        self.sealed(pump, 0, Ask::Backfill(ask))
    }

    fn ask(&self, pump: &str, boot: BootId, ask: Ask) -> Bytes {
        self.sealed(pump, boot.get(), ask)
    }

    fn sealed(&self, pump: &str, boot_id: u64, ask: Ask) -> Bytes {
        sealed::seal(&v1::Request {
            pump: pump.to_owned(),
            boot_id,
            gateway: self.gateway.clone(),
            ask: Some(ask),
            crc32c: 0,
        })
    }
}

impl Default for Asker {
    fn default() -> Self {
        Self::new()
    }
}

/// A treatment as rules need it: no names, no reasons, no pseudonym.
fn leased(treatment: &Treatment, membrane: Option<f32>, now: Instant) -> v1::LeasedTreatment {
    let millis = |until: Instant| u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX);
    v1::LeasedTreatment {
        version: treatment.version,
        patient: treatment.patient,
        circuit: treatment.circuit,
        case: Some(case(&treatment.case)),
        membrane_baseline: membrane,
        limits: treatment
            .overrides
            .iter()
            .map(|set| v1::LeasedLimit { rule: set.key.to_string(), number: set.number })
            .collect(),
        contexts: treatment
            .contexts
            .iter()
            .filter(|context| context.until > now)
            .map(|context| v1::LeasedContext {
                kind: context_kind(context.kind).into(),
                left_ms: millis(context.until),
            })
            .collect(),
    }
}

fn case(of: &Case) -> v1::Case {
    v1::Case {
        weight_kg: of.weight_kg,
        pump_kind: match of.pump_kind {
            None => v1::PumpKind::Unspecified,
            Some(PumpKind::Centrifugal) => v1::PumpKind::Centrifugal,
            Some(PumpKind::Roller) => v1::PumpKind::Roller,
        }
        .into(),
        therapy: match of.therapy {
            None => v1::Therapy::Unspecified,
            Some(Therapy::VenoArterial) => v1::Therapy::VenoArterial,
            Some(Therapy::VenoVenous) => v1::Therapy::VenoVenous,
        }
        .into(),
        oxygenator_flow_min: of.oxygenator_flow_min,
        flow_target: of.flow_target,
        speed_max: of.speed_max,
        ..v1::Case::default()
    }
}

const fn context_kind(kind: ContextKind) -> v1::ContextKind {
    match kind {
        ContextKind::Priming => v1::ContextKind::Priming,
        ContextKind::Cannulation => v1::ContextKind::Cannulation,
        ContextKind::ClampTrial => v1::ContextKind::ClampTrial,
        ContextKind::Wean => v1::ContextKind::Wean,
        ContextKind::CircuitChange => v1::ContextKind::CircuitChange,
        ContextKind::Transport => v1::ContextKind::Transport,
        ContextKind::Suctioning => v1::ContextKind::Suctioning,
        ContextKind::Zeroing => v1::ContextKind::Zeroing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::alarm::treatment::Context;

    fn lease_of(treatment: &Treatment) -> Lease<'_> {
        Lease {
            decided: SampleTime::from_millis(5),
            profile_hash: 9,
            treatment,
            membrane_baseline: Some(12.0),
        }
    }

    #[test]
    fn a_lease_carries_the_treatment_with_the_time_that_is_left_and_nothing_of_a_person() {
        let asker = Asker::new();
        let boot = BootId::new(7).unwrap();
        let now = Instant::from_millis(10_000);
        let mut treatment = Treatment::default();
        let opened = |treatment: &Treatment| {
            let bytes = asker.lease("p1", boot, lease_of(treatment), now);
            let request: v1::Request = sealed::open(&bytes).unwrap();
            assert_eq!((request.pump.as_str(), request.boot_id), ("p1", 7));
            assert_eq!(request.gateway, asker.gateway());
            match request.ask {
                Some(Ask::Lease(lease)) => lease,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(opened(&treatment).treatment, None, "nothing was said");
        treatment.version = 3;
        let ends = |seconds: u64| Context {
            kind: ContextKind::Wean,
            until: Instant::from_millis(10_000 + seconds * 1_000),
        };
        treatment.contexts = vec![ends(0), ends(60)];
        let lease = opened(&treatment);
        assert_eq!((lease.decided_mono_ns, lease.profile_hash), (5_000_000, 9));
        let told = lease.treatment.unwrap();
        assert_eq!((told.version, told.membrane_baseline), (3, Some(12.0)));
        assert_eq!(told.contexts.len(), 1);
        assert_eq!(told.contexts[0].left_ms, 60_000);
        assert!(told.case.unwrap().pseudonym.is_empty());
    }
}
