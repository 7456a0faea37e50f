//! Who publishes: births, boots, and two agents that call themselves the same pump.

use ecmo_core::alarm::occurrence::Transition::{Ended, Raised};
use ecmo_core::frame::{Frame, FrameStamp};
use ecmo_core::parameter::Parameter::PumpSpeed;
use ecmo_core::pump::{BirthRefusal, PumpState, Refusal};
use ecmo_core::reading::Reading;
use ecmo_core::time::{Instant, SampleTime};

use crate::bedside::{Bedside, Input, boot, check};

#[test]
fn a_frame_without_a_birth_is_refused() {
    let mut bedside = Bedside::new();
    let stamp = FrameStamp {
        published: SampleTime::default(),
        published_wall_ns: 0,
        received: Instant::default(),
    };
    let unborn = Frame::new(boot(9), 0, stamp);
    assert_eq!(bedside.deliver(unborn), Err(Refusal::NoBirth));
    assert_eq!(bedside.pump.counters().frames.accepted, 0);
    assert_eq!(bedside.pump.fresh_at(), None);
}

#[test]
fn a_few_frames_of_the_last_run_after_a_restart_betray_nobody() {
    check(
        &[(2_000, Input::Restart(2)), (2_040, Input::Stray(1)), (2_990, Input::Stray(1))],
        20_000,
        &[],
    );
}

#[test]
fn frames_of_an_old_run_after_a_second_betray_a_second_agent_and_are_never_mixed_in() {
    let bedside = check(
        &[
            (2_000, Input::Restart(2)),
            (4_000, Input::Stray(1)),
            (8_000, Input::Stray(1)),
            (30_000, Input::Stray(1)),
        ],
        45_000,
        &[
            (4_000, "source.duplicate", Raised),
            (18_000, "source.duplicate", Ended),
            (30_000, "source.duplicate", Raised),
            (40_000, "source.duplicate", Ended),
        ],
    );
    assert_eq!(bedside.pump.state(), PumpState::Running);
    assert!(!bedside.log.evaluated.contains(&(boot(1), 1_000)));
    // Two occurrences have two names: a display that saw the end of the first must not drop the second.
    let ids: Vec<_> = bedside.log.changes.iter().map(|change| change.id).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[test]
fn a_second_agent_is_not_said_to_be_gone_while_the_present_run_is_silent() {
    let mut bedside = Bedside::new();
    bedside.play(
        &[
            (2_000, Input::Restart(2)),
            (4_000, Input::Stray(1)),
            (5_000, Input::Lose(true)),
            (60_000, Input::Stray(1)),
        ],
        90_000,
    );
    assert!(bedside.find("source.duplicate").is_some());
    assert!(bedside.find("comm.stale").is_some());
}

#[test]
fn the_birth_of_an_old_run_beside_a_live_one_is_refused_and_told() {
    let mut bedside = Bedside::new();
    bedside.play(&[(2_000, Input::Restart(2))], 3_000);
    let now = bedside.now();
    let channels = bedside.agent.channels();
    let refused = bedside.pump.on_birth(boot(1), &channels, None, true, now, &mut bedside.log);
    assert_eq!(refused, Err(BirthRefusal::Superseded));
    assert_eq!(bedside.told(), [], "a repeated message from the past is no second agent");
    let refused = bedside.pump.on_birth(boot(1), &channels, None, false, now, &mut bedside.log);
    assert_eq!(refused, Err(BirthRefusal::Superseded));
    assert_eq!(bedside.told(), [(3_000, "source.duplicate".into(), Raised)]);
    assert_eq!(bedside.pump.boot(), Some(boot(2)));
}

#[test]
fn an_old_run_that_comes_back_when_the_new_one_is_silent_takes_over_and_is_told() {
    let mut bedside = Bedside::new();
    bedside.play(
        &[(2_000, Input::Restart(2)), (3_000, Input::Lose(true)), (5_000, Input::Lose(false))],
        5_000,
    );
    // Its own numbers and clock go on: here a run that began at this moment stands for them.
    bedside.apply(&Input::Restart(1));
    bedside.run_until(9_000);
    assert_eq!(bedside.pump.boot(), Some(boot(1)));
    assert!(bedside.find("source.duplicate").is_some());
    assert!(bedside.find("comm.stale").is_none());
    assert_eq!(bedside.reading(PumpSpeed), Reading::Value(3_000.0));
}

#[test]
fn what_waited_for_a_lost_frame_is_judged_before_the_next_run_begins() {
    let mut bedside = Bedside::new();
    bedside.run_until(1_000);
    bedside.play(&[(1_000, Input::Lose(true)), (1_020, Input::Lose(false))], 1_060);
    // 50 was lost: 51 and 52 wait for it when the agent starts anew.
    assert_eq!(bedside.log.evaluated.last(), Some(&(boot(1), 49)));
    bedside.apply(&Input::Restart(2));
    bedside.run_until(1_100);
    let evaluated = &bedside.log.evaluated;
    assert_eq!(evaluated[50..], [(boot(1), 51), (boot(1), 52), (boot(2), 0), (boot(2), 1)]);
}
