//! What an agent says of itself, in words a nurse or a biomedical engineer can act on. Pure.

use crate::age::{GatewayTime, age_text};
use crate::model::{Agent, ClockEstimate, Pump, VerdictDifference};

/// A clock that is known less well than this is told beside the list of pumps: ages are wrong by as much.
const UNCERTAINTY_TOLD_NS: u64 = 50_000_000;

/// What is worth saying of a pump's clock beside the list of pumps; `None` when it is known well, or nothing is known.
pub(crate) fn clock_text(pump: &Pump) -> Option<String> {
    let clock = pump.clock.filter(|clock| clock.uncertainty_ns > UNCERTAINTY_TOLD_NS)?;
    let name = &pump.name;
    Some(format!(
        "{name}: its clock is known to {} only; ages may be wrong by so much",
        millis(clock.uncertainty_ns)
    ))
}

/// The agent of a pump, line by line.
pub(crate) fn agent_lines(pump: &Pump, now: GatewayTime) -> Vec<String> {
    let mut lines = vec![format!("{}  {}, agent {}", pump.name, pump.device, pump.agent_version)];
    for path in &pump.paths {
        let frame = path.last_frame.map_or_else(
            || "no frame yet".to_owned(),
            |at| format!("last frame {} ago", age_text(at.age_at(now))),
        );
        let link = if path.connected { "connected" } else { "GATEWAY NOT CONNECTED" };
        lines.push(format!("path {}: {link}, {frame}", path.name));
    }
    lines.push(clock_line(pump.clock));
    let Some(agent) = &pump.agent else {
        lines.push("the agent has said nothing of itself: no heartbeat yet".to_owned());
        return lines;
    };
    let heard = agent.heard.map_or_else(|| "?".to_owned(), |at| age_text(at.age_at(now)));
    lines.push(format!("heartbeat: {heard} ago"));
    lines.push(wall_line(agent));
    lines.extend(agent.paths.iter().map(|path| {
        let state = if path.up { "up" } else { "DOWN" };
        let (times, dropped) = (path.connections, path.frames_dropped);
        let echo = path.echo_us.map_or_else(String::new, |us| format!(", echo {}", micros(us)));
        format!(
            "at the agent, path {}: {state}{echo}, connected {times} times, {dropped} frames dropped",
            path.name
        )
    }));
    lines.extend(sampling_lines(agent));
    lines.push(spool_line(agent));
    lines.extend(agent.sources.iter().map(|source| {
        let state =
            if source.state == "live" { "live".to_owned() } else { source.state.to_uppercase() };
        format!(
            "instrument {}: {state}, connected {} times, {} lines refused",
            source.device, source.connections, source.refused
        )
    }));
    lines.push(alarm_line(agent));
    lines.extend(pump.verdict_difference.as_ref().map(difference_line));
    lines
}

fn clock_line(clock: Option<ClockEstimate>) -> String {
    let Some(clock) = clock else {
        return "clock: not known yet: too few probes were answered".to_owned();
    };
    let drift = clock.drift_ppm.map_or_else(String::new, |ppm| format!(", gains {ppm:.1} ppm"));
    let wall = clock.wall_difference_ns.map_or_else(String::new, |nanos| {
        let side = if nanos < 0 { "behind" } else { "ahead of" };
        format!("; its wall clock is {} {side} the gateway's", millis(nanos.unsigned_abs()))
    });
    format!(
        "clock: known to {}, way there and back {}{drift}{wall}",
        millis(clock.uncertainty_ns),
        millis(clock.round_trip_ns)
    )
}

fn wall_line(agent: &Agent) -> String {
    let service = match agent.synchronized {
        Some(true) => "follows a time service",
        Some(false) => "FOLLOWS NO TIME SERVICE",
        None => "does not say whether it follows a time service",
    };
    format!("wall clock: {service}, jumped {} times", agent.wall_steps)
}

fn sampling_lines(agent: &Agent) -> Vec<String> {
    let Some(sampling) = &agent.sampling else {
        return vec!["sampling: not told".to_owned()];
    };
    let most = sampling
        .lateness_p999_us
        .map_or_else(|| "?".to_owned(), |bound| format!("at most {}", micros(bound)));
    let mut lines = vec![format!(
        "sampling: 99.9 % of ticks late by {most}, the latest by {}; {} of {} ticks left out, {} batches lost",
        micros(sampling.lateness_max_us),
        sampling.ticks_missed,
        sampling.ticks.saturating_add(sampling.ticks_missed),
        sampling.overruns
    )];
    if !(sampling.realtime && sampling.memory_locked) {
        lines.push(format!("sampling: NOT IN REAL TIME: {}", sampling.limitation));
    }
    lines
}

fn spool_line(agent: &Agent) -> String {
    let Some(spool) = &agent.spool else {
        return "disk: NOTHING IS KEPT: an outage would lose what is measured".to_owned();
    };
    let state = match spool.state {
        "recording" => "recording".to_owned(),
        other => format!("DOES NOT RECORD: {other}"),
    };
    format!(
        "disk: {state}, {} frames in {} MB, {} lost, {} damaged",
        spool.frames,
        spool.bytes / 1_000_000,
        spool.frames_lost,
        spool.records_damaged
    )
}

fn alarm_line(agent: &Agent) -> String {
    let Some(alarm) = &agent.local_alarm else {
        return "local alarm: none: the agent runs no rules".to_owned();
    };
    let lease = if alarm.leased {
        "quiet, because a gateway alarms for it"
    } else {
        "ON ITS OWN: no gateway alarms for it"
    };
    let sounds = if alarm.sounding { ", SOUNDING" } else { "" };
    let found = if alarm.present.is_empty() {
        "finds nothing".to_owned()
    } else {
        format!("finds {}", alarm.present.join(", "))
    };
    let failed = if alarm.failed { "; AN OUTPUT FAILED: it may not be heard" } else { "" };
    let behind = if alarm.behind { "; BEHIND: some frames are not judged" } else { "" };
    let lost = alarm.leases_lost;
    format!("local alarm: {lease}{sounds}; {found}; left alone {lost} times{failed}{behind}")
}

fn difference_line(told: &VerdictDifference) -> String {
    let condition = &told.condition;
    let what = match told.kind {
        "treatment" => "the agent judges by ANOTHER TREATMENT than the gateway".to_owned(),
        "agent-alone" => format!("the agent finds {condition}, the gateway DOES NOT"),
        "gateway-alone" => format!("the gateway finds {condition}, the agent DOES NOT"),
        _profile => "the agent judges by ANOTHER PROFILE than the gateway: give local_alarm.profile the gateway's".to_owned(),
    };
    let when = if told.afterwards { " (in what was judged after an outage)" } else { "" };
    format!("verdicts differ: {what}{when}")
}

fn millis(nanos: u64) -> String {
    let micros = nanos / 1_000;
    format!("{}.{:01} ms", micros / 1_000, micros % 1_000 / 100)
}

fn micros(us: u64) -> String {
    if us < 1_000 { format!("{us} us") } else { millis(us.saturating_mul(1_000)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Sampling, Spool};
    use crate::verdict::tests::live_pump;

    fn agent() -> Agent {
        Agent {
            heard: Some(GatewayTime(33_000_000_000)),
            synchronized: Some(false),
            wall_steps: 2,
            paths: Vec::new(),
            sampling: Some(Sampling {
                ticks: 999,
                ticks_missed: 1,
                overruns: 0,
                samples: 5,
                lateness_p999_us: Some(250),
                lateness_max_us: 1_840,
                realtime: false,
                memory_locked: true,
                limitation: "no right to SCHED_FIFO".to_owned(),
            }),
            spool: Some(Spool {
                state: "full",
                bytes: 5_000_000,
                frames: 700,
                frames_lost: 3,
                records_damaged: 0,
            }),
            local_alarm: None,
            sources: Vec::new(),
        }
    }

    #[test]
    fn what_is_wrong_with_an_agent_stands_in_capitals() {
        let clock = ClockEstimate {
            uncertainty_ns: 640_000,
            drift_ppm: None,
            round_trip_ns: 900_000,
            wall_difference_ns: Some(-12_300_000),
        };
        let pump = Pump { agent: Some(agent()), clock: Some(clock), ..live_pump() };
        let text = agent_lines(&pump, GatewayTime(34_000_000_000)).join("\n");
        for line in [
            "clock: known to 0.6 ms, way there and back 0.9 ms; its wall clock is 12.3 ms behind the gateway's",
            "heartbeat: 1.0 s ago",
            "wall clock: FOLLOWS NO TIME SERVICE, jumped 2 times",
            "sampling: 99.9 % of ticks late by at most 250 us, the latest by 1.8 ms; 1 of 1000 ticks left out, 0 batches lost",
            "sampling: NOT IN REAL TIME: no right to SCHED_FIFO",
            "disk: DOES NOT RECORD: full, 700 frames in 5 MB, 3 lost, 0 damaged",
            "local alarm: none: the agent runs no rules",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\nis missing in\n{text}");
        }
    }

    #[test]
    fn how_verdicts_differ_is_told_with_the_condition_and_who_finds_it() {
        let line = |kind, condition: &str, afterwards| {
            let told = VerdictDifference { kind, condition: condition.to_owned(), afterwards };
            let agent = Some(agent());
            let pump = Pump { agent, verdict_difference: Some(told), ..live_pump() };
            agent_lines(&pump, GatewayTime(34_000_000_000)).pop().unwrap()
        };
        let profile = line("profile", "", false);
        assert!(profile.starts_with("verdicts differ: the agent judges by ANOTHER PROFILE"));
        assert_eq!(
            line("agent-alone", "pump.stop", true),
            "verdicts differ: the agent finds pump.stop, the gateway DOES NOT (in what was judged after an outage)"
        );
        let pump = Pump { agent: Some(agent()), ..live_pump() };
        let text = agent_lines(&pump, GatewayTime(34_000_000_000)).join("\n");
        assert!(!text.contains("differ"), "{text}");
    }

    #[test]
    fn a_clock_that_is_known_well_is_not_told_beside_the_list() {
        let of = |uncertainty_ns| {
            let clock = ClockEstimate {
                uncertainty_ns,
                drift_ppm: None,
                round_trip_ns: 0,
                wall_difference_ns: None,
            };
            clock_text(&Pump { clock: Some(clock), ..live_pump() })
        };
        assert_eq!(of(1_000_000), None);
        assert!(of(120_000_000).unwrap().contains("known to 120.0 ms only"));
        assert_eq!(clock_text(&live_pump()), None);
    }
}
