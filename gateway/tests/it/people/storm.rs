//! People and programs who ask for anything in any order: nothing of it stops the alarm thread.
#![cfg(test)]

use ecmo_proto::v1;
use tonic::Code;

use super::{Desk, case};
use crate::display::Display;
use crate::site::Site;

/// Any of these numbers, possible or not.
fn number(random: &mut fastrand::Rng) -> f32 {
    let any = f32::from_bits(random.u32(..));
    let usual = random.f32() * 400.0;
    *random.choice(&[any, usual, usual, 0.0, -1.0, f32::NAN, f32::INFINITY]).unwrap()
}

fn any_case(random: &mut fastrand::Rng) -> v1::Case {
    let mut maybe = |number: f32| random.bool().then_some(number);
    let (weight_kg, flow_target) = (maybe(3.0), maybe(300.0));
    let strange = random.u8(..4) == 0;
    v1::Case {
        weight_kg: if strange { Some(number(random)) } else { weight_kg },
        flow_target,
        pump_kind: if strange { random.i32(..) } else { random.i32(0..3) },
        therapy: if strange { random.i32(..) } else { random.i32(0..3) },
        circuit_start_wall_ns: if strange { random.i64(..) } else { random.i64(0..3) },
        ..case()
    }
}

/// Asks for one thing; whether it was granted, or refused with a code that a caller can act on.
async fn ask(display: &Display, random: &mut fastrand::Rng, rules: &[String]) -> bool {
    let desk = Desk::at(display, random.choice(["p1", "p1", "p1", "p9", "a b"]).unwrap());
    let version = Desk::at(display, "p1").treatment().await.version;
    let version = if random.u8(..5) == 0 { random.u64(..) } else { version };
    let rule = random.choice(rules).unwrap().clone();
    let kind = v1::ContextKind::try_from(random.i32(0..9)).unwrap();
    let alarms = display.list_alarms().await;
    let alarm = random.choice(&alarms).cloned().unwrap_or_default();
    let answer = match random.u8(0..9) {
        0 => desk.start(any_case(random), version).await.map(|_| ()),
        1 => desk.change(any_case(random), version).await.map(|_| ()),
        2 => {
            let number = if random.bool() { Some(number(random)) } else { None };
            desk.set(&rule, number, version).await.map(|_| ())
        }
        3 => desk.preview(&rule, number(random)).await.map(|_| ()),
        4 => desk.declare(kind, random.u32(0..40)).await.map(|_| ()),
        5 => desk.end(kind).await.map(|_| ()),
        6 => {
            let request = v1::PauseAudioRequest {
                scope: random.i32(-1..5),
                occurrence: alarm.occurrence,
                ward: "nicu".to_owned(),
                pump: desk.pump,
                seconds: random.u32(0..130),
                by: "x".to_owned(),
            };
            display.alarms().pause_audio(request).await.map(|_| ())
        }
        7 => {
            let request = v1::ShelveAlarmRequest {
                occurrence: alarm.occurrence,
                minutes: random.u32(0..40),
                by: "x".to_owned(),
                reason: "y".to_owned(),
            };
            display.alarms().shelve_alarm(request).await.map(|_| ())
        }
        _ => {
            let request = v1::UnshelveAlarmRequest {
                ward: "nicu".to_owned(),
                pump: desk.pump,
                condition: alarm.condition,
                by: "x".to_owned(),
            };
            display.alarms().unshelve_alarm(request).await.map(|_| ())
        }
    };
    let expected = [Code::InvalidArgument, Code::NotFound, Code::FailedPrecondition, Code::Aborted];
    if let Err(status) = &answer {
        assert!(expected.contains(&status.code()), "{status}");
        assert!(!status.message().is_empty());
    }
    answer.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sequence_of_requests_stops_the_alarm_thread() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    let profile = ecmo_profile::starter();
    let mut rules: Vec<String> =
        profile.limits.iter().map(|spec| spec.rule.key.to_string()).collect();
    rules.extend(["", "flow.low#0", "pump.stop#2", "x"].map(str::to_owned));
    let mut random = fastrand::Rng::with_seed(7);
    let mut granted = 0;
    for round in 0..400 {
        if round % 20 == 0 {
            agent.set("press.pre", random.i32(100..500));
            agent.set("flow.blood", random.i32(-100..600));
        }
        granted += u32::from(ask(&site.display, &mut random, &rules).await);
    }
    assert!((50..350).contains(&granted), "{granted} of 400 were granted: both ways are tried");
    let end = desk.treatment().await;
    assert!(end.version > 10 && end.changes.len() <= 64);
    // What matters is still heard, and judged by the thread that was asked all this.
    let log = site.display.watch_alarms().await;
    agent.set("air.bubble", 1);
    log.raised("p1", "air.arterial").await;
    site.await_ready().await;
}
