//! `ecmoctl latency`: how long each hop takes, as the gateway measured it.

use crate::command::{CommandError, Context};
use crate::format::{NO_VALUE, latency_text, table};
use crate::json::HopJson;
use crate::model::Hop;
use crate::verdict::Verdict;

/// Runs the command.
pub(crate) async fn run(context: Context) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let (hops, discarded) = gateway.connect().await?.latency().await?;
    if printer.is_json() {
        printer.array(&hops.iter().map(HopJson::new).collect::<Vec<_>>());
    } else {
        for line in table(&rows(&hops)) {
            printer.line(&line);
        }
    }
    // Beside the array, which holds hops and nothing else.
    let note = format!("{discarded} impossible measurements left out");
    if printer.is_json() {
        printer.note(&note);
    } else {
        printer.line(&note);
    }
    let measured = hops.iter().any(|hop| hop.count > 0);
    Ok(if measured { Verdict::Fine } else { Verdict::NoData })
}

fn rows(hops: &[Hop]) -> Vec<Vec<String>> {
    let head = ["HOP", "COUNT", "P50", "P99", "P99.9", "MAX"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    rows.extend(hops.iter().map(|hop| {
        let nanos = [hop.p50_ns, hop.p99_ns, hop.p999_ns, hop.max_ns];
        let text = |nanos| {
            if hop.count > 0 { latency_text(nanos) } else { NO_VALUE.to_owned() }
        };
        let mut row = vec![hop.hop.replace('_', " "), hop.count.to_string()];
        row.extend(nanos.map(text));
        row
    }));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_without_measurements_shows_no_percentiles() {
        let hop = Hop {
            hop: "received_to_decided".to_owned(),
            count: 0,
            p50_ns: 0,
            p99_ns: 0,
            p999_ns: 0,
            max_ns: 0,
        };
        assert_eq!(rows(&[hop])[1], ["received to decided", "0", "---", "---", "---", "---"]);
    }
}
