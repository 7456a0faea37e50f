//! Changes of a treatment: `ecmoctl case`, `limit set`, `limit reset`, `context`. Each reads, then changes exactly the
//! version that was read; where somebody else was faster, it says what they did and changes nothing.

use crate::args::{
    CaseArgs, CaseCommand, ChangeArgs, ContextCommand, LimitResetArgs, LimitSetArgs, Start,
};
use crate::client::{ClientError, Gateway, TreatmentAnswer};
use crate::clock::Clock;
use crate::command::pumps::say;
use crate::command::treatment::known_limit;
use crate::command::{CommandError, Context, done};
use crate::json::TreatmentJson;
use crate::model::{CaseEdit, PumpName};
use crate::output::Printer;
use crate::verdict::Verdict;
use crate::words::{
    case_change_lines, context_text, limit_change_text, meanwhile_lines, standing_lines,
};

/// Runs `ecmoctl case start` and `ecmoctl case change`.
pub(crate) async fn case(context: Context, command: CaseCommand) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, clock, .. } = context;
    let (args, starts) = match command {
        CaseCommand::Start(args) => (args, true),
        CaseCommand::Change(args) => (args, false),
    };
    let (edit, change) = edit(args, clock);
    if starts && edit.pseudonym.is_none() {
        let what = "a new case needs --pseudonym: a word or number, no name, no date of birth";
        return Err(CommandError::Usage(what.to_owned()));
    }
    if edit == CaseEdit::default() {
        let what = "name what changes, such as --weight 3.2; `ecmoctl case change --help` lists it";
        return Err(CommandError::Usage(what.to_owned()));
    }
    let gateway = gateway.connect().await?;
    let seen = read(&gateway, &change).await?;
    let answer = if starts {
        gateway.start_case(&seen, &edit, &change.who.by).await
    } else {
        gateway.change_case(&seen, &edit, &change.who.by).await
    };
    let after = settled(&gateway, &seen, answer).await?;
    let lines = case_change_lines(&seen.treatment, &after.treatment);
    Ok(print(&mut printer, &after, &lines))
}

/// Runs `ecmoctl limit set`.
pub(crate) async fn set_limit(
    context: Context,
    args: LimitSetArgs,
) -> Result<Verdict, CommandError> {
    let LimitSetArgs { change, rule, number, reason } = args;
    limit(context, &change, &rule, Some(number), &reason).await
}

/// Runs `ecmoctl limit reset`.
pub(crate) async fn reset_limit(
    context: Context,
    args: LimitResetArgs,
) -> Result<Verdict, CommandError> {
    let LimitResetArgs { change, rule, reason } = args;
    limit(context, &change, &rule, None, &reason).await
}

async fn limit(
    context: Context,
    change: &ChangeArgs,
    rule: &str,
    number: Option<f32>,
    reason: &str,
) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let seen = read(&gateway, change).await?;
    let before = known_limit(&seen.treatment, rule)?;
    if before.settable.is_none() {
        let name = seen.treatment.name.clone();
        let what = format!("{rule} is fixed: the site's profile lets nobody set it");
        return Err(CommandError::Unfit { name, what });
    }
    let answer = gateway.set_limit(&seen, rule, number, &change.who.by, reason).await;
    let after = settled(&gateway, &seen, answer).await?;
    let set = known_limit(&after.treatment, rule)?;
    let lines = [limit_change_text(before, set, after.treatment.version)];
    Ok(print(&mut printer, &after, &lines))
}

/// Runs `ecmoctl context start` and `ecmoctl context end`.
pub(crate) async fn context(
    context: Context,
    command: ContextCommand,
) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let (after, ended) = match command {
        ContextCommand::Start(args) => {
            let (minutes, args) = (args.minutes, args.context);
            let seen = gateway.treatment(&args.pump).await?;
            let answer = gateway.start_context(&seen, args.kind, minutes, &args.who.by).await;
            (settled(&gateway, &seen, answer).await?, None)
        }
        ContextCommand::End(args) => {
            let seen = gateway.treatment(&args.pump).await?;
            let answer = gateway.end_context(&seen, args.kind, &args.who.by).await;
            (settled(&gateway, &seen, answer).await?, Some(args.kind))
        }
    };
    let mut lines: Vec<String> = ended
        .map(|kind| format!("context {} ended", kind.to_string().to_uppercase()))
        .into_iter()
        .collect();
    lines.extend(after.treatment.contexts.iter().map(|each| context_text(each, after.now)));
    Ok(print(&mut printer, &after, &lines))
}

/// The treatment that is to be changed; refused where it is not the version that the person has seen.
async fn read(gateway: &Gateway, change: &ChangeArgs) -> Result<TreatmentAnswer, CommandError> {
    let present = gateway.treatment(&change.pump).await?;
    match change.seen {
        Some(seen) if seen != present.treatment.version => Err(meanwhile(seen, None, &present)),
        Some(_) | None => Ok(present),
    }
}

fn meanwhile(
    seen: u64,
    before: Option<&TreatmentAnswer>,
    present: &TreatmentAnswer,
) -> CommandError {
    let before = before.map(|answer| &answer.treatment);
    CommandError::ChangedMeanwhile {
        name: present.treatment.name.clone(),
        seen,
        present: present.treatment.version,
        meanwhile: meanwhile_lines(seen, before, &present.treatment, present.now),
    }
}

/// What a change led to; where somebody else was faster, what they did.
async fn settled(
    gateway: &Gateway,
    seen: &TreatmentAnswer,
    answer: Result<TreatmentAnswer, ClientError>,
) -> Result<TreatmentAnswer, CommandError> {
    let name: &PumpName = &seen.treatment.name;
    match answer {
        Err(ClientError::Conflict { .. }) => {
            let present = gateway.treatment(name).await?;
            Err(meanwhile(seen.treatment.version, Some(seen), &present))
        }
        answer => done(answer, &format!("ecmoctl treatment {name}")),
    }
}

fn print(printer: &mut Printer, after: &TreatmentAnswer, lines: &[String]) -> Verdict {
    if printer.is_json() {
        printer.object(&TreatmentJson::new(&after.treatment, after.now));
    } else {
        let name = &after.treatment.name;
        for line in lines {
            printer.line(&format!("{name}: {line}"));
        }
    }
    say(printer, &standing_lines(&after.treatment));
    Verdict::Fine
}

fn edit(args: CaseArgs, clock: Clock) -> (CaseEdit, ChangeArgs) {
    let edit = CaseEdit {
        pseudonym: args.pseudonym,
        weight_kg: args.weight,
        pump_kind: args.pump_kind,
        therapy: args.therapy,
        drainage_cannula: args.drainage_cannula,
        return_cannula: args.return_cannula,
        oxygenator: args.oxygenator,
        oxygenator_flow_min: args.oxygenator_flow_min,
        flow_target: args.flow_target,
        speed_max: args.speed_max,
        circuit_start_wall_ns: args.circuit_start.map(|start| match start {
            Start::Now => clock.wall_ns(),
            Start::At(wall_ns) => wall_ns,
        }),
        indication: args.indication,
    };
    (edit, args.change)
}
