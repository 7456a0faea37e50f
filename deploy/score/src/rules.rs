//! The rules that a run is judged by, and the pump that carries them: the one place that knows how a case becomes rules.

use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use ecmo_core::alarm::Output;
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::case::Case;
use ecmo_core::pump::Pump;
use ecmo_core::time::Instant;

use crate::source::Subject;

/// How long a missing frame is waited for, as in the gateway.
const WINDOW: Duration = Duration::from_millis(100);

/// A rule set, and what names it in a report.
#[derive(Debug, Clone)]
pub struct RuleBook {
    profile: Arc<Profile>,
}

impl RuleBook {
    /// The starter profile that the project ships.
    #[must_use]
    pub fn shipped() -> Self {
        Self { profile: Arc::new(ecmo_profile::starter()) }
    }

    /// The profile of a file.
    ///
    /// # Errors
    /// It cannot be read, or is refused: with every problem it has.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the profile {}", path.display()))?;
        let profile = ecmo_profile::parse(&text)
            .with_context(|| format!("the profile {} is refused", path.display()))?;
        Ok(Self { profile: Arc::new(profile) })
    }

    /// Name, version and fingerprint of the profile, and whether somebody has signed it.
    #[must_use]
    pub fn name(&self) -> String {
        let Profile { name, version, hash, reviewed_by, .. } = &*self.profile;
        let reviewed = match reviewed_by {
            Some(who) => format!("reviewed by {who}"),
            None => "unreviewed".to_owned(),
        };
        format!("{name}, version {version}, hash {hash:016x}, {reviewed}")
    }

    /// A pump of which data is expected from `now` on, with a treatment as a person would have entered it.
    #[must_use]
    pub fn pump(&self, subject: &Subject, now: Instant, out: &mut impl Output) -> Pump {
        let case = Case {
            pump_kind: subject.kind,
            therapy: subject.therapy,
            weight_kg: subject.kg.map(narrow),
            flow_target: subject.target_ml_min.map(narrow),
            oxygenator_flow_min: subject.oxygenator_flow_min.map(narrow),
            speed_max: subject.speed_max.map(narrow),
        };
        let membrane_baseline = subject.membrane_baseline.map(narrow);
        let treatment = Treatment { version: 1, case, membrane_baseline, ..Treatment::default() };
        let mut pump = Pump::new(Arc::clone(&self.profile), WINDOW, now);
        pump.set_treatment(treatment, now, out);
        pump
    }
}

#[expect(clippy::cast_possible_truncation, reason = "numbers of a case, far within an f32")]
const fn narrow(number: f64) -> f32 {
    number as f32
}
