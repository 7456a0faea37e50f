//! A display: it keeps one or two links to gateways, joins them in a screen, and takes note of what that has shown when.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use ecmo_display::{Change, LinkId, LinkState, LocalTime, Screen};
use ecmo_proto::v1;
use ecmo_proto::v1::alarm_service_client::AlarmServiceClient;
use ecmo_proto::v1::display_service_client::DisplayServiceClient;
use ecmo_proto::v1::pump_service_client::PumpServiceClient;
use tokio::runtime::Handle;
use tokio::time::{Instant, interval, sleep, timeout};
use tonic::transport::{Channel, Endpoint};

use crate::gaps::Arrivals;
use crate::judge::Acknowledged;
use crate::settings::{PUMPS, WARD};
use crate::story::{Key, State, Story};

/// The period of a display: a view of each pump at least so often.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);

/// How long a connection may take on the same machine, however busy.
const CONNECT_MAX: Duration = Duration::from_millis(500);

/// Before the next try; the gateway may be starting.
const RETRY: Duration = Duration::from_millis(20);

/// Between two pictures.
const PAINT: Duration = Duration::from_millis(50);

/// Between two words that the display attends.
const ATTEND: Duration = Duration::from_secs(1);

/// A path whose newest frame is older than this brings none.
const FRESH: Duration = Duration::from_millis(300);

/// How one link sees one pump.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Duration,
    is_whole: bool,
}

#[derive(Debug)]
struct Shown {
    screen: Screen,
    story: Story,
    arrivals: Arrivals,
    pumps: BTreeMap<(u8, String), Seen>,
    /// When a picture was due, and how late it was.
    late: Vec<(Duration, Duration)>,
    lost_changes: usize,
}

/// A display, running on tasks of its own.
#[derive(Debug, Clone)]
pub(crate) struct Display {
    name: &'static str,
    start: Instant,
    links: u8,
    shown: Arc<Mutex<Shown>>,
}

impl Display {
    /// A display with a link to each of these gateways.
    pub(crate) fn joined(
        tasks: &Handle,
        name: &'static str,
        start: Instant,
        gateways: &[SocketAddr],
    ) -> Self {
        let ways = gateways.iter().map(|gateway| vec![*gateway]).collect();
        Self::start(tasks, name, start, ways)
    }

    /// A display with one link, to the first of these gateways that answers.
    pub(crate) fn single(
        tasks: &Handle,
        name: &'static str,
        start: Instant,
        gateways: &[SocketAddr],
    ) -> Self {
        Self::start(tasks, name, start, vec![gateways.to_vec()])
    }

    fn start(
        tasks: &Handle,
        name: &'static str,
        start: Instant,
        ways: Vec<Vec<SocketAddr>>,
    ) -> Self {
        let links = u8::try_from(ways.len()).unwrap_or(u8::MAX);
        let shown = Shown {
            screen: Screen::new(links, WARD),
            story: Story::default(),
            arrivals: Arrivals::default(),
            pumps: BTreeMap::new(),
            late: Vec::new(),
            lost_changes: 0,
        };
        let display = Self { name, start, links, shown: Arc::new(Mutex::new(shown)) };
        for (id, way) in (0..).map(LinkId).zip(ways) {
            tasks.spawn(display.clone().keep_linked(id, way));
        }
        tasks.spawn(display.clone().paint());
        display
    }

    /// As it is called in what is printed.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Since the start of the run.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the screen, and takes note of what that changed on it.
    fn step(&self, change: impl FnOnce(&mut Screen, LocalTime)) {
        let mut shown = self.lock();
        let at = self.now();
        let local = LocalTime(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
        change(&mut shown.screen, local);
        let (changes, lost) = shown.screen.take_changes();
        shown.lost_changes += lost;
        for change in changes {
            let row = change.row();
            if row.key.is_own() {
                continue;
            }
            let key = (row.key.pump.clone(), row.key.condition.clone());
            let state = match &change {
                Change::New(row) | Change::Changed(row, _) => Some(State {
                    occurrence: row.alarm.occurrence.clone(),
                    call: row.alarm.call,
                    calls: row.calls,
                    signals: row.signals(),
                }),
                Change::Ended(_) | Change::EndedUnseen(_) | Change::Forgotten(_) => None,
            };
            shown.story.note(at, key, state);
        }
        let missed: Vec<_> =
            shown.screen.missed().map(|one| one.alarm.occurrence.clone()).collect();
        shown.screen.forget_missed();
        missed.into_iter().for_each(|one| shown.story.note_missed(one));
    }

    async fn keep_linked(self, id: LinkId, way: Vec<SocketAddr>) {
        for gateway in way.iter().cycle() {
            self.step(|screen, local| screen.on_connecting(id, local));
            // Whatever ended it, the next one is tried.
            let _ended = self.link(id, *gateway).await;
            self.step(|screen, local| screen.on_lost(id, local));
            sleep(RETRY).await;
        }
    }

    async fn link(&self, id: LinkId, gateway: SocketAddr) -> anyhow::Result<()> {
        let channel = connect(gateway).await?;
        let seen_until = self.lock().screen.seen_until(id);
        let asked = v1::WatchAlarmsRequest {
            ward: WARD.to_owned(),
            display: self.name.to_owned(),
            seen_until,
        };
        let mut alarms = AlarmServiceClient::new(channel.clone());
        let mut alarms = timeout(CONNECT_MAX, alarms.watch_alarms(asked)).await??.into_inner();
        let interval_ms = u32::try_from(PERIOD.as_millis())?;
        let asked = v1::WatchPumpsRequest { ward: WARD.to_owned(), interval_ms };
        let mut pumps = PumpServiceClient::new(channel.clone());
        let mut pumps = timeout(CONNECT_MAX, pumps.watch_pumps(asked)).await??.into_inner();
        let mut confirm = interval(PAINT);
        let mut attended: Option<Instant> = None;
        let (mut has_alarms, mut has_pumps) = (false, false);
        loop {
            tokio::select! {
                message = alarms.message() => {
                    let message = message?.context("the alarms ended")?;
                    has_alarms = true;
                    self.step(|screen, local| screen.on_alarms(id, message, local));
                }
                message = pumps.message() => {
                    let message = message?.context("the pumps ended")?;
                    has_pumps = true;
                    self.note_pumps(id, &message);
                    self.step(|screen, local| screen.on_pumps(id, message, local));
                }
                _tick = confirm.tick() => {
                    let needed = self.lock().screen.needs_resubscribe(id);
                    ensure!(!has_alarms || needed.alarms.is_none(), "{needed:?}");
                    ensure!(!has_pumps || needed.pumps.is_none(), "{needed:?}");
                    if attended.is_none_or(|at| at.elapsed() >= ATTEND) {
                        attended = Some(Instant::now());
                        tokio::spawn(self.clone().attend(id, channel.clone()));
                    }
                    tokio::spawn(self.clone().confirm(id, channel.clone()));
                }
            }
        }
    }

    fn note_pumps(&self, id: LinkId, message: &v1::WatchPumpsResponse) {
        let mut shown = self.lock();
        let at = self.now();
        for pump in &message.pumps {
            let is_live = pump.link() == v1::LinkState::Live;
            let is_fresh = |path: &v1::PathView| {
                path.last_frame_mono_ns.is_some_and(|last| {
                    Duration::from_nanos(message.now_mono_ns.saturating_sub(last)) <= FRESH
                })
            };
            let is_whole = is_live && pump.paths.len() == 2 && pump.paths.iter().all(is_fresh);
            shown.pumps.insert((id.0, pump.pump.clone()), Seen { at, is_whole });
            if is_live {
                shown.arrivals.note(&pump.pump, at);
            }
        }
    }

    async fn paint(self) {
        let mut paint = interval(PAINT);
        loop {
            let late = paint.tick().await.elapsed();
            self.lock().late.push((self.now(), late));
            self.step(|screen, local| {
                screen.tick(local);
                let picture = screen.picture();
                screen.painted(&picture, |_row| true);
            });
        }
    }

    async fn confirm(self, id: LinkId, channel: Channel) {
        let taken = self.lock().screen.take_confirmations(id);
        if taken.is_empty() {
            return;
        }
        let shown = taken.iter().map(|one| v1::ShownAlarm {
            occurrence: one.occurrence.clone(),
            revision: one.revision,
        });
        let request =
            v1::ConfirmAlarmsRequest { display: self.name.to_owned(), shown: shown.collect() };
        if AlarmServiceClient::new(channel).confirm_alarms(request).await.is_err() {
            self.lock().screen.put_back(id, taken);
        }
    }

    /// A gateway that cannot take it goes without: it tells so by an alarm of its own.
    async fn attend(self, id: LinkId, channel: Channel) {
        let painted = self.lock().screen.painted_until(id);
        let (painted_epoch, now) = painted.unwrap_or_default();
        let health = v1::DisplayHealth {
            painted_mono_ns: now.0,
            painted_epoch,
            frames_per_second: 20.0,
            lag_ms: 50,
            audio: v1::AudioOutput::On.into(),
            visible: true,
        };
        let request = v1::AttendWardsRequest {
            display: self.name.to_owned(),
            wards: vec![WARD.to_owned()],
            health: Some(health),
        };
        DisplayServiceClient::new(channel).attend_wards(request).await.ok();
    }

    /// Whether every link is live and brings every pump over both paths, by words that came after `since`; else what lacks.
    pub(crate) fn is_whole(&self, since: Duration) -> Result<(), String> {
        let shown = self.lock();
        for (link, view) in shown.screen.links().iter().enumerate() {
            if view.state != LinkState::Live {
                return Err(format!("{}: link {link} is {:?}", self.name, view.state));
            }
        }
        for link in 0..self.links {
            for pump in PUMPS {
                let seen = shown.pumps.get(&(link, pump.to_owned()));
                if !seen.is_some_and(|seen| seen.is_whole && seen.at > since) {
                    return Err(format!("{}: {pump} by link {link}: {seen:?}", self.name));
                }
            }
        }
        Ok(())
    }

    /// What was shown until now.
    pub(crate) fn story(&self) -> Story {
        self.lock().story.clone()
    }

    /// The longest time without a view of any pump but `except` in a window.
    pub(crate) fn gap(&self, except: Option<&str>, from: Duration, to: Duration) -> Duration {
        self.lock().arrivals.longest(except, from, to)
    }

    /// How late a picture was at worst in a window.
    pub(crate) fn latest(&self, from: Duration, to: Duration) -> Duration {
        let shown = self.lock();
        let within = shown.late.iter().filter(|(at, _)| (from..=to).contains(at));
        within.map(|(_, late)| *late).max().unwrap_or_default()
    }

    /// Changes of rows that were too many to keep.
    pub(crate) fn lost_changes(&self) -> usize {
        self.lock().lost_changes
    }

    /// A person acknowledges a row at the gateway of a link; `None` when it has nothing to acknowledge, or refuses because the
    /// row has changed meanwhile. Tells whether it is durable.
    pub(crate) async fn acknowledge(
        &self,
        key: &Key,
        link: LinkId,
        gateway: SocketAddr,
    ) -> anyhow::Result<Option<(Acknowledged, bool)>> {
        let told = {
            let shown = self.lock();
            let rows = shown.screen.rows();
            let row = rows.iter().find(|row| {
                !row.key.is_own() && row.key.pump == key.0 && row.key.condition == key.1
            });
            row.and_then(|row| row.told_by(link).cloned())
        };
        let Some(told) = told else { return Ok(None) };
        let request = v1::AcknowledgeAlarmRequest {
            occurrence: told.shown.occurrence.clone(),
            revision: told.shown.revision,
            by: "A. Nurse".to_owned(),
            note: String::new(),
        };
        let mut alarms = AlarmServiceClient::new(connect(gateway).await?);
        let answer = match alarms.acknowledge_alarm(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                let changed = [tonic::Code::NotFound, tonic::Code::FailedPrecondition];
                ensure!(changed.contains(&status.code()), "the acknowledgement: {status}");
                return Ok(None);
            }
        };
        let alarm = answer.alarm.context("an acknowledgement without its alarm")?;
        let acknowledged = Acknowledged {
            at: self.now(),
            key: key.clone(),
            occurrence: alarm.occurrence,
            call: alarm.call,
        };
        Ok(Some((acknowledged, answer.durable)))
    }
}

async fn connect(gateway: SocketAddr) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{gateway}"))?;
    let endpoint = endpoint.tcp_nodelay(true).connect_timeout(CONNECT_MAX);
    endpoint.connect().await.context("no connection to the gateway")
}

/// Whether a gateway holds an occurrence that signals, with a call not later than that which was acknowledged.
pub(crate) async fn holds_unacknowledged(
    gateway: SocketAddr,
    acknowledged: &Acknowledged,
) -> anyhow::Result<bool> {
    let mut alarms = AlarmServiceClient::new(connect(gateway).await?);
    let answer = alarms.list_alarms(v1::ListAlarmsRequest::default()).await?.into_inner();
    Ok(answer.alarms.iter().any(|alarm| {
        let signals =
            matches!(alarm.signal(), v1::SignalPresence::On | v1::SignalPresence::Latched);
        alarm.occurrence == acknowledged.occurrence && signals && alarm.call <= acknowledged.call
    }))
}
