//! What was painted: proof of it for the gateways, and what each of them is told is confirmed.

use crate::lane::LinkId;
use crate::link::LinkView;
use crate::pump::PumpView;
use crate::row::{Row, Shown};
use crate::screen::Screen;
use crate::time::{GatewayTime, LocalTime};

/// Everything that a display paints at once, and what it may say afterwards that it has painted.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Of when it is.
    pub at: LocalTime,
    /// The alarms, the most urgent first.
    pub rows: Vec<Row>,
    /// The pumps, by ward and pump.
    pub pumps: Vec<PumpView>,
    /// The links, in their order.
    pub links: Vec<LinkView>,
    marks: Vec<Mark>,
}

/// How far a link had come in a picture.
#[derive(Debug, Clone, Copy)]
struct Mark {
    epoch: Option<u64>,
    newest: GatewayTime,
    drills: usize,
}

impl Screen {
    /// Everything that is to be painted now.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let mark = |link: &crate::link::Link| Mark {
            epoch: link.alarms.epoch,
            newest: link.alarms.newest,
            drills: link.drills(),
        };
        Picture {
            at: self.now,
            rows: self.rows().into_iter().cloned().collect(),
            pumps: self.pumps(),
            links: self.links(),
            marks: self.links.iter().map(mark).collect(),
        }
    }

    /// A picture was painted: a person could see those of its rows that `shown` names. What was merely received is never
    /// confirmed.
    pub fn painted(&mut self, picture: &Picture, shown: impl Fn(&Row) -> bool) {
        for row in picture.rows.iter().filter(|row| shown(row)) {
            self.painted_row(row);
        }
        for (link, mark) in self.links.iter_mut().zip(&picture.marks) {
            if link.alarms.epoch != mark.epoch {
                continue;
            }
            link.painted_drills(mark.drills);
            if let Some(epoch) = mark.epoch {
                let before = link.painted.filter(|(painted, _)| *painted == epoch);
                let newest = before.map_or(mark.newest, |(_, newest)| newest.max(mark.newest));
                link.painted = Some((epoch, newest));
            }
        }
    }

    /// One row was painted.
    pub fn painted_row(&mut self, row: &Row) {
        for told in &row.told {
            let occurrence = &told.shown.occurrence;
            let call = self.painted.get(occurrence).map_or(told.call, |call| told.call.max(*call));
            self.painted.put(occurrence.clone(), call);
            if let Some(link) = self.link_mut(told.link).filter(|_| !row.unheard) {
                link.painted_alarm(occurrence, told.shown.revision);
            }
        }
    }

    /// Epoch and time of the newest message of a link's alarms that was painted; `None` before the first picture.
    #[must_use]
    pub fn painted_until(&self, id: LinkId) -> Option<(u64, GatewayTime)> {
        self.links.get(usize::from(id.0))?.painted
    }

    /// What was painted and has not been confirmed to this gateway: to be sent now. Drills among it were never shown.
    #[must_use]
    pub fn take_confirmations(&mut self, id: LinkId) -> Vec<Shown> {
        self.link_mut(id).map(crate::link::Link::take_confirmations).unwrap_or_default()
    }

    /// These could not be confirmed, or the gateway said that they do not count yet: they will be taken again.
    pub fn put_back(&mut self, id: LinkId, shown: Vec<Shown>) {
        if let Some(link) = self.link_mut(id) {
            link.put_back(shown);
        }
    }
}
