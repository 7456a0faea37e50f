//! The drill: a synthetic pump that alarms once in a while, through real brokers, so that the whole alarm path proves itself.
//!
//! What is published here comes back over the brokers as any agent's frames do. Whether it came in time is judged on the alarm thread.

use std::time::Duration;

use bytes::Bytes;
use ecmo_proto::topic::{DRILL, Id, Kind, PumpAddress};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::engine::{DRILL_LIMIT, DRILL_PARAMETER, EngineHandle};
use crate::ingest::Requests;
use crate::metrics::Said;
use crate::request::DrillPump;

/// Between two steps of a drill: the birth with a quiet sample, the sample beyond the limit, and the quiet one after it.
const STEP: Duration = Duration::from_millis(100);

/// From the connection to the first drill, and from one that was missed to the next (prop): what comes through again ends the
/// alarm soon, and a connection that has just been made is not tried while it settles.
const SOON: Duration = Duration::from_secs(5);

/// A quiet sample, as far above the limit as the one of a drill is below it.
#[expect(clippy::cast_possible_truncation, reason = "a limit of some thousand revolutions")]
const QUIET: i32 = 2 * DRILL_LIMIT as i32;

/// A sample beyond the limit.
const BEYOND: i32 = 0;

/// What a drill needs.
#[derive(Debug)]
pub struct DrillParts {
    /// The clock, which is that of the synthetic pump too.
    pub clock: Clock,
    /// The way to the alarm thread, which judges.
    pub engine: EngineHandle,
    /// The way to the brokers.
    pub requests: Requests,
    /// Name of this gateway.
    pub name: Id,
    /// Time between two drills; zero: there is none.
    pub every: Duration,
}

/// Sends a drill each time that it is due, until the gateway ends. The first one once a broker is read: before, that there is none
/// is told by itself.
pub async fn run(parts: DrillParts) -> &'static str {
    let Ok(ward) = Id::new(DRILL) else { return "drill" };
    if parts.every.is_zero() {
        std::future::pending::<()>().await;
    }
    let place = PumpAddress { ward, pump: parts.name.clone() };
    let paths = parts.requests.paths().count();
    let mut pump = DrillPump::new(parts.name.as_str(), fastrand::u64(1..), paths, DRILL_PARAMETER);
    while !parts.engine.is_linked() {
        sleep(STEP).await;
    }
    sleep(SOON.min(parts.every)).await;
    for number in 0_u64.. {
        let say = |kind, bytes: Bytes| {
            // Where it goes over no path, that is counted, and the drill is missed.
            let _paths = parts.requests.say(Said::Drill, &place, kind, &bytes);
        };
        say(Kind::Birth, pump.birth());
        let mut frame = |count| pump.frame(count, parts.clock.now(), parts.clock.wall_ns());
        say(Kind::Frame, frame(QUIET));
        sleep(STEP).await;
        // Before it is sent: its decision must not overtake it. Without room it is not judged; the next one is.
        let _no_room = parts.engine.drill_sent(number);
        say(Kind::Frame, frame(BEYOND));
        sleep(STEP).await;
        say(Kind::Frame, frame(QUIET));
        wait(&parts).await;
    }
    "drill"
}

/// Waits for the next drill: a whole period, or, once the one before was missed, until it is time to try again.
async fn wait(parts: &DrillParts) {
    let mut waited = Duration::ZERO;
    while waited < parts.every && !(waited >= SOON && parts.engine.has_missed_drill()) {
        let step = SOON.min(parts.every.saturating_sub(waited));
        sleep(step).await;
        waited += step;
    }
}
