//! Reads what gateways ask: checks seal, pump and run before anything is believed. Pure.

use ecmo_proto::sealed;
use ecmo_proto::v1::request::Ask;
use ecmo_proto::v1::{AlarmLease, BackfillRequest, Probe, Request};

use crate::counters::{Counter, Counters};

/// Longest name of a gateway process, in bytes.
const GATEWAY_BYTES_MAX: usize = 64;

/// The agent that is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addressee<'a> {
    pub(super) pump: &'a str,
    pub(super) boot_id: u64,
}

/// What a gateway asks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    Probe(Probe),
    Lease(Box<AlarmLease>),
    Backfill(BackfillRequest),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too long, damaged, no request, or kept by the broker from another time.
    Broken,
    /// For another pump, or from nobody.
    Elsewhere,
    /// For another run of this agent.
    OtherBoot,
    /// Nothing that this agent knows, or frames of no run.
    Unknown,
}

impl Refused {
    /// Where it is counted.
    pub(super) const fn counter(self, counters: &Counters) -> &Counter {
        match self {
            Self::Broken => &counters.requests_broken,
            Self::Elsewhere => &counters.requests_elsewhere,
            Self::OtherBoot => &counters.requests_other_boot,
            Self::Unknown => &counters.requests_unknown,
        }
    }
}

/// Reads a request: who asks, and what.
pub(super) fn read(payload: &[u8], us: Addressee<'_>) -> Result<(String, Asked), Refused> {
    let request: Request = sealed::open(payload).map_err(|_damaged| Refused::Broken)?;
    let is_named = (1..=GATEWAY_BYTES_MAX).contains(&request.gateway.len());
    if request.pump != us.pump || !is_named {
        return Err(Refused::Elsewhere);
    }
    let is_for_any = request.boot_id == 0;
    if !is_for_any && request.boot_id != us.boot_id {
        return Err(Refused::OtherBoot);
    }
    let asked = match request.ask.ok_or(Refused::Unknown)? {
        Ask::Probe(probe) => Asked::Probe(probe),
        // The monotonic clock goes on over a restart of the agent: a lease must name the run whose frames were judged.
        Ask::Lease(_) if is_for_any => return Err(Refused::OtherBoot),
        Ask::Lease(lease) => Asked::Lease(Box::new(lease)),
        Ask::Backfill(backfill) if backfill.boot_id == 0 => return Err(Refused::Unknown),
        Ask::Backfill(backfill) => Asked::Backfill(backfill),
    };
    Ok((request.gateway, asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: Addressee<'_> = Addressee { pump: "p1", boot_id: 7 };

    fn request(boot_id: u64, ask: Option<Ask>) -> Request {
        Request { pump: "p1".into(), boot_id, gateway: "g".into(), ask, crc32c: 0 }
    }

    #[test]
    fn what_is_for_this_run_is_read_and_everything_else_refused() {
        let probe = Probe { number: 1, sent_mono_ns: 2 };
        let lease = AlarmLease { decided_mono_ns: 3, ..AlarmLease::default() };
        let backfill =
            |boot_id| BackfillRequest { boot_id, end_sequence: 5, ..BackfillRequest::default() };
        let named = |name: String| Request { gateway: name, ..request(7, Some(Ask::Probe(probe))) };
        for (request, expected) in [
            (request(7, Some(Ask::Probe(probe))), Ok(Asked::Probe(probe))),
            (request(0, Some(Ask::Probe(probe))), Ok(Asked::Probe(probe))),
            (request(8, Some(Ask::Probe(probe))), Err(Refused::OtherBoot)),
            (
                request(7, Some(Ask::Lease(lease.clone()))),
                Ok(Asked::Lease(Box::new(lease.clone()))),
            ),
            (request(0, Some(Ask::Lease(lease.clone()))), Err(Refused::OtherBoot)),
            (request(8, Some(Ask::Lease(lease))), Err(Refused::OtherBoot)),
            (request(0, Some(Ask::Backfill(backfill(9)))), Ok(Asked::Backfill(backfill(9)))),
            (request(7, Some(Ask::Backfill(backfill(0)))), Err(Refused::Unknown)),
            (request(7, None), Err(Refused::Unknown)),
            (
                Request { pump: "p2".into(), ..request(7, Some(Ask::Probe(probe))) },
                Err(Refused::Elsewhere),
            ),
            (named(String::new()), Err(Refused::Elsewhere)),
            (named("x".repeat(65)), Err(Refused::Elsewhere)),
        ] {
            let read = read(&sealed::seal(&request), US).map(|(_, asked)| asked);
            assert_eq!(read, expected, "{request:?}");
        }
    }

    #[test]
    fn a_damaged_request_is_refused_whatever_bit_it_is() {
        let probe = Ask::Probe(Probe { number: 1, sent_mono_ns: 2 });
        let sealed = sealed::seal(&request(7, Some(probe)));
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&damaged, US), Err(Refused::Broken), "bit {bit}");
        }
        assert_eq!(read(&[], US), Err(Refused::Broken));
    }
}
