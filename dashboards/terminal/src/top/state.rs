//! What `top` knows and may show: applies messages, ages it, decides what is unknown. Pure: time is an argument.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Zoned;

use crate::age::{GatewayClock, GatewayTime, LocalTime};
use crate::alarm_book::{AlarmBook, Change};
use crate::client::{AlarmUpdate, AlarmsUpdate, ClientError, PumpsUpdate, ShownAlarm};
use crate::follow::Followed;
use crate::model::{self, Alarm, Pump, PumpName, Shown, Turning};
use crate::verdict::alarms_are_judged;

/// Points of a sparkline: at four a second, two minutes.
pub(crate) const TREND_POINTS_MAX: usize = 480;

/// Most pumps kept; the gateway is made for fewer. More are counted and told.
const PUMPS_MAX: usize = 256;

/// A picture older than this is told to be old, long before the link counts as lost.
const PICTURE_AGE_MAX: Duration = Duration::from_secs(1);

/// The alarms' stream may rest for a second between two heartbeats; beyond that it is late as a picture is.
const ALARMS_AGE_MAX: Duration = Duration::from_secs(2);

/// A key takes a notice away only after this: one that was pressed for something else must not hide it unread.
const NOTICE_READ_MIN: Duration = Duration::from_secs(2);

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
    /// False when the gateway has restarted and has not told of this pump since: then only its name is known.
    pub(crate) is_known: bool,
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
    /// When the alarm thread made it: what waited on its way is as old as it is.
    pub(crate) made_at: GatewayTime,
}

/// Alarms that the gateway lost by a restart, told until somebody presses a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forgotten {
    pub(crate) alarms: usize,
    since: LocalTime,
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
    pub(crate) forgotten: Option<Forgotten>,
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
            forgotten: None,
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
        let has_restarted = update.epoch != self.pumps_epoch;
        if has_restarted {
            self.pumps_clock = GatewayClock::default();
            self.pumps_epoch = update.epoch;
        }
        self.pumps_clock.observe(update.now, local);
        self.alarm_round = update.alarm_round;
        self.pumps_link = Link::Connected;
        // The first message of a subscription holds every pump: what it does not name is not known to the gateway.
        if std::mem::take(&mut self.pumps_fresh) || has_restarted {
            self.leave_unnamed(&update.pumps, has_restarted);
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

    /// Takes away the pumps that a first message does not name. After a restart they stay as unknown instead, until the
    /// gateway tells of them: the pump may run on while its agent has not found the gateway again.
    fn leave_unnamed(&mut self, named: &[Pump], has_restarted: bool) {
        let named: BTreeSet<&PumpName> = named.iter().map(|pump| &pump.name).collect();
        self.tiles.retain(|name, tile| {
            if has_restarted && !named.contains(name) {
                tile.withdraw();
            }
            named.contains(name) || !tile.is_known
        });
    }

    fn keep(&mut self, pump: Pump) {
        if let Some(tile) = self.tiles.get_mut(&pump.name) {
            tile.pump = pump;
            tile.is_known = true;
            return;
        }
        if self.tiles.len() >= PUMPS_MAX {
            self.unlisted_pumps = self.unlisted_pumps.saturating_add(1);
            // A pump that the gateway knows is worth more room than one that it has forgotten.
            let unknown = self.tiles.values().find(|tile| !tile.is_known);
            let Some(unknown) = unknown.map(|tile| tile.pump.name.clone()) else {
                return;
            };
            self.tiles.remove(&unknown);
        }
        let trend = VecDeque::with_capacity(TREND_POINTS_MAX);
        self.tiles.insert(pump.name.clone(), Tile { pump, is_known: true, trend });
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
            // Its time is one of a clock that has gone.
            self.heartbeat = None;
            self.told.clear();
        }
        self.alarms_clock.observe(message.now, local);
        self.alarms_link = Link::Connected;
        match message.update {
            AlarmUpdate::Snapshot(alarms) => {
                let changes = self.book.snapshot(message.epoch, alarms);
                self.take_changes(changes, local);
            }
            AlarmUpdate::Alarm(alarm) => {
                let change = self.book.apply(*alarm);
                self.take_changes(change, local);
            }
            AlarmUpdate::Heartbeat(wall_ns) => {
                self.heartbeat = Some(Heartbeat { wall_ns, made_at: message.now });
            }
        }
        let active = |occurrence: &String| self.book.get(occurrence).is_some();
        if !self.selected_alarm.as_ref().is_some_and(active) {
            self.selected_alarm =
                self.book.by_urgency().first().map(|alarm| alarm.occurrence.clone());
        }
    }

    fn take_changes(&mut self, changes: impl IntoIterator<Item = Change>, local: LocalTime) {
        let mut forgotten: usize = 0;
        for change in changes {
            match change {
                Change::New(_) | Change::Changed(_) => {}
                Change::Ended(alarm) | Change::Vanished(alarm) => {
                    self.told.retain(|(occurrence, _)| *occurrence != alarm.occurrence);
                }
                Change::Forgotten(_) => forgotten += 1,
            }
        }
        if forgotten > 0 {
            let before = self.forgotten.map_or(0, |before| before.alarms);
            let alarms = before.saturating_add(forgotten);
            self.forgotten = Some(Forgotten { alarms, since: local });
        }
    }

    /// Somebody pressed a key: takes the notice of forgotten alarms away, once there was time to read it.
    pub(crate) fn notice_seen(&mut self, local: LocalTime) {
        let unread = |notice: &Forgotten| local.since(notice.since) < NOTICE_READ_MIN;
        self.forgotten = self.forgotten.filter(unread);
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

    /// How old the picture is, once that is worth a warning: pumps or alarms, whichever is older.
    pub(crate) fn picture_is_old(&self, local: LocalTime) -> Option<Duration> {
        let old = |link: &Link, clock: &GatewayClock, max| {
            clock.delay(local).filter(|delay| link.is_connected() && *delay > max)
        };
        let pumps = old(&self.pumps_link, &self.pumps_clock, PICTURE_AGE_MAX);
        pumps.max(old(&self.alarms_link, &self.alarms_clock, ALARMS_AGE_MAX))
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

    /// Whether no clinician has signed the rules of some pump, or of an active alarm.
    pub(crate) fn is_unreviewed(&self) -> bool {
        self.tiles.values().any(|tile| tile.pump.unreviewed)
            || self.book.active().any(|alarm| alarm.unreviewed)
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

impl Tile {
    /// Keeps the name alone: times and values of before a restart mean nothing on the gateway's new clock.
    fn withdraw(&mut self) {
        self.is_known = false;
        let pump = &mut self.pump;
        pump.link = model::Link::NeverSeen;
        pump.turning = Turning::Unknown;
        pump.last_frame = None;
        pump.readings.clear();
        pump.alarms.clear();
    }
}

/// The reading that a pump's sparkline shows.
pub(crate) fn trend_reading(pump: &Pump) -> Option<&crate::model::Reading> {
    let find = |id: &&str| pump.readings.iter().find(|reading| reading.parameter == **id);
    TREND_OF.iter().find_map(find)
}
