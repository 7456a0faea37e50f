//! A limit tried on what the values were. It changes nothing, and runs beside the alarm thread.

use std::sync::Arc;

use ecmo_core::alarm::rule::{LimitRule, NotEvaluable, RuleKey};
use ecmo_core::alarm::treatment::Override;
use ecmo_core::parameter::Parameter;
use ecmo_proto::topic::PumpAddress;

use super::{Desk, DeskError, check_circuit};
use crate::fanout::RuleBook;
use crate::history::{Trial, needed, try_limit};

/// What a limit would have done, beside what the one in force would have done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitTrial {
    /// With the number that was asked for.
    pub wanted: Trial,
    /// Alarms of the rule in force; 0 while it cannot be judged.
    pub in_force_alarms: u32,
    /// What was looked at.
    pub parameter: Parameter,
}

fn find(rules: &[LimitRule], key: RuleKey) -> Option<LimitRule> {
    rules.iter().find(|rule| rule.key == key).cloned()
}

impl Desk {
    /// Tries a limit on what is held.
    ///
    /// # Errors
    /// The pump was never seen; or what [`Desk::set_limit`] would refuse.
    pub async fn try_limit(
        &self,
        address: &PumpAddress,
        rule: &str,
        number: f32,
    ) -> Result<LimitTrial, DeskError> {
        let slot = self.slot(address)?;
        let standing = self.standing(address);
        let key = standing.record.check_limit(rule, Some(number), &self.parts.profile)?;
        check_circuit(&slot, key)?;
        let book = slot.rules();
        let wanted = self.as_wanted(&book, key, number)?;
        let in_force = find(book.rules.limits(), key);
        let rows = self.parts.histories.rows(address, &needed(&wanted));
        let kind = book.treatment.case.pump_kind;
        let judge = move || {
            let alarms = in_force.map_or(0, |rule| try_limit(&rule, kind, &rows).alarms);
            let parameter = wanted.parameter;
            let wanted = try_limit(&wanted, kind, &rows);
            LimitTrial { wanted, in_force_alarms: alarms, parameter }
        };
        // It fails only with a gateway that ends.
        tokio::task::spawn_blocking(judge).await.map_err(|_ending| DeskError::NotConfirmed)
    }

    /// The rule as it would be in force with the number.
    fn as_wanted(
        &self,
        book: &Arc<RuleBook>,
        key: RuleKey,
        number: f32,
    ) -> Result<LimitRule, DeskError> {
        let mut treatment = book.treatment.clone();
        treatment.overrides.retain(|set| set.key != key);
        treatment.overrides.push(Override { key, number });
        let rules = self.parts.profile.resolve(&treatment);
        find(rules.limits(), key).ok_or_else(|| {
            let why = rules.not_evaluable.iter().find(|(waits, _why)| *waits == key);
            let why = why.map_or(NotEvaluable::NoReference, |(_key, why)| *why);
            DeskError::NotEvaluable(key, why)
        })
    }
}
