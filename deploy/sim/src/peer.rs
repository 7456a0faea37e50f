//! What one gateway tells the other: what people did, and that it lives.

use ecmo_core::alarm::action::Action;

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
