//! Each wrong thing in a limit or a composite is refused with what is wrong and what to do.

use ecmo_profile::{STARTER, parse};

use crate::{Case, all_refused, changed, refusal};

const WARN: &str = "condition = \"drain.low.warn\"";
const ALARM: &str = "condition = \"drain.low.alarm\"";
const RETROGRADE: &str = "condition = \"flow.retrograde\"";
const DEVIATION: &str = "condition = \"gas.fdo2.dev\"";
const SWEEP: &str = "condition = \"gas.sweep.low\"";
const BUBBLE: &str = "condition = \"air.arterial\"";
const STOP: &str = "condition = \"pump.stop\"";
const SUSPECTED: &str = "condition = \"air.suspected\"";
const CLOTTING: &str = "condition = \"oxygenator.clotting\"";

#[test]
fn a_refusal_says_line_column_key_what_and_what_to_do() {
    let text = changed(WARN, "delay_s = 2.0", "delay_s = \"soon\"");
    let line = text[..text.find("\"soon\"").unwrap()].matches('\n').count() + 1;
    assert_eq!(
        refusal(&text),
        format!("{line}:11: limit.delay_s: is of the kind string; write a time from 0 to 86400 s")
    );
    let error = parse("name = \n").unwrap_err();
    let problem = &error.problems()[0];
    assert_eq!((problem.line, problem.key.as_str()), (1, ""));
    assert!(problem.todo.starts_with("correct it"));
}

#[test]
fn every_problem_is_told_at_once() {
    let text = changed(WARN, "delay_s = 2.0", "delay_s = -1")
        .replace("skew_low_s = 0.25", "skw_low_s = 0.25");
    let told = refusal(&text);
    let keys: Vec<&str> = told.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(keys, ["limit.delay_s", "silence.skew_low_s", "silence.skw_low_s"], "{told}");
}

#[test]
fn words_that_do_not_exist_are_refused_with_those_that_do() {
    all_refused(&[
        (
            WARN,
            "latching = false",
            "latching = false\nhysterese = 5",
            "limit.hysterese: is not known; correct or remove it; possible here: condition, number, clear_s, priority, latching, pump_kind, therapy, escalate_s, parameter, distance_from, below, above, below_per_kg, above_per_kg, below_share_of, above_share_of, is, and_below, and_above, settable, average_s, cumulative, delay_s, when, hysteresis, hysteresis_share",
        ),
        (
            "version = 1",
            "version = 1",
            "version = 1\nverison = 2",
            "verison: is not known; correct or remove it; possible here: name, version, reviewed_by, left_out, sensors, silence, signals, limit, composite, group, context",
        ),
        (
            SUSPECTED,
            "noise_ratio",
            "noise_rate",
            "possible here: condition, number, clear_s, priority, latching, pump_kind, therapy, escalate_s, hold_s, quality_fall_points, quality_min_percent, noise_ratio, current_fall_share, drain_low_mmhg, speed_steady_share, speed_pause_s",
        ),
        (
            WARN,
            "\"medium\"",
            "\"urgent\"",
            "limit.priority: there is no priority \"urgent\"; use one of information, low, medium, high",
        ),
        (
            "condition = \"pump.stop\"",
            "\"centrifugal\"",
            "\"rotary\"",
            "limit.pump_kind: there is no pump kind \"rotary\"; use one of centrifugal, roller",
        ),
        (
            "condition = \"recirculation\"",
            "\"VV\"",
            "\"vv\"",
            "composite.therapy: there is no therapy \"vv\"; use one of VA, VV",
        ),
        (
            WARN,
            "\"running\"",
            "\"walking\"",
            "limit.when: there is no time to judge \"walking\"; use one of always, running, meant_to_run, { faster_than_rpm = 1000 }",
        ),
    ]);
    let told = refusal(&changed(WARN, "\"drain.low.warn\"", "\"drain.low\""));
    assert!(
        told.contains(
            "limit.condition: there is no condition \"drain.low\"; use one of flow.low, "
        )
    );
    assert!(told.contains(", post.low, ") && !told.contains("comm.stale"), "{told}");
    let told = refusal(&changed(WARN, "\"press.drain\"", "\"press.drian\""));
    assert!(told.contains(
        "limit.parameter: there is no parameter \"press.drian\"; use one of pump.speed, "
    ));
}

const NEVER_RAISED: &[Case] = &[
    (
        WARN,
        "-50.0",
        "-800",
        "limit.below: press.drain can never lie beyond -800 mm[Hg]; choose a limit within what is possible, -700 to 400",
    ),
    (
        WARN,
        "-50.0",
        "-700",
        "limit.below: press.drain can never lie beyond -700 mm[Hg]; choose a limit within what is possible, -700 to 400",
    ),
    (
        WARN,
        "below = -50.0",
        "above = 400",
        "limit.above: press.drain can never lie beyond 400 mm[Hg]; choose a limit within what is possible, -700 to 400",
    ),
    (
        "condition = \"flow.high\"",
        "180.0",
        "250",
        "limit.above_per_kg: flow.blood can never lie beyond 2500 mL/min; choose a limit within what is possible, -1000 to 2000",
    ),
    (
        RETROGRADE,
        "and_below = -20.0",
        "and_below = -1000",
        "limit.and_below: flow.blood can never lie beyond -1000 mL/min; choose a limit within what is possible, -1000 to 2000",
    ),
    (
        DEVIATION,
        "above = 5.0",
        "above = 81",
        "limit.above: gas.fdo2 can never lie beyond 81 %; choose a limit within what is possible, 0 to 81",
    ),
    (
        SWEEP,
        "share = 0.5",
        "share = 0",
        "limit.below_share_of.share: a share of 0 is never reached; write up to 2",
    ),
    (
        SWEEP,
        "share = 0.5",
        "share = 3",
        "limit.below_share_of.share: 3 is not possible; write a number from 0 to 2",
    ),
    (WARN, "-50.0", "nan", "limit.below: is no decimal number; write a number in mm[Hg]"),
    (WARN, "-50.0", "-1e39", "limit.below: is beyond every measurement; write a number in mm[Hg]"),
    (WARN, "-50.0", "0x10", "limit.below: is no decimal number; write a number in mm[Hg]"),
    (
        SUSPECTED,
        "noise_ratio = 5.0",
        "noise_ratio = 500",
        "composite.noise_ratio: 500 is not possible; write a number from 1.5 to 20",
    ),
    (
        SUSPECTED,
        "speed_pause_s = 2.0",
        "speed_pause_s = 60",
        "composite.speed_pause_s: 60 s is not possible; write a time from 0.5 to 5 s",
    ),
    (
        CLOTTING,
        "low_for_min = 30.0",
        "low_for_min = 300",
        "composite.low_for_min: 300 min is not possible; write a time from 1 to 240 min",
    ),
];

#[test]
fn a_limit_that_could_never_raise_is_refused() {
    all_refused(NEVER_RAISED);
}

const MISFITS: &[Case] = &[
    (
        WARN,
        "below = -50.0\n",
        "",
        "limit.below: no limit is given; add one of below, above, below_per_kg, above_per_kg, below_share_of, above_share_of, is",
    ),
    (
        WARN,
        "below = -50.0",
        "below = -50.0\nabove = 10",
        "limit.above: is a second limit of one rule; make it a rule of its own",
    ),
    (WARN, "below = -50.0", "is = true", "limit.is: is for detectors; write below or above"),
    (
        BUBBLE,
        "is = true",
        "above = 0.5",
        "limit.above: is for measurements, and this is a detector; write is = true or is = false",
    ),
    (
        BUBBLE,
        "is = true",
        "is = true\nsettable = [0, 1]",
        "limit.settable: a detector has nothing to set; remove the key",
    ),
    (
        WARN,
        "below = -50.0",
        "below_per_kg = -10",
        "limit.below_per_kg: only flows in mL/min have limits by weight; write below or above",
    ),
    (
        RETROGRADE,
        "and_below",
        "and_above",
        "limit.and_above: does not go with this limit; use and_below with below_per_kg, and_above with above_per_kg, or remove it",
    ),
    (
        WARN,
        "below = -50.0",
        "below = -50.0\nand_below = -60",
        "limit.and_below: does not go with this limit; use and_below with below_per_kg, and_above with above_per_kg, or remove it",
    ),
    (
        SWEEP,
        "parameter = \"gas.sweep.set\"",
        "parameter = \"press.pre\"",
        "limit.below_share_of.parameter: has another unit than what is judged; name a number in mL/min",
    ),
    (
        SWEEP,
        "parameter = \"gas.sweep.set\"",
        "case = \"speed_max\"",
        "limit.below_share_of.case: has another unit than what is judged; name a number in mL/min",
    ),
    (
        SWEEP,
        "parameter = \"gas.sweep.set\"",
        "case = \"weight\"",
        "limit.below_share_of.case: there is no number of the case \"weight\"; use one of flow_target, oxygenator_flow_min, speed_max",
    ),
    (
        SWEEP,
        "parameter = \"gas.sweep.set\", ",
        "",
        "limit.below_share_of: needs one source; name either case or parameter",
    ),
    (
        DEVIATION,
        "above = 5.0",
        "below = 5.0",
        "limit.below: a distance is never too small; write above",
    ),
    (
        DEVIATION,
        "\"gas.fdo2.set\"",
        "\"gas.fdo2\"",
        "limit.distance_from: there is no distance between gas.fdo2 and this; name another parameter in the same unit",
    ),
    (
        DEVIATION,
        "\"gas.fdo2.set\"",
        "\"gas.sweep\"",
        "limit.distance_from: there is no distance between gas.fdo2 and this; name another parameter in the same unit",
    ),
];

#[test]
fn a_limit_has_one_number_that_fits_what_it_judges() {
    all_refused(MISFITS);
}

const IMPOSSIBLE: &[Case] = &[
    (
        STOP,
        "\"meant_to_run\"",
        "\"running\"",
        "limit.when: would hide a condition while the pump stands; write \"always\" or \"meant_to_run\"",
    ),
    (
        BUBBLE,
        "\"always\"",
        "{ faster_than_rpm = 1000 }",
        "limit.when: would hide a condition while the pump stands; write \"always\" or \"meant_to_run\"",
    ),
    (
        STOP,
        "delay_s = 0.3",
        "delay_s = 0.3\naverage_s = 2",
        "limit.average_s: 2 s is not possible; write a time from 0 to 1 s",
    ),
    (
        WARN,
        "hysteresis = 5.0",
        "hysteresis = -5",
        "limit.hysteresis: is negative; write a distance from 0",
    ),
    (
        WARN,
        "hysteresis = 5.0",
        "hysteresis_share = 1.5",
        "limit.hysteresis_share: is no share; write at most 1",
    ),
    (
        WARN,
        "hysteresis = 5.0",
        "hysteresis = 500",
        "limit.below: with a hysteresis of 500 the condition never ends; lessen hysteresis or hysteresis_share",
    ),
    (
        SWEEP,
        "hysteresis_share = 0.1",
        "hysteresis = 15000",
        "limit.below_share_of: with this hysteresis the condition never ends; lessen hysteresis",
    ),
    (
        WARN,
        "[-70.0, -20.0]",
        "[-70.0, -60.0]",
        "limit.settable: does not contain the limit itself, -50; widen the span or change the limit",
    ),
    (
        WARN,
        "[-70.0, -20.0]",
        "[-20.0, -70.0]",
        "limit.settable: -20 is greater than -70; write two numbers, the least first, as [-70.0, -30.0]",
    ),
    (
        WARN,
        "[-70.0, -20.0]",
        "[-70.0]",
        "limit.settable: is no span; write two numbers, the least first, as [-70.0, -30.0]",
    ),
    (
        ALARM,
        "[-100.0, -70.0]",
        "[-800.0, -70.0]",
        "limit.settable: press.drain can never lie beyond -800 mm[Hg]; choose a limit within what is possible, -700 to 400",
    ),
    (
        WARN,
        "delay_s = 2.0",
        "delay_s = 86401",
        "limit.delay_s: 86401 s is not possible; write a time from 0 to 86400 s",
    ),
    (
        WARN,
        "average_s = 1.0",
        "average_s = 61",
        "limit.average_s: 61 s is not possible; write a time from 0 to 60 s",
    ),
    (
        WARN,
        "when = \"running\"",
        "when = { faster_than_rpm = -1 }",
        "limit.when.faster_than_rpm: -1 is not possible; write a number from 0 to 6000",
    ),
    (
        STOP,
        "delay_s = 0.3",
        "delay_s = 11",
        "limit.delay_s: is too long for a condition that nothing may hide; write a time of at most 10 s",
    ),
    (
        SUSPECTED,
        "hold_s = 0.3",
        "hold_s = 11",
        "composite.hold_s: is too long for a condition that nothing may hide; write a time of at most 10 s",
    ),
    (
        STOP,
        "priority = \"high\"",
        "priority = \"low\"",
        "limit.priority: pump.stop must be heard; give it medium or high priority",
    ),
    (
        ALARM,
        "priority = \"high\"",
        "priority = \"high\"\nescalate_s = 60",
        "limit.escalate_s: a rule of high priority has nothing to escalate to; remove the key; it is for low and medium priority",
    ),
    (
        "condition = \"bleeding.trend\"",
        "\"information\"",
        "\"low\"",
        "composite.priority: bleeding.trend is a card to read, because it detects nothing for certain; write \"information\"",
    ),
    (
        CLOTTING,
        "baseline_until_h = 6.0",
        "baseline_until_h = 0.5",
        "composite.baseline_until_h: is not within 6 h after baseline_from_h; write a later time, at most 6 h later",
    ),
    (
        CLOTTING,
        "medium_ratio = 2.5",
        "medium_ratio = 1.5",
        "composite.medium_ratio: is not beyond low_ratio; write more than low_ratio",
    ),
    (
        SUSPECTED,
        "\"air.suspected\"",
        "\"flow.low\"",
        "use one of pump.stop, circuit.disconnection, post.low, return.obstruction, drain.obstruction, oxygenator.clotting, drain.chatter, air.suspected, recirculation, gas.failure, power.depleting, bleeding.trend, pulse.low",
    ),
    (
        WARN,
        "\"drain.low.warn\"",
        "\"comm.stale\"",
        "limit.condition: comm.stale is decided by silence or by the gateway itself, not by a rule; set its times in [silence]; a sensor's priority in [sensors]",
    ),
    (WARN, "clear_s = 1.0\n", "", "limit.clear_s: is missing; add clear_s"),
    (CLOTTING, "low_ratio = 1.5\n", "", "composite.low_ratio: is missing; add low_ratio"),
];

#[test]
fn hysteresis_span_and_delays_are_possible() {
    all_refused(IMPOSSIBLE);
}

#[test]
fn the_starter_itself_is_right() {
    assert!(parse(STARTER).is_ok());
}
