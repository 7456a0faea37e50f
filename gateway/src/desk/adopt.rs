//! What people said at another gateway: adopted here when it is newer than what was said here.

use std::sync::{Arc, PoisonError};

use ecmo_proto::topic::PumpAddress;

use super::{Desk, DeskError, Standing};
use crate::treatment::{Record, written};

/// How one record stands to another of the same pump: the greater one counts, at every gateway.
///
/// The patient and the version first. Where people changed the same version at two gateways that could not see each other,
/// the later change by the gateways' wall clocks counts; and of two alike the greater text, so that both keep the same.
type Rank = (u32, u64, i64, String);

fn rank(address: &PumpAddress, record: &Record) -> Rank {
    let changed = record.changes.iter().map(|change| change.wall_ns);
    let declared = record.contexts.iter().map(|context| context.since_wall_ns);
    let said_at = changed.chain(declared).fold(record.case_wall_ns, i64::max);
    (record.patient, record.version, said_at, said(address, record))
}

/// What people said, as text: without what each gateway finds by itself.
fn said(address: &PumpAddress, record: &Record) -> String {
    let said = Record { membrane_baseline: None, ..record.clone() };
    // A record that cannot be written cannot be told either, and is the least of all.
    written(address, &said).unwrap_or_default()
}

impl Desk {
    /// Every treatment of which somebody has said anything, with the text of what people said.
    #[must_use]
    pub fn treatments(&self) -> Vec<(PumpAddress, Arc<Standing>, String)> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = places
            .iter()
            .map(|(address, place)| (address.clone(), place.standing.load_full()))
            .filter(|(_address, standing)| standing.record.version > 0)
            .collect();
        drop(places);
        let with_text = all.into_iter().map(|(address, standing)| {
            let text = said(&address, &standing.record);
            (address, standing, text)
        });
        with_text.collect()
    }

    /// Adopts what was said at another gateway, if it is newer; whether it was. What the profile does not allow here is left
    /// out, as after a change of the profile.
    ///
    /// # Errors
    /// The pump was never seen here, or the alarm thread does not answer.
    pub async fn adopt(
        self: &Arc<Self>,
        address: PumpAddress,
        told: Record,
    ) -> Result<bool, DeskError> {
        let told_rank = rank(&address, &told);
        let is_newer = {
            let (address, told_rank) = (address.clone(), told_rank);
            move |record: &Record| told_rank > rank(&address, record)
        };
        if !is_newer(&self.standing(&address).record) {
            return Ok(false);
        }
        let profile = Arc::clone(&self.parts.profile);
        let make = move |record: &Record, at| {
            // Somebody here may have changed it meanwhile.
            if !is_newer(record) {
                return Ok(record.clone());
            }
            let same_membrane = (record.patient, record.circuit) == (told.patient, told.circuit);
            let membrane_baseline = if same_membrane { record.membrane_baseline } else { None };
            Ok(Record { membrane_baseline, ..told }.resumed(at, &profile))
        };
        self.change(address, make).await.map(|_standing| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_proto::topic::Id;

    #[test]
    fn of_two_records_the_same_one_counts_at_every_gateway() {
        let id = |text| Id::new(text).unwrap();
        let address = PumpAddress { ward: id("nicu"), pump: id("p1") };
        let of = |patient, version, case_wall_ns, by: &str| Record {
            patient,
            version,
            case_wall_ns,
            case_by: by.to_owned(),
            ..Record::default()
        };
        // In this order.
        let records =
            [of(0, 1, 0, ""), of(1, 1, 9, ""), of(1, 2, 5, ""), of(1, 2, 6, ""), of(2, 1, 0, "")];
        let ranks: Vec<_> = records.iter().map(|record| rank(&address, record)).collect();
        assert!(ranks.is_sorted_by(|one, other| one < other), "{ranks:?}");
        let found = Record { membrane_baseline: Some(3.0), ..of(1, 2, 5, "") };
        assert_eq!(rank(&address, &found), rank(&address, &of(1, 2, 5, "")));
    }
}
