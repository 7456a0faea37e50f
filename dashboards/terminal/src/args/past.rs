//! The command line of what looks back: which pump, which time, which parameters.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ecmo_core::parameter::Parameter;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::{PumpName, Span};

/// Parameters of a trend when none are named: what a ward round asks for first.
const TREND: [Parameter; 4] =
    [Parameter::FlowBlood, Parameter::PumpSpeed, Parameter::PressDrain, Parameter::PressDelta];

/// Which time.
#[derive(Debug, Args)]
pub(crate) struct SpanArgs {
    /// The time until now: a number with s, m, h or d, such as 90m.
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "1h", conflicts_with = "from")]
    last: Duration,

    /// From this time on: 2026-01-02T14:00 in this display's time zone, or with Z or an offset.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<i64>,

    /// Before this time; now when it is left out.
    #[arg(long, value_name = "TIME", value_parser = instant, requires = "from")]
    to: Option<i64>,
}

impl SpanArgs {
    /// The time, when now is this, in nanoseconds since 1970.
    pub(crate) fn span(&self, now_ns: i64) -> Span {
        let last_ns = i64::try_from(self.last.as_nanos()).unwrap_or(i64::MAX);
        let from_ns = self.from.unwrap_or_else(|| now_ns.saturating_sub(last_ns));
        Span { from_ns, to_ns: self.to.unwrap_or(now_ns) }
    }

    /// Whether the end was said, so that asking again means the same.
    pub(crate) const fn is_fixed(&self) -> bool {
        self.from.is_some() && self.to.is_some()
    }
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    #[command(flatten)]
    pub(crate) span: SpanArgs,

    /// Parameter ids, with commas between them.
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = parameter, default_values = TREND.map(|one| one.info().id))]
    pub(crate) parameters: Vec<Parameter>,

    /// About so many lines, 1 to 10000.
    #[arg(long, value_name = "COUNT", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) buckets: u32,

    /// A line a bucket with commas, for spreadsheets.
    #[arg(long)]
    pub(crate) csv: bool,

    /// The alarms of that time instead, the newest first.
    #[arg(long, conflicts_with_all = ["csv", "buckets", "parameters"])]
    pub(crate) alarms: bool,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportFormat {
    /// A line a sample, with commas.
    Csv,
    /// A row a sample, for pandas, polars and `DuckDB`.
    Parquet,
    /// Waves and numbers, for `VitalDB` and its Vital Recorder.
    Vital,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: PumpName,

    /// The file; the times without samples go beside it, into one that ends with .gaps.csv.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The form of the file; when it is left out, as the file's name ends, and else csv.
    #[arg(long, value_enum)]
    pub(crate) format: Option<ExportFormat>,

    /// What stands for the pump in a Parquet or .vital file; a word by chance when it is left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,

    #[command(flatten)]
    pub(crate) span: SpanArgs,

    /// Parameter ids, with commas between them; all when left out.
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = parameter)]
    pub(crate) parameters: Vec<Parameter>,

    /// Go on where an export into this file was stopped; its time and parameters are those of then.
    #[arg(long)]
    pub(crate) resume: bool,
}

fn parameter(id: &str) -> Result<Parameter, String> {
    Parameter::from_id(id).ok_or_else(|| {
        let known: Vec<&str> = Parameter::ALL.iter().map(|one| one.info().id).collect();
        format!("no parameter has this id; there are {}", known.join(", "))
    })
}

fn span(text: &str) -> Result<Duration, String> {
    let hint = || "use a number with s, m, h or d, such as 90m".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(hint)?;
    let number: u64 = number.parse().map_err(|_no_number| hint())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _other => return Err(hint()),
    };
    let whole = number.checked_mul(seconds).filter(|all| (1..=86_400 * 3_660).contains(all));
    whole.map(Duration::from_secs).ok_or_else(hint)
}

fn instant(text: &str) -> Result<i64, String> {
    let in_zone = || {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp())
    };
    let stamp = text.parse::<Timestamp>().ok().or_else(in_zone);
    let nanos = stamp.and_then(|stamp| i64::try_from(stamp.as_nanosecond()).ok());
    nanos.ok_or_else(|| "use a time such as 2026-01-02T14:00 or 2026-01-02T13:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_what_is_none_is_refused() {
        assert_eq!(span("90m"), Ok(Duration::from_mins(90)));
        assert_eq!(span("3d"), Ok(Duration::from_hours(72)));
        for text in ["", "m", "0m", "-1h", "1.5h", "5w", "5", "99999999999999d", "1ü"] {
            assert!(span(text).is_err(), "{text}");
        }
        assert_eq!(instant("2026-01-02T13:00:00Z"), Ok(1_767_358_800_000_000_000));
        assert_eq!(instant("2026-01-02T14:00:00+01:00"), Ok(1_767_358_800_000_000_000));
        assert!(instant("2026-01-02T14:00").is_ok());
        for text in ["", "now", "14:00", "2026-13-01T00:00"] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
