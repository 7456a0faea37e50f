//! A ward for the tests of `top`: a screen that one scripted gateway feeds, and the picture of it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ecmo_display::{LinkId, Screen};
use ecmo_proto::v1 as wire;
use jiff::Zoned;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use wire::watch_alarms_response::Update;

use crate::age::LocalTime;
use crate::client::ShownAlarm;
use crate::live::Stream;
use crate::top::input::{Wish, take_key};
use crate::top::state::Top;
use crate::top::view;

/// The display started 5 s after the gateway.
pub(super) const OFFSET_MS: u64 = 5_000;

pub(super) fn local(gateway_ms: u64) -> LocalTime {
    LocalTime((gateway_ms - OFFSET_MS) * 1_000_000)
}

pub(super) fn wall() -> Zoned {
    jiff::civil::date(2026, 1, 2).at(14, 3, 7, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap()
}

pub(super) const LINK: LinkId = LinkId(0);

/// What `top` shows, with the screen that it shows and the numbers of the next messages.
pub(super) struct Ward {
    pub(super) top: Top,
    pub(super) screen: Screen,
    pub(super) pumps: u64,
    pub(super) alarms: u64,
}

impl std::ops::Deref for Ward {
    type Target = Top;

    fn deref(&self) -> &Top {
        &self.top
    }
}

impl std::ops::DerefMut for Ward {
    fn deref_mut(&mut self) -> &mut Top {
        &mut self.top
    }
}

impl Ward {
    pub(super) fn new() -> Self {
        let (top, screen) = (Top::new("http://gateway:8080"), Screen::new(1, ""));
        Self { top, screen, pumps: 0, alarms: 0 }
    }

    pub(super) fn refresh(&mut self, at_ms: u64) {
        self.top.refresh(&mut self.screen, local(at_ms), &wall());
    }

    pub(super) fn sample(&mut self, at_ms: u64) {
        self.refresh(at_ms);
        self.top.sample_trends(local(at_ms));
    }
}

/// A pump that is live at 20 s.
pub(super) fn named(pump: &str) -> wire::Pump {
    let reading = wire::Reading {
        parameter: "flow.blood".to_owned(),
        unit: "mL/min".to_owned(),
        validity: wire::Validity::Valid.into(),
        value: Some(412.0),
        sampled_mono_ns: Some(19_990_000_000),
        ..wire::Reading::default()
    };
    wire::Pump {
        ward: "nicu".to_owned(),
        pump: pump.to_owned(),
        link: wire::LinkState::Live.into(),
        state: wire::PumpState::Running.into(),
        last_frame_mono_ns: Some(19_990_000_000),
        readings: vec![reading],
        source: wire::SourceKind::Simulated.into(),
        pump_kind: wire::PumpKind::Centrifugal.into(),
        ..wire::Pump::default()
    }
}

/// The alarm of a pump that stopped at 1 s; no clinician has signed its rule.
pub(super) fn pump_stop() -> wire::Alarm {
    wire::Alarm {
        occurrence: "pump.stop/1-1".to_owned(),
        revision: 1,
        ward: "nicu".to_owned(),
        pump: "pump-2".to_owned(),
        condition: "pump.stop".to_owned(),
        priority: wire::AlarmPriority::High.into(),
        present: true,
        signal: wire::SignalPresence::On.into(),
        parameter: "pump.speed".to_owned(),
        value: Some(0.0),
        worst: Some(0.0),
        limit: Some(100.0),
        limit_side: wire::LimitSide::Below.into(),
        unit: "{rev}/min".to_owned(),
        onset_mono_ns: 1_000_000_000,
        value_mono_ns: Some(15_050_000_000),
        unreviewed: true,
        ..wire::Alarm::default()
    }
}

pub(super) fn pumps_of(
    top: &mut Ward,
    epoch: u64,
    now_ns: u64,
    round_ns: u64,
    pumps: Vec<wire::Pump>,
    at_ms: u64,
) {
    let message = wire::WatchPumpsResponse {
        pumps,
        now_mono_ns: now_ns,
        epoch,
        sequence: top.pumps,
        alarm_thread_mono_ns: round_ns,
    };
    top.pumps += 1;
    top.screen.on_pumps(LINK, message, local(at_ms));
    top.refresh(at_ms);
}

pub(super) fn pumps(top: &mut Ward, pumps: Vec<wire::Pump>, at_ms: u64) {
    let now = at_ms * 1_000_000;
    pumps_of(top, 1, now, now, pumps, at_ms);
}

/// The first message of the gateway's next run, whose clock began anew 20 s before it.
pub(super) fn pumps_after_restart(top: &mut Ward, mut pumps: Vec<wire::Pump>, at_ms: u64) {
    let now = 20_000_000_000;
    for pump in &mut pumps {
        pump.last_frame_mono_ns = Some(now);
        pump.readings[0].sampled_mono_ns = Some(now);
    }
    let link = top.screen.links().remove(0);
    if !link.pumps_known || link.pumps_epoch != Some(2) {
        top.pumps = 0;
    }
    pumps_of(top, 2, now, now, pumps, at_ms);
}

pub(super) fn alarms_of(top: &mut Ward, epoch: u64, update: Update, now_ns: u64, at_ms: u64) {
    if matches!(update, Update::Snapshot(_)) {
        top.alarms = 0;
    }
    let (sequence, update) = (top.alarms, Some(update));
    top.alarms += 1;
    let message = wire::WatchAlarmsResponse { sequence, epoch, now_mono_ns: now_ns, update };
    top.screen.on_alarms(LINK, message, local(at_ms));
    top.refresh(at_ms);
}

pub(super) fn snapshot(alarms: Vec<wire::Alarm>) -> Update {
    Update::Snapshot(wire::AlarmSnapshot { alarms, ..wire::AlarmSnapshot::default() })
}

pub(super) fn heartbeat() -> Update {
    Update::Heartbeat(wire::Heartbeat { wall_ns: 1 })
}

pub(super) fn alarms(top: &mut Ward, update: Update, at_ms: u64) {
    alarms_of(top, 1, update, at_ms * 1_000_000, at_ms);
}

pub(super) fn alarms_after_restart(top: &mut Ward, alarms: Vec<wire::Alarm>, at_ms: u64) {
    alarms_of(top, 2, snapshot(alarms), 20_000_000_000, at_ms);
}

pub(super) fn lose(top: &mut Ward, stream: Stream, at_ms: u64) {
    top.top.lost(stream, "watch: the gateway ended the stream".to_owned());
    match stream {
        Stream::Pumps => top.screen.on_pumps_lost(LINK, local(at_ms)),
        Stream::Alarms => top.screen.on_alarms_lost(LINK, local(at_ms)),
    }
    top.refresh(at_ms);
}

pub(super) fn lose_both(top: &mut Ward, at_ms: u64) {
    lose(top, Stream::Pumps, at_ms);
    lose(top, Stream::Alarms, at_ms);
}

/// Two pumps at 20 s, the second with a stop alarm.
pub(super) fn ward() -> Ward {
    let mut top = Ward::new();
    pumps(&mut top, vec![named("pump-1"), named("pump-2")], 20_000);
    alarms(&mut top, snapshot(vec![pump_stop()]), 20_000);
    alarms(&mut top, heartbeat(), 20_000);
    top
}

pub(super) fn drawn(
    top: &Ward,
    at_ms: u64,
    (width, height): (u16, u16),
) -> (String, Vec<ShownAlarm>) {
    let (mut top, mut screen) = (top.top.clone(), top.screen.clone());
    top.refresh(&mut screen, local(at_ms), &wall());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut shown = Vec::new();
    terminal.draw(|frame| shown = view::draw(frame, &top, local(at_ms), &wall())).unwrap();
    (terminal.backend().to_string(), shown)
}

pub(super) fn picture(top: &Ward, at_ms: u64) -> String {
    drawn(top, at_ms, (80, 24)).0
}

pub(super) fn press(top: &mut Ward, code: KeyCode) -> Wish {
    take_key(top, KeyEvent::new(code, KeyModifiers::NONE), local(20_100))
}
