//! `ecmoctl alarms --watch`: every alarm as it comes, each one shown confirmed to the gateways.

use std::io::IsTerminal;
use std::time::Duration;

use ecmo_proto::v1 as wire;
use serde::Serialize;
use tokio::sync::mpsc::channel;

use crate::age::LocalTime;
use crate::args::AlarmsArgs;
use crate::attend::Lease;
use crate::bell::Bell;
use crate::client::{ClientError, PumpsUpdate, ShownAlarm};
use crate::command::feed::{Links, news, print_news, wall_text};
use crate::command::pumps::say;
use crate::command::{CommandError, Context, asked_to_end};
use crate::confirm::Confirmed;
use crate::convert;
use crate::follow::WAITING_MESSAGES_MAX;
use crate::format::latency_text;
use crate::live::{Live, Setup, Told};
use crate::model::Alarm;
use crate::news::{News, What};
use crate::verdict::{Verdict, judge};
use crate::words::{alarm_line, not_read_text, unreviewed_text};

/// How often the links are looked at when nothing comes.
const TICK: Duration = Duration::from_millis(250);

/// Why watching ended.
enum End {
    /// The condition waited for was shown.
    Shown,
    /// Time over, interrupted, or nobody reads any more.
    Asked,
}

/// What is known while watching.
struct Watch {
    live: Live,
    links: Links,
    bell: Bell,
    missed_told: usize,
    told_unreviewed: bool,
    until: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(mut context: Context, args: AlarmsArgs) -> Result<Verdict, CommandError> {
    let ward = args.ward.clone().unwrap_or_default();
    // The first connection is not tried again: a wrong address should be told at once.
    context.gateway.connect().await?;
    let told_unreviewed = tell_unreviewed(&mut context, &ward).await;
    let (out, mut events) = channel(WAITING_MESSAGES_MAX);
    let audio = if args.bell { wire::AudioOutput::On } else { wire::AudioOutput::None };
    // What goes into a file or a program is seen by nobody, unless somebody says so.
    let visible = args.seen || std::io::stdout().is_terminal();
    let setup = Setup {
        gateways: context.gateway.all(),
        ward: &ward,
        pumps_interval_ms: None,
        lease: Some(Lease { audio, visible }),
        clock: context.clock,
    };
    let mut watch = Watch {
        live: Live::start(&setup, &out, |event| event),
        links: Links::new(&context.gateway.urls()),
        bell: Bell::new(args.bell),
        missed_told: 0,
        told_unreviewed,
        until: args.until.clone(),
    };
    let asked = asked_to_end(args.for_time);
    tokio::pin!(asked);
    let mut ticks = tokio::time::interval(TICK);
    let end = loop {
        let told = tokio::select! {
            () = &mut asked => break End::Asked,
            _ = ticks.tick() => Told::Nothing,
            Some(event) = events.recv() => watch.live.take(event, context.clock.now()),
        };
        let shown = watch.tell(&mut context, told);
        if !context.printer.is_open() {
            break End::Asked;
        }
        if shown {
            break End::Shown;
        }
    };
    let (alarms, arrive) = (watch.alarms(), watch.links.alarms_arrive());
    let unconfirmed = watch.live.finish().await;
    while let Ok(last) = events.try_recv() {
        if let crate::live::Event::Confirmed(last) = last {
            print_confirmed(&mut context, &last);
        }
    }
    if unconfirmed > 0 {
        context.printer.note("some alarms were shown and could not be confirmed to the gateway");
    }
    Ok(match end {
        End::Shown => Verdict::Fine,
        End::Asked => ended(&context, arrive, &alarms, &ward, &args).await,
    })
}

impl Watch {
    /// Writes what is new, and says to the gateways that it was written; true when what is waited for was among it.
    fn tell(&mut self, context: &mut Context, told: Told) -> bool {
        let local = context.clock.now();
        let wall = wall_text(context.clock);
        self.live.screen.tick(local);
        if let Some(link) = self.links.take(&told, local) {
            link.print(&mut context.printer, &wall);
        }
        if let Told::Confirmed(confirmed) = &told {
            print_confirmed(context, confirmed);
        }
        if !self.told_unreviewed
            && let Some(text) = unreviewed_text(&[], &self.alarms())
        {
            self.told_unreviewed = true;
            say(&mut context.printer, &[text]);
        }
        let mut shown = false;
        for news in news(&mut self.live, &context.printer) {
            print_news(&mut context.printer, &wall, &news);
            shown |= is_awaited(&news, self.until.as_deref());
        }
        self.tell_missed(context, &wall);
        self.bell.ring(&self.live.screen, local);
        self.confirm(context, local);
        shown
    }

    /// Everything that is known has been written by now: what nobody read was not shown.
    fn confirm(&mut self, context: &Context, local: LocalTime) {
        if !context.printer.is_open() {
            return;
        }
        let picture = self.live.screen.picture();
        self.live.painted(&picture, local, |_| true);
        if std::mem::take(&mut self.live.left_out) > 0 {
            context.printer.note("too many alarms wait to be confirmed: some were left out");
        }
    }

    /// What came and went while this display was not connected, each once.
    fn tell_missed(&mut self, context: &mut Context, wall: &str) {
        if self.live.screen.missed_is_incomplete() {
            context.printer.note("more alarms were missed than the gateway remembers");
        }
        let count = self.live.screen.missed().len();
        if count == 0 {
            return;
        }
        let missed: Vec<_> = self.live.screen.missed().cloned().collect();
        self.live.screen.forget_missed();
        self.missed_told = self.missed_told.saturating_add(count);
        for one in missed.iter().rev() {
            let now = self.live.screen.gateway_now(one.link).unwrap_or_default();
            let alarm = convert::alarm((*one.alarm).clone());
            if context.printer.is_json() {
                let alarm = crate::json::AlarmJson::new(&alarm, now);
                context.printer.object(&MissedLine { r#type: "missed", alarm });
            } else {
                let line = alarm_line(&alarm, now);
                context.printer.line(&format!("{wall}  MISSED, it came and went unseen: {line}"));
            }
        }
    }

    fn alarms(&self) -> Vec<Alarm> {
        let rows = self.live.screen.rows();
        rows.into_iter().map(|row| convert::alarm((*row.alarm).clone())).collect()
    }
}

#[derive(Serialize)]
struct MissedLine<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    alarm: crate::json::AlarmJson<'a>,
}

/// Names the pumps whose rules no clinician has signed, before anything of them is shown; true when some were.
async fn tell_unreviewed(context: &mut Context, ward: &str) -> bool {
    // Where the pumps cannot be had, the alarms say it of themselves.
    let pumps = list_pumps(context, ward).await.map(|update| update.pumps);
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

fn is_awaited(news: &News, until: Option<&str>) -> bool {
    let is_now = matches!(news.what, What::New | What::Changed);
    is_now && Some(news.alarm.condition.as_str()) == until
}

async fn ended(
    context: &Context,
    arrive: bool,
    alarms: &[Alarm],
    ward: &str,
    args: &AlarmsArgs,
) -> Verdict {
    if !arrive {
        return Verdict::GatewayLost;
    }
    if let Some(until) = &args.until {
        context.printer.note(&format!("{until} was not shown in time"));
        return Verdict::NotShown;
    }
    judge_now(context, ward, alarms).await
}

/// Asks for the pumps once: without them nobody knows what "no alarm" is worth.
async fn judge_now(context: &Context, ward: &str, alarms: &[Alarm]) -> Verdict {
    match list_pumps(context, ward).await {
        Ok(pumps) => {
            for line in pumps.pumps.iter().filter_map(not_read_text) {
                context.printer.note(&line);
            }
            judge(&pumps.pumps, alarms, pumps.alarm_round, pumps.now)
        }
        Err(_not_answering) => Verdict::GatewayLost,
    }
}

async fn list_pumps(context: &Context, ward: &str) -> Result<PumpsUpdate, ClientError> {
    context.gateway.connect().await?.list_pumps(ward).await
}
