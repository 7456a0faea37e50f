//! The record of one treatment: case, limits that were set, contexts, and who did what when and why. No identity.

use std::ops::RangeInclusive;

use ecmo_core::alarm::rule::RuleKey;
use ecmo_core::alarm::treatment::{Context, ContextKind, Override, Treatment};
use ecmo_core::case::Case;
use ecmo_core::time::Instant;
use ecmo_proto::topic::PumpAddress;

use super::change::ChangeError;
use super::file;

/// Changes of limits that are remembered.
pub(super) const CHANGES_MAX: usize = 64;

/// Longest pseudonym, name, or word about the circuit, in characters.
pub(super) const WORD_CHARS_MAX: usize = 64;

/// Longest reason, in characters.
pub(super) const REASON_CHARS_MAX: usize = 256;

/// Possible weights, in kg.
const WEIGHT_KG: RangeInclusive<f32> = 0.3..=10.0;

/// Possible flows, in mL/min.
const FLOW_ML_MIN: RangeInclusive<f32> = 1.0..=9990.0;

/// Possible greatest speeds, in rev/min.
const SPEED_RPM: RangeInclusive<f32> = 1.0..=6000.0;

/// Who does something: a name of 1 to 64 printable characters, as they give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person(String);

impl Person {
    /// Checks a name.
    ///
    /// # Errors
    /// It is empty, too long or not printable.
    pub fn new(name: &str) -> Result<Self, ChangeError> {
        words("by", name, 1..=WORD_CHARS_MAX).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// When something is said, by both clocks of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// By its monotonic clock; decisions follow it.
    pub now: Instant,
    /// In nanoseconds since 1970 UTC; for people, and for the time between two runs of the gateway.
    pub wall_ns: i64,
}

/// Why a patient is treated.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Indication {
    /// Not said.
    #[default]
    Unspecified,
    /// Congenital diaphragmatic hernia.
    DiaphragmaticHernia,
    /// Congenital heart defect.
    HeartDefect,
    /// Meconium aspiration.
    MeconiumAspiration,
    /// Pneumonia.
    Pneumonia,
    /// Air leak.
    AirLeak,
    /// Persistent pulmonary hypertension of the newborn.
    Pphn,
    /// After heart surgery.
    AfterHeartSurgery,
    /// Another.
    Other,
}

/// The case as people enter it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseEntry {
    /// How the ward calls the treatment; no name, no date of birth.
    pub pseudonym: String,
    /// What the rules need.
    pub case: Case,
    /// Drainage cannula in words; may be empty.
    pub drainage_cannula: String,
    /// Return cannula in words; may be empty.
    pub return_cannula: String,
    /// Oxygenator in words; may be empty.
    pub oxygenator: String,
    /// When the circuit was started, in nanoseconds since 1970 UTC; 0: not known.
    pub circuit_start_wall_ns: i64,
    /// Why.
    pub indication: Indication,
}

impl CaseEntry {
    /// Checks everything that a person can have mistyped.
    ///
    /// # Errors
    /// The first value out of its range, with the range.
    pub fn check(mut self) -> Result<Self, ChangeError> {
        self.pseudonym = words("pseudonym", &self.pseudonym, 1..=WORD_CHARS_MAX)?;
        self.drainage_cannula =
            words("drainage_cannula", &self.drainage_cannula, 0..=WORD_CHARS_MAX)?;
        self.return_cannula = words("return_cannula", &self.return_cannula, 0..=WORD_CHARS_MAX)?;
        self.oxygenator = words("oxygenator", &self.oxygenator, 0..=WORD_CHARS_MAX)?;
        let case = &self.case;
        number("weight_kg", case.weight_kg, &WEIGHT_KG)?;
        number("flow_target", case.flow_target, &FLOW_ML_MIN)?;
        number("oxygenator_flow_min", case.oxygenator_flow_min, &FLOW_ML_MIN)?;
        number("speed_max", case.speed_max, &SPEED_RPM)?;
        if self.circuit_start_wall_ns < 0 {
            return Err(ChangeError::invalid("circuit_start_wall_ns: use a time after 1970, or 0"));
        }
        Ok(self)
    }
}

/// A text of people: trimmed, printable, of a length in characters.
pub(super) fn words(
    what: &str,
    text: &str,
    chars: RangeInclusive<usize>,
) -> Result<String, ChangeError> {
    let text = text.trim();
    if chars.contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(ChangeError::Invalid(format!(
        "{what}: use {} to {} printable characters",
        chars.start(),
        chars.end()
    )))
}

fn number(what: &str, given: Option<f32>, range: &RangeInclusive<f32>) -> Result<(), ChangeError> {
    if given.is_none_or(|number| range.contains(&number)) {
        return Ok(());
    }
    Err(ChangeError::Invalid(format!(
        "{what}: use {} to {}, or leave it out while it is not known",
        range.start(),
        range.end()
    )))
}

/// A limit that a person has set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitEntry {
    /// Of which rule.
    pub key: RuleKey,
    /// The number, in the unit of the rule's number.
    pub number: f32,
}

/// A change of a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeEntry {
    /// Of which rule.
    pub key: RuleKey,
    /// The number before.
    pub from: f32,
    /// The number after.
    pub to: f32,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, in nanoseconds since 1970 UTC.
    pub wall_ns: i64,
    /// Version that it made.
    pub version: u64,
}

/// A context that is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextEntry {
    /// Which.
    pub kind: ContextKind,
    /// Who declared it.
    pub by: String,
    /// When, in nanoseconds since 1970 UTC.
    pub since_wall_ns: i64,
    /// When it ends by itself, in nanoseconds since 1970 UTC; only a restart of the gateway asks for it.
    pub until_wall_ns: i64,
    /// When it ends by itself, by the gateway's monotonic clock.
    pub until: Instant,
}

/// What people have said about the treatment at one pump.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// Goes up by one with each change of a person; 0 while nobody has said anything.
    pub version: u64,
    /// Number of the patient at this pump, from 1; 0 while there is none.
    pub patient: u32,
    /// Number of the circuit at this pump, from 1; 0 while there is none.
    pub circuit: u32,
    /// The case.
    pub case: Option<CaseEntry>,
    /// Who entered it; empty while nobody has.
    pub case_by: String,
    /// When, in nanoseconds since 1970 UTC.
    pub case_wall_ns: i64,
    /// Membrane resistance of the circuit when it was new, in mmHg.min/L, once known.
    pub membrane_baseline: Option<f32>,
    /// Limits that differ from the profile's.
    pub limits: Vec<LimitEntry>,
    /// Contexts that have not ended.
    pub contexts: Vec<ContextEntry>,
    /// Changes of limits, the newest first.
    pub changes: Vec<ChangeEntry>,
}

impl Record {
    /// As the rules know it.
    #[must_use]
    pub fn treatment(&self) -> Treatment {
        let set = |limit: &LimitEntry| Override { key: limit.key, number: limit.number };
        let context = |context: &ContextEntry| Context { kind: context.kind, until: context.until };
        Treatment {
            version: self.version,
            patient: self.patient,
            case: self.case.as_ref().map(|entry| entry.case).unwrap_or_default(),
            circuit: self.circuit,
            membrane_baseline: self.membrane_baseline,
            overrides: self.limits.iter().map(set).collect(),
            contexts: self.contexts.iter().map(context).collect(),
        }
    }

    /// The record as text with its check sum, as it is kept and as other gateways get it.
    ///
    /// # Errors
    /// What cannot be written; none is known.
    pub fn to_text(&self, address: &PumpAddress) -> Result<String, String> {
        file::write(address, self)
    }

    /// The pump and the record of a text; its contexts have no end yet by the monotonic clock.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn from_text(text: &str) -> Result<(PumpAddress, Self), String> {
        file::read(text)
    }

    /// The number that a person has set.
    #[must_use]
    pub fn number(&self, key: RuleKey) -> Option<f32> {
        self.limits.iter().find(|limit| limit.key == key).map(|limit| limit.number)
    }
}
