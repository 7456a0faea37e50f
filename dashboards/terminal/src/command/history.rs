//! `ecmoctl history`: a trend of some parameters, or the alarms of a time.

use crate::args::HistoryArgs;
use crate::command::{CommandError, Context};
use crate::json::{PastAlarmJson, TrendJson};
use crate::model::Span;
use crate::verdict::Verdict;
use crate::words::{damage_line, past_alarm_line, trend_csv, trend_lines};

/// Runs the command: without a sample in that time it ends with "no data".
pub(crate) async fn run(context: Context, args: HistoryArgs) -> Result<Verdict, CommandError> {
    let span = args.span.span(context.clock.wall_ns());
    if args.alarms {
        return alarms(context, &args, span).await;
    }
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let trend = gateway.trend(&args.pump, &args.parameters, span, args.buckets).await?;
    if printer.is_json() {
        printer.object(&TrendJson::new(&trend));
    } else if args.csv {
        trend_csv(&trend).iter().for_each(|line| printer.line(line));
        damage_line(trend.damaged).iter().for_each(|line| printer.note(line));
    } else {
        trend_lines(&trend).iter().for_each(|line| printer.line(line));
    }
    let has_values = trend.series.iter().any(|one| one.buckets.iter().any(Option::is_some));
    Ok(if has_values { Verdict::Fine } else { Verdict::NoData })
}

async fn alarms(context: Context, args: &HistoryArgs, span: Span) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let (found, damaged) = gateway.connect().await?.past_alarms(&args.pump, span).await?;
    if printer.is_json() {
        printer.array(&found.iter().map(PastAlarmJson::new).collect::<Vec<_>>());
    } else if found.is_empty() {
        printer.line("no alarm is kept of that time");
    } else {
        found.iter().for_each(|one| printer.line(&past_alarm_line(&args.pump, one)));
    }
    damage_line(damaged).iter().for_each(|line| printer.note(line));
    Ok(Verdict::Fine)
}
