//! Which requests a poll needs: neighbouring registers are read together, and nothing is read in two halves. Pure.

use crate::config::{ModbusChannel, ModbusSettings, Place};

use super::wire::{REGISTERS_MAX, Request};

/// The requests of one poll, and where each wanted register stands in their answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The requests, at most one a wanted register.
    pub requests: Vec<Request>,
}

/// Registers that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    place: Place,
    length: u16,
}

impl Plan {
    /// The fewest requests, with gaps up to the one that the settings allow.
    #[must_use]
    pub fn new(settings: &ModbusSettings) -> Self {
        let mut spans: Vec<Span> = settings.channels.iter().flat_map(spans).collect();
        spans.sort_unstable();
        let mut requests = Vec::<Request>::new();
        for Span { place, length } in spans {
            let end = u32::from(place.register) + u32::from(length);
            if let Some(last) = requests.last_mut()
                && last.table == place.table
                && u32::from(place.register)
                    <= u32::from(last.start) + u32::from(last.count) + u32::from(settings.gap)
                && end - u32::from(last.start) <= u32::from(REGISTERS_MAX)
            {
                let count = (end - u32::from(last.start)).max(last.count.into());
                last.count = u16::try_from(count).unwrap_or(REGISTERS_MAX);
                continue;
            }
            let (table, start) = (place.table, place.register);
            requests.push(Request { unit: settings.unit, table, start, count: length });
        }
        Self { requests }
    }

    /// The request that holds registers, and their position in its answer.
    #[must_use]
    pub fn find(&self, place: Place, length: u16) -> Option<(usize, u16)> {
        let mut requests = self.requests.iter().enumerate();
        requests.find_map(|(index, request)| {
            let from = place.register.checked_sub(request.start)?;
            let holds = request.table == place.table && from + length <= request.count;
            holds.then_some((index, from))
        })
    }
}

fn spans(channel: &ModbusChannel) -> impl Iterator<Item = Span> {
    let own = Span { place: channel.place, length: channel.number.registers() };
    let status = channel.status.iter().map(|status| Span { place: status.place, length: 1 });
    core::iter::once(own).chain(status)
}
