//! I8: what an agent sent is what a gateway judged and what it counts as missing.

use ecmo_core::sequence::SequenceCounters;

use super::ordered::Order;
use super::{Invariant, Verdict, Violation};
use crate::agent::Run;
use crate::rules::Pace;
use crate::time::{Nanos, SECOND};

/// Frames that are on their way may be as old as a good network and the wait for a missing one make them.
const UNDER_WAY: Nanos = SECOND;

/// I8, of what a gateway counts: between the first and the newest frame of each run every frame is judged or missing.
///
/// # Errors
/// The counts do not add up.
pub fn check_counts(
    gateway: usize,
    pump: usize,
    order: &Order,
    counters: SequenceCounters,
    now: Nanos,
) -> Verdict {
    let sent = order.judged + order.gaps;
    let counted = counters.accepted + counters.missing;
    if counted == sent {
        return Ok(());
    }
    let what = format!(
        "of {sent} frames of pump {pump} gateway {gateway} counts {} as judged and {} as missing",
        counters.accepted, counters.missing
    );
    Err(Violation::new(Invariant::Counted, now, what))
}

/// I8, of what an agent has sent, once nothing has been wrong for a while: but for what is under way, everything has come.
///
/// # Errors
/// A frame that was sent is neither judged nor missing.
pub fn check_sent(
    gateway: usize,
    pump: usize,
    order: &Order,
    run: Run,
    pace: Pace,
    now: Nanos,
) -> Verdict {
    let Some((_, newest)) = order.newest().filter(|(boot, _)| *boot == run.boot) else {
        let what =
            format!("gateway {gateway} has judged nothing of the present run of pump {pump}");
        return Err(Violation::new(Invariant::Counted, now, what));
    };
    let under_way = run.frames.saturating_sub(newest + 1);
    if under_way <= 1 + UNDER_WAY / pace.period {
        return Ok(());
    }
    let what = format!(
        "{under_way} frames of pump {pump} that were sent are unknown to gateway {gateway}"
    );
    Err(Violation::new(Invariant::Counted, now, what))
}
