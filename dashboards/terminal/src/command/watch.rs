//! `ecmoctl alarms --watch`: every alarm as it comes, each one shown confirmed to the gateway.

use serde::Serialize;
use tokio::sync::mpsc::channel;

use crate::alarm_book::Change;
use crate::args::AlarmsArgs;
use crate::client::ShownAlarm;
use crate::command::feed::{AlarmFeed, print_change, to_confirm, wall_text};
use crate::command::pumps::say;
use crate::command::{CommandError, Context, asked_to_end};
use crate::confirm::{Confirmed, Confirmer, display_name};
use crate::follow::{WAITING_MESSAGES_MAX, follow};
use crate::format::latency_text;
use crate::model::Alarm;
use crate::output::Printer;
use crate::verdict::{Verdict, judge};
use crate::words::{not_read_text, unreviewed_text};

/// Why watching ended.
enum End {
    /// The condition waited for was shown.
    Shown,
    /// Time over, interrupted, or nobody reads any more.
    Asked,
}

/// Runs the command.
pub(crate) async fn run(mut context: Context, args: AlarmsArgs) -> Result<Verdict, CommandError> {
    let ward = args.ward.clone().unwrap_or_default();
    // The first connection is not tried again: a wrong address should be told at once.
    context.gateway = context.gateway.connect().await?;
    let mut told_unreviewed = tell_unreviewed(&mut context, &ward).await;
    let display = display_name();
    let (out, mut messages) = channel(WAITING_MESSAGES_MAX);
    let open = context.gateway.watch_alarms(&ward, &display);
    tokio::spawn(follow("watch alarms", open, |followed| followed, out));
    let (confirmer, mut confirmed) = Confirmer::start(context.gateway.clone(), display);
    let mut feed = AlarmFeed::new();
    let asked = asked_to_end(args.for_time);
    tokio::pin!(asked);
    let end = loop {
        let followed = tokio::select! {
            () = &mut asked => break End::Asked,
            Some(confirmed) = confirmed.recv() => {
                print_confirmed(&mut context, &confirmed);
                continue;
            }
            Some(followed) = messages.recv() => followed,
        };
        let local = context.clock.now();
        let news = feed.take(followed, local);
        let wall = wall_text(context.clock);
        if let Some(link) = news.link {
            link.print(&mut context.printer, &wall);
        }
        let mut shown = false;
        let unreviewed = unreviewed_text(&[], feed.book.active());
        if let Some(text) = unreviewed.filter(|_| !told_unreviewed) {
            told_unreviewed = true;
            say(&mut context.printer, &[text]);
        }
        for change in &news.changes {
            print_change(&mut context.printer, &wall, change, feed.now_for(change, local));
            confirm(&context.printer, &confirmer, change);
            shown |= is_awaited(change, args.until.as_deref());
        }
        if !context.printer.is_open() {
            break End::Asked;
        }
        if shown {
            break End::Shown;
        }
    };
    let unconfirmed = confirmer.finish().await;
    while let Ok(last) = confirmed.try_recv() {
        print_confirmed(&mut context, &last);
    }
    if unconfirmed > 0 {
        context.printer.note("some alarms were shown and could not be confirmed to the gateway");
    }
    Ok(match end {
        End::Shown => Verdict::Fine,
        End::Asked => ended(&context, &feed, &ward, &args).await,
    })
}

/// Names the pumps whose rules no clinician has signed, before anything of them is shown; true when some were.
async fn tell_unreviewed(context: &mut Context, ward: &str) -> bool {
    // Where the pumps cannot be had, the alarms say it of themselves.
    let pumps = context.gateway.list_pumps(ward).await.map(|update| update.pumps);
    let text = unreviewed_text(&pumps.unwrap_or_default(), []);
    if let Some(text) = &text {
        say(&mut context.printer, std::slice::from_ref(text));
    }
    text.is_some()
}

#[derive(Serialize)]
struct ConfirmedLine<'a> {
    r#type: &'static str,
    occurrence: &'a str,
    revision: u32,
    decided_to_confirmed_ns: u64,
}

/// The last hop of the path: it ends when the gateway knows that the alarm was shown.
fn print_confirmed(context: &mut Context, confirmed: &Confirmed) {
    let Confirmed { alarm: ShownAlarm { occurrence, revision }, decided_to_confirmed_ns } =
        confirmed;
    let (revision, decided_to_confirmed_ns) = (*revision, *decided_to_confirmed_ns);
    if context.printer.is_json() {
        let r#type = "confirmed";
        let line = ConfirmedLine { r#type, occurrence, revision, decided_to_confirmed_ns };
        return context.printer.object(&line);
    }
    let wall = wall_text(context.clock);
    let latency = latency_text(decided_to_confirmed_ns);
    let name: String = occurrence.chars().filter(|letter| !letter.is_control()).collect();
    context.printer.line(&format!("{wall}  path: decided to confirmed {latency} ({name})"));
}

/// Confirms what was really written; what nobody read was not shown.
pub(crate) fn confirm(printer: &Printer, confirmer: &Confirmer, change: &Change) {
    if !printer.is_open() {
        return;
    }
    if let Some(alarm) = to_confirm(change)
        && !confirmer.shown(alarm)
    {
        printer.note("too many alarms wait to be confirmed to the gateway: one was left out");
    }
}

fn is_awaited(change: &Change, until: Option<&str>) -> bool {
    match change {
        Change::New(alarm) | Change::Changed(alarm) => Some(alarm.condition.as_str()) == until,
        Change::Ended(_) | Change::Vanished(_) | Change::Forgotten(_) => false,
    }
}

async fn ended(context: &Context, feed: &AlarmFeed, ward: &str, args: &AlarmsArgs) -> Verdict {
    if !feed.link.is_connected() {
        return Verdict::GatewayLost;
    }
    if let Some(until) = &args.until {
        context.printer.note(&format!("{until} was not shown in time"));
        return Verdict::NotShown;
    }
    judge_now(context, ward, feed.book.active()).await
}

/// Asks for the pumps once: without them nobody knows what "no alarm" is worth.
async fn judge_now<'a>(
    context: &Context,
    ward: &str,
    alarms: impl Iterator<Item = &'a Alarm>,
) -> Verdict {
    match context.gateway.list_pumps(ward).await {
        Ok(pumps) => {
            for line in pumps.pumps.iter().filter_map(not_read_text) {
                context.printer.note(&line);
            }
            judge(&pumps.pumps, alarms, pumps.alarm_round, pumps.now)
        }
        Err(_not_answering) => Verdict::GatewayLost,
    }
}
