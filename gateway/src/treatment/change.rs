//! Changes of a record: each checks the version that the person saw, then the values, and makes the next version.

use std::time::Duration;

use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::rule::RuleKey;
use ecmo_core::alarm::treatment::ContextKind;

use super::record::{
    CHANGES_MAX, CaseEntry, ChangeEntry, ContextEntry, LimitEntry, Person, REASON_CHARS_MAX,
    Record, Stamp, words,
};

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// It rests on another version.
    #[error("the treatment has changed and is now version {present}; look at it again")]
    Version {
        /// The present version.
        present: u64,
    },
    /// It needs a case.
    #[error("there is no case at this pump; start the treatment first")]
    NoCase,
    /// A value is impossible.
    #[error("{0}")]
    Invalid(String),
    /// No such rule in the profile.
    #[error("the profile has no limit {0:?}; list the treatment for the ids")]
    UnknownRule(String),
    /// The rule is meant for another kind of pump or another therapy.
    #[error(
        "the rule {0} is not for this kind of pump or therapy; correct the case if that is wrong"
    )]
    OtherCircuit(RuleKey),
    /// The context is not declared.
    #[error("the context {0} is not declared; look at the treatment again")]
    NotDeclared(&'static str),
}

impl ChangeError {
    pub(super) fn invalid(what: &str) -> Self {
        Self::Invalid(what.to_owned())
    }
}

/// Name under which the gateway itself changes a limit.
const GATEWAY: &str = "gateway";

impl Record {
    fn check_version(&self, seen: u64) -> Result<(), ChangeError> {
        if seen == self.version {
            return Ok(());
        }
        Err(ChangeError::Version { present: self.version })
    }

    fn next(&self) -> Self {
        Self { version: self.version.saturating_add(1), ..self.clone() }
    }

    /// A new patient: limits, contexts and changes of the one before are gone, and so is the circuit.
    ///
    /// # Errors
    /// An older version, or a value out of range.
    pub fn start(
        &self,
        seen: u64,
        case: CaseEntry,
        by: &Person,
        at: Stamp,
    ) -> Result<Self, ChangeError> {
        self.check_version(seen)?;
        Ok(Self {
            version: self.version.saturating_add(1),
            patient: self.patient.saturating_add(1),
            circuit: self.circuit.saturating_add(1),
            case: Some(case.check()?),
            case_by: by.as_str().to_owned(),
            case_wall_ns: at.wall_ns,
            ..Self::default()
        })
    }

    /// Another case of the same patient. Another start of the circuit is another membrane; that the start becomes known,
    /// or is taken back, is not.
    ///
    /// # Errors
    /// An older version, no case so far, or a value out of range.
    pub fn change_case(
        &self,
        seen: u64,
        case: CaseEntry,
        by: &Person,
        at: Stamp,
    ) -> Result<Self, ChangeError> {
        self.check_version(seen)?;
        let before = self.case.as_ref().ok_or(ChangeError::NoCase)?.circuit_start_wall_ns;
        let case = case.check()?;
        let start = case.circuit_start_wall_ns;
        let mut next = self.next();
        if before != start && before != 0 && start != 0 {
            next.circuit = next.circuit.saturating_add(1);
            next.membrane_baseline = None;
        }
        next.case = Some(case);
        by.as_str().clone_into(&mut next.case_by);
        next.case_wall_ns = at.wall_ns;
        Ok(next)
    }

    /// A limit that is set, or taken back with `None`.
    ///
    /// # Errors
    /// An older version, an unknown rule, a number outside of the site's span, no reason, or no case.
    pub fn set_limit(
        &self,
        seen: u64,
        (rule, number): (&str, Option<f32>),
        (by, reason): (&Person, &str),
        at: Stamp,
        profile: &Profile,
    ) -> Result<Self, ChangeError> {
        let reason = words("reason", reason, 1..=REASON_CHARS_MAX)?;
        let limit = self.check_limit(rule, number, profile)?;
        self.check_version(seen)?;
        let mut next = self.next();
        next.put_limit(limit, number, profile);
        next.note(ChangeEntry {
            key: limit,
            from: self.in_force(limit, profile),
            to: next.in_force(limit, profile),
            by: by.as_str().to_owned(),
            reason,
            wall_ns: at.wall_ns,
            version: next.version,
        });
        Ok(next)
    }

    /// The rule of an id, once a number may be set for it.
    ///
    /// # Errors
    /// An unknown rule, no case, a rule for another circuit, a rule that nobody may set, or a number outside of its span.
    pub fn check_limit(
        &self,
        rule: &str,
        number: Option<f32>,
        profile: &Profile,
    ) -> Result<RuleKey, ChangeError> {
        let unknown = || ChangeError::UnknownRule(rule.chars().take(64).collect());
        let key = RuleKey::from_id(rule).ok_or_else(unknown)?;
        let spec = profile.limit(key).ok_or_else(unknown)?;
        if self.case.is_none() {
            return Err(ChangeError::NoCase);
        }
        let Some(number) = number else { return Ok(key) };
        let Some((low, high)) = spec.span else {
            return Err(ChangeError::Invalid(format!(
                "{key}: the site lets nobody set this limit; change the profile if it must be"
            )));
        };
        if (low..=high).contains(&number) {
            return Ok(key);
        }
        Err(ChangeError::Invalid(format!("{key}: the site allows {low} to {high}, not {number}")))
    }

    fn put_limit(&mut self, key: RuleKey, number: Option<f32>, profile: &Profile) {
        self.limits.retain(|limit| limit.key != key);
        // What is set to the profile's own number stays set: another profile must not move it unseen.
        let number = number.filter(|_| profile.limit(key).is_some());
        self.limits.extend(number.map(|number| LimitEntry { key, number }));
    }

    fn in_force(&self, key: RuleKey, profile: &Profile) -> f32 {
        let of_profile = profile.limit(key).map_or(f32::NAN, |spec| spec.bound.number());
        self.number(key).unwrap_or(of_profile)
    }

    fn note(&mut self, change: ChangeEntry) {
        self.changes.insert(0, change);
        self.changes.truncate(CHANGES_MAX);
    }

    /// A context that is declared; one that is declared already is prolonged or cut short.
    ///
    /// # Errors
    /// The profile knows no such context, or not for so long.
    pub fn start_context(
        &self,
        kind: ContextKind,
        minutes: u32,
        by: &Person,
        at: Stamp,
        profile: &Profile,
    ) -> Result<Self, ChangeError> {
        let id = kind.id();
        let Some(spec) = profile.context(kind) else {
            return Err(ChangeError::Invalid(format!("kind: the profile has no context {id}")));
        };
        let lasts = Duration::from_mins(u64::from(minutes));
        if lasts.is_zero() || lasts > spec.longest {
            let longest = spec.longest.as_secs() / 60;
            return Err(ChangeError::Invalid(format!(
                "minutes: the profile allows 1 to {longest} for {id}, not {minutes}"
            )));
        }
        let mut next = self.next();
        next.drop_expired(at);
        let before = next.contexts.iter().find(|context| context.kind == kind);
        let since_wall_ns = before.map_or(at.wall_ns, |context| context.since_wall_ns);
        next.contexts.retain(|context| context.kind != kind);
        let lasts_ns = i64::try_from(lasts.as_nanos()).unwrap_or(i64::MAX);
        next.contexts.push(ContextEntry {
            kind,
            by: by.as_str().to_owned(),
            since_wall_ns,
            until_wall_ns: at.wall_ns.saturating_add(lasts_ns),
            until: at.now.plus(lasts),
        });
        Ok(next)
    }

    /// A context that ends before its time.
    ///
    /// # Errors
    /// It is not declared.
    pub fn end_context(&self, kind: ContextKind, at: Stamp) -> Result<Self, ChangeError> {
        let mut next = self.next();
        next.drop_expired(at);
        let before = next.contexts.len();
        next.contexts.retain(|context| context.kind != kind);
        if next.contexts.len() == before {
            return Err(ChangeError::NotDeclared(kind.id()));
        }
        Ok(next)
    }

    fn drop_expired(&mut self, at: Stamp) {
        self.contexts.retain(|context| context.until > at.now);
    }

    /// The reference of the present membrane has become known; no change of a person. One that is known stays: what a later
    /// run of the gateway learns is of a membrane that has aged, and would hide how much.
    #[must_use]
    pub fn with_baseline(&self, circuit: u32, baseline: Option<f32>) -> Option<Self> {
        let is_wanted =
            circuit == self.circuit && self.case.is_some() && self.membrane_baseline.is_none();
        let found = baseline.filter(|found| is_wanted && found.is_finite())?;
        Some(Self { membrane_baseline: Some(found), ..self.clone() })
    }

    /// As it stands after a restart of the gateway: contexts go on by the wall clock, never longer than the profile allows;
    /// limits that the profile no longer allows go back to the profile's, which is noted among the changes.
    #[must_use]
    pub fn resumed(mut self, at: Stamp, profile: &Profile) -> Self {
        self.contexts.retain_mut(|context| {
            let left = context.until_wall_ns.saturating_sub(at.wall_ns);
            let left = Duration::from_nanos(u64::try_from(left).unwrap_or(0));
            let longest = profile.context(context.kind).map_or(Duration::ZERO, |it| it.longest);
            context.until = at.now.plus(left.min(longest));
            !left.min(longest).is_zero()
        });
        let fits = |limit: &LimitEntry| {
            let span = profile.limit(limit.key).and_then(|spec| spec.span);
            span.is_some_and(|(low, high)| (low..=high).contains(&limit.number))
        };
        let (kept, refused): (Vec<_>, Vec<_>) = self.limits.drain(..).partition(fits);
        self.limits = kept;
        for limit in refused {
            self.version = self.version.saturating_add(1);
            let of_profile = profile.limit(limit.key).map(|spec| spec.bound.number());
            self.note(ChangeEntry {
                key: limit.key,
                from: limit.number,
                to: of_profile.unwrap_or(limit.number),
                by: GATEWAY.to_owned(),
                reason: "the profile no longer allows what was set".to_owned(),
                wall_ns: at.wall_ns,
                version: self.version,
            });
        }
        self
    }
}

#[cfg(test)]
mod tests;
