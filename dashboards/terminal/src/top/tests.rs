//! What `top` draws in every state, on a backend without a terminal.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ecmo_proto::v1 as wire;
use wire::watch_alarms_response::Update;

use crate::live::Stream;
use crate::top::input::{Wish, take_key};
use crate::top::state::Mode;
use crate::top::ward::*;

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
