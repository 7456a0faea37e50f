//! What the gateway says of itself, told things at times.

use super::*;
use crate::alarm::AlarmChange;
use crate::alarm::blank::blank;
use crate::alarm::occurrence::Transition;
use crate::frame::Frame;
use crate::time::ClockMap;

#[derive(Default)]
struct Heard(Vec<(Condition, Transition)>);

impl Output for Heard {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.0.push((change.occurrence.id.condition, change.transition));
    }
}

#[test]
fn a_connection_that_is_missing_for_half_a_second_is_an_alarm_until_it_is_back() {
    let at = Instant::from_millis;
    let mut heard = Heard::default();
    let mut uplink = Uplink::new(&blank(), at(0));
    uplink.on_up(at(100), &mut heard);
    uplink.on_down(at(1_000));
    uplink.on_tick(at(1_499), &mut heard);
    assert!(heard.0.is_empty());
    assert_eq!(uplink.next_deadline(), Some(at(1_500)));
    uplink.on_tick(at(1_500), &mut heard);
    uplink.on_tick(at(9_000), &mut heard);
    uplink.on_up(at(9_500), &mut heard);
    assert_eq!(
        heard.0,
        [(Condition::COMM_BROKER, Transition::Raised), (Condition::COMM_BROKER, Transition::Ended)]
    );
}

#[test]
fn one_of_two_connections_lost_is_one_notice_until_both_stand_for_five_seconds() {
    let at = Instant::from_millis;
    let mut heard = Heard::default();
    let mut uplink = Uplink::new(&blank(), at(0));
    uplink.on_paths(1, 2, at(10), &mut heard);
    uplink.on_paths(2, 2, at(60), &mut heard);
    uplink.on_paths(1, 2, at(9_000), &mut heard);
    uplink.on_tick(at(9_499), &mut heard);
    assert!(heard.0.is_empty(), "a connection that is made anew at once is none");
    assert_eq!(uplink.next_deadline(), Some(at(9_500)));
    uplink.on_tick(at(9_500), &mut heard);
    uplink.on_paths(0, 2, at(10_000), &mut heard);
    uplink.on_tick(at(10_500), &mut heard);
    uplink.on_paths(2, 2, at(12_000), &mut heard);
    uplink.on_tick(at(16_999), &mut heard);
    assert_eq!(uplink.next_deadline(), Some(at(17_000)));
    uplink.on_tick(at(17_000), &mut heard);
    let lost = Condition::COMM_REDUNDANCY_LOST;
    assert_eq!(
        heard.0,
        [
            (lost, Transition::Raised),
            (Condition::COMM_BROKER, Transition::Raised),
            (Condition::COMM_BROKER, Transition::Ended),
            (lost, Transition::Ended)
        ]
    );
    assert!(uplink.is_up());
}

/// What is heard when the gateway is told things at these times, with a look each 10 ms for half a minute.
fn told(mut tell: impl FnMut(&mut Uplink, u64)) -> Vec<(Condition, Transition, u64)> {
    let (mut heard, at) = (Heard::default(), Instant::from_millis);
    let mut uplink = Uplink::new(&blank(), at(0));
    uplink.on_up(at(0), &mut heard);
    let mut all = Vec::new();
    for ms in (0..30_000).step_by(10) {
        tell(&mut uplink, ms);
        uplink.on_tick(at(ms), &mut heard);
        all.extend(heard.0.drain(..).map(|(condition, step)| (condition, step, ms)));
    }
    all
}

#[test]
fn a_high_alarm_that_no_display_confirms_is_an_alarm_until_one_does() {
    let condition = Condition::DELIVERY_UNCONFIRMED;
    let all = told(|uplink, ms| {
        uplink.on_undelivered((3_000..4_000).contains(&ms).then(|| Instant::from_millis(1_000)));
    });
    let expected = [(condition, Transition::Raised, 3_000), (condition, Transition::Ended, 4_000)];
    assert_eq!(all, expected);
}

#[test]
fn a_missed_budget_is_an_alarm_until_it_is_kept_again() {
    for hop in Hop::ALL {
        let all = told(|uplink, ms| {
            let slow = (5_000..6_000).contains(&ms);
            let took = if slow { 2 * hop.budget() } else { hop.budget() / 2 };
            uplink.on_hop(hop, took, Instant::from_millis(ms));
        });
        let [raised, ended] = &all[..] else { panic!("{all:?}") };
        assert_eq!((raised.0, raised.1), (hop.condition(), Transition::Raised));
        assert!((5_010..5_300).contains(&raised.2), "{raised:?}");
        assert_eq!((ended.0, ended.1), (hop.condition(), Transition::Ended));
        assert!((14_000..16_010).contains(&ended.2), "ten seconds later: {ended:?}");
    }
}

#[test]
fn a_single_alarm_that_took_too_long_is_an_alarm_for_ten_seconds() {
    let all = told(|uplink, ms| {
        let at = Instant::from_millis(ms);
        if ms == 2_000 {
            uplink.on_alarm_hop(Hop::Display, Duration::from_millis(1_001), at);
        }
    });
    let condition = Condition::LATENCY_DISPLAY;
    let expected = [(condition, Transition::Raised, 2_000), (condition, Transition::Ended, 12_000)];
    assert_eq!(all, expected);
}

#[test]
fn a_state_that_is_not_durable_for_two_seconds_is_an_alarm_until_a_write_succeeds() {
    let all = told(|uplink, ms| match ms {
        1_000 | 1_500 | 6_000 => uplink.on_state(false, Instant::from_millis(ms)),
        0 | 5_000 | 7_990 => uplink.on_state(true, Instant::from_millis(ms)),
        _ => {}
    });
    let condition = Condition::GATEWAY_STATE;
    let expected = [(condition, Transition::Raised, 3_000), (condition, Transition::Ended, 5_000)];
    assert_eq!(all, expected);
}

#[test]
fn damaged_frames_of_unknown_senders_are_one_alarm_until_none_came_for_ten_seconds() {
    let all = told(|uplink, ms| {
        let at = Instant::from_millis(ms);
        match ms {
            1_000 | 2_000 | 2_010 | 4_000 => uplink.on_damaged(Path::B, at),
            3_000 => uplink.on_damaged(Path::A, at),
            _ => {}
        }
    });
    let condition = Condition::COMM_DAMAGED;
    let expected = [(condition, Transition::Raised, 2_010), (condition, Transition::Ended, 14_000)];
    assert_eq!(all, expected);
}

#[test]
fn a_peer_that_differs_and_falls_silent_is_two_alarms() {
    let heard = PeerHeard { name: "gw-b".into(), differs: true };
    let all = told(|uplink, ms| {
        if ms % 1_000 == 0 && ms <= 12_000 {
            uplink.on_peer(&heard, Instant::from_millis(ms));
        }
    });
    let expected = [
        (Condition::GATEWAY_CONFIG_DIFFERS, Transition::Raised, 10_000),
        (Condition::GATEWAY_PEER_LOST, Transition::Raised, 15_000),
    ];
    assert_eq!(all, expected);
}

#[test]
fn a_drill_that_is_missed_is_an_alarm_until_one_comes_through() {
    let all = told(|uplink, ms| {
        let at = Instant::from_millis(ms);
        uplink.on_attended(true);
        match ms {
            1_000 | 9_000 => uplink.on_drill_sent(at),
            9_020 => uplink.on_drill_decided(at),
            9_050 => uplink.on_drill_confirmed(),
            _ => {}
        }
    });
    let condition = Condition::DRILL_MISSED;
    let expected = [(condition, Transition::Raised, 2_000), (condition, Transition::Ended, 9_050)];
    assert_eq!(all, expected);
}

#[test]
fn a_broker_that_was_never_reached_is_an_alarm_too() {
    let mut heard = Heard::default();
    let mut uplink = Uplink::new(&blank(), Instant::from_millis(0));
    uplink.on_tick(Instant::from_millis(500), &mut heard);
    assert_eq!(heard.0, [(Condition::COMM_BROKER, Transition::Raised)]);
}
