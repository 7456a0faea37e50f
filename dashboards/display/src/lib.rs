//! What every display does alike: joins the streams of one or two gateways into one picture that is never taken for live when it is not.
//!
//! [`Screen`] is a state machine without I/O and without a clock: messages and the display's own monotonic time go in, rows,
//! pumps and the state of each link come out. Whoever drives it opens the streams, paints, and says what it has painted.

mod time;

mod bounded;

mod lane;

mod row;

mod link;

mod merge;

mod pump;

mod screen;

pub use lane::{LATE_AFTER, LOST_AFTER, LinkId, Why};
pub use link::{LinkState, LinkView};
pub use pump::{Freshness, PumpView, VALUE_LIVE_MAX, VALUE_SHOWN_MAX};
pub use row::{Change, Missed, Row, RowKey, Shown, Told, rank};
pub use screen::{Picture, Resubscribe, Screen};
pub use time::{GatewayClock, GatewayTime, LocalTime};
