//! One subscription of one link: numbered without a gap, of one epoch, and heard of lately.

use std::time::Duration;

use crate::time::{GatewayClock, GatewayTime, LocalTime};

/// One link of a display to a gateway, by its place in the display's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u8);

/// A link whose newest message is older than this is late. The gateway's alarm thread sends one each second. (prop)
pub const LATE_AFTER: Duration = Duration::from_millis(1_500);

/// A link whose newest message is older than this is lost: a frozen gateway gives no other sign. (prop)
pub const LOST_AFTER: Duration = Duration::from_secs(3);

/// Why a subscription is of no use any more and must be opened anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It has not been opened, or it ended.
    Ended,
    /// A message never came.
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// The gateway was started anew.
    Epoch,
    /// Nothing came for [`LOST_AFTER`].
    Silent,
}

/// What a message is in its subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first one: it holds everything.
    First,
    /// The next one.
    Next,
    /// Of no use: something before it is missing.
    Useless,
}

/// One subscription.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    /// Epoch of what is known.
    pub(crate) epoch: Option<u64>,
    /// The number of the next message, or why there is none.
    next: Result<u64, Why>,
    /// The gateway's clock, of this epoch.
    pub(crate) clock: GatewayClock,
    /// What answers told of the clock of an epoch that this subscription has not told of yet: they may overtake it.
    clock_ahead: Option<(u64, GatewayClock)>,
    /// The clock of the epoch before: times of then mean nothing on the present one.
    pub(crate) clock_before: GatewayClock,
    /// The newest time that the gateway told here without a gap before it.
    pub(crate) newest: GatewayTime,
    /// Since when it has been of no use, where it ever was.
    pub(crate) lost_at: Option<LocalTime>,
}

impl Lane {
    /// Not opened yet.
    pub(crate) fn new() -> Self {
        Self {
            epoch: None,
            next: Err(Why::Ended),
            clock: GatewayClock::default(),
            clock_ahead: None,
            clock_before: GatewayClock::default(),
            newest: GatewayTime::default(),
            lost_at: None,
        }
    }

    /// Places a message.
    pub(crate) fn take(
        &mut self,
        sequence: u64,
        epoch: u64,
        now: GatewayTime,
        local: LocalTime,
    ) -> Place {
        let place = match self.next {
            // A subscription always begins with everything.
            _ if sequence == 0 => {
                if self.epoch != Some(epoch) {
                    let ahead = self.clock_ahead.take().filter(|(of, _clock)| *of == epoch);
                    let clock = ahead.map_or_else(GatewayClock::default, |(_of, clock)| clock);
                    self.clock_before = std::mem::replace(&mut self.clock, clock);
                    self.newest = GatewayTime::default();
                }
                self.epoch = Some(epoch);
                self.lost_at = None;
                Place::First
            }
            Err(_) => return Place::Useless,
            Ok(_) if self.epoch != Some(epoch) => {
                self.lose(Why::Epoch, local);
                return Place::Useless;
            }
            Ok(expected) if sequence != expected => {
                self.lose(Why::Gap { expected, got: sequence }, local);
                return Place::Useless;
            }
            Ok(_) => Place::Next,
        };
        self.next = Ok(sequence.saturating_add(1));
        self.clock.observe(now, local);
        self.newest = self.newest.max(now);
        place
    }

    /// A question that was sent at `sent` was answered at `now` of the gateway's start `epoch`.
    pub(crate) fn answered(
        &mut self,
        epoch: u64,
        now: GatewayTime,
        sent: LocalTime,
        local: LocalTime,
    ) {
        if self.epoch == Some(epoch) {
            self.clock.answered(now, sent, local);
            return;
        }
        let ahead = self.clock_ahead.take().filter(|(of, _clock)| *of == epoch);
        let (_of, mut clock) = ahead.unwrap_or_default();
        clock.answered(now, sent, local);
        self.clock_ahead = Some((epoch, clock));
    }

    /// It is of no use until it begins anew.
    pub(crate) fn lose(&mut self, why: Why, local: LocalTime) {
        if self.next.is_ok() {
            self.lost_at = Some(local);
        }
        self.next = Err(why);
    }

    /// How old its newest message is; `None` when it is of no use.
    pub(crate) fn silence(&self, local: LocalTime) -> Option<Duration> {
        self.next.ok()?;
        let now = self.clock.now(local)?;
        Some(self.newest.age_at(now))
    }

    /// Why messages are of no use; `None` while they are, however late.
    pub(crate) const fn cut(&self) -> Option<Why> {
        match self.next {
            Ok(_) => None,
            Err(why) => Some(why),
        }
    }

    /// Why it must be opened anew; `None` while it is of use.
    pub(crate) fn broken(&self, local: LocalTime) -> Option<Why> {
        match (self.next, self.silence(local)) {
            (Err(why), _) => Some(why),
            (Ok(_), Some(silence)) if silence <= LOST_AFTER => None,
            (Ok(_), _) => Some(Why::Silent),
        }
    }
}
