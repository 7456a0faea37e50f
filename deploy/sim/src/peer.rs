//! What one gateway tells the other: what people did, and that it lives.

use std::time::Duration;

use ecmo_core::alarm::action::{Action, What};

/// An action with its name.
#[derive(Debug, Clone)]
pub struct PeerAction {
    /// Gateway that took it, and its number there: unique.
    pub id: (usize, u64),
    /// Which pump.
    pub pump: usize,
    /// What was done.
    pub action: Action,
}

impl PeerAction {
    /// As it is after a time: a pause or an offer that was made then lasts for so much less.
    #[must_use]
    pub fn aged(&self, by: Duration) -> Self {
        let mut aged = self.clone();
        match &mut aged.action.what {
            What::Pause { left, .. } | What::Shelve { left, .. } => {
                *left = left.saturating_sub(by);
            }
            What::Own(state) => {
                if let Some((_to, left)) = &mut state.offer {
                    *left = left.saturating_sub(by);
                }
            }
            What::Acknowledge(_)
            | What::AcknowledgeEnded(_)
            | What::Resume { .. }
            | What::Bed(_) => {}
        }
        aged
    }
}

/// A gateway's word about itself.
#[derive(Debug, Clone, Copy)]
pub struct PeerWord {
    /// Who.
    pub gateway: usize,
    /// Whether it asks for every action that still counts.
    pub wants: bool,
    /// How many actions it knows, and a digest of their names.
    pub actions: (usize, u64),
}
