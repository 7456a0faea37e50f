//! `ecmoctl agent`: how the agent of one pump does, and how the gateway hears it.

use crate::command::{CommandError, Context};
use crate::json::AgentJson;
use crate::model::PumpName;
use crate::verdict::Verdict;
use crate::words::agent_lines;

/// Runs the command.
pub(crate) async fn run(context: Context, name: &PumpName) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let update = gateway.list_pumps(&name.ward).await?;
    let Some(pump) = update.pumps.iter().find(|pump| pump.name == *name) else {
        let known: Vec<String> = update.pumps.iter().map(|pump| pump.name.to_string()).collect();
        return Err(CommandError::UnknownPump {
            pump: name.pump.clone(),
            ward: Some(name.ward.clone()),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        });
    };
    if printer.is_json() {
        printer.object(&AgentJson::new(pump, update.now));
    } else {
        for line in agent_lines(pump, update.now) {
            printer.line(&line);
        }
    }
    Ok(if pump.agent.is_some() { Verdict::Fine } else { Verdict::NoData })
}
