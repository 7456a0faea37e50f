//! The commands, and what they share: who is asked, how it is written, how it ends.

mod feed;

pub(crate) mod pumps;

pub(crate) mod alarms;

pub(crate) mod watch;

pub(crate) mod stream;

pub(crate) mod latency;

use std::time::Duration;

use crate::client::{ClientError, Gateway};
use crate::clock::Clock;
use crate::output::Printer;
use crate::verdict::Verdict;

/// What every command needs.
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) gateway: Gateway,
    pub(crate) printer: Printer,
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
        "`top` needs a terminal for input and output; use `ecmoctl pumps` or `ecmoctl alarms --watch`"
    )]
    NoTerminal,
    #[error("cannot use the terminal")]
    Terminal(#[source] std::io::Error),
}

fn in_ward(ward: Option<&str>) -> String {
    ward.map_or_else(String::new, |ward| format!(" in ward {ward:?}"))
}

impl CommandError {
    pub(crate) const fn verdict(&self) -> Verdict {
        match self {
            Self::Client(ClientError::Url { .. })
            | Self::AmbiguousPump { .. }
            | Self::NoTerminal
            | Self::Terminal(_) => Verdict::Usage,
            Self::Client(ClientError::NotFound { .. }) | Self::UnknownPump { .. } => {
                Verdict::NoData
            }
            Self::Client(
                ClientError::Connect { .. }
                | ClientError::NoAnswer { .. }
                | ClientError::CutOff { .. }
                | ClientError::Refused { .. }
                | ClientError::Failed { .. }
                | ClientError::Ended { .. }
                | ClientError::Silent { .. }
                | ClientError::Gap { .. },
            ) => Verdict::GatewayLost,
        }
    }
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
