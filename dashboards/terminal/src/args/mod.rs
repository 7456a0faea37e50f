//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::client::{ClientError, Secured};

mod past;

mod people;

pub(crate) use past::*;
pub(crate) use people::*;

const EXIT_CODES: &str = "\
Exit codes:
  0   fine: at least one pump is known, every pump asked for delivers live data, every channel is read, no alarm is
      active
  1   an alarm is active (also an acknowledged or latched one; an information card is none)
  2   no data: no pump is known, or one asked for does not deliver live data or has a channel that the gateway does not
      read (misspelt, wrong unit: a line names it), or alarms are not being judged; or the pump, alarm or rule named
      does not exist
  3   the gateway cannot be reached, does not answer, or was lost at the end
  4   the condition of --until was not shown in time
  5   refused, and nothing has changed: out of range, not allowed, or changed by somebody else meanwhile
  64  the command line cannot be understood
3 outranks 1, and 1 outranks 2: an alarm is known to need somebody. `latency` ends with 0, 2 (nothing measured) or 3.
`history` and `export` end with 2 when nothing is kept of that time, `export` with 4 when it was stopped.
`alarms --until` ends with 0 once the condition was shown, whatever else is active. `top` ends with 0 when it is quit.
Commands that follow (stream, alarms --watch) judge by what was known when they ended.
Commands by which people act (ack to report) end with 0 when it was done, whatever alarm is active.

Research software, not a medical device: the console at the bedside stays the primary alarm.";

/// Shows pumps, alarms and latencies of an ECMO telemetry gateway, and tells it what people say of them. Nothing here
/// reaches a pump.
#[derive(Debug, Parser)]
#[command(name = "ecmoctl", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Address of the gateway; or of two that watch the same wards, with a comma between them: what follows joins both, what
    /// asks once asks the first that answers.
    #[arg(
        long,
        global = true,
        env = "ECMO_GATEWAY",
        value_name = "URL[,URL]",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) gateway: String,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,

    /// Tables for people, or JSON for programs: an array, or one object a line for commands that follow.
    #[arg(long, global = true, value_enum, default_value_t = Output::Table, value_name = "FORM")]
    output: Output,

    /// The same as --output json.
    #[arg(long, global = true, conflicts_with = "output")]
    json: bool,

    /// File with what `login` was given, or with one token of an identity provider; only its owner may read it. Without it:
    /// ecmoctl-tokens in $XDG_RUNTIME_DIR, or .ecmoctl-tokens at home.
    #[arg(long, global = true, env = "ECMOCTL_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<std::path::PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What a gateway with https:// needs.
#[derive(Debug, Args)]
pub(crate) struct TlsArgs {
    /// With https://: certificate of the authority that signed the gateway's (PEM).
    #[arg(long, global = true, env = "ECMOCTL_CA", value_name = "FILE")]
    ca: Option<PathBuf>,

    /// With https://: certificate of this display (PEM), where the gateway asks for one.
    #[arg(long, global = true, env = "ECMOCTL_CERTIFICATE", value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,

    /// The key of --certificate.
    #[arg(long, global = true, env = "ECMOCTL_KEY", value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

impl TlsArgs {
    /// Opens the files, where an authority is named.
    pub(crate) fn open(&self) -> Result<Option<Secured>, ClientError> {
        let Some(ca) = self.ca.clone() else { return Ok(None) };
        let own = self.certificate.clone().zip(self.key.clone());
        Ok(Some(Secured::open(ca, own)?))
    }
}

impl Cli {
    /// The form of the output that was asked for.
    pub(crate) const fn form(&self) -> Output {
        if self.json { Output::Json } else { self.output }
    }
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every pump once: link, state, newest readings with their ages, worst alarm.
    Pumps(WardArgs),
    /// Every active alarm once with its id, by priority and onset; or each as it comes, with --watch.
    Alarms(AlarmsArgs),
    /// Follows one pump: its readings and its alarms, line by line.
    Stream(StreamArgs),
    /// How long each hop of the path takes, as the gateway measured it.
    Latency,
    /// The ward on one screen: tiles, alarms, ages. Needs a terminal.
    Top(TopArgs),
    /// Signs you in where the gateway asks people who they are; the password is asked for, or is the first line of a standard input
    /// that is no terminal.
    Login(LoginArgs),
    /// Signs you out, and forgets the tokens.
    Logout,
    /// Acknowledges an alarm as far as you have seen it.
    Ack(AckArgs),
    /// Pauses the sound of an alarm, or of those of a pump or a ward that sound now.
    Pause(PauseArgs),
    /// Ends pauses before their time.
    Resume(ResumeArgs),
    /// Shelves the condition of an alarm for a time: shown, and not heard. Never one of high priority.
    Shelve(ShelveArgs),
    /// Ends the shelving of a condition.
    Unshelve(UnshelveArgs),
    /// The treatment at a pump: case, limits in force, contexts, what cannot be judged and why, changes.
    Treatment(PumpArgs),
    /// The case of a patient, without an identity.
    #[command(subcommand)]
    Case(CaseCommand),
    /// The limits of a patient.
    #[command(subcommand)]
    Limit(LimitCommand),
    /// What is being done to the circuit or the patient: lowers priorities or lengthens delays for a time.
    #[command(subcommand)]
    Context(ContextCommand),
    /// How the agent of a pump does: paths, clock, sampling, disk, instruments, local alarm.
    Agent(PumpArgs),
    /// How good the alarms of a pump were as alarms, beside what EEMUA 191 and ISA-18.2 ask for.
    Report(PumpArgs),
    /// Who looks after a pump, and at which bed it stands.
    #[command(subcommand)]
    Own(OwnCommand),
    /// The displays that the gateway knows: which of them attend, paint and can be heard.
    Displays(WardArgs),
    /// Who has shown each alarm that signals, and which display that should has not; ends with 1 when one is unconfirmed.
    Confirmations(WardArgs),
    /// What was measured: least, mean and greatest over a time, with its gaps; or the alarms of that time.
    History(HistoryArgs),
    /// Every sample of a time into a file; one that was stopped goes on with --resume.
    Export(ExportArgs),
    /// What was missed while a pump's frames did not arrive; ends with 1 when something was.
    Missed(MissedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MissedArgs {
    /// Only this pump.
    #[arg(value_name = "WARD/PUMP")]
    pub(crate) pump: Option<crate::model::PumpName>,
}

#[derive(Debug, Args)]
pub(crate) struct WardArgs {
    /// Only this ward.
    #[arg(long, value_name = "WARD")]
    pub(crate) ward: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Only this ward.
    #[arg(long, value_name = "WARD")]
    pub(crate) ward: Option<String>,

    /// Ring the terminal's bell while an alarm sounds, and say so to the gateway; without it this display is a silent one.
    #[arg(long)]
    pub(crate) bell: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AlarmsArgs {
    /// Only this ward.
    #[arg(long, value_name = "WARD")]
    pub(crate) ward: Option<String>,

    /// Say what to check below every alarm, not only below those of high priority.
    #[arg(long)]
    pub(crate) check: bool,

    /// Follow alarms until stopped; each one shown is confirmed to the gateway.
    #[arg(long)]
    pub(crate) watch: bool,

    /// Ring the terminal's bell while an alarm sounds, and say so to the gateway; without it this display is a silent one.
    #[arg(long, requires = "watch")]
    pub(crate) bell: bool,

    /// A person sees the output although it is no terminal: this display answers for the alarms of its wards.
    #[arg(long, requires = "watch")]
    pub(crate) seen: bool,

    /// Stop after this time.
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds, requires = "watch")]
    pub(crate) for_time: Option<Duration>,

    /// End with 0 as soon as an active alarm of this condition was shown, such as pump.stop.
    #[arg(long, value_name = "CONDITION", requires = "watch")]
    pub(crate) until: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StreamArgs {
    /// Pump id.
    #[arg(value_name = "PUMP")]
    pub(crate) pump: String,

    /// Ward id; needed when two wards have a pump of that id.
    #[arg(long, value_name = "WARD")]
    pub(crate) ward: Option<String>,

    /// Stop after this time.
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) for_time: Option<Duration>,

    /// Also the samples: least, mean and greatest of each second and channel, and what is missing.
    #[arg(long)]
    pub(crate) waveforms: bool,

    /// Least time between two lines of readings, in milliseconds, 20 to 1000.
    #[arg(long, value_name = "MS", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(20..=1000))]
    pub(crate) interval: u32,
}

/// Longest `--for`: a week.
const FOR_SECONDS_MAX: f64 = 7.0 * 86_400.0;

fn seconds(text: &str) -> Result<Duration, String> {
    let hint = "use seconds above 0 and at most 604800, such as 15";
    let seconds: f64 = text.parse().map_err(|_unreadable| hint.to_owned())?;
    if seconds > 0.0 && seconds <= FOR_SECONDS_MAX {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        for text in ["0", "-1", "NaN", "inf", "1e9", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
    }
}
