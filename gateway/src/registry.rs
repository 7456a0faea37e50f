//! The directory of pumps for the serving side. The only module that touches the map's guards: none leaves, none is
//! held over a wait, and the alarm thread never comes here.

use std::sync::Arc;

use arc_swap::ArcSwap;
use dashmap::DashMap;
use ecmo_proto::topic::{Id, PumpAddress};

use crate::fanout::PumpSlot;

/// Every pump that the gateway knows.
#[derive(Debug, Default)]
pub struct Registry {
    pumps: DashMap<PumpAddress, Arc<PumpSlot>>,
    /// All of them, sorted: displays look many times a second, and a new pump comes seldom.
    sorted: ArcSwap<Vec<Arc<PumpSlot>>>,
}

impl Registry {
    /// Adds a pump. One task at a time.
    pub fn insert(&self, slot: Arc<PumpSlot>) {
        self.pumps.insert(slot.address.clone(), slot);
        let mut slots: Vec<_> = self.pumps.iter().map(|slot| Arc::clone(&slot)).collect();
        slots.sort_by(|one, other| one.address.cmp(&other.address));
        self.sorted.store(Arc::new(slots));
    }

    /// One pump.
    #[must_use]
    pub fn get(&self, address: &PumpAddress) -> Option<Arc<PumpSlot>> {
        self.pumps.get(address).map(|slot| Arc::clone(&slot))
    }

    /// The pumps of one ward, or all, sorted by ward and pump.
    #[must_use]
    pub fn list(&self, ward: Option<&Id>) -> Vec<Arc<PumpSlot>> {
        let all = self.all();
        all.iter()
            .filter(|slot| ward.is_none_or(|ward| slot.address.ward == *ward))
            .map(Arc::clone)
            .collect()
    }

    /// Every pump, sorted by ward and pump: the same list until a pump joins.
    #[must_use]
    pub fn all(&self) -> Arc<Vec<Arc<PumpSlot>>> {
        self.sorted.load_full()
    }
}
