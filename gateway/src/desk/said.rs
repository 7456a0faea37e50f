//! What people said about every pump, to be told to another gateway again.

use std::sync::{Arc, PoisonError};

use ecmo_proto::topic::PumpAddress;

use super::{Desk, Standing};

impl Desk {
    /// Every treatment of which somebody has said anything.
    #[must_use]
    pub fn treatments(&self) -> Vec<(PumpAddress, Arc<Standing>)> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let standing =
            places.iter().map(|(address, place)| (address.clone(), place.standing.load_full()));
        standing.filter(|(_address, standing)| standing.record.version > 0).collect()
    }
}
