//! The requests for backfill that one connection has not answered yet. Pure: time is an argument.
//!
//! Requests are soft state: a gateway asks again for what did not come. So they live as long as the connection on which they
//! came, and nothing is said when one is dropped.

use core::time::Duration;
use std::collections::VecDeque;

use ecmo_core::time::SampleTime;
use ecmo_proto::v1::BackfillRequest;

/// Most open requests of one gateway.
const OF_GATEWAY_MAX: usize = 4;

/// Most gateways that are served: two are usual, and two more while both are being replaced.
const GATEWAYS_MAX: usize = 4;

/// A gateway that asked nothing for so long is gone, and nobody waits for its frames. Living ones probe twice a second.
const GATEWAY_SILENT_MAX: Duration = Duration::from_secs(30);

/// A request that is being answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Open {
    /// Who asked.
    pub(super) gateway: String,
    pub(super) request: BackfillRequest,
    /// Sequence of the next frame to answer with.
    pub(super) next: u64,
    /// Whether nothing was answered yet: the first part tells the birth.
    pub(super) is_first: bool,
}

/// There is no room for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Of each gateway in the order in which it asked: gateways ask for the newest gap first.
    open: VecDeque<Open>,
    /// When each gateway was last heard.
    gateways: Vec<(String, SampleTime)>,
}

impl Backlog {
    /// A gateway asked anything at all.
    pub(super) fn heard(&mut self, gateway: &str, now: SampleTime) {
        if let Some((_, heard)) = self.gateways.iter_mut().find(|(name, _)| name == gateway) {
            *heard = now;
            return;
        }
        self.forget_silent(now);
        if self.gateways.len() < GATEWAYS_MAX {
            self.gateways.push((gateway.to_owned(), now));
        }
    }

    /// Takes a request of a gateway that was heard. One that is open already is the same request twice.
    pub(super) fn ask(&mut self, gateway: &str, request: BackfillRequest) -> Result<(), TooMany> {
        let of_gateway = || self.open.iter().filter(|open| open.gateway == gateway);
        if of_gateway().any(|open| open.request.number == request.number) {
            return Ok(());
        }
        let is_known = self.gateways.iter().any(|(name, _)| name == gateway);
        if !is_known || of_gateway().count() >= OF_GATEWAY_MAX {
            return Err(TooMany);
        }
        let next = request.first_sequence;
        self.open.push_back(Open { gateway: gateway.to_owned(), request, next, is_first: true });
        Ok(())
    }

    /// The request whose turn it is.
    pub(super) fn next(&mut self, now: SampleTime) -> Option<Open> {
        self.forget_silent(now);
        self.open.front().cloned()
    }

    /// A part of a request was answered; `next` is where it goes on, `None` when that was all. Another gateway has the next turn.
    pub(super) fn answered(&mut self, answered: &Open, next: Option<u64>) {
        let is_same = |open: &Open| {
            open.gateway == answered.gateway && open.request.number == answered.request.number
        };
        let Some(at) = self.open.iter().position(is_same) else { return };
        let Some(mut open) = self.open.remove(at) else { return };
        let first_of_other = self.open.iter().position(|open| open.gateway != answered.gateway);
        if let Some(next) = next {
            (open.next, open.is_first) = (next, false);
            self.open.push_front(open);
        }
        if let Some(other) = first_of_other {
            let at = other + usize::from(next.is_some());
            if let Some(turn) = self.open.remove(at) {
                self.open.push_front(turn);
            }
        }
    }

    fn forget_silent(&mut self, now: SampleTime) {
        self.gateways.retain(|(_, heard)| now.since(*heard) <= GATEWAY_SILENT_MAX);
        let gateways = &self.gateways;
        self.open.retain(|open| gateways.iter().any(|(name, _)| *name == open.gateway));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> SampleTime {
        SampleTime::from_millis(millis)
    }

    fn request(number: u64) -> BackfillRequest {
        BackfillRequest { number, boot_id: 1, first_sequence: number * 10, end_sequence: 1000 }
    }

    /// Whose turn it is, and which request.
    fn turn(backlog: &mut Backlog, now: SampleTime) -> Option<(String, u64)> {
        backlog.next(now).map(|open| (open.gateway, open.request.number))
    }

    #[test]
    fn gateways_take_turns_and_each_is_served_in_the_order_of_its_asking() {
        let mut backlog = Backlog::default();
        for (gateway, number) in [("g", 3), ("g", 1), ("h", 9), ("g", 3)] {
            backlog.heard(gateway, ms(0));
            backlog.ask(gateway, request(number)).unwrap();
        }
        let mut turns = Vec::new();
        // Three parts for each request.
        let mut parts = std::collections::BTreeMap::new();
        while let Some(open) = backlog.next(ms(1)) {
            let part = parts.entry((open.gateway.clone(), open.request.number)).or_insert(0);
            assert_eq!(open.is_first, *part == 0);
            assert_eq!(open.next, open.request.first_sequence + *part);
            *part += 1;
            let next = (*part < 3).then_some(open.next + 1);
            turns.push(format!("{}{}", open.gateway, open.request.number));
            backlog.answered(&open, next);
        }
        assert_eq!(turns, ["g3", "h9", "g3", "h9", "g3", "h9", "g1", "g1", "g1"]);
    }

    #[test]
    fn what_is_too_much_is_refused_and_a_silent_gateway_forgotten() {
        let mut backlog = Backlog::default();
        assert_eq!(backlog.ask("unheard", request(1)), Err(TooMany));
        backlog.heard("g", ms(0));
        let taken = (0..9).filter(|number| backlog.ask("g", request(*number)).is_ok()).count();
        assert_eq!(taken, OF_GATEWAY_MAX);
        for name in ["h", "i", "j", "k"] {
            backlog.heard(name, ms(20_000));
        }
        assert_eq!(backlog.ask("k", request(1)), Err(TooMany), "a fifth gateway");
        backlog.ask("h", request(5)).unwrap();
        assert_eq!(turn(&mut backlog, ms(30_000)), Some(("g".into(), 0)));
        assert_eq!(turn(&mut backlog, ms(30_001)), Some(("h".into(), 5)));
        backlog.heard("k", ms(30_001));
        assert_eq!(backlog.ask("k", request(1)), Ok(()));
        // An answer to a request that was forgotten meanwhile brings nothing back.
        let gone = Open { gateway: "g".into(), request: request(0), next: 1, is_first: false };
        backlog.answered(&gone, Some(2));
        assert_eq!(turn(&mut backlog, ms(30_001)), Some(("h".into(), 5)));
        assert_eq!(backlog.open.len(), 2);
    }
}
