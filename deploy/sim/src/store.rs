//! A gateway's disk: what was written survives the process, what was on its way does not.

use std::rc::Rc;

use ecmo_core::pump::Kept;
use ecmo_core::time::Instant;

use crate::many::Many;
use crate::peer::PeerAction;
use crate::time::{MS, Nanos};

/// Something that has reached the disk.
#[derive(Debug)]
pub enum Written {
    /// An action, in the log, with the time at which it was done.
    Action(Instant, Rc<PeerAction>),
    /// All that is kept of a pump, with the number of actions that it holds.
    Kept(usize, Box<Kept>, usize),
}

/// The disk.
#[derive(Debug)]
pub struct Disk {
    /// Whether it takes anything.
    pub works: bool,
    /// What a write takes beyond the usual.
    pub slow_by: Nanos,
    /// The log of actions, with the times at which they were done.
    pub log: Vec<(Instant, Rc<PeerAction>)>,
    /// What is kept of each pump, and how much of the log it holds.
    pub kept: Many<Option<(Kept, usize)>>,
}

/// A write and its flush take so long on a good disk.
const USUAL: Nanos = MS;

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new(pumps: usize) -> Self {
        let kept = Many::new(pumps, |_| None);
        Self { works: true, slow_by: 0, log: Vec::new(), kept }
    }

    /// How long a write takes now; `None` when it fails.
    #[must_use]
    pub const fn takes(&self) -> Option<Nanos> {
        if self.works { Some(USUAL + self.slow_by) } else { None }
    }

    /// Something has reached it.
    pub fn write(&mut self, written: Written) {
        match written {
            Written::Action(at, action) => self.log.push((at, action)),
            Written::Kept(pump, kept, actions) => self.kept[pump] = Some((*kept, actions)),
        }
    }
}
