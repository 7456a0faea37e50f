//! What people have said about one treatment: its case, limits that they set, contexts that they declared.

use alloc::vec::Vec;

use crate::alarm::rule::RuleKey;
use crate::case::Case;
use crate::time::Instant;

/// What is being done to the circuit or the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContextKind {
    /// The circuit is filled before use.
    Priming,
    /// Cannulae are placed.
    Cannulation,
    /// The circuit is clamped on trial.
    ClampTrial,
    /// Flow is reduced to wean the patient.
    Wean,
    /// Parts of the circuit are changed.
    CircuitChange,
    /// The patient is moved.
    Transport,
    /// The airway is cleared.
    Suctioning,
    /// Transducers are zeroed.
    Zeroing,
}

impl ContextKind {
    /// Every context.
    pub const ALL: [Self; 8] = [
        Self::Priming,
        Self::Cannulation,
        Self::ClampTrial,
        Self::Wean,
        Self::CircuitChange,
        Self::Transport,
        Self::Suctioning,
        Self::Zeroing,
    ];

    /// Stable id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Priming => "priming",
            Self::Cannulation => "cannulation",
            Self::ClampTrial => "clamp_trial",
            Self::Wean => "wean",
            Self::CircuitChange => "circuit_change",
            Self::Transport => "transport",
            Self::Suctioning => "suctioning",
            Self::Zeroing => "zeroing",
        }
    }

    /// The context of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }
}

/// A context that is declared now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Which.
    pub kind: ContextKind,
    /// When it ends by itself, by the reader's clock.
    pub until: Instant,
}

/// A limit that a person has set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Override {
    /// Of which rule.
    pub key: RuleKey,
    /// The number, in the unit of the rule's bound.
    pub number: f32,
}

/// What people have said about one treatment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Treatment {
    /// Goes up with each change.
    pub version: u64,
    /// Number of the patient at this pump: another number means another patient.
    pub patient: u32,
    /// The case.
    pub case: Case,
    /// Number of the circuit within the treatment: another number means another membrane.
    pub circuit: u32,
    /// Membrane resistance of this circuit when it was new, in mmHg.min/L, where it is known from before.
    pub membrane_baseline: Option<f32>,
    /// Limits that differ from the profile's.
    pub overrides: Vec<Override>,
    /// Contexts that have not expired.
    pub contexts: Vec<Context>,
}

impl Treatment {
    /// When the next context expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.contexts.iter().map(|context| context.until).min()
    }

    /// Forgets contexts that have expired; whether there were any.
    pub fn expire(&mut self, now: Instant) -> bool {
        let before = self.contexts.len();
        self.contexts.retain(|context| context.until > now);
        self.contexts.len() < before
    }
}
