//! What the audit log holds and the state perhaps not: done again after a crash, in its order.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::time::Duration;

use ecmo_core::pump::Kept;
use ecmo_proto::topic::PumpAddress;

use super::audit::{self, Kind};
use crate::action::ActionRecord;
use crate::action::wire::{self, Told, TreatmentRecord};

/// Actions that are older are not done again: no alarm, pause or shelf of that time still stands. Treatments and ownership are.
const AGE_MAX: Duration = Duration::from_hours(24);

/// What is to be done again.
#[derive(Debug, Default)]
pub(super) struct Redo {
    /// The newest text of each pump.
    pub(super) treatments: HashMap<PumpAddress, TreatmentRecord>,
    /// Actions, with what is left of them, in their order.
    pub(super) actions: Vec<ActionRecord>,
    /// Alarms that actions named, as text of the log.
    pub(super) named: Vec<(PumpAddress, String)>,
    /// The greatest order that was met.
    pub(super) order: u64,
    /// The last number that was met.
    pub(super) last: u64,
}

/// Reads the log behind a number.
///
/// # Errors
/// A file cannot be read.
pub(super) fn read(dir: &Path, after: u64, wall_ns: i64) -> io::Result<Redo> {
    let mut redo = Redo::default();
    let mut refused = HashSet::new();
    let (mut actions, mut treatments, mut named) = (Vec::new(), Vec::new(), Vec::new());
    audit::read_after(dir, after, |number, entry| {
        redo.last = redo.last.max(number);
        if entry.kind == Kind::Refused && !entry.refused.is_empty() {
            refused.insert(entry.refused.clone());
        }
        let Some(bytes) = entry.action_bytes() else { return };
        match wire::read(&bytes) {
            Ok(Told::Action(record)) => {
                redo.order = redo.order.max(record.action.order.at);
                let age = wall_ns.saturating_sub(record.wall_ns).max(0);
                let age = Duration::from_nanos(age.unsigned_abs());
                if let Some(address) = record.address.clone().filter(|_| !entry.state.is_empty()) {
                    named.push((record.id.clone(), address, entry.state));
                }
                actions.push((record, age));
            }
            Ok(Told::Treatment(told)) => {
                redo.order = redo.order.max(told.order.at);
                treatments.push(told);
            }
            Err(error) => {
                tracing::error!(number, %error, "an action of the audit log cannot be read")
            }
        }
    })?;
    for told in treatments.into_iter().filter(|told| !refused.contains(&told.id)) {
        let version = |told: &TreatmentRecord| (told.patient, told.version);
        let known = redo.treatments.get(&told.address);
        if known.is_none_or(|known| version(known) <= version(&told)) {
            redo.treatments.insert(told.address.clone(), told);
        }
    }
    let counts = |(id, address, state): (String, PumpAddress, String)| {
        (!refused.contains(&id)).then_some((address, state))
    };
    redo.named = named.into_iter().filter_map(counts).collect();
    redo.actions = actions
        .into_iter()
        .filter(|(record, _age)| !refused.contains(&record.id))
        // The gateway's own alarms begin anew with it.
        .filter(|(record, age)| record.address.is_some() && (*age < AGE_MAX || is_lasting(record)))
        .filter_map(|(record, age)| wire::aged(record, age))
        .collect();
    redo.actions.sort_by(|a, b| a.action.order.cmp(&b.action.order));
    Ok(redo)
}

fn is_lasting(record: &ActionRecord) -> bool {
    use ecmo_core::alarm::action::What;
    match record.action.what {
        What::Own(_) | What::Bed(_) => true,
        What::Acknowledge(_)
        | What::AcknowledgeEnded(_)
        | What::Pause { .. }
        | What::Resume { .. }
        | What::Shelve { .. } => false,
    }
}

/// The greatest order of what is kept of a pump.
pub(super) fn last_order(kept: &Kept) -> u64 {
    let of_alarms = kept.occurrences.iter().flat_map(|one| {
        let acknowledged = one.acknowledged.as_ref().map_or(0, |seen| seen.order.at);
        [acknowledged, one.sound.at]
    });
    let of_shelves = kept.shelved.iter().map(|(_condition, order)| order.at);
    let of_covered = kept.covered.iter().map(|one| one.order.at);
    of_alarms
        .chain(of_shelves)
        .chain(of_covered)
        .max()
        .unwrap_or(0)
        .max(kept.ownership.order.at)
        .max(kept.ownership.bed_order.at)
}
