//! Runs the command that was asked for, and tells how it ended.

use crate::args::{Cli, Command, LimitCommand};
use crate::client::Tokens;
use crate::clock::Clock;
use crate::command::{self, CommandError, Context};
use crate::gateways::Gateways;
use crate::output::Printer;
use crate::top;
use crate::verdict::Verdict;

/// Runs what the command line asks for.
pub(crate) async fn run(cli: Cli) -> Verdict {
    let form = cli.form();
    let printer = Printer::new(form);
    let result = match connected(&cli, printer) {
        Ok(context) => dispatch(context, cli.command).await,
        Err(error) => Err(error),
    };
    result.unwrap_or_else(|error| {
        let cause = std::error::Error::source(&error)
            .filter(|_| matches!(error, CommandError::Terminal(_)))
            .map_or_else(String::new, |cause| format!(": {cause}"));
        Printer::new(form).note(&format!("{error}{cause}"));
        error.verdict()
    })
}

/// The gateways that were named, with the tokens that are kept for them.
fn connected(cli: &Cli, printer: Printer) -> Result<Context, CommandError> {
    let tokens_file = cli.token_file.clone().or_else(command::login::usual_file);
    let tokens =
        tokens_file.as_deref().map(Tokens::read).transpose().map_err(CommandError::File)?;
    let gateway = Gateways::new(&cli.gateway, &tokens.unwrap_or_default())?;
    Ok(Context { clock: Clock::start(), gateway, printer, tokens_file })
}

async fn dispatch(context: Context, command: Command) -> Result<Verdict, CommandError> {
    match command {
        Command::Pumps(args) => command::pumps::run(context, &args).await,
        Command::Alarms(args) if args.watch => command::watch::run(context, args).await,
        Command::Alarms(args) => command::alarms::run(context, &args).await,
        Command::Stream(args) => command::stream::run(context, args).await,
        Command::Login(args) => command::login::login(context, args).await,
        Command::Logout => command::login::logout(context).await,
        Command::Latency => command::latency::run(context).await,
        Command::Top(args) => top::run(&context, &args).await,
        Command::Ack(args) => command::act::acknowledge(context, args).await,
        Command::Pause(args) => command::act::pause(context, args).await,
        Command::Resume(args) => command::act::resume(context, args).await,
        Command::Shelve(args) => command::act::shelve(context, args).await,
        Command::Unshelve(args) => command::act::unshelve(context, args).await,
        Command::Treatment(args) => command::treatment::run(context, &args.pump).await,
        Command::Case(args) => command::change::case(context, args).await,
        Command::Limit(LimitCommand::Preview(args)) => {
            command::treatment::preview(context, args).await
        }
        Command::Limit(LimitCommand::Set(args)) => command::change::set_limit(context, args).await,
        Command::Limit(LimitCommand::Reset(args)) => {
            command::change::reset_limit(context, args).await
        }
        Command::Context(args) => command::change::context(context, args).await,
        Command::Agent(args) => command::agent::run(context, &args.pump).await,
        Command::Report(args) => command::report::run(context, &args.pump).await,
        Command::Own(command) => command::own::run(context, command).await,
        Command::Displays(args) => command::displays::displays(context, &args).await,
        Command::Confirmations(args) => command::displays::confirmations(context, &args).await,
        Command::History(args) => command::history::run(context, args).await,
        Command::Export(args) => command::export::run(context, args).await,
        Command::Missed(args) => command::missed::run(context, args.pump.as_ref()).await,
    }
}
