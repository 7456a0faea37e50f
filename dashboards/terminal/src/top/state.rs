//! What `top` knows and may show: applies messages, ages it, decides what is unknown. Pure: time is an argument.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Zoned;

use crate::age::{GatewayClock, GatewayTime, LocalTime};
use crate::alarm_book::{AlarmBook, Change};
use crate::client::{AlarmUpdate, AlarmsUpdate, ClientError, PumpsUpdate, ShownAlarm};
use crate::follow::Followed;
use crate::model::{Alarm, Pump, PumpName, Shown};
use crate::verdict::alarms_are_judged;

/// Points of a sparkline: at four a second, two minutes.
pub(crate) const TREND_POINTS_MAX: usize = 480;

/// Most pumps kept; the gateway is made for fewer. More are counted and told.
const PUMPS_MAX: usize = 256;

/// A picture older than this is told to be old, long before the link counts as lost.
const PICTURE_AGE_MAX: Duration = Duration::from_secs(1);

/// Parameters that a sparkline may show, the first that a pump has.
const TREND_OF: [&str; 3] = ["flow.blood", "press.drain", "pt.abp"];

/// Whether one subscription stands.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    /// Nothing arrived yet; with the newest reason why not.
    Connecting(Option<String>),
    /// Messages arrive.
    Connected,
    /// Lost, and since when: by this display's monotonic clock for the age, by its wall clock for people.
    Lost { since: LocalTime, wall: Zoned, reason: String },
}

impl Link {
    /// Whether what it brought may be shown as the present.
    pub(crate) const fn is_connected(&self) -> bool {
        match self {
            Self::Connected => true,
            Self::Connecting(_) | Self::Lost { .. } => false,
        }
    }

    fn lose(&mut self, error: &ClientError, local: LocalTime, wall: &Zoned) {
        let reason = error.chain();
        *self = match std::mem::replace(self, Self::Connected) {
            Self::Connecting(_) => Self::Connecting(Some(reason)),
            Self::Connected => Self::Lost { since: local, wall: wall.clone(), reason },
            Self::Lost { since, wall, .. } => Self::Lost { since, wall, reason },
        };
    }
}

/// One pump and its recent values.
#[derive(Debug)]
pub(crate) struct Tile {
    pub(crate) pump: Pump,
    /// One point each quarter second, the newest last; `None` where no value held.
    pub(crate) trend: VecDeque<Option<f32>>,
}

/// What the keyboard is for at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All tiles.
    Overview,
    /// One pump.
    Details,
    /// The keys.
    Help,
    /// Acknowledging one revision of one alarm; the text is the name typed so far.
    Acknowledge { shown: ShownAlarm, name: String },
}

/// The last heartbeat of the alarm thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heartbeat {
    pub(crate) wall_ns: i64,
    pub(crate) at: LocalTime,
}

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct Top {
    pub(crate) url: String,
    pub(crate) tiles: BTreeMap<PumpName, Tile>,
    pub(crate) pumps_link: Link,
    pub(crate) alarms_link: Link,
    pub(crate) book: AlarmBook,
    pub(crate) heartbeat: Option<Heartbeat>,
    /// The slowest hop's name and p99 in nanoseconds.
    pub(crate) slowest: Option<(String, u64)>,
    pub(crate) mode: Mode,
    pub(crate) selected_pump: Option<PumpName>,
    pub(crate) selected_alarm: Option<String>,
    /// Lines that the details are moved up by.
    pub(crate) scroll: u16,
    /// Who acknowledges; asked for once.
    pub(crate) operator: String,
    /// The newest note, and when it was made.
    pub(crate) note: Option<(String, LocalTime)>,
    pub(crate) unlisted_pumps: usize,
    pumps_clock: GatewayClock,
    alarms_clock: GatewayClock,
    pumps_epoch: u64,
    alarms_epoch: u64,
    pumps_fresh: bool,
    alarm_round: GatewayTime,
    told: BTreeSet<(String, u32)>,
}

impl Top {
    /// Knows nothing yet.
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            tiles: BTreeMap::new(),
            pumps_link: Link::Connecting(None),
            alarms_link: Link::Connecting(None),
            book: AlarmBook::default(),
            heartbeat: None,
            slowest: None,
            mode: Mode::Overview,
            selected_pump: None,
            selected_alarm: None,
            scroll: 0,
            operator: String::new(),
            note: None,
            unlisted_pumps: 0,
            pumps_clock: GatewayClock::default(),
            alarms_clock: GatewayClock::default(),
            pumps_epoch: 0,
            alarms_epoch: 0,
            pumps_fresh: true,
            alarm_round: GatewayTime(0),
            told: BTreeSet::new(),
        }
    }

    /// Takes what the pumps' subscription told.
    pub(crate) fn take_pumps(
        &mut self,
        followed: Followed<PumpsUpdate>,
        local: LocalTime,
        wall: &Zoned,
    ) {
        let update = match followed {
            Followed::Message(update) => update,
            Followed::Lost(error) => {
                self.pumps_link.lose(&error, local, wall);
                self.pumps_fresh = true;
                return;
            }
        };
        if update.epoch != self.pumps_epoch {
            self.pumps_clock = GatewayClock::default();
            self.pumps_epoch = update.epoch;
        }
        self.pumps_clock.observe(update.now, local);
        self.alarm_round = update.alarm_round;
        self.pumps_link = Link::Connected;
        // The first message of a subscription holds every pump: what it does not name is not known to the gateway.
        if std::mem::take(&mut self.pumps_fresh) {
            let named: BTreeSet<&PumpName> = update.pumps.iter().map(|pump| &pump.name).collect();
            self.tiles.retain(|name, _| named.contains(name));
            self.unlisted_pumps = 0;
        }
        for pump in update.pumps {
            self.keep(pump);
        }
        let known = |name: &PumpName| self.tiles.contains_key(name);
        if !self.selected_pump.as_ref().is_some_and(known) {
            self.selected_pump = self.tiles.keys().next().cloned();
        }
    }

    fn keep(&mut self, pump: Pump) {
        if let Some(tile) = self.tiles.get_mut(&pump.name) {
            tile.pump = pump;
        } else if self.tiles.len() < PUMPS_MAX {
            let tile = Tile { trend: VecDeque::with_capacity(TREND_POINTS_MAX), pump };
            self.tiles.insert(tile.pump.name.clone(), tile);
        } else {
            self.unlisted_pumps = self.unlisted_pumps.saturating_add(1);
        }
    }

    /// Takes what the alarms' subscription told.
    pub(crate) fn take_alarms(
        &mut self,
        followed: Followed<AlarmsUpdate>,
        local: LocalTime,
        wall: &Zoned,
    ) {
        let message = match followed {
            Followed::Message(message) => message,
            Followed::Lost(error) => return self.alarms_link.lose(&error, local, wall),
        };
        if message.epoch != self.alarms_epoch {
            self.alarms_clock = GatewayClock::default();
            self.alarms_epoch = message.epoch;
            self.told.clear();
        }
        self.alarms_clock.observe(message.now, local);
        self.alarms_link = Link::Connected;
        match message.update {
            AlarmUpdate::Snapshot(alarms) => {
                self.book.snapshot(message.epoch, alarms);
            }
            AlarmUpdate::Alarm(alarm) => {
                if let Some(Change::Ended(alarm)) = self.book.apply(*alarm) {
                    self.told.retain(|(occurrence, _)| *occurrence != alarm.occurrence);
                }
            }
            AlarmUpdate::Heartbeat(wall_ns) => {
                self.heartbeat = Some(Heartbeat { wall_ns, at: local });
            }
        }
        let active = |occurrence: &String| self.book.get(occurrence).is_some();
        if !self.selected_alarm.as_ref().is_some_and(active) {
            self.selected_alarm =
                self.book.by_urgency().first().map(|alarm| alarm.occurrence.clone());
        }
    }

    /// Adds a point to every sparkline; a gap where no value holds.
    pub(crate) fn sample_trends(&mut self, local: LocalTime) {
        let now = self.pumps_now(local);
        let connected = self.pumps_link.is_connected();
        for tile in self.tiles.values_mut() {
            let value =
                trend_reading(&tile.pump).and_then(|reading| match tile.pump.shown(reading, now) {
                    Shown::Now { value, .. } => Some(value),
                    Shown::None { .. } => None,
                });
            if tile.trend.len() >= TREND_POINTS_MAX {
                tile.trend.pop_front();
            }
            tile.trend.push_back(value.filter(|_| connected));
        }
    }

    /// The gateway's time, for what the pumps' subscription brought.
    pub(crate) fn pumps_now(&self, local: LocalTime) -> GatewayTime {
        self.pumps_clock.now(local).unwrap_or_default()
    }

    /// The gateway's time, for what the alarms' subscription brought.
    pub(crate) fn alarms_now(&self, local: LocalTime) -> GatewayTime {
        self.alarms_clock.now(local).unwrap_or_default()
    }

    /// How old the picture is, once that is worth a warning.
    pub(crate) fn picture_is_old(&self, local: LocalTime) -> Option<Duration> {
        let connected = self.pumps_link.is_connected();
        self.pumps_clock.delay(local).filter(|delay| connected && *delay > PICTURE_AGE_MAX)
    }

    /// Whether the gateway's alarm thread works, as far as the pumps' subscription tells.
    pub(crate) fn alarms_are_judged(&self, local: LocalTime) -> bool {
        alarms_are_judged(self.alarm_round, self.pumps_now(local))
    }

    /// Live pumps, and all.
    pub(crate) fn live(&self, local: LocalTime) -> (usize, usize) {
        let now = self.pumps_now(local);
        let connected = self.pumps_link.is_connected();
        let live = self.tiles.values().filter(|tile| connected && tile.pump.is_live(now)).count();
        (live, self.tiles.len())
    }

    /// The active alarms of a pump, most urgent first.
    pub(crate) fn alarms_of(&self, name: &PumpName) -> Vec<&Alarm> {
        let mut alarms = self.book.by_urgency();
        alarms.retain(|alarm| {
            alarm.ward == name.ward && alarm.pump.as_ref().is_some_and(|pump| *pump == name.pump)
        });
        alarms
    }

    /// Whether any active alarm comes from limits that nobody has signed.
    pub(crate) fn is_unreviewed(&self) -> bool {
        self.book.active().any(|alarm| alarm.unreviewed)
    }

    /// What was drawn, less what was told to the gateway before.
    pub(crate) fn newly_shown(&mut self, drawn: Vec<ShownAlarm>) -> Vec<ShownAlarm> {
        // Without a link the list is history, and a confirmation would be a lie about the present.
        if !self.alarms_link.is_connected() {
            return Vec::new();
        }
        let mut new = drawn;
        new.retain(|alarm| self.told.insert((alarm.occurrence.clone(), alarm.revision)));
        new
    }

    /// A note for the person at the screen.
    pub(crate) fn say(&mut self, text: String, local: LocalTime) {
        self.note = Some((text, local));
    }
}

/// The reading that a pump's sparkline shows.
pub(crate) fn trend_reading(pump: &Pump) -> Option<&crate::model::Reading> {
    let find = |id: &&str| pump.readings.iter().find(|reading| reading.parameter == **id);
    TREND_OF.iter().find_map(find)
}
