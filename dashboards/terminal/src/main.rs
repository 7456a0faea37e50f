//! `ecmoctl`, the terminal display of the ECMO telemetry gateway: arguments, run, exit code.
//!
//! Research software, not a medical device.

mod age;

mod clock;

mod model;

mod verdict;

mod format;

mod words;

mod waveform;

mod convert;

mod client;

mod gateways;

mod follow;

mod confirm;

mod attend;

mod news;

mod live;

mod bell;

mod json;

mod args;

mod output;

mod command;

mod top;

mod run;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::verdict::Verdict;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        // One thread may wait for a slow terminal while the other keeps the subscriptions alive.
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ecmoctl: cannot start: {error}");
            return ExitCode::from(Verdict::GatewayLost.code());
        }
    };
    let verdict = runtime.block_on(run::run(cli));
    // Subscriptions that still wait for a gateway must not delay the end.
    runtime.shutdown_background();
    ExitCode::from(verdict.code())
}

/// Prints clap's message; help and version are no errors.
fn usage(error: &clap::Error) -> ExitCode {
    // Where even the message cannot be written, the exit code is all that is left to tell.
    if error.print().is_err() || error.use_stderr() {
        return ExitCode::from(Verdict::Usage.code());
    }
    ExitCode::SUCCESS
}
