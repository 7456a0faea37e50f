//! I2 and I3: what a display shows as of now is of now, and of the pump beside whose name it stands.
//!
//! A gateway that has just started and has no answer of an agent yet cannot know how long its first frames were held somewhere: it
//! says so, and a display shows none of them as of now.

use ecmo_core::pump::AGE_ERROR_MAX;
use ecmo_display::VALUE_LIVE_MAX;

use super::{Invariant, Verdict, Violation};
use crate::agent::pump_of;
use crate::display::LiveValue;
use crate::gateway::Told;
use crate::many::Many;
use crate::time::{MS, Nanos};
use crate::truth::{Truth, decoded};

/// A value that is older than this is never shown as one of now: it may be older than it looks by what its gateway does not know.
#[must_use]
pub fn bound() -> Nanos {
    u64::try_from((VALUE_LIVE_MAX + AGE_ERROR_MAX).as_nanos()).unwrap_or(u64::MAX)
}

/// I2, of a value that is shown as one of now. How old it really is.
///
/// # Errors
/// It is older than its bound.
pub fn check_age(
    display: usize,
    shown: &LiveValue,
    truths: &Many<Truth>,
    now: Nanos,
) -> Result<Nanos, Violation> {
    let coded = decoded(shown.value);
    let age = truths.iter().nth(coded.pump).and_then(|truth| truth.age(coded.sample, now));
    match age {
        Some(age) if age <= bound() => Ok(age),
        Some(_) | None => {
            let age = age.map_or_else(
                || "older than anybody remembers".to_owned(),
                |age| format!("{} ms old", age / MS),
            );
            let what = format!(
                "display {display} shows a value of pump {} as of now that is {age}, bound {} ms",
                shown.pump,
                bound() / MS
            );
            Err(Violation::new(Invariant::Fresh, now, what))
        }
    }
}

/// I3, of a value that is shown as one of now.
///
/// # Errors
/// Another pump measured it.
pub fn check_pump(display: usize, shown: &LiveValue, now: Nanos) -> Verdict {
    let measured_by = decoded(shown.value).pump;
    if measured_by == shown.pump {
        return Ok(());
    }
    let what =
        format!("display {display} shows at pump {} a value of pump {measured_by}", shown.pump);
    Err(Violation::new(Invariant::Own, now, what))
}

/// I3, of an alarm: its run is one of its own pump.
///
/// # Errors
/// It is of a run of another pump.
pub fn check_alarm(gateway: usize, told: &Told, now: Nanos) -> Verdict {
    let (Some(pump), Some(boot)) = (told.pump(), told.occurrence.id.boot) else { return Ok(()) };
    if pump_of(boot) == pump {
        return Ok(());
    }
    let id = told.occurrence.id;
    let what =
        format!("gateway {gateway} tells at pump {pump} of {id}, a run of pump {}", pump_of(boot));
    Err(Violation::new(Invariant::Own, now, what))
}
