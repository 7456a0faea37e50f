//! `ecmoctl own`: who looks after a pump, and at which bed it stands.

use serde::Serialize;

use crate::args::{BedArgs, HandOverArgs, OwnArgs, OwnCommand};
use crate::client::OwnAct;
use crate::command::pumps::say;
use crate::command::{CommandError, Context, done};
use crate::json::OwnershipJson;
use crate::verdict::Verdict;
use crate::words::ownership_line;

#[derive(Serialize)]
struct OwnedJson<'a> {
    action: &'static str,
    by: &'a str,
    /// Whether it survives a restart of the gateway.
    durable: bool,
    pump: String,
    ownership: OwnershipJson<'a>,
}

/// Runs the command.
pub(crate) async fn run(context: Context, command: OwnCommand) -> Result<Verdict, CommandError> {
    let (action, name, act, by) = match command {
        OwnCommand::Accept(OwnArgs { pump, who }) => ("accepted", pump, OwnAct::Accept, who.by),
        OwnCommand::HandOver(HandOverArgs { pump, to, who }) => {
            ("offered", pump, OwnAct::HandOver(to), who.by)
        }
        OwnCommand::Reject(OwnArgs { pump, who }) => ("rejected", pump, OwnAct::Reject, who.by),
        OwnCommand::Bed(BedArgs { pump, bed, who }) => ("bed", pump, OwnAct::Bed(bed), who.by),
    };
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let answer = gateway.own(name.clone(), act, &by).await;
    let (ownership, durable) = done(answer, "ecmoctl pumps")?;
    // Its times are told by other commands: an answer carries no time to count them from.
    if printer.is_json() {
        let (pump, ownership) = (name.to_string(), OwnershipJson::new(&ownership, None));
        printer.object(&OwnedJson { action, by: &by, durable, pump, ownership });
    } else {
        printer.line(&format!("{name}: {}", ownership_line(&ownership, None)));
    }
    if !durable {
        let text = "NOT DURABLE: this is lost when the gateway restarts";
        say(&mut printer, &[text.to_owned()]);
    }
    Ok(Verdict::Fine)
}
