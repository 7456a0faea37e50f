//! A record as the text of its file: TOML behind a line with a check sum. What does not fit is refused, never guessed.

use ecmo_core::alarm::rule::RuleKey;
use ecmo_core::alarm::treatment::ContextKind;
use ecmo_core::case::{Case, PumpKind, Therapy};
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};
use serde::{Deserialize, Serialize};

use super::record::{
    CHANGES_MAX, CaseEntry, ChangeEntry, ContextEntry, Indication, LimitEntry, Record,
};

/// Form of the file; another one is refused.
const FORM: u32 = 1;

/// Start of the first line; the check sum of everything behind that line follows.
const CHECK: &str = "# Written by ecmo-gateway; a changed file is refused. crc32c ";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    form: u32,
    ward: String,
    pump: String,
    version: u64,
    patient: u32,
    circuit: u32,
    membrane_baseline: Option<f32>,
    case: Option<CaseTable>,
    #[serde(default)]
    limit: Vec<LimitTable>,
    #[serde(default)]
    context: Vec<ContextTable>,
    #[serde(default)]
    change: Vec<ChangeTable>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTable {
    by: String,
    wall_ns: i64,
    pseudonym: String,
    weight_kg: Option<f32>,
    pump_kind: Option<String>,
    therapy: Option<String>,
    drainage_cannula: String,
    return_cannula: String,
    oxygenator: String,
    oxygenator_flow_min: Option<f32>,
    flow_target: Option<f32>,
    speed_max: Option<f32>,
    circuit_start_wall_ns: i64,
    indication: Indication,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitTable {
    rule: String,
    number: f32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContextTable {
    kind: String,
    by: String,
    since_wall_ns: i64,
    until_wall_ns: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeTable {
    rule: String,
    from: f32,
    to: f32,
    by: String,
    reason: String,
    wall_ns: i64,
    version: u64,
}

/// The text of a record.
///
/// # Errors
/// What cannot be written; none is known.
pub(super) fn write(address: &PumpAddress, record: &Record) -> Result<String, String> {
    let body = toml::to_string(&table(address, record)).map_err(|error| error.to_string())?;
    Ok(format!("{CHECK}{:08x}\n{body}", crc32c::crc32c(body.as_bytes())))
}

/// The record of a text; its contexts have no end yet by the monotonic clock.
///
/// # Errors
/// What is wrong with the text.
pub(super) fn read(text: &str) -> Result<(PumpAddress, Record), String> {
    let (first, body) = text.split_once('\n').ok_or("it is cut short")?;
    let sum = first.strip_prefix(CHECK).ok_or("its first line is not the gateway's")?;
    if u32::from_str_radix(sum, 16) != Ok(crc32c::crc32c(body.as_bytes())) {
        return Err("its check sum is wrong".to_owned());
    }
    let file: File = toml::from_str(body).map_err(|error| error.message().to_owned())?;
    if file.form != FORM {
        return Err(format!("its form is {}, this gateway reads {FORM}", file.form));
    }
    let id = |text: &str| Id::new(text).map_err(|error| error.to_string());
    let address = PumpAddress { ward: id(&file.ward)?, pump: id(&file.pump)? };
    Ok((address, record(file)?))
}

fn table(address: &PumpAddress, record: &Record) -> File {
    File {
        form: FORM,
        ward: address.ward.to_string(),
        pump: address.pump.to_string(),
        version: record.version,
        patient: record.patient,
        circuit: record.circuit,
        membrane_baseline: record.membrane_baseline,
        case: record.case.as_ref().map(|entry| case_table(entry, record)),
        limit: record
            .limits
            .iter()
            .map(|limit| LimitTable { rule: limit.key.to_string(), number: limit.number })
            .collect(),
        context: record
            .contexts
            .iter()
            .map(|context| ContextTable {
                kind: context.kind.id().to_owned(),
                by: context.by.clone(),
                since_wall_ns: context.since_wall_ns,
                until_wall_ns: context.until_wall_ns,
            })
            .collect(),
        change: record
            .changes
            .iter()
            .map(|change| ChangeTable {
                rule: change.key.to_string(),
                from: change.from,
                to: change.to,
                by: change.by.clone(),
                reason: change.reason.clone(),
                wall_ns: change.wall_ns,
                version: change.version,
            })
            .collect(),
    }
}

fn case_table(entry: &CaseEntry, record: &Record) -> CaseTable {
    CaseTable {
        by: record.case_by.clone(),
        wall_ns: record.case_wall_ns,
        pseudonym: entry.pseudonym.clone(),
        weight_kg: entry.case.weight_kg,
        pump_kind: entry.case.pump_kind.map(|kind| kind.id().to_owned()),
        therapy: entry.case.therapy.map(|therapy| therapy.id().to_owned()),
        drainage_cannula: entry.drainage_cannula.clone(),
        return_cannula: entry.return_cannula.clone(),
        oxygenator: entry.oxygenator.clone(),
        oxygenator_flow_min: entry.case.oxygenator_flow_min,
        flow_target: entry.case.flow_target,
        speed_max: entry.case.speed_max,
        circuit_start_wall_ns: entry.circuit_start_wall_ns,
        indication: entry.indication,
    }
}

fn record(file: File) -> Result<Record, String> {
    let (case_by, case_wall_ns) =
        file.case.as_ref().map(|case| (case.by.clone(), case.wall_ns)).unwrap_or_default();
    let case = file.case.map(case).transpose()?;
    if file.membrane_baseline.is_some_and(|baseline| !baseline.is_finite()) {
        return Err("membrane_baseline is no number".to_owned());
    }
    let limits = file.limit.iter().map(limit).collect::<Result<_, _>>()?;
    let contexts = file.context.into_iter().map(context).collect::<Result<_, _>>()?;
    let changes = file.change.into_iter().take(CHANGES_MAX).map(change);
    Ok(Record {
        version: file.version,
        patient: file.patient,
        circuit: file.circuit,
        case,
        case_by,
        case_wall_ns,
        membrane_baseline: file.membrane_baseline,
        limits,
        contexts,
        changes: changes.collect::<Result<_, _>>()?,
    })
}

fn rule(id: &str) -> Result<RuleKey, String> {
    RuleKey::from_id(id).ok_or_else(|| format!("there is no condition {id:?}"))
}

fn limit(table: &LimitTable) -> Result<LimitEntry, String> {
    if !table.number.is_finite() {
        return Err(format!("the limit of {} is no number", table.rule));
    }
    Ok(LimitEntry { key: rule(&table.rule)?, number: table.number })
}

fn context(table: ContextTable) -> Result<ContextEntry, String> {
    let kind = ContextKind::from_id(&table.kind);
    Ok(ContextEntry {
        kind: kind.ok_or_else(|| format!("there is no context {:?}", table.kind))?,
        by: table.by,
        since_wall_ns: table.since_wall_ns,
        until_wall_ns: table.until_wall_ns,
        until: Instant::default(),
    })
}

fn change(table: ChangeTable) -> Result<ChangeEntry, String> {
    Ok(ChangeEntry {
        key: rule(&table.rule)?,
        from: table.from,
        to: table.to,
        by: table.by,
        reason: table.reason,
        wall_ns: table.wall_ns,
        version: table.version,
    })
}

fn case(table: CaseTable) -> Result<CaseEntry, String> {
    let known = |id: &str| format!("there is no {id:?}");
    let kind = |id: String| PumpKind::from_id(&id).ok_or_else(|| known(&id));
    let therapy = |id: String| Therapy::from_id(&id).ok_or_else(|| known(&id));
    let entry = CaseEntry {
        pseudonym: table.pseudonym,
        case: Case {
            pump_kind: table.pump_kind.map(kind).transpose()?,
            therapy: table.therapy.map(therapy).transpose()?,
            weight_kg: table.weight_kg,
            flow_target: table.flow_target,
            oxygenator_flow_min: table.oxygenator_flow_min,
            speed_max: table.speed_max,
        },
        drainage_cannula: table.drainage_cannula,
        return_cannula: table.return_cannula,
        oxygenator: table.oxygenator,
        circuit_start_wall_ns: table.circuit_start_wall_ns,
        indication: table.indication,
    };
    entry.check().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::record::{Person, Stamp};
    use super::*;

    fn address() -> PumpAddress {
        PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new("p1").unwrap() }
    }

    fn full() -> Record {
        let profile = ecmo_profile::starter();
        let at = Stamp { now: Instant::from_millis(5), wall_ns: 1_700_000_000_000_000_000 };
        let by = Person::new("A. Nurse").unwrap();
        let case = CaseEntry {
            pseudonym: "bed 3 \"blue\"".to_owned(),
            case: Case {
                pump_kind: Some(PumpKind::Roller),
                therapy: Some(Therapy::VenoVenous),
                weight_kg: Some(3.1),
                flow_target: Some(310.0),
                oxygenator_flow_min: None,
                speed_max: Some(200.0),
            },
            drainage_cannula: "12 Fr".to_owned(),
            return_cannula: String::new(),
            oxygenator: "PMP".to_owned(),
            circuit_start_wall_ns: 7,
            indication: Indication::DiaphragmaticHernia,
        };
        let record = Record::default().start(0, case, &by, at).unwrap();
        let set = ("flow.low", Some(70.5));
        let record = record.set_limit(1, set, (&by, "weaning"), at, &profile).unwrap();
        let record = record.start_context(ContextKind::Wean, 10, &by, at, &profile).unwrap();
        record.with_baseline(1, Some(12.3)).unwrap()
    }

    #[test]
    fn a_record_comes_back_as_it_was_but_for_the_monotonic_end_of_its_contexts() {
        for record in [full(), Record::default()] {
            let text = write(&address(), &record).unwrap();
            let (whose, mut back) = read(&text).unwrap();
            for (back, was) in back.contexts.iter_mut().zip(&record.contexts) {
                back.until = was.until;
            }
            assert_eq!((whose, back), (address(), record), "{text}");
        }
    }

    #[test]
    fn no_change_of_a_single_byte_is_taken_for_what_was_written() {
        let text = write(&address(), &full()).unwrap();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(read(&changed).is_err(), "byte {at}: {changed}");
            assert!(read(&text[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_text_with_a_right_sum_and_impossible_content_is_refused() {
        let text = write(&address(), &full()).unwrap();
        let body = text.split_once('\n').unwrap().1;
        for (from, to, says) in [
            ("form = 1", "form = 2", "form"),
            ("weight_kg = 3.", "weight_kg = 93.", "weight_kg"),
            ("\"wean\"", "\"weaning\"", "context"),
            ("rule = \"flow.low\"", "rule = \"flow.lo\"", "condition"),
            ("number = 70.5", "number = nan", "no number"),
            ("version = 3", "version = 3\nname = \"x\"", "unknown field"),
            ("ward = \"nicu\"", "ward = \"a b\"", "no id"),
        ] {
            assert!(body.contains(from), "{from} in\n{body}");
            let body = body.replacen(from, to, 1);
            let text = format!("{CHECK}{:08x}\n{body}", crc32c::crc32c(body.as_bytes()));
            let error = read(&text).unwrap_err();
            assert!(error.contains(says), "{to}: {error}");
        }
    }
}
