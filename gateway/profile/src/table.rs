//! A profile as people read it: a Markdown table, one row a rule.

use std::fmt::Write as _;
use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Kind, Priority};
use ecmo_core::alarm::profile::{Applies, Bound, CompositeSpec, LimitSpec, Profile};
use ecmo_core::alarm::rule::{Gate, Measure, Side, SilenceRules};
use ecmo_core::parameter::Parameter;
use ecmo_core::uplink::BROKER_GRACE;

use crate::{bound, composite, words};

/// Line before the table in a document.
const BEGIN: &str = "<!-- profile table -->";

/// Line after the table in a document.
const END: &str = "<!-- end -->";

const HEADER: &str = "\
| condition | limit | delay | ends at | priority | kind | latches | when | settable |
|---|---|---|---|---|---|---|---|---|
";

/// One row, in the order of the header.
struct Row {
    condition: String,
    limit: String,
    delay: String,
    ends_at: String,
    priority: String,
    kind: Kind,
    latches: bool,
    when: String,
    settable: String,
}

/// The rules of a profile as a Markdown table: limits, then composites, then silence, each in the profile's order.
#[must_use]
pub fn table(profile: &Profile) -> String {
    let limits = profile.limits.iter().map(of_limit);
    let composites = profile.composites.iter().map(of_composite);
    let silence = of_silence(profile);
    let mut text = HEADER.to_owned();
    for row in limits.chain(composites).chain(silence) {
        let Row { condition, limit, delay, ends_at, priority, kind, latches, when, settable } = row;
        let kind = match kind {
            Kind::Physiological => "physiological",
            Kind::Technical => "technical",
        };
        let latches = if latches { "yes" } else { "no" };
        // Writing to a string cannot fail.
        let _written = writeln!(
            text,
            "| `{condition}` | {limit} | {delay} | {ends_at} | {priority} | {kind} | {latches} | {when} | {settable} |"
        );
    }
    text
}

/// A document with the table of a profile between its markers; `None` where it has no markers.
#[must_use]
pub fn in_document(document: &str, profile: &Profile) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_old, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}{END}{after}", table(profile)))
}

/// A number with as many digits as it needs.
fn seconds(duration: Duration) -> String {
    if duration.is_zero() { "none".to_owned() } else { format!("{} s", duration.as_secs_f64()) }
}

fn of_limit(spec: &LimitSpec) -> Row {
    let rule = &spec.rule;
    let mut delay = seconds(rule.delay);
    if rule.cumulative {
        delay.push_str(" in sum");
    }
    Row {
        condition: rule.key.to_string(),
        limit: limit_text(spec),
        delay,
        ends_at: format!("{}{}", ends_at(spec), for_time(rule.clear_delay)),
        priority: priority_text(rule.priority, rule.escalate),
        kind: rule.kind,
        latches: rule.latching,
        when: when(Some(rule.gate), spec.applies),
        settable: settable(spec),
    }
}

fn for_time(clear_delay: Duration) -> String {
    if clear_delay.is_zero() { String::new() } else { format!(" for {}", seconds(clear_delay)) }
}

fn priority_text(priority: Priority, escalate: Option<Duration>) -> String {
    let word = words::priority_word(priority);
    match escalate {
        None => word.to_owned(),
        Some(after) => format!("{word}; high after {} unacknowledged", seconds(after)),
    }
}

const fn sign(side: Side) -> &'static str {
    match side {
        Side::Below => "<",
        Side::Above => ">",
    }
}

const fn opposite(side: Side) -> &'static str {
    match side {
        Side::Below => ">=",
        Side::Above => "<=",
    }
}

fn limit_text(spec: &LimitSpec) -> String {
    let rule = &spec.rule;
    let info = rule.parameter.info();
    if bound::is_detector(rule.parameter) {
        return format!("{} = {}", info.id, u8::from(rule.side == Side::Above));
    }
    let judged = match rule.measure {
        Measure::Value => info.id.to_owned(),
        Measure::DistanceFrom(other) => format!("distance of {} from {}", info.id, other.info().id),
    };
    let sign = sign(rule.side);
    let mut text = match spec.bound {
        Bound::Absolute(number) => format!("{judged} {sign} {number} {}", info.unit),
        Bound::PerKg { per_kg, and: None } => format!("{judged} {sign} {per_kg} {}", per_kg_unit()),
        Bound::PerKg { per_kg, and: Some(and) } => {
            format!("{judged} {sign} {per_kg} {} and {sign} {and} {}", per_kg_unit(), info.unit)
        }
        Bound::OfCase(number, share) => {
            format!("{judged} {sign} {} of the case's {}", percent(share), bound::case_word(number))
        }
        Bound::OfParameter(other, share) => {
            format!("{judged} {sign} {} of {}", percent(share), other.info().id)
        }
    };
    if !rule.average.is_zero() {
        let _written = write!(text, ", mean of {}", seconds(rule.average));
    }
    text
}

const fn per_kg_unit() -> &'static str {
    "mL/kg/min"
}

/// A share in percent, rounded to a tenth.
fn percent(share: f32) -> String {
    format!("{} %", (f64::from(share) * 1_000.0).round() / 10.0)
}

fn ends_at(spec: &LimitSpec) -> String {
    let rule = &spec.rule;
    if bound::is_detector(rule.parameter) {
        return u8::from(rule.side == Side::Below).to_string();
    }
    let (back, share) = (rule.hysteresis, rule.hysteresis_share);
    let opposite = opposite(rule.side);
    if let Bound::Absolute(number) = spec.bound {
        let distance = f64::from(back) + f64::from(share) * f64::from(number).abs();
        let end = match rule.side {
            Side::Below => f64::from(number) + distance,
            Side::Above => f64::from(number) - distance,
        };
        return format!("{opposite} {}", (end * 1_000.0).round() / 1_000.0);
    }
    let sign = match rule.side {
        Side::Below => '+',
        Side::Above => '-',
    };
    // A hysteresis as large as a negative limit itself ends at what is added to it, whatever the weight.
    let to_zero = rule.side == Side::Below && (share - 1.0).abs() < f32::EPSILON;
    if matches!(spec.bound, Bound::PerKg { per_kg, .. } if per_kg < 0.0) && to_zero {
        return format!("{opposite} {back} {}", rule.parameter.info().unit);
    }
    let mut text = format!("{opposite} limit");
    if share > 0.0 {
        let _written = write!(text, " {sign} {}", percent(share));
    }
    if back > 0.0 {
        let _written = write!(text, " {sign} {back} {}", rule.parameter.info().unit);
    }
    text
}

fn when(gate: Option<Gate>, applies: Applies) -> String {
    let mut parts = Vec::new();
    match gate {
        None => parts.push("by its signals".to_owned()),
        Some(Gate::Always) => parts.push("always".to_owned()),
        Some(Gate::Running) => parts.push("running".to_owned()),
        Some(Gate::MeantToRun) => parts.push("meant to run".to_owned()),
        Some(Gate::FasterThan(rpm)) => parts.push(format!("faster than {rpm} {{rev}}/min")),
    }
    parts.extend(applies.pump_kind.map(|kind| kind.id().to_owned()));
    parts.extend(applies.therapy.map(|therapy| therapy.id().to_owned()));
    parts.join(", ")
}

fn settable(spec: &LimitSpec) -> String {
    let Some((least, most)) = spec.span else { return "no".to_owned() };
    match spec.bound {
        Bound::Absolute(_) => format!("{least} to {most}"),
        Bound::PerKg { .. } => format!("{least} to {most} {}", per_kg_unit()),
        Bound::OfCase(..) | Bound::OfParameter(..) => {
            format!("{} to {}", percent(least), percent(most))
        }
    }
}

fn of_composite(spec: &CompositeSpec) -> Row {
    let rule = &spec.rule;
    Row {
        condition: rule.key.to_string(),
        limit: composite::thresholds_text(&rule.composite),
        delay: seconds(rule.hold),
        ends_at: format!("no longer found{}", for_time(rule.clear_delay)),
        priority: priority_text(rule.priority, rule.escalate),
        kind: rule.kind,
        latches: rule.latching,
        when: when(None, spec.applies),
        settable: "no".to_owned(),
    }
}

fn of_silence(profile: &Profile) -> Vec<Row> {
    let silence = &profile.silence;
    let vital: Vec<&str> =
        profile.sensors.vital.iter().map(|parameter: &Parameter| parameter.info().id).collect();
    let row =
        |condition: &str, limit: String, delay: String, ends_at: String, priority: &str| Row {
            condition: condition.to_owned(),
            limit,
            delay,
            ends_at,
            priority: priority.to_owned(),
            kind: Kind::Technical,
            latches: false,
            when: "always".to_owned(),
            settable: "no".to_owned(),
        };
    let SilenceRules { skew: (low, medium), .. } = *silence;
    vec![
        row(
            &format!("{}.<parameter>", Condition::SENSOR_FAULT_FAMILY),
            format!(
                "no measurement; nothing at all for {} or three periods; zeroed for {}",
                seconds(silence.channel_missing),
                seconds(silence.calibrating)
            ),
            seconds(silence.channel),
            format!("measurements for {}", seconds(silence.channel_clear)),
            &format!("high for {}; else medium", vital.join(", ")),
        ),
        row(
            Condition::COMM_STALE.family(),
            "no fresh frame, by the gateway's clock".to_owned(),
            format!(
                "{}; {} after the broker's word",
                seconds(silence.frame),
                seconds(silence.frame_after_hint)
            ),
            format!("{} of frames", seconds(silence.frame_clear)),
            "high",
        ),
        row(
            Condition::COMM_CONSOLE_SILENT.family(),
            "every channel silent while the agent lives".to_owned(),
            format!("{} or three periods", seconds(silence.console)),
            "a measurement".to_owned(),
            "high",
        ),
        row(
            Condition::COMM_BROKER.family(),
            "no connection to the broker".to_owned(),
            seconds(BROKER_GRACE),
            "connected".to_owned(),
            "high",
        ),
        row(
            Condition::SOURCE_DUPLICATE.family(),
            "a superseded run of an agent publishes".to_owned(),
            seconds(Duration::ZERO),
            format!("{} without", seconds(silence.duplicate_clear)),
            "high",
        ),
        row(
            Condition::CLOCK_SKEW.family(),
            format!("wall clocks differ by > {}; by > {}", seconds(low), seconds(medium)),
            seconds(silence.skew_delay),
            "less".to_owned(),
            "low; medium",
        ),
    ]
}
