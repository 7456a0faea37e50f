//! What people do about alarms: `ecmoctl ack`, `pause`, `resume`, `shelve`, `unshelve`.

use serde::Serialize;

use crate::age::GatewayTime;
use crate::args::{AckArgs, AlarmId, PauseArgs, ResumeArgs, ShelveArgs, SoundArgs, UnshelveArgs};
use crate::client::{ClientError, Gateway, PauseTarget, ShownAlarm};
use crate::command::pumps::say;
use crate::command::{CommandError, Context, done};
use crate::json::AlarmJson;
use crate::model::Alarm;
use crate::output::Printer;
use crate::verdict::Verdict;
use crate::words::{alarm_line, unreviewed_text};

/// Where to look when an answer stayed away.
const LOOK: &str = "ecmoctl alarms";

#[derive(Serialize)]
struct ActedJson<'a> {
    action: &'static str,
    by: &'a str,
    /// Whether it survives a restart of the gateway.
    durable: bool,
    /// The alarm as it is now, where one was named.
    alarm: Option<AlarmJson<'a>>,
    /// How many alarms it covers, where none was named.
    alarms: Option<u32>,
    seconds: Option<u32>,
    pump: Option<String>,
    condition: Option<&'a str>,
}

impl<'a> ActedJson<'a> {
    const fn new(action: &'static str, by: &'a str, durable: bool) -> Self {
        Self {
            action,
            by,
            durable,
            alarm: None,
            alarms: None,
            seconds: None,
            pump: None,
            condition: None,
        }
    }
}

/// Runs `ecmoctl ack`.
pub(crate) async fn acknowledge(context: Context, args: AckArgs) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let (alarm, now) = find(&gateway, &args.alarm).await?;
    let Some(revision) = args.alarm.revision else {
        let (seen_id, line) = (alarm.seen_id(), alarm_line(&alarm, now));
        return Err(CommandError::NotSeen { seen_id, line });
    };
    let by = args.who.by;
    let shown = ShownAlarm { occurrence: alarm.occurrence.clone(), revision };
    let (after, durable) = match gateway.acknowledge(shown, &by, &args.note).await {
        Err(ClientError::Refused { message, .. }) if alarm.revision != revision => {
            // Read anew: what changed it may have gone on.
            let (alarm, now) = find(&gateway, &args.alarm).await?;
            let (seen_id, line) = (alarm.seen_id(), alarm_line(&alarm, now));
            return Err(CommandError::Newer { message, seen_id, line });
        }
        answer => done(answer, LOOK)?,
    };
    let alarm = after.unwrap_or(alarm);
    if printer.is_json() {
        let alarm = Some(AlarmJson::new(&alarm, now));
        printer.object(&ActedJson { alarm, ..ActedJson::new("acknowledged", &by, durable) });
    } else {
        printer.line(&format!("acknowledged by {by}"));
        print_alarm(&mut printer, &alarm, now);
    }
    tell_durable(&mut printer, durable, "this acknowledgement");
    Ok(Verdict::Fine)
}

/// Runs `ecmoctl pause`.
pub(crate) async fn pause(context: Context, args: PauseArgs) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let (by, seconds) = (args.who.by, args.seconds);
    let (paused, durable) = done(gateway.pause(target(args.sound)?, seconds, &by).await, LOOK)?;
    if printer.is_json() {
        let (alarms, seconds) = (Some(paused), Some(seconds));
        printer.object(&ActedJson { alarms, seconds, ..ActedJson::new("paused", &by, durable) });
    } else {
        printer.line(&format!(
            "sound of {} paused by {by} for {seconds} s; a new or worse alarm ends it before",
            counted(paused)
        ));
    }
    tell_durable(&mut printer, durable, "this pause");
    Ok(Verdict::Fine)
}

/// Runs `ecmoctl resume`.
pub(crate) async fn resume(context: Context, args: ResumeArgs) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let by = args.who.by;
    let (resumed, durable) = done(gateway.resume(target(args.sound)?, &by).await, LOOK)?;
    if printer.is_json() {
        let alarms = Some(resumed);
        printer.object(&ActedJson { alarms, ..ActedJson::new("resumed", &by, durable) });
    } else {
        printer.line(&format!("sound of {} is back", counted(resumed)));
    }
    tell_durable(&mut printer, durable, "this end of a pause");
    Ok(Verdict::Fine)
}

/// Runs `ecmoctl shelve`.
pub(crate) async fn shelve(context: Context, args: ShelveArgs) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let (alarm, now) = find(&gateway, &args.alarm).await?;
    let by = args.who.by;
    let answer = gateway.shelve(&alarm.occurrence, args.minutes, &by, &args.reason).await;
    let (after, durable) = done(answer, LOOK)?;
    let alarm = after.unwrap_or(alarm);
    if printer.is_json() {
        let (alarm, seconds) = (Some(AlarmJson::new(&alarm, now)), Some(args.minutes * 60));
        printer.object(&ActedJson { alarm, seconds, ..ActedJson::new("shelved", &by, durable) });
    } else {
        printer.line(&format!("shelved by {by} for {} min: {}", args.minutes, args.reason));
        print_alarm(&mut printer, &alarm, now);
    }
    tell_durable(&mut printer, durable, "this shelving");
    Ok(Verdict::Fine)
}

/// Runs `ecmoctl unshelve`.
pub(crate) async fn unshelve(
    context: Context,
    args: UnshelveArgs,
) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let (name, condition, by) = (args.pump, args.condition, args.who.by);
    let look = format!("ecmoctl treatment {name}");
    let durable = done(gateway.unshelve(name.clone(), &condition, &by).await, &look)?;
    if printer.is_json() {
        let (pump, condition) = (Some(name.to_string()), Some(condition.as_str()));
        printer.object(&ActedJson { pump, condition, ..ActedJson::new("unshelved", &by, durable) });
    } else {
        printer.line(&format!("{name}: {condition} is shelved no longer"));
    }
    tell_durable(&mut printer, durable, "this end of a shelving");
    Ok(Verdict::Fine)
}

/// Says so when what was done is lost with a restart.
fn tell_durable(printer: &mut Printer, durable: bool, what: &str) {
    if !durable {
        let text = format!("NOT DURABLE: {what} is lost when the gateway restarts");
        say(printer, &[text]);
    }
}

/// The alarm of an id as the gateway knows it now.
async fn find(gateway: &Gateway, id: &AlarmId) -> Result<(Alarm, GatewayTime), CommandError> {
    let answer = gateway.list_alarms("").await?;
    let found = answer.alarms.into_iter().find(|alarm| alarm.occurrence == id.occurrence);
    let unknown = || CommandError::UnknownAlarm { occurrence: id.occurrence.clone() };
    Ok((found.ok_or_else(unknown)?, answer.now))
}

fn target(sound: SoundArgs) -> Result<PauseTarget, CommandError> {
    let SoundArgs { pump, ward, alarm } = sound;
    let of_alarm = alarm.map(|alarm| PauseTarget::Alarm(alarm.occurrence));
    let target = pump.map(PauseTarget::Pump).or_else(|| ward.map(PauseTarget::Ward)).or(of_alarm);
    target.ok_or_else(|| CommandError::Usage("name WARD/PUMP, --ward or --alarm".to_owned()))
}

fn print_alarm(printer: &mut Printer, alarm: &Alarm, now: GatewayTime) {
    printer.line(&alarm_line(alarm, now));
    if let Some(unreviewed) = unreviewed_text(&[], [alarm]) {
        printer.line(&unreviewed);
    }
}

fn counted(alarms: u32) -> String {
    if alarms == 1 { "1 alarm".to_owned() } else { format!("{alarms} alarms") }
}
