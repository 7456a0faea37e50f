//! What does not fit together, and wrong sections, are refused with what is wrong and what to do.

use ecmo_profile::{STARTER, parse};

use crate::{Case, all_refused, changed, refusal};

const WARN: &str = "condition = \"drain.low.warn\"";

#[test]
fn a_warning_beyond_its_alarm_is_refused_and_so_is_a_span_that_allows_it() {
    all_refused(&[
        (
            "condition = \"post.high.warn\"",
            "[100.0, 250.0]",
            "[100.0, 260.0]",
            "limit.settable: an operator could set post.high.warn to 260, beyond post.high.alarm at 250; keep the two spans apart",
        ),
        (
            "condition = \"battery.low\"",
            "below = 30.0",
            "below = 5.0",
            "limit: the warning battery.low at 5 lies beyond battery.critical at 10; bring it inside, or move the other limit out",
        ),
        (
            "condition = \"battery.critical\"\nnumber = 2",
            "below = 10.0",
            "below = 40.0",
            "limit: the warning battery.low#2 at 30 lies beyond battery.critical#2 at 40; bring it inside, or move the other limit out",
        ),
    ]);
    for (after, limit, span, new_limit, new_span, message) in [
        (
            WARN,
            "-50.0",
            "[-70.0, -20.0]",
            "-80.0",
            "[-90.0, -20.0]",
            "the warning drain.low.warn at -80 lies beyond drain.low.alarm at -75",
        ),
        (
            "condition = \"delta.high\"",
            "30.0",
            "[15.0, 40.0]",
            "60.0",
            "[60.0, 80.0]",
            "the warning delta.high at 60 lies beyond delta.high#2 at 50",
        ),
        (
            "condition = \"flow.very_low\"",
            "0.5",
            "[0.3, 0.6]",
            "0.9",
            "[0.3, 0.9]",
            "the warning flow.low#2 at 0.8 lies beyond flow.very_low at 0.9",
        ),
    ] {
        let text = changed(after, limit, new_limit);
        let told = refusal(&text.replacen(span, new_span, 1));
        assert!(told.contains(message), "{told}");
    }
}

#[test]
fn rules_and_contexts_are_named_once() {
    all_refused(&[
        (
            "condition = \"flow.low\"\nnumber = 2",
            "number = 2\n",
            "",
            "limit.condition: the rule flow.low is there twice; remove one, or give this one another number, such as number = 2",
        ),
        (
            "condition = \"flow.low\"\nnumber = 2",
            "number = 2",
            "number = 0",
            "limit.number: is not possible; write a whole number from 1 to 9",
        ),
        (
            "kind = \"wean\"",
            "\"wean\"",
            "\"priming\"",
            "context.kind: the context priming is there twice; merge the two",
        ),
    ]);
}

/// The starter without the section that begins before a line.
fn without(line: &str) -> String {
    let at = STARTER.find(line).expect("the starter has the line");
    let start = STARTER[..at].rfind("[[").expect("a section begins before it");
    let end = at + STARTER[at..].find("\n[").expect("a section follows");
    format!("{}{}", &STARTER[..start], &STARTER[end + 1..])
}

#[test]
fn a_condition_without_a_rule_is_refused_unless_it_is_named() {
    for (line, condition) in [
        ("condition = \"recirculation\"", "recirculation"),
        ("condition = \"level.low\"", "level.low"),
        ("condition = \"circuit.disconnection\"", "circuit.disconnection"),
    ] {
        let told = refusal(&without(line));
        let message = format!(
            "1:1: limit: no rule raises {condition}; add a [[limit]] or [[composite]] for it, or name it in left_out"
        );
        assert_eq!(told, message);
    }
    let named = |name: &str, text: &str| {
        text.replacen("version = 1", &format!("version = 1\nleft_out = [\"{name}\"]"), 1)
    };
    assert!(parse(&named("recirculation", &without("condition = \"recirculation\""))).is_ok());
    let told = refusal(&named("recirculation", STARTER));
    assert!(told.ends_with(
        "left_out: recirculation is left out and has a rule; take it out here, or remove the rule"
    ));
    let text = named("circuit.disconnection", &without("condition = \"circuit.disconnection\""));
    assert!(refusal(&text).ends_with(
        "left_out: circuit.disconnection cannot be left out: nothing may hide it; take it out and give it a rule"
    ));
    let text =
        changed("condition = \"post.low\"", "latching = true", "latching = true\ntherapy = \"VA\"");
    assert!(refusal(&text).ends_with(
        "post.low has no rule that holds for every pump and therapy; add one without pump_kind and therapy"
    ));
}

#[test]
fn silence_signals_and_sensors_keep_their_bounds() {
    all_refused(&[
        (
            "[signals]",
            "pause_max_s = 120.0",
            "pause_max_s = 121",
            "signals.pause_max_s: 121 s is not possible; write a time from 0 to 120 s",
        ),
        (
            "[signals]",
            "shelve_max_min = 30.0",
            "shelve_max_min = 481",
            "signals.shelve_max_min: 481 min is not possible; write a time from 0 to 480 min",
        ),
        (
            "[signals]",
            "reminder_s = 60.0",
            "reminder_s = 60.0\nshelve_high_max_min = 5",
            "signals.shelve_high_max_min: is not known; correct or remove it; possible here: pause_max_s, reminder_s, shelve_max_min, group_window_s",
        ),
        (
            "[silence]",
            "frame_s = 0.8",
            "frame_s = 11",
            "silence.frame_s: 11 s is not possible; write a time from 0.2 to 10 s",
        ),
        (
            "[silence]",
            "frame_after_hint_s = 0.2",
            "frame_after_hint_s = 0.9",
            "silence.frame_after_hint_s: is longer than frame_s; write at most frame_s",
        ),
        (
            "[silence]",
            "skew_medium_s = 1.0",
            "skew_medium_s = 0.2",
            "silence.skew_medium_s: is not beyond skew_low_s; write more than skew_low_s",
        ),
        (
            "[silence]",
            "calibrating_s = 60.0",
            "calibrating_s = 61",
            "silence.calibrating_s: 61 s is not possible; write a time from 1 to 60 s",
        ),
    ]);
    let told = refusal(&changed("vital = [", "\"flow.blood\"", "\"flow.blod\""));
    assert!(
        told.contains("sensors.vital: there is no parameter \"flow.blod\"; use one of pump.speed")
    );
    all_refused(&[(
        "vital = [",
        "\"press.pre\", ",
        "\"press.pre\", \"press.pre\", ",
        "sensors.vital: is named twice; remove one",
    )]);
    let section = STARTER.replacen("\n[signals]", "\n[signal]", 1);
    let told = refusal(&section);
    assert!(told.contains("1:1: signals: is missing; add signals"), "{told}");
    assert!(told.contains("signal: is not known; correct or remove it"), "{told}");
}

#[test]
fn a_group_never_quiets_what_must_be_heard() {
    let group = "leaders = [\"air.suspected\"]";
    all_refused(&[
        (
            group,
            "\"flow.low\", ",
            "\"air.venous\", ",
            "group.followers: air.venous always makes its own sound; take it out of followers",
        ),
        (
            group,
            "\"flow.low\", ",
            "\"flow.very_low\", ",
            "group.followers: air.suspected of medium priority would quiet flow.very_low of high priority; let only a cause lead that is at least as urgent",
        ),
        (
            group,
            "\"flow.low\", ",
            "\"flow.low\", \"flow.low\", ",
            "group.followers: is named twice; remove one",
        ),
        (
            group,
            "[\"air.suspected\"]",
            "[\"flow.low\"]",
            "group.followers: flow.low cannot follow itself; take it out of leaders or followers",
        ),
        (group, "[\"air.suspected\"]", "[]", "group.leaders: is empty; name conditions"),
        (
            "leaders = [\"comm.console_silent\"]",
            "\"sensor.fault.*\"",
            "\"sensor.fault.press.pre\"",
            "group.followers: faults of sensors follow all together; write sensor.fault.*",
        ),
    ]);
    let told = refusal(&changed(group, "\"flow.low\", ", "\"flow.lo*\", "));
    assert!(
        told.contains("group.followers: there is no condition \"flow.lo*\"; use one of flow.low, ")
    );
    assert!(told.contains(", sensor.fault.*"), "{told}");
}

const PRIMING: &str = "kind = \"priming\"";
const WEAN: &str = "kind = \"wean\"";
const LOW: &str = "{ conditions = [\"flow.low\"], priority = \"low\", delay_s = 10.0 }";

const SWITCHED_OFF: &[Case] = &[
    (
        PRIMING,
        "\"priming\"",
        "\"prime\"",
        "context.kind: there is no context \"prime\"; use one of priming, cannulation, clamp_trial, wean, circuit_change, transport, suctioning, zeroing",
    ),
    (
        WEAN,
        "longest_min = 720",
        "longest_min = 1441",
        "context.longest_min: 1441 min is not possible; write a time from 1 to 1440 min",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"pump.stop\", \"flow.low\"], priority = \"low\" }",
        "context.effects.priority: no context lowers pump.stop below medium; write \"medium\", or take the condition out",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"pump.stop\", \"flow.low\"], delay_s = 3.1 }",
        "context.effects.delay_s: no context delays pump.stop by more than 3 s; write at most 3, or take the condition out",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"flow.low\"], priority = \"information\" }",
        "context.effects.priority: a context makes no alarm silent; write \"low\"",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"flow.low\"], priority = \"high\" }",
        "context.effects.priority: nothing lies above high; write \"low\" or \"medium\"",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"flow.low\"], delay_s = 43200 }",
        "context.effects.delay_s: is as long as the context, which would switch the alarm off; write less than longest_min",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"flow.low\"], delay_s = 43201 }",
        "context.effects.delay_s: 43201 s is not possible; write a time from 0 to 43200 s",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"flow.low\"] }",
        "context.effects: does nothing; add priority, delay_s, or both",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"flow.low\", \"flow.very_low\"], delay_s = 1 }",
        "context.effects: names flow.very_low twice; say once what this context does to it",
    ),
    (
        WEAN,
        LOW,
        "{ conditions = [\"comm.stale\"], delay_s = 1 }",
        "context.effects.conditions: comm.stale is decided by silence or by the gateway itself, not by a rule; set its times in [silence]; a sensor's priority in [sensors]",
    ),
];

#[test]
fn a_context_softens_and_switches_nothing_off() {
    all_refused(SWITCHED_OFF);
}
