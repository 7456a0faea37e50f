//! The commands, and what they share: who is asked, how it is written, how it ends.

mod feed;

pub(crate) mod pumps;

pub(crate) mod alarms;

pub(crate) mod watch;

pub(crate) mod stream;

pub(crate) mod latency;

pub(crate) mod act;

pub(crate) mod treatment;

pub(crate) mod change;

pub(crate) mod report;

pub(crate) mod agent;

pub(crate) mod missed;

pub(crate) mod history;

pub(crate) mod export;

pub(crate) mod own;

pub(crate) mod login;

pub(crate) mod displays;

use std::path::PathBuf;
use std::time::Duration;

use crate::client::ClientError;
use crate::clock::Clock;
use crate::gateways::Gateways;
use crate::model::PumpName;
use crate::output::Printer;
use crate::verdict::Verdict;

/// What every command needs.
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) gateway: Gateways,
    pub(crate) printer: Printer,
    /// Where tokens are kept; `None` where there is no place for it.
    pub(crate) tokens_file: Option<PathBuf>,
}

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("{}", .0.chain())]
    Client(#[from] ClientError),
    #[error("the gateway knows no pump {pump:?}{}; it knows: {known}", in_ward(ward.as_deref()))]
    UnknownPump { pump: String, ward: Option<String>, known: String },
    #[error("pump {pump:?} exists in several wards ({wards}): say which with --ward")]
    AmbiguousPump { pump: String, wards: String },
    #[error(
        "no alarm {occurrence:?} is active: it has ended, or its id is misspelt; `ecmoctl alarms` lists them"
    )]
    UnknownAlarm { occurrence: String },
    #[error(
        "say which revision you have seen, so that nothing newer is acknowledged unread: `ecmoctl ack {seen_id}` acknowledges this:\n  {line}"
    )]
    NotSeen { seen_id: String, line: String },
    #[error("{message}\n  now: {line}\n  `ecmoctl ack {seen_id}` acknowledges this")]
    Newer { message: String, seen_id: String, line: String },
    #[error("{0}")]
    Usage(String),
    #[error("{name} has no rule {rule:?}; it has: {known}")]
    UnknownRule { name: PumpName, rule: String, known: String },
    #[error("{name}: {what}")]
    Unfit { name: PumpName, what: String },
    #[error(
        "nothing was changed: {name} was changed meanwhile (you saw version {seen}, it is at {present}); look again, then decide{}",
        indented(meanwhile)
    )]
    ChangedMeanwhile { name: PumpName, seen: u64, present: u64, meanwhile: Vec<String> },
    #[error("{}; it is NOT KNOWN whether this took effect: look with `{look}`", .source.chain())]
    Unanswered { source: ClientError, look: String },
    #[error(
        "`top` needs a terminal for input and output; use `ecmoctl pumps` or `ecmoctl alarms --watch`"
    )]
    NoTerminal,
    #[error("cannot use the file: {0}")]
    File(#[source] std::io::Error),
    #[error("cannot use the terminal")]
    Terminal(#[source] std::io::Error),
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {line}")).collect()
}

fn in_ward(ward: Option<&str>) -> String {
    ward.map_or_else(String::new, |ward| format!(" in ward {ward:?}"))
}

impl CommandError {
    pub(crate) const fn verdict(&self) -> Verdict {
        match self {
            Self::Client(ClientError::Url { .. } | ClientError::TooMany { .. })
            | Self::AmbiguousPump { .. }
            | Self::NoTerminal
            | Self::Usage(_)
            | Self::File(_)
            | Self::Terminal(_) => Verdict::Usage,
            Self::Client(ClientError::NotFound { .. })
            | Self::UnknownPump { .. }
            | Self::UnknownAlarm { .. }
            | Self::UnknownRule { .. } => Verdict::NoData,
            Self::Client(
                ClientError::Refused { .. }
                | ClientError::Conflict { .. }
                | ClientError::Unsupported { .. },
            )
            | Self::NotSeen { .. }
            | Self::Newer { .. }
            | Self::Unfit { .. }
            | Self::ChangedMeanwhile { .. } => Verdict::Refused,
            Self::Unanswered { .. } => Verdict::GatewayLost,
            Self::Client(
                ClientError::Connect { .. }
                | ClientError::NoAnswer { .. }
                | ClientError::CutOff { .. }
                | ClientError::Failed { .. }
                | ClientError::Ended { .. }
                | ClientError::Silent { .. }
                | ClientError::Gap { .. },
            ) => Verdict::GatewayLost,
        }
    }
}

/// The answer to what a person asked the gateway to do. An answer that stayed away leaves open whether it was done, which
/// is said together with where to look.
fn done<T>(answer: Result<T, ClientError>, look: &str) -> Result<T, CommandError> {
    answer.map_err(|error| match error {
        error @ (ClientError::NoAnswer { .. } | ClientError::Failed { .. }) => {
            CommandError::Unanswered { source: error, look: look.to_owned() }
        }
        error @ (ClientError::Url { .. }
        | ClientError::TooMany { .. }
        | ClientError::Connect { .. }
        | ClientError::NotFound { .. }
        | ClientError::CutOff { .. }
        | ClientError::Refused { .. }
        | ClientError::Conflict { .. }
        | ClientError::Unsupported { .. }
        | ClientError::Ended { .. }
        | ClientError::Silent { .. }
        | ClientError::Gap { .. }) => CommandError::Client(error),
    })
}

/// Waits until a person or the system asks the command to end, or its time is over.
pub(crate) async fn asked_to_end(after: Option<Duration>) {
    let time_over = async {
        match after {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time_over => {}
        () = signalled() => {}
    }
}

/// Waits for an interrupt, a request to end, or the terminal's hang-up.
pub(crate) async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            // Then the system's default ends the program, which is as good.
            Err(_cannot_listen) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
    }
}
