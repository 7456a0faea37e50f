//! Seeds that once failed, with what they found. They stay here so that it stays away.

use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::pump::Pump;
use ecmo_core::time::{ClockMap, Instant};
use ecmo_sim::breaks::Break;
use ecmo_sim::checks::Invariant;
use ecmo_sim::run::{Order, Outcome, run};
use ecmo_sim::time::{MINUTE, Nanos};

fn holds(seed: u64, lasts: Nanos) -> Outcome {
    let outcome = run(Order { seed, lasts, planted: None }, None);
    let tail = outcome.last.join("\n");
    assert_eq!(outcome.violation, None, "seed {seed}\n{tail}");
    outcome
}

/// Fails where a gateway takes every age for proven, and hears no answer of an agent that says better.
fn needs_proof(seed: u64, lasts: Nanos) {
    holds(seed, lasts);
    let outcome = run(Order { seed, lasts, planted: Some(Break::AgeTrusted) }, None);
    let found = outcome.violation.map(|violation| violation.invariant);
    assert_eq!(found, Some(Invariant::Fresh), "seed {seed} does not need it any more");
}

/// Found: a gateway that started while a broker stood still, and was then frozen itself, showed frames that were a minute old as
/// those of now. It had no fast frame and no answer of the agent to compare them with.
#[test]
fn seed_30_a_gateway_without_an_answer_does_not_believe_frames_that_a_broker_held_back() {
    needs_proof(30, 12 * MINUTE);
}

/// Found: the same, with frames that were 85 s old.
#[test]
fn seed_59_frames_of_before_the_start_of_a_gateway_are_not_those_of_now() {
    needs_proof(59, 18 * MINUTE + MINUTE / 2);
}

/// Found: the same, until faster frames came; what was mapped before them stayed too young.
#[test]
fn seed_58_a_faster_frame_ages_what_came_before_it() {
    holds(58, 30 * MINUTE);
}

/// Found: an agent that was cut off from a broker which forgot its birth never told it again (a fault of the simulation).
#[test]
fn seed_3_a_broker_that_started_anew_gets_every_birth_again() {
    holds(3, 20 * MINUTE);
}

/// Found: before a frame was judged, every silence of a pump had the same name, `comm.stale/0000000000000000-0`. What a person
/// did about one that had ended stood against the next one.
#[test]
fn seed_1064_silences_before_the_first_frame_have_names_of_their_own() {
    holds(1_064, 46 * MINUTE);
}

/// Found: the check of the names took 20 frames without a gap for the same inputs. A sensor was off for longer, and the violation
/// before that goes on after it; the gateway that had started meanwhile could not know of it, and raised later.
#[test]
fn seed_1796050792053_a_violation_from_before_the_start_of_a_gateway_is_no_frame_that_it_had() {
    holds(1_796_050_792_053, 54 * MINUTE);
    holds(2_000_422, 34 * MINUTE);
}

/// Found: the same, where the frames in which the signal had recovered were those that never came.
#[test]
fn seed_2000659_a_recovery_in_a_gap_is_no_frame_that_both_had() {
    holds(2_000_659, 58 * MINUTE);
}

/// Found: a gateway named each silence of a sensor that it had never heard `sensor.fault.temp.return/0000000156790001-0`. What a
/// person did about one that had ended stood against the next one, after the next start.
#[test]
fn seed_2000253_silences_of_a_sensor_that_was_never_heard_have_names_of_their_own() {
    holds(2_000_253, 30 * MINUTE);
}

/// Found: an offer of a pump that the other gateway got two minutes late ran there for its whole minute again (a fault of the
/// simulation). The alarm that nobody had answered came after the minute for which its acknowledgement waits.
#[test]
fn seed_3000425_an_offer_that_comes_late_has_less_time_left() {
    holds(3_000_425, 16 * MINUTE);
}

/// Found: a gateway that was frozen came to the frames of an agent's last run, and the check of the leases forgot that the other
/// one had judged those of the present run all the time.
#[test]
fn seed_3000584_what_a_frozen_gateway_judges_late_takes_no_lease_from_an_agent() {
    holds(3_000_584, 41 * MINUTE);
}

#[test]
fn worlds_are_worth_their_time() {
    let outcome = holds(2, 10 * MINUTE);
    assert!(outcome.tally.raised > 0 && outcome.tally.shown > 0 && outcome.tally.faults > 0);
    assert!(outcome.answers.0 > 0, "somebody did something");
}

/// The same, in the core alone: a gateway that is started anew, and again before anything has come.
#[test]
fn silences_before_the_first_frame_have_names_of_their_own() {
    let name = |started: u64| {
        let pace = ecmo_sim::rules::Pace { period: 200 * ecmo_sim::time::MS };
        let profile = std::sync::Arc::new(ecmo_sim::rules::profile(pace));
        let window = std::time::Duration::from_millis(100);
        let started = Instant::from_millis(started);
        let mut pump = Pump::new(profile, window, started);
        pump.on_tick(started.plus(std::time::Duration::from_secs(1)), &mut Deaf);
        pump.alarms().first().map(|alarm| alarm.id)
    };
    assert!(name(1_000).is_some());
    assert_ne!(name(1_000), name(90_000));
    assert_eq!(name(1_000), name(1_000));
}

struct Deaf;

impl Output for Deaf {
    fn evaluated(&mut self, _: &Frame, _: &ClockMap) {}

    fn alarm(&mut self, _: AlarmChange<'_>) {}
}

/// Answers of a gateway that had just started overtook the first message of its pumps over a slow way, and were thrown away: until
/// the next answer nothing told how slow the way was.
#[test]
fn seed_5002005_answers_that_overtake_the_first_message_still_tell_how_slow_the_way_is() {
    holds(5_002_005, 60 * MINUTE);
}
