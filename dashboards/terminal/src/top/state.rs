//! What `top` knows and may show: applies messages, ages it, decides what is unknown. Pure: time is an argument.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Zoned;

use ecmo_display::{Change, LinkView, Picture, PumpView, Row, Screen};

use crate::age::{GatewayTime, LocalTime};
use crate::client::ShownAlarm;
use crate::convert;
use crate::live::Stream;
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

/// Most missed alarms told at once; one line is all that there is for them.
const MISSED_MAX: usize = 256;

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

    /// Follows whether the screen knows; the reason is the newest one that was told.
    fn take(&mut self, known: bool, reason: Option<&String>, local: LocalTime, wall: &Zoned) {
        *self = match (known, std::mem::replace(self, Self::Connected)) {
            (true, _) => Self::Connected,
            (false, Self::Connecting(_)) => Self::Connecting(reason.cloned()),
            (false, before) => {
                let (since, wall) = match before {
                    Self::Lost { since, wall, .. } => (since, wall),
                    Self::Connected | Self::Connecting(_) => (local, wall.clone()),
                };
                let reason = reason.cloned().unwrap_or_else(|| "nothing new comes".to_owned());
                Self::Lost { since, wall, reason }
            }
        };
    }
}

/// One pump and its recent values.
#[derive(Debug, Clone)]
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
    /// Since the alarm thread made it: what waited on its way is as old as it is.
    pub(crate) age: Duration,
}

/// Alarms that the gateway lost by a restart, told until somebody presses a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forgotten {
    pub(crate) alarms: usize,
    since: LocalTime,
}

/// Everything that is known. Its times are of this display's own line of time, so that two gateways' compare.
#[derive(Debug, Clone)]
pub(crate) struct Top {
    pub(crate) url: String,
    pub(crate) tiles: BTreeMap<PumpName, Tile>,
    pub(crate) pumps_link: Link,
    pub(crate) alarms_link: Link,
    /// The active alarms, most urgent first.
    pub(crate) alarms: Vec<Alarm>,
    /// Alarms that were too many to keep.
    pub(crate) unlisted_alarms: usize,
    /// The links one by one, where there are several.
    pub(crate) links: Vec<LinkView>,
    /// Alarms that came and went unseen, told until somebody presses a key.
    pub(crate) missed: Vec<Alarm>,
    missed_since: LocalTime,
    /// Some gateway does not take this display as one that paints.
    pub(crate) doubted: bool,
    pub(crate) picture: Option<Picture>,
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
    /// Why streams were lost, the newest of each kind.
    reasons: [Option<String>; 2],
    pump_epochs: Vec<Option<u64>>,
    alarms_judged: bool,
}

/// The display's own line of time begins here, far enough from zero for everything that was before its start.
const LINE_BEGINS_NS: u64 = 1 << 62;

impl Top {
    /// Knows nothing yet.
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            tiles: BTreeMap::new(),
            pumps_link: Link::Connecting(None),
            alarms_link: Link::Connecting(None),
            alarms: Vec::new(),
            unlisted_alarms: 0,
            links: Vec::new(),
            missed: Vec::new(),
            missed_since: LocalTime(0),
            doubted: false,
            picture: None,
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
            reasons: [None, None],
            pump_epochs: Vec::new(),
            alarms_judged: true,
        }
    }

    /// A stream was lost: why, in words.
    pub(crate) fn lost(&mut self, stream: Stream, reason: String) {
        let [pumps, alarms] = &mut self.reasons;
        match stream {
            Stream::Pumps => *pumps = Some(reason),
            Stream::Alarms => *alarms = Some(reason),
        }
    }

    /// Takes what the screen knows now.
    pub(crate) fn refresh(&mut self, screen: &mut Screen, local: LocalTime, wall: &Zoned) {
        screen.tick(local);
        self.take_changes(screen.take_changes().0, local);
        self.take_missed(screen, local);
        let picture = screen.picture();
        self.links.clone_from(&picture.links);
        let [pumps_reason, alarms_reason] = &self.reasons;
        let alarms_known = picture.links.iter().any(|link| link.state.is_known());
        let pumps_known = picture.links.iter().any(|link| link.pumps_known);
        self.alarms_link.take(alarms_known, alarms_reason.as_ref(), local, wall);
        self.pumps_link.take(pumps_known, pumps_reason.as_ref(), local, wall);
        self.take_pumps(&picture.pumps, local);
        self.alarms = picture.rows.iter().map(|row| alarm(row, screen, local)).collect();
        self.alarms.sort_by_key(Alarm::urgency);
        self.unlisted_alarms = picture.links.iter().map(|link| link.unlisted).sum();
        let beats = picture.links.iter().filter_map(|link| link.heartbeat);
        let newest = beats.min_by_key(|(_, age)| *age);
        self.heartbeat = newest.map(|(wall_ns, age)| Heartbeat { wall_ns, age });
        self.alarms_judged = picture.links.iter().any(|link| {
            let round = link.alarm_round.zip(link.now);
            round.is_some_and(|(round, now)| alarms_are_judged(round, now))
        });
        self.picture = Some(picture);
        let active = |occurrence: &String| self.alarm(occurrence).is_some();
        if !self.selected_alarm.as_ref().is_some_and(active) {
            self.selected_alarm = self.alarms.first().map(|alarm| alarm.occurrence.clone());
        }
    }

    fn take_pumps(&mut self, views: &[PumpView], local: LocalTime) {
        let epochs: Vec<Option<u64>> = self.links.iter().map(|link| link.pumps_epoch).collect();
        let restarted =
            self.pump_epochs.iter().zip(&epochs).any(|(old, new)| old.is_some() && old != new);
        self.pump_epochs = epochs;
        let pumps: Vec<(Pump, bool)> = views
            .iter()
            .map(|view| {
                let moved = convert::pump((*view.pump).clone()).moved(to_line(view.now, local));
                (moved, view.known)
            })
            .collect();
        self.leave_unnamed(&pumps, restarted);
        self.unlisted_pumps = 0;
        let connected = self.pumps_link.is_connected();
        for (pump, known) in pumps {
            // While nothing is connected every tile says so by itself.
            if known || !connected {
                self.keep(pump);
            } else if let Some(tile) = self.tiles.get_mut(&pump.name) {
                tile.withdraw();
            }
        }
        let known = |name: &PumpName| self.tiles.contains_key(name);
        if !self.selected_pump.as_ref().is_some_and(known) {
            self.selected_pump = self.tiles.keys().next().cloned();
        }
    }

    /// Takes away the pumps that a first message does not name. After a restart they stay as unknown instead, until the
    /// gateway tells of them: the pump may run on while its agent has not found the gateway again.
    fn leave_unnamed(&mut self, named: &[(Pump, bool)], has_restarted: bool) {
        let named: BTreeSet<&PumpName> = named.iter().map(|(pump, _)| &pump.name).collect();
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

    fn take_changes(&mut self, changes: Vec<Change>, local: LocalTime) {
        let is_forgotten = |change: &&Change| matches!(change, Change::Forgotten(_));
        let forgotten = changes.iter().filter(is_forgotten).count();
        if forgotten > 0 {
            let before = self.forgotten.map_or(0, |before| before.alarms);
            let alarms = before.saturating_add(forgotten);
            self.forgotten = Some(Forgotten { alarms, since: local });
        }
    }

    fn take_missed(&mut self, screen: &mut Screen, local: LocalTime) {
        if screen.missed().len() == 0 {
            return;
        }
        if self.missed.is_empty() {
            self.missed_since = local;
        }
        let missed: Vec<Alarm> =
            screen.missed().map(|one| convert::alarm((*one.alarm).clone())).collect();
        self.missed.splice(..0, missed);
        self.missed.truncate(MISSED_MAX);
        screen.forget_missed();
    }

    /// Somebody pressed a key: takes the notices of forgotten and missed alarms away, once there was time to read them.
    pub(crate) fn notice_seen(&mut self, local: LocalTime) {
        if local.since(self.missed_since) >= NOTICE_READ_MIN {
            self.missed.clear();
        }
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

    /// This time on the display's own line.
    #[expect(clippy::unused_self, reason = "asked where everything else is asked")]
    pub(crate) const fn pumps_now(&self, local: LocalTime) -> GatewayTime {
        on_line(local)
    }

    /// The same, for alarms.
    #[expect(clippy::unused_self, reason = "asked where everything else is asked")]
    pub(crate) const fn alarms_now(&self, local: LocalTime) -> GatewayTime {
        on_line(local)
    }

    /// How old the picture is, once that is worth a warning: pumps or alarms, whichever is older, by the fresher gateway.
    pub(crate) fn picture_is_old(&self) -> Option<Duration> {
        let fresher = |silence: fn(&LinkView) -> Option<Duration>, max| {
            self.links.iter().filter_map(silence).min().filter(|silence| *silence > max)
        };
        let pumps = fresher(|link| link.pumps_silence, PICTURE_AGE_MAX);
        pumps.max(fresher(|link| link.silence, ALARMS_AGE_MAX))
    }

    /// Whether the alarm thread of some gateway works, as far as the pumps' subscription tells.
    pub(crate) const fn alarms_are_judged(&self) -> bool {
        self.alarms_judged
    }

    /// One active alarm.
    pub(crate) fn alarm(&self, occurrence: &str) -> Option<&Alarm> {
        self.alarms.iter().find(|alarm| alarm.occurrence == occurrence)
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
        let of_pump = |alarm: &&Alarm| {
            alarm.ward == name.ward && alarm.pump.as_ref().is_some_and(|pump| *pump == name.pump)
        };
        self.alarms.iter().filter(of_pump).collect()
    }

    /// Whether no clinician has signed the rules of some pump, or of an active alarm.
    pub(crate) fn is_unreviewed(&self) -> bool {
        self.tiles.values().any(|tile| tile.pump.unreviewed)
            || self.alarms.iter().any(|alarm| alarm.unreviewed)
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

/// A time of this display on its own line.
const fn on_line(local: LocalTime) -> GatewayTime {
    GatewayTime(LINE_BEGINS_NS.saturating_add(local.0))
}

/// What moves a time of a gateway, whose clock shows `now` at `local`, to the display's own line.
fn to_line(now: GatewayTime, local: LocalTime) -> i128 {
    i128::from(on_line(local).0) - i128::from(now.0)
}

/// An alarm as it is listed.
fn alarm(row: &Row, screen: &Screen, local: LocalTime) -> Alarm {
    let now = screen.gateway_now(row.link).unwrap_or_default();
    let alarm = convert::alarm((*row.alarm).clone()).moved(to_line(now, local));
    // Of a gateway that is not heard any more, nobody knows how it stands.
    Alarm { last_known: alarm.last_known || row.unheard, ..alarm }
}

/// The reading that a pump's sparkline shows.
pub(crate) fn trend_reading(pump: &Pump) -> Option<&crate::model::Reading> {
    let find = |id: &&str| pump.readings.iter().find(|reading| reading.parameter == **id);
    TREND_OF.iter().find_map(find)
}
