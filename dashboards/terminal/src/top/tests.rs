//! What `top` draws in every state, on a backend without a terminal.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Zoned;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use ecmo_display::{LinkId, Screen};
use ecmo_proto::v1 as wire;

use crate::age::LocalTime;
use crate::client::ShownAlarm;
use crate::live::Stream;
use crate::top::input::{Wish, take_key};
use crate::top::state::{Mode, Top};
use crate::top::view;
use wire::watch_alarms_response::Update;

/// The display started 5 s after the gateway.
const OFFSET_MS: u64 = 5_000;

fn local(gateway_ms: u64) -> LocalTime {
    LocalTime((gateway_ms - OFFSET_MS) * 1_000_000)
}

fn wall() -> Zoned {
    jiff::civil::date(2026, 1, 2).at(14, 3, 7, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap()
}

const LINK: LinkId = LinkId(0);

/// What `top` shows, with the screen that it shows and the numbers of the next messages.
struct Ward {
    top: Top,
    screen: Screen,
    pumps: u64,
    alarms: u64,
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
    fn new() -> Self {
        let (top, screen) = (Top::new("http://gateway:8080"), Screen::new(1, ""));
        Self { top, screen, pumps: 0, alarms: 0 }
    }

    fn refresh(&mut self, at_ms: u64) {
        self.top.refresh(&mut self.screen, local(at_ms), &wall());
    }

    fn sample(&mut self, at_ms: u64) {
        self.refresh(at_ms);
        self.top.sample_trends(local(at_ms));
    }
}

/// A pump that is live at 20 s.
fn named(pump: &str) -> wire::Pump {
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
fn pump_stop() -> wire::Alarm {
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

fn pumps_of(
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

fn pumps(top: &mut Ward, pumps: Vec<wire::Pump>, at_ms: u64) {
    let now = at_ms * 1_000_000;
    pumps_of(top, 1, now, now, pumps, at_ms);
}

/// The first message of the gateway's next run, whose clock began anew 20 s before it.
fn pumps_after_restart(top: &mut Ward, mut pumps: Vec<wire::Pump>, at_ms: u64) {
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

fn alarms_of(top: &mut Ward, epoch: u64, update: Update, now_ns: u64, at_ms: u64) {
    if matches!(update, Update::Snapshot(_)) {
        top.alarms = 0;
    }
    let (sequence, update) = (top.alarms, Some(update));
    top.alarms += 1;
    let message = wire::WatchAlarmsResponse { sequence, epoch, now_mono_ns: now_ns, update };
    top.screen.on_alarms(LINK, message, local(at_ms));
    top.refresh(at_ms);
}

fn snapshot(alarms: Vec<wire::Alarm>) -> Update {
    Update::Snapshot(wire::AlarmSnapshot { alarms, ..wire::AlarmSnapshot::default() })
}

fn heartbeat() -> Update {
    Update::Heartbeat(wire::Heartbeat { wall_ns: 1 })
}

fn alarms(top: &mut Ward, update: Update, at_ms: u64) {
    alarms_of(top, 1, update, at_ms * 1_000_000, at_ms);
}

fn alarms_after_restart(top: &mut Ward, alarms: Vec<wire::Alarm>, at_ms: u64) {
    alarms_of(top, 2, snapshot(alarms), 20_000_000_000, at_ms);
}

fn lose(top: &mut Ward, stream: Stream, at_ms: u64) {
    top.top.lost(stream, "watch: the gateway ended the stream".to_owned());
    match stream {
        Stream::Pumps => top.screen.on_pumps_lost(LINK, local(at_ms)),
        Stream::Alarms => top.screen.on_alarms_lost(LINK, local(at_ms)),
    }
    top.refresh(at_ms);
}

fn lose_both(top: &mut Ward, at_ms: u64) {
    lose(top, Stream::Pumps, at_ms);
    lose(top, Stream::Alarms, at_ms);
}

/// Two pumps at 20 s, the second with a stop alarm.
fn ward() -> Ward {
    let mut top = Ward::new();
    pumps(&mut top, vec![named("pump-1"), named("pump-2")], 20_000);
    alarms(&mut top, snapshot(vec![pump_stop()]), 20_000);
    alarms(&mut top, heartbeat(), 20_000);
    top
}

fn drawn(top: &Ward, at_ms: u64, (width, height): (u16, u16)) -> (String, Vec<ShownAlarm>) {
    let (mut top, mut screen) = (top.top.clone(), top.screen.clone());
    top.refresh(&mut screen, local(at_ms), &wall());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut shown = Vec::new();
    terminal.draw(|frame| shown = view::draw(frame, &top, local(at_ms), &wall())).unwrap();
    (terminal.backend().to_string(), shown)
}

fn picture(top: &Ward, at_ms: u64) -> String {
    drawn(top, at_ms, (80, 24)).0
}

fn press(top: &mut Ward, code: KeyCode) -> Wish {
    take_key(top, KeyEvent::new(code, KeyModifiers::NONE), local(20_100))
}

#[test]
fn a_live_ward_shows_values_the_worst_alarm_and_who_is_live() {
    let picture = picture(&ward(), 20_100);
    for text in [
        "CONNECTED",
        "2 of 2 live",
        "*** high 1",
        "nicu/pump-1 LIVE 0.1 s, running",
        "flow   412 mL/min",
        "*** HIGH pump stopped",
        "nicu/pump-2 pump stopped  19 s  ACTIVE 0 rpm (5.0 s ago)",
        "UNREVIEWED rules  research software, not a medical device",
    ] {
        assert!(picture.contains(text), "{text:?} is missing in\n{picture}");
    }
}

#[test]
fn rules_and_sounds_that_are_not_as_usual_are_told_on_the_tile_and_in_the_list() {
    let mut top = ward();
    let mut special = named("pump-2");
    special.contexts = vec![wire::ContextKind::Wean.into()];
    special.rules_not_evaluable = 3;
    special.unreviewed = true;
    pumps(&mut top, vec![special], 20_050);
    let paused = wire::Alarm {
        revision: 2,
        audio: wire::AudioState::Paused.into(),
        audio_by: "Ann".to_owned(),
        audio_until_mono_ns: Some(107_500_000_000),
        escalated: true,
        ..pump_stop()
    };
    let card = wire::Alarm {
        occurrence: "card".to_owned(),
        condition: "bleeding.trend".to_owned(),
        priority: wire::AlarmPriority::Information.into(),
        ..pump_stop()
    };
    alarms(&mut top, snapshot(vec![paused, card]), 20_050);
    let picture_now = drawn(&top, 20_100, (120, 30)).0;
    for text in [
        " WEAN, 3 rules not evaluable ",
        "ACTIVE, ESCALATED sound PAUSED by Ann, 87 s left",
        "*** high 1",
        "i cards 1",
        "i   INFO  nicu/pump-2 possible loss of blood: a trend, no alarm",
    ] {
        assert!(picture_now.contains(text), "{text:?} is missing in\n{picture_now}");
    }
    press(&mut top, KeyCode::Tab);
    press(&mut top, KeyCode::Enter);
    let details = drawn(&top, 20_100, (120, 40)).0;
    for text in [
        "check: pump head and drive",
        "UNREVIEWED rules: no clinician has signed",
        "rules: WEAN, 3 rules not evaluable; treatment version 0",
        "which and why: ecmoctl treatment nicu/pump-2",
        "frames: 0 received",
    ] {
        assert!(details.contains(text), "{text:?} is missing in\n{details}");
    }
    // Where they do not fit, keys reach the last line of either column.
    assert!(!drawn(&top, 20_100, (120, 20)).0.contains("invalid samples"));
    for _ in 0..4 {
        press(&mut top, KeyCode::PageDown);
    }
    let end = drawn(&top, 20_100, (120, 20)).0;
    assert!(end.contains("invalid samples"), "{end}");
}

#[test]
fn unreviewed_rules_are_told_without_an_alarm_and_beside_a_note() {
    let mut top = Ward::new();
    let mut pump = named("pump-1");
    pump.unreviewed = true;
    pumps(&mut top, vec![pump], 20_000);
    alarms(&mut top, snapshot(Vec::new()), 20_000);
    assert!(picture(&top, 20_000).contains("UNREVIEWED rules  research software"));
    top.say("acknowledged by Ann".to_owned(), local(20_000));
    assert!(picture(&top, 20_100).contains("UNREVIEWED rules  acknowledged by Ann"));
}

#[test]
fn a_silent_pump_shows_no_value_without_its_age() {
    let mut top = ward();
    let mut silent = named("pump-1");
    silent.link = wire::LinkState::Silent.into();
    pumps(&mut top, vec![silent], 34_000);
    let picture = picture(&top, 34_000);
    assert!(picture.contains("nicu/pump-1 SILENT 14 s, unknown"), "{picture}");
    assert!(picture.contains("--- silent (412, 14 s ago)"), "{picture}");
    assert!(!picture.contains("flow   412"), "{picture}");
    assert!(picture.contains("0 of 2 live"), "{picture}");
}

#[test]
fn a_pump_that_was_never_seen_shows_no_number() {
    let mut top = Ward::new();
    let mut never = named("pump-1");
    never.link = wire::LinkState::NeverSeen.into();
    never.last_frame_mono_ns = None;
    never.readings[0].value = None;
    never.readings[0].sampled_mono_ns = None;
    pumps(&mut top, vec![never], 20_000);
    alarms(&mut top, snapshot(Vec::new()), 20_000);
    let picture = picture(&top, 20_000);
    assert!(picture.contains("NEVER SEEN no frame yet, unknown"), "{picture}");
    assert!(picture.contains("--- never seen"), "{picture}");
    assert!(picture.contains("no alarms on 0 pumps, 1 without data"), "{picture}");
}

#[test]
fn a_lost_gateway_withdraws_every_value_and_says_since_when() {
    let mut top = ward();
    let row = top.screen.rows()[0].clone();
    lose_both(&mut top, 22_000);
    let (picture, shown) = drawn(&top, 29_000, (80, 24));
    assert!(picture.contains("LOST since 14:03:07 (7.0 s)"), "{picture}");
    assert!(picture.contains("PUMPS AND ALARMS NOT CONNECTED: LOOK AT THE PUMPS"), "{picture}");
    assert_eq!(picture.matches("values withdrawn").count(), 2, "{picture}");
    assert!(!picture.contains("412"), "{picture}");
    assert!(picture.contains("alarms UNKNOWN"), "{picture}");
    assert!(picture.contains("AS LAST KNOWN 7.0 s ago"), "{picture}");
    assert_eq!(shown.len(), 1);
    let picture = top.screen.picture();
    top.screen.painted(&picture, |one| one.key == row.key);
    assert!(top.screen.take_confirmations(LINK).is_empty(), "a lost list must not be confirmed");
}

#[test]
fn without_the_alarms_link_every_tile_says_that_alarms_are_not_shown() {
    let mut top = ward();
    lose(&mut top, Stream::Alarms, 20_000);
    let picture = picture(&top, 20_100);
    assert_eq!(picture.matches("ALARMS NOT SHOWN HERE").count(), 2, "{picture}");
    assert!(picture.contains("412 mL/min"), "{picture}");
}

#[test]
fn before_the_first_message_nothing_looks_idle_or_normal() {
    let top = Ward::new();
    let picture = picture(&top, 20_000);
    assert!(picture.contains("CONNECTING"), "{picture}");
    assert!(picture.contains("WAITING for the gateway at http://gateway:8080"), "{picture}");
    assert!(!picture.contains("no alarms"), "{picture}");
}

#[test]
fn a_hung_alarm_thread_and_an_old_picture_are_told() {
    let mut top = ward();
    pumps_of(&mut top, 1, 23_000_000_000, 20_000_000_000, Vec::new(), 23_000);
    alarms(&mut top, heartbeat(), 23_000);
    assert!(picture(&top, 23_000).contains("ALARMS ARE NOT JUDGED"));
    assert!(picture(&top, 24_500).contains("PICTURE IS 1.4 s OLD"));
}

#[test]
fn a_pump_that_the_gateway_no_longer_knows_goes_with_the_next_snapshot() {
    let mut top = ward();
    lose(&mut top, Stream::Pumps, 21_000);
    top.pumps = 0;
    pumps(&mut top, vec![named("pump-2")], 22_000);
    assert_eq!(top.tiles.len(), 1);
    assert_eq!(top.selected_pump.as_ref().unwrap().pump, "pump-2");
}

#[test]
fn an_alarm_stream_that_lags_is_told_although_the_pumps_are_fresh() {
    let mut top = ward();
    assert!(!picture(&top, 20_900).contains("OLD"), "a heartbeat a second is no delay");
    // Made at 20 s and 21 s, read 30 s late, while pumps go on without delay.
    alarms_of(&mut top, 1, heartbeat(), 21_000_000_000, 51_000);
    pumps(&mut top, vec![named("pump-1")], 51_000);
    let late = picture(&top, 51_000);
    assert!(late.contains("PICTURE IS 30 s OLD"), "{late}");
    assert!(late.contains("(30 s ago)"), "{late}");
    alarms(&mut top, heartbeat(), 51_100);
    let fresh = picture(&top, 51_950);
    assert!(!fresh.contains("OLD") && fresh.contains("(0.8 s ago)"), "{fresh}");
}

#[test]
fn a_restart_that_forgets_alarms_is_told_until_a_key_is_pressed() {
    let mut top = ward();
    lose_both(&mut top, 21_000);
    pumps_after_restart(&mut top, vec![named("pump-1"), named("pump-2")], 22_000);
    alarms_after_restart(&mut top, Vec::new(), 22_000);
    let text = "GATEWAY RESTARTED: 1 alarm of before is not known any more, LOOK AT THE PUMPS";
    let at_once = picture(&top, 22_000);
    assert!(at_once.contains(text) && at_once.contains("no alarm heartbeat yet"), "{at_once}");
    let key = KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE);
    take_key(&mut top, key, local(22_500));
    assert!(picture(&top, 22_500).contains(text), "nobody read it in half a second");
    assert!(picture(&top, 300_000).contains(text), "it waits for a person");
    take_key(&mut top, key, local(300_000));
    assert!(!picture(&top, 300_000).contains("GATEWAY RESTARTED"));
}

#[test]
fn a_restart_that_forgets_no_alarm_and_an_alarm_that_ended_unseen_need_no_notice() {
    let mut top = ward();
    lose_both(&mut top, 21_000);
    alarms_after_restart(&mut top, vec![pump_stop()], 22_000);
    assert!(top.forgotten.is_none());
    alarms_after_restart(&mut top, Vec::new(), 22_500);
    assert!(top.forgotten.is_none());
}

#[test]
fn a_pump_that_a_restarted_gateway_does_not_know_stays_as_unknown_until_it_is_told_again() {
    let mut top = ward();
    top.sample(20_100);
    lose_both(&mut top, 21_000);
    pumps_after_restart(&mut top, vec![named("pump-2")], 22_000);
    alarms_after_restart(&mut top, Vec::new(), 22_000);
    let unknown = picture(&top, 22_000);
    for text in [
        "1 of 2 live",
        "nicu/pump-1 UNKNOWN",
        "ALARMS UNKNOWN",
        "not known to the gateway",
        "since its restart",
        "values withdrawn: look at the pump",
        "no alarms on 1 pumps, 1 without data",
    ] {
        assert!(unknown.contains(text), "{text:?} is missing in\n{unknown}");
    }
    assert_eq!(unknown.matches("412 mL/min").count(), 1, "only of pump-2: {unknown}");
    top.mode = Mode::Details;
    let details = picture(&top, 22_000);
    assert!(details.contains("since its restart") && !details.contains("412"), "{details}");
    top.mode = Mode::Overview;
    top.sample(22_000);
    let pump: crate::model::PumpName = "nicu/pump-1".parse().unwrap();
    assert_eq!(top.tiles[&pump].trend.back(), Some(&None), "a gap");
    // A cut within the same run of the gateway changes nothing.
    lose_both(&mut top, 22_100);
    pumps_after_restart(&mut top, vec![named("pump-2")], 22_200);
    assert!(!top.tiles[&pump].is_known);
    pumps_after_restart(&mut top, vec![named("pump-1")], 22_300);
    let known = picture(&top, 22_300);
    assert!(known.contains("2 of 2 live") && known.contains("nicu/pump-1 LIVE"), "{known}");
}

#[test]
fn a_pump_that_the_gateway_knows_takes_the_place_of_a_forgotten_one() {
    let many = |word: &str| (0..256).map(|each| named(&format!("{word}-{each:03}"))).collect();
    let mut top = Ward::new();
    pumps(&mut top, many("old"), 20_000);
    pumps_after_restart(&mut top, many("new"), 22_000);
    assert_eq!((top.tiles.len(), top.unlisted_pumps), (256, 256));
    assert!(top.tiles.values().all(|tile| tile.is_known));
}

#[test]
fn a_sparkline_has_a_gap_where_no_value_held() {
    let mut top = ward();
    top.sample(20_100);
    lose(&mut top, Stream::Pumps, 20_200);
    top.sample(20_300);
    let tile = top.tiles.values().next().unwrap();
    assert_eq!(tile.trend, [Some(412.0), None]);
}

#[test]
fn only_alarms_that_fit_the_screen_are_confirmed_and_each_revision_once() {
    let mut top = ward();
    let many = (0..30).map(|number| wire::Alarm {
        occurrence: format!("{number:02}"),
        condition: format!("limit.{number:02}"),
        ..pump_stop()
    });
    alarms(&mut top, snapshot(many.collect()), 20_000);
    let (picture, shown) = drawn(&top, 20_100, (80, 24));
    assert!(picture.contains("of 30"), "{picture}");
    assert!(!shown.is_empty() && shown.len() < 30, "{}", shown.len());
    let picture = top.screen.picture();
    let fits =
        |row: &ecmo_display::Row| shown.iter().any(|one| one.occurrence == row.alarm.occurrence);
    top.screen.painted(&picture, fits);
    assert_eq!(top.screen.take_confirmations(LINK).len(), shown.len());
    top.screen.painted(&picture, fits);
    assert!(top.screen.take_confirmations(LINK).is_empty());
    top.mode = Mode::Help;
    assert!(drawn(&top, 20_100, (80, 24)).1.is_empty(), "a window covers the list");
}

#[test]
fn acknowledging_names_the_revision_that_was_on_the_screen() {
    let mut top = ward();
    assert_eq!(press(&mut top, KeyCode::Char('a')), Wish::Nothing);
    assert_eq!(press(&mut top, KeyCode::Enter), Wish::Nothing, "no name, no acknowledgement");
    for letter in "Ann".chars() {
        press(&mut top, KeyCode::Char(letter));
    }
    let newer = wire::Alarm { revision: 2, ..pump_stop() };
    alarms(&mut top, Update::Alarm(newer), 20_050);
    assert!(picture(&top, 20_100).contains("IT CHANGED since"));
    let Wish::Acknowledge { shown, by } = press(&mut top, KeyCode::Enter) else {
        panic!("{:?}", top.mode)
    };
    assert_eq!((shown.revision, by.as_str()), (1, "Ann"));
    press(&mut top, KeyCode::Char('a'));
    let Wish::Acknowledge { shown, by } = press(&mut top, KeyCode::Enter) else {
        panic!("the name is asked for once")
    };
    assert_eq!((shown.revision, by.as_str()), (2, "Ann"));
}

#[test]
fn the_selection_stays_with_its_alarm_when_a_more_urgent_one_arrives() {
    let mut top = ward();
    let low = wire::Alarm {
        occurrence: "low".to_owned(),
        condition: "battery.low".to_owned(),
        priority: wire::AlarmPriority::Low.into(),
        ..pump_stop()
    };
    alarms(&mut top, snapshot(vec![low]), 20_000);
    alarms(&mut top, Update::Alarm(pump_stop()), 20_050);
    assert_eq!(top.selected_alarm.as_deref(), Some("low"));
    press(&mut top, KeyCode::Up);
    assert_eq!(top.selected_alarm.as_deref(), Some(pump_stop().occurrence.as_str()));
    let ended = wire::Alarm {
        present: false,
        signal: wire::SignalPresence::Off.into(),
        revision: 9,
        ..pump_stop()
    };
    alarms(&mut top, Update::Alarm(ended), 20_100);
    assert_eq!(top.selected_alarm.as_deref(), Some("low"));
}

#[test]
fn keys_select_pumps_open_details_and_quit() {
    let mut top = ward();
    press(&mut top, KeyCode::Tab);
    assert_eq!(top.selected_pump.as_ref().unwrap().pump, "pump-2");
    press(&mut top, KeyCode::Right);
    assert_eq!(top.selected_pump.as_ref().unwrap().pump, "pump-1");
    press(&mut top, KeyCode::Enter);
    let picture = picture(&top, 20_100);
    assert!(picture.contains("circuit blood flow"), "{picture}");
    assert!(picture.contains("SIMULATED: no patient"), "{picture}");
    assert_eq!(press(&mut top, KeyCode::Char('q')), Wish::Quit);
}

#[test]
fn no_size_of_the_terminal_breaks_the_picture() {
    let mut top = ward();
    let many = (0..30).map(|number| named(&format!("pump-{number:02}")));
    pumps(&mut top, many.collect(), 20_050);
    for mode in [Mode::Overview, Mode::Details, Mode::Help] {
        top.mode = mode;
        for width in [1, 5, 37, 38, 80, 200] {
            for height in [1, 2, 5, 24, 50] {
                drawn(&top, 20_100, (width, height));
            }
        }
    }
}
