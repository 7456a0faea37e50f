//! Reads what is known of a recording: patient, circuit, and what had to be alarmed.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use ecmo_core::alarm::condition::Priority;
use ecmo_core::case::{PumpKind, Therapy};
use serde_json::{Map, Value};

use super::table::nanos_of;
use crate::source::Subject;
use crate::truth::{Expected, Pattern};

/// Weights that the rules take, in kg.
const KG: core::ops::RangeInclusive<f64> = 0.3..=10.0;

/// Flow targets that make sense, in mL/min.
const TARGET_ML_MIN: core::ops::RangeInclusive<f64> = 10.0..=9_990.0;

/// Speeds that a pump can have, in rev/min.
const SPEED: core::ops::RangeInclusive<f64> = 10.0..=6_000.0;

/// Membrane resistances that make sense, in mmHg.min/L.
const RESISTANCE: core::ops::RangeInclusive<f64> = 1.0..=1_000.0;

/// Longest bound, in seconds.
const WITHIN_MAX_S: f64 = 86_400.0;

/// Every key that is read.
const KEYS: [&str; 12] = [
    "kg",
    "target_ml_min",
    "kind",
    "therapy",
    "oxygenator_flow_min",
    "speed_max",
    "membrane_baseline",
    "harmless",
    "onset_s",
    "begin_s",
    "end_s",
    "expect",
];

/// Every key within `expect` that is read.
const EXPECT_KEYS: [&str; 3] = ["any_of", "priority_floor", "within_s"];

/// What is known of a recording.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    pub(crate) subject: Subject,
    /// `None` for a harmless run.
    pub(crate) fault: Option<Fault>,
}

/// What was wrong. Times in nanoseconds on the time of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) begin: i128,
    pub(crate) onset: i128,
    pub(crate) end: Option<i128>,
    pub(crate) expected: Expected,
}

/// Reads a file; `notices` takes what is ignored or missing.
pub(crate) fn load(path: &Path, notices: &mut Vec<String>) -> Result<Facts> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {name}: write it as UTF-8 text"))?;
    parse(&text, &name.to_string(), notices).with_context(|| name.to_string())
}

fn parse(text: &str, name: &str, notices: &mut Vec<String>) -> Result<Facts> {
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).context("no JSON: correct the line it names")?;
    let Value::Object(map) = value else {
        bail!("no JSON object: write {{\"kg\": 3.0, \"harmless\": true, ...}}")
    };
    notice_unknown(&map, &KEYS, name, notices);
    let subject = subject(&map, name, notices)?;
    let harmless = match map.get("harmless") {
        Some(Value::Bool(harmless)) => *harmless,
        None | Some(Value::Null) => {
            let says_nothing = |key| map.get(key).is_none_or(Value::is_null);
            let harmless = says_nothing("onset_s") && says_nothing("expect");
            if harmless {
                notices.push(format!("{name}: neither harmless nor onset_s: taken as harmless"));
            }
            harmless
        }
        Some(other) => bail!("harmless is {other}: write true or false"),
    };
    let fault = if harmless { None } else { Some(fault(&map, name, notices)?) };
    Ok(Facts { subject, fault })
}

fn subject(map: &Map<String, Value>, name: &str, notices: &mut Vec<String>) -> Result<Subject> {
    let subject = Subject {
        kg: bounded(map, "kg", KG)?,
        target_ml_min: bounded(map, "target_ml_min", TARGET_ML_MIN)?,
        kind: kind(map)?,
        therapy: therapy(map)?,
        oxygenator_flow_min: bounded(map, "oxygenator_flow_min", TARGET_ML_MIN)?,
        speed_max: bounded(map, "speed_max", SPEED)?,
        membrane_baseline: bounded(map, "membrane_baseline", RESISTANCE)?,
    };
    let missing = [
        ("kg", subject.kg.is_none()),
        ("target_ml_min", subject.target_ml_min.is_none()),
        ("kind", subject.kind.is_none()),
        ("therapy", subject.therapy.is_none()),
    ];
    for (key, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
        notices.push(format!("{name}: no {key}: rules that need it are not evaluable"));
    }
    Ok(subject)
}

fn kind(map: &Map<String, Value>) -> Result<Option<PumpKind>> {
    let Some(word) = word(map, "kind")? else { return Ok(None) };
    let kind = PumpKind::from_id(&word.to_ascii_lowercase());
    kind.map(Some).ok_or_else(|| anyhow!("kind is {word:?}: write \"centrifugal\" or \"roller\""))
}

fn therapy(map: &Map<String, Value>) -> Result<Option<Therapy>> {
    let Some(word) = word(map, "therapy")? else { return Ok(None) };
    let therapy = Therapy::from_id(&word.to_ascii_uppercase());
    therapy.map(Some).ok_or_else(|| anyhow!("therapy is {word:?}: write \"VA\" or \"VV\""))
}

fn fault(map: &Map<String, Value>, name: &str, notices: &mut Vec<String>) -> Result<Fault> {
    let Some(onset) = time(map, "onset_s")? else {
        bail!(
            "no onset_s in a run that is not harmless: say when the fault began, or write \"harmless\": true"
        )
    };
    let begin = time(map, "begin_s")?.unwrap_or(onset);
    if begin > onset {
        bail!("begin_s lies after onset_s: a fault begins before its effect, or with it");
    }
    let end = time(map, "end_s")?;
    if end.is_some_and(|end| end < onset) {
        bail!("end_s lies before onset_s: write null where the fault lasts to the end");
    }
    let Some(Value::Object(expect)) = map.get("expect") else {
        bail!(
            "no expect in a run that is not harmless: say which alarm had to come: any_of, priority_floor, within_s"
        )
    };
    notice_unknown(expect, &EXPECT_KEYS, name, notices);
    Ok(Fault { begin, onset, end, expected: expected(expect, name, notices)? })
}

fn expected(
    expect: &Map<String, Value>,
    name: &str,
    notices: &mut Vec<String>,
) -> Result<Expected> {
    let ids: Vec<&str> = match expect.get("any_of") {
        Some(Value::String(id)) => vec![id.trim()],
        Some(Value::Array(ids)) => ids
            .iter()
            .map(|id| {
                id.as_str()
                    .map(str::trim)
                    .ok_or_else(|| anyhow!("any_of holds {id}: write condition ids"))
            })
            .collect::<Result<_>>()?,
        _ => bail!("no any_of in expect: write a list of condition ids such as [\"pump.stop\"]"),
    };
    let any_of: Vec<Pattern> = ids.into_iter().map(Pattern::new).collect();
    if any_of.is_empty() {
        bail!("any_of is empty: name one condition id at least");
    }
    for unknown in any_of.iter().filter(|pattern| !pattern.is_known()) {
        notices
            .push(format!("{name}: {unknown} is no condition of this system: it cannot be raised"));
    }
    if !any_of.iter().any(Pattern::is_known) {
        bail!("any_of names no condition of this system: see gateway/core/src/alarm/condition.rs");
    }
    let priority_floor = match word(expect, "priority_floor")?
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("high") => Priority::High,
        Some("medium") => Priority::Medium,
        None | Some("low") => Priority::Low,
        Some("information") => Priority::Information,
        Some(other) => bail!("priority_floor is {other:?}: write \"high\", \"medium\" or \"low\""),
    };
    let Some(within_s) = bounded(expect, "within_s", 0.0..=WITHIN_MAX_S)? else {
        bail!("no within_s in expect: say how many seconds after the onset the alarm may come")
    };
    Ok(Expected { any_of, priority_floor, within: core::time::Duration::from_secs_f64(within_s) })
}

fn notice_unknown(map: &Map<String, Value>, known: &[&str], name: &str, notices: &mut Vec<String>) {
    let unknown: Vec<&str> =
        map.keys().map(String::as_str).filter(|key| !known.contains(key)).collect();
    if !unknown.is_empty() {
        notices
            .push(format!("{name}: keys that are not known are ignored: {}", unknown.join(", ")));
    }
}

fn number(map: &Map<String, Value>, key: &str) -> Result<Option<f64>> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            value.as_f64().map(Some).ok_or_else(|| anyhow!("{key} is {value}: write a number"))
        }
    }
}

fn bounded(
    map: &Map<String, Value>,
    key: &str,
    range: core::ops::RangeInclusive<f64>,
) -> Result<Option<f64>> {
    let number = number(map, key)?;
    if let Some(number) = number.filter(|number| !range.contains(number)) {
        bail!(
            "{key} is {number}: {} to {} is possible; check the unit",
            range.start(),
            range.end()
        );
    }
    Ok(number)
}

fn time(map: &Map<String, Value>, key: &str) -> Result<Option<i128>> {
    let Some(seconds) = number(map, key)? else { return Ok(None) };
    nanos_of(seconds)
        .map(Some)
        .ok_or_else(|| anyhow!("{key} is {seconds}: write seconds on the time of the table"))
}

fn word<'a>(map: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(word)) => Ok(Some(word.trim())),
        Some(other) => bail!("{key} is {other}: write a word in quotes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    const WHOLE: &str = r#"{"kg": 3.2, "target_ml_min": 380, "kind": "Roller", "therapy": "va", "harmless": false,
        "onset_s": 60.25, "end_s": 90, "expect": {"any_of": ["pump.stop", "flow.wrong"], "priority_floor": "high",
        "within_s": 0.5}, "author": "someone"}"#;

    #[test]
    fn a_whole_description_is_read_and_what_is_unknown_is_named() {
        let mut notices = Vec::new();
        let facts = parse(WHOLE, "r.json", &mut notices).unwrap();
        let subject = Subject {
            kg: Some(3.2),
            target_ml_min: Some(380.0),
            kind: Some(PumpKind::Roller),
            therapy: Some(Therapy::VenoArterial),
            ..Subject::default()
        };
        assert_eq!(facts.subject, subject);
        let fault = facts.fault.unwrap();
        assert_eq!((fault.begin, fault.onset), (60_250_000_000, 60_250_000_000));
        assert_eq!(fault.end, Some(90_000_000_000));
        assert_eq!(fault.expected.within, Duration::from_millis(500));
        assert_eq!(fault.expected.words(), "pump.stop, flow.wrong");
        let named = |word| notices.iter().any(|notice: &String| notice.contains(word));
        assert!(named("author") && named("flow.wrong is no condition"), "{notices:?}");
    }

    #[test]
    fn a_harmless_run_needs_nothing_and_what_is_missing_is_named() {
        for text in ["\u{feff}{\"harmless\": true}", "{}", r#"{"harmless": null, "onset_s": null}"#]
        {
            let mut notices = Vec::new();
            let facts = parse(text, "r.json", &mut notices).unwrap();
            assert_eq!(facts, Facts { subject: Subject::default(), fault: None }, "{text}");
            assert!(notices.iter().filter(|notice| notice.contains("not evaluable")).count() == 4);
        }
    }

    #[test]
    fn nonsense_is_refused_with_what_to_do() {
        for (from, to, words) in [
            ("3.2", "3200", "kg is 3200: 0.3 to 10 is possible; check the unit"),
            ("3.2", "\"3.2\"", "kg is \"3.2\": write a number"),
            ("380", "0.38", "target_ml_min is 0.38"),
            ("Roller", "peristaltic", "write \"centrifugal\" or \"roller\""),
            ("\"va\"", "\"vav\"", "write \"VA\" or \"VV\""),
            ("60.25", "null", "no onset_s in a run that is not harmless"),
            ("90", "30", "end_s lies before onset_s"),
            ("[\"pump.stop\", \"flow.wrong\"]", "[]", "any_of is empty"),
            ("[\"pump.stop\", \"flow.wrong\"]", "[\"flow.wrong\"]", "names no condition"),
            ("[\"pump.stop\", \"flow.wrong\"]", "[1]", "any_of holds 1"),
            ("\"high\"", "\"urgent\"", "write \"high\", \"medium\" or \"low\""),
            ("\"within_s\": 0.5", "\"within_s\": -1", "within_s is -1"),
            ("\"within_s\": 0.5", "\"within\": 1", "no within_s"),
            ("\"expect\"", "\"expected\"", "no expect"),
            ("false", "\"no\"", "harmless is \"no\""),
            ("0.5}", "0.5", "no JSON"),
        ] {
            let text = WHOLE.replace(", \"author\": \"someone\"}", "}").replace(from, to);
            let error = parse(&text, "r.json", &mut Vec::new()).unwrap_err();
            assert!(format!("{error:#}").contains(words), "{to}: {error:#}");
        }
    }
}
