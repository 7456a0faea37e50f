//! Runs the command that was asked for, and tells how it ended.

use crate::args::{Cli, Command};
use crate::client::Gateway;
use crate::clock::Clock;
use crate::command::{self, CommandError, Context};
use crate::output::Printer;
use crate::top;
use crate::verdict::Verdict;

/// Runs what the command line asks for.
pub(crate) async fn run(cli: Cli) -> Verdict {
    let printer = Printer::new(cli.output);
    let result = match Gateway::new(&cli.gateway) {
        Ok(gateway) => {
            let context = Context { clock: Clock::start(), gateway, printer };
            dispatch(context, cli.command).await
        }
        Err(error) => Err(CommandError::Client(error)),
    };
    result.unwrap_or_else(|error| {
        let cause = std::error::Error::source(&error)
            .filter(|_| matches!(error, CommandError::Terminal(_)))
            .map_or_else(String::new, |cause| format!(": {cause}"));
        Printer::new(cli.output).note(&format!("{error}{cause}"));
        error.verdict()
    })
}

async fn dispatch(context: Context, command: Command) -> Result<Verdict, CommandError> {
    match command {
        Command::Pumps(args) => command::pumps::run(context, &args).await,
        Command::Alarms(args) if args.watch => command::watch::run(context, args).await,
        Command::Alarms(args) => command::alarms::run(context, &args).await,
        Command::Stream(args) => command::stream::run(context, args).await,
        Command::Latency => command::latency::run(context).await,
        Command::Top(args) => top::run(&context, &args).await,
    }
}
