//! Arguments of the commands by which people act: who, on which pump or alarm, what, why.

use std::str::FromStr;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::{ContextKind, Indication, PumpKind, PumpName, Therapy};

/// Longest name of a person, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Longest note or reason, in characters.
const NOTE_CHARS_MAX: usize = 256;

/// Longest pause of the sound, in seconds.
const PAUSE_SECONDS_MAX: i64 = 120;

/// Longest time that is asked for, in minutes; the profile allows less.
const MINUTES_MAX: i64 = 7 * 24 * 60;

/// Who acts.
#[derive(Debug, Args)]
pub(crate) struct ByArgs {
    /// Who does it: your name; it is kept with what you do. Where you have signed in, it must be the name of your account.
    #[arg(long, env = "ECMOCTL_BY", value_name = "NAME", value_parser = person)]
    pub(crate) by: String,
}

/// Who signs in.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Name of your account; with --pin the name that goes with what you do.
    #[arg(value_name = "NAME", value_parser = person)]
    pub(crate) name: String,

    /// By the break-glass PIN of the site: acknowledges, pauses and resumes for five minutes, and is always recorded.
    #[arg(long)]
    pub(crate) pin: bool,
}

/// An occurrence, with the revision that was seen where it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlarmId {
    pub(crate) occurrence: String,
    pub(crate) revision: Option<u32>,
}

impl FromStr for AlarmId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hint = || "use an id as `ecmoctl alarms` tells it: OCCURRENCE@REVISION".to_owned();
        let (occurrence, revision) = match text.split_once('@') {
            Some((occurrence, revision)) => {
                (occurrence, Some(revision.parse().map_err(|_unreadable| hint())?))
            }
            None => (text, None),
        };
        if occurrence.is_empty() {
            return Err(hint());
        }
        Ok(Self { occurrence: occurrence.to_owned(), revision })
    }
}

#[derive(Debug, Args)]
pub(crate) struct AckArgs {
    /// The alarm as you have seen it: the id that `ecmoctl alarms` tells. A newer revision is not covered.
    #[arg(value_name = "OCCURRENCE@REVISION")]
    pub(crate) alarm: AlarmId,

    /// What you add, such as what you have found.
    #[arg(long, value_name = "TEXT", value_parser = note, default_value = "")]
    pub(crate) note: String,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

/// What a pause covers: one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SoundArgs {
    /// The alarms of this pump that sound now.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: Option<PumpName>,

    /// The alarms of this ward that sound now.
    #[arg(long, value_name = "WARD", value_parser = word)]
    pub(crate) ward: Option<String>,

    /// One alarm, by the id that `ecmoctl alarms` tells.
    #[arg(long, value_name = "ID")]
    pub(crate) alarm: Option<AlarmId>,
}

#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    pub(crate) sound: SoundArgs,

    /// For how long; a new or worse alarm ends it before.
    #[arg(long, value_name = "SECONDS", default_value_t = 120,
          value_parser = clap::value_parser!(u32).range(1..=PAUSE_SECONDS_MAX))]
    pub(crate) seconds: u32,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) sound: SoundArgs,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShelveArgs {
    /// The alarm whose condition is shelved at its pump, by the id that `ecmoctl alarms` tells.
    #[arg(value_name = "ID")]
    pub(crate) alarm: AlarmId,

    /// For how long; the profile sets the most.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=MINUTES_MAX))]
    pub(crate) minutes: u32,

    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = word)]
    pub(crate) reason: String,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

/// What a person says about who looks after a pump.
#[derive(Debug, Subcommand)]
pub(crate) enum OwnCommand {
    /// Takes the pump: one that nobody has, that was offered, or that another person has.
    Accept(OwnArgs),
    /// Offers the pump to another person, who accepts or rejects; until then you keep it.
    HandOver(HandOverArgs),
    /// Rejects an offer, or gives the pump up: then the whole ward is asked.
    Reject(OwnArgs),
    /// Says at which bed the pump stands.
    Bed(BedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OwnArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HandOverArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    /// To whom.
    #[arg(long, value_name = "NAME", value_parser = person)]
    pub(crate) to: String,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BedArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    /// The bed, as people call it; at most 32 characters. An empty one says that it stands at none.
    #[arg(value_name = "BED")]
    pub(crate) bed: String,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UnshelveArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    /// The condition, such as temp.return.low.
    #[arg(value_name = "CONDITION", value_parser = word)]
    pub(crate) condition: String,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

/// A pump alone.
#[derive(Debug, Args)]
pub(crate) struct PumpArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,
}

/// A pump whose treatment is changed.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    /// The version of the treatment that you have seen; another one is not changed. Without it the present one counts.
    #[arg(long, value_name = "VERSION")]
    pub(crate) seen: Option<u64>,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Begins the treatment of a new patient: limits and contexts of the one before are gone.
    Start(CaseArgs),
    /// Changes the case of the same patient; what is not named stays.
    Change(CaseArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CaseArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,

    /// Word or number under which the ward knows the treatment. No name, no date of birth.
    #[arg(long, value_name = "WORD", value_parser = word)]
    pub(crate) pseudonym: Option<String>,

    /// Dosing weight in kg, 0.3 to 10.
    #[arg(long, value_name = "KG", value_parser = positive)]
    pub(crate) weight: Option<f32>,

    /// Where the blood returns to: VA or VV.
    #[arg(long, value_name = "THERAPY")]
    pub(crate) therapy: Option<Therapy>,

    /// What drives the blood: centrifugal or roller; without it the agent's word counts.
    #[arg(long, value_name = "KIND")]
    pub(crate) pump_kind: Option<PumpKind>,

    /// Intended blood flow in mL/min.
    #[arg(long, value_name = "ML/MIN", value_parser = positive)]
    pub(crate) flow_target: Option<f32>,

    /// Least blood flow that the oxygenator's maker allows, in mL/min.
    #[arg(long, value_name = "ML/MIN", value_parser = positive)]
    pub(crate) oxygenator_flow_min: Option<f32>,

    /// Greatest pump speed in revolutions a minute.
    #[arg(long, value_name = "RPM", value_parser = positive)]
    pub(crate) speed_max: Option<f32>,

    /// Drainage cannula, such as "12 Fr, right jugular".
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub(crate) drainage_cannula: Option<String>,

    /// Return cannula.
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub(crate) return_cannula: Option<String>,

    /// Oxygenator.
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub(crate) oxygenator: Option<String>,

    /// When the present circuit was started: now, or a time such as 2026-01-31T14:05 of this computer's time zone. Another
    /// time means another circuit, with a new membrane.
    #[arg(long, value_name = "TIME")]
    pub(crate) circuit_start: Option<Start>,

    /// Why the patient is treated: diaphragmatic_hernia, heart_defect, meconium_aspiration, pneumonia, air_leak, pphn,
    /// after_heart_surgery, other.
    #[arg(long, value_name = "INDICATION")]
    pub(crate) indication: Option<Indication>,
}

/// A point of wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// When the command runs.
    Now,
    /// In nanoseconds since 1970 UTC.
    At(i64),
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "now" {
            return Ok(Self::Now);
        }
        let hint = |_unreadable| "use now, or a time such as 2026-01-31T14:05".to_owned();
        let stamp = match text.parse::<Timestamp>() {
            Ok(stamp) => stamp,
            Err(_without_zone) => {
                let local: DateTime = text.parse().map_err(hint)?;
                local.to_zoned(TimeZone::system()).map_err(hint)?.timestamp()
            }
        };
        let nanos = i64::try_from(stamp.as_nanosecond());
        let nanos = nanos.ok().filter(|nanos| *nanos > 0);
        nanos.map(Self::At).ok_or_else(|| "use a time after 1970 and before 2262".to_owned())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum LimitCommand {
    /// Sets the number of a limit; in force with the next frame.
    Set(LimitSetArgs),
    /// Takes back what was set: the profile's number counts again.
    Reset(LimitResetArgs),
    /// Tells how often a number would have alarmed over the data that the gateway still holds; changes nothing.
    Preview(LimitPreviewArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LimitSetArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,

    /// The rule, such as flow.low or flow.low#2; `ecmoctl treatment WARD/PUMP` lists them.
    #[arg(value_name = "RULE", value_parser = word)]
    pub(crate) rule: String,

    /// The number, in the unit that `ecmoctl treatment` tells.
    #[arg(value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub(crate) number: f32,

    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = word)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct LimitResetArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,

    /// The rule, such as flow.low or flow.low#2.
    #[arg(value_name = "RULE", value_parser = word)]
    pub(crate) rule: String,

    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = word)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct LimitPreviewArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    /// The rule, such as flow.low or flow.low#2.
    #[arg(value_name = "RULE", value_parser = word)]
    pub(crate) rule: String,

    /// The number, in the unit that `ecmoctl treatment` tells.
    #[arg(value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub(crate) number: f32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// Declares what is being done, for a time; one that is declared already is prolonged or cut short.
    Start(ContextStartArgs),
    /// Ends a context before its time.
    End(ContextEndArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ContextEndArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    /// What: priming, cannulation, clamp_trial, wean, circuit_change, transport, suctioning, zeroing.
    #[arg(value_name = "KIND")]
    pub(crate) kind: ContextKind,

    #[command(flatten)]
    pub(crate) who: ByArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ContextStartArgs {
    #[command(flatten)]
    pub(crate) context: ContextEndArgs,

    /// For how long; the profile sets the most.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=MINUTES_MAX))]
    pub(crate) minutes: u32,
}

/// A text without blanks around it and without what steers a terminal.
fn printable(text: &str, chars_max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err("use printable characters".to_owned());
    }
    if text.chars().count() > chars_max {
        return Err(format!("use at most {chars_max} characters"));
    }
    Ok(text.to_owned())
}

fn not_empty(text: String) -> Result<String, String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text) }
}

fn person(text: &str) -> Result<String, String> {
    printable(text, NAME_CHARS_MAX).and_then(not_empty)
}

fn note(text: &str) -> Result<String, String> {
    printable(text, NOTE_CHARS_MAX)
}

fn word(text: &str) -> Result<String, String> {
    note(text).and_then(not_empty)
}

fn number(text: &str) -> Result<f32, String> {
    let number: Option<f32> = text.parse().ok();
    number.filter(|number| number.is_finite()).ok_or_else(|| "use a number, such as 70".to_owned())
}

fn positive(text: &str) -> Result<f32, String> {
    number(text)
        .ok()
        .filter(|number| *number > 0.0)
        .ok_or_else(|| "use a number above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_the_revision_that_was_seen() {
        let id = |text: &str| text.parse::<AlarmId>();
        let occurrence = "pump.stop/00ff-1a".to_owned();
        let seen = AlarmId { occurrence: occurrence.clone(), revision: Some(3) };
        assert_eq!(id("pump.stop/00ff-1a@3"), Ok(seen));
        assert_eq!(id("pump.stop/00ff-1a"), Ok(AlarmId { occurrence, revision: None }));
        for bad in ["", "@3", "a@", "a@b", "a@-1", "a@3@4"] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_is_now_or_one_of_the_clock_on_the_wall() {
        assert_eq!("now".parse(), Ok(Start::Now));
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(Start::At(1_000_000_000)));
        assert!(matches!("2026-01-31T14:05".parse(), Ok(Start::At(_))));
        for bad in ["", "yesterday", "1969-01-01T00:00:00Z", "2026-13-01T00:00"] {
            assert!(bad.parse::<Start>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_is_one_and_a_text_is_printable() {
        assert_eq!(number("-62.5"), Ok(-62.5));
        for bad in ["NaN", "inf", "", "1e99", "low"] {
            assert!(number(bad).is_err(), "{bad}");
        }
        assert!(positive("0").is_err() && positive("-1").is_err());
        assert_eq!(person(" Ann "), Ok("Ann".to_owned()));
        assert!(person(" ").is_err() && word("").is_err() && note("a\u{1b}[2J").is_err());
        assert!(note(&"x".repeat(257)).is_err() && note("").is_ok());
    }
}
