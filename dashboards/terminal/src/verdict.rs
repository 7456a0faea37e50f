//! The exit code: what a script may conclude. Pure.
//!
//! "Fine" is said only when everything asked for is known to be fine: one pump without data is enough to withhold it.
//! An active alarm outranks missing data, because it is known to need somebody; missing data is told on the screen beside
//! it. A gateway that does not answer outranks both: then nothing is known.

use crate::age::GatewayTime;
use crate::model::{ALARM_ROUND_AGE_MAX, Alarm, Pump};

/// How a command ended, and its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// At least one pump is known, every pump asked for delivers live data, every channel is read, no alarm is active.
    Fine,
    /// An alarm is active: also an acknowledged or latched one. A card is no alarm.
    Alarm,
    /// No alarm is active, and no pump is known, or one does not deliver live data or has a channel that is not read, or
    /// alarms are not being judged.
    NoData,
    /// The gateway cannot be reached or does not answer.
    GatewayLost,
    /// The condition of `--until` was not shown in time.
    NotShown,
    /// The gateway refused what was asked; nothing has changed.
    Refused,
    /// The command line cannot be understood.
    Usage,
}

impl Verdict {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Alarm => 1,
            Self::NoData => 2,
            Self::GatewayLost => 3,
            Self::NotShown => 4,
            Self::Refused => 5,
            Self::Usage => 64,
        }
    }
}

/// Judges what the gateway said.
pub(crate) fn judge<'a>(
    pumps: &[Pump],
    alarms: impl IntoIterator<Item = &'a Alarm>,
    alarm_round: GatewayTime,
    now: GatewayTime,
) -> Verdict {
    let counts = |alarm: &Alarm| alarm.is_active() && !alarm.is_card();
    if pumps.iter().flat_map(|pump| &pump.alarms).any(counts) || alarms.into_iter().any(counts) {
        return Verdict::Alarm;
    }
    // The limits of a channel that the gateway refuses, such as a misspelt one, are not judged by anybody.
    let is_judged = |pump: &Pump| pump.is_live(now) && pump.refused_channels.is_empty();
    let all_judged = !pumps.is_empty() && pumps.iter().all(is_judged);
    if all_judged && alarms_are_judged(alarm_round, now) { Verdict::Fine } else { Verdict::NoData }
}

/// Whether the gateway's alarm thread finished a round lately.
pub(crate) fn alarms_are_judged(alarm_round: GatewayTime, now: GatewayTime) -> bool {
    alarm_round.0 != 0 && alarm_round.age_at(now) <= ALARM_ROUND_AGE_MAX
}

/// One line on who is live: never "no alarms" without saying for how many pumps that is known.
pub(crate) fn summary(pumps: &[Pump], alarms: &[Alarm], now: GatewayTime) -> String {
    let live = pumps.iter().filter(|pump| pump.is_live(now)).count();
    let without = pumps.len().saturating_sub(live);
    let cards = alarms.iter().filter(|alarm| alarm.is_card()).count();
    let told = match alarms.len() - cards {
        0 if live == 0 => "alarms cannot be known".to_owned(),
        0 => format!("no alarms on {}", count(live, "pump")),
        some => format!("{} active", count(some, "alarm")),
    };
    let cards = match cards {
        0 => String::new(),
        some => format!(", {}", count(some, "information card")),
    };
    let without = match without {
        0 => String::new(),
        some => format!(", {some} without data"),
    };
    format!("{live} of {} live; {told}{cards}{without}", count(pumps.len(), "pump"))
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{
        Counters, Link, Ownership, Priority, PumpKind, PumpName, Reading, RefusedChannel, Source,
        Turning, Validity,
    };
    use crate::words::tests::pump_stop;

    const NOW: GatewayTime = GatewayTime(20_000_000_000);
    const FRESH: GatewayTime = GatewayTime(19_990_000_000);

    /// A pump that is live at 20 s.
    pub(crate) fn live_pump() -> Pump {
        Pump {
            name: PumpName { ward: "nicu".to_owned(), pump: "pump-1".to_owned() },
            link: Link::Live,
            ownership: Ownership::default(),
            turning: Turning::Running,
            last_frame: Some(FRESH),
            readings: vec![Reading {
                parameter: "flow.blood".to_owned(),
                unit: "mL/min".to_owned(),
                validity: Validity::Valid,
                value: Some(412.0),
                sampled: Some(FRESH),
                last: None,
            }],
            alarms: Vec::new(),
            counters: Counters::default(),
            refused_channels: Vec::new(),
            device: String::new(),
            agent_version: String::new(),
            source: Source::Simulated,
            kind: PumpKind::Centrifugal,
            treatment_version: 0,
            contexts: Vec::new(),
            rules_not_evaluable: 0,
            unreviewed: false,
            limits_set: 0,
            clock: None,
            paths: Vec::new(),
            agent: None,
            verdict_difference: None,
        }
    }

    #[test]
    fn fine_is_said_only_when_every_pump_is_known_to_be_fine() {
        let silent = Pump { link: Link::Silent, ..live_pump() };
        let old = Pump { last_frame: Some(GatewayTime(16_000_000_000)), ..live_pump() };
        let empty = Pump { readings: Vec::new(), ..live_pump() };
        let never = Pump { last_frame: None, ..live_pump() };
        let refused =
            RefusedChannel { parameter: "press.Drain".to_owned(), reason: "unknown".to_owned() };
        let unread = Pump { refused_channels: vec![refused], ..live_pump() };
        for (pumps, verdict) in [
            (vec![live_pump()], Verdict::Fine),
            (vec![], Verdict::NoData),
            (vec![live_pump(), silent], Verdict::NoData),
            (vec![live_pump(), old], Verdict::NoData),
            (vec![empty], Verdict::NoData),
            (vec![never], Verdict::NoData),
            (vec![unread.clone()], Verdict::NoData),
            (vec![live_pump(), unread], Verdict::NoData),
        ] {
            assert_eq!(judge(&pumps, [], FRESH, NOW), verdict, "{pumps:?}");
        }
    }

    #[test]
    fn an_alarm_outranks_missing_data_wherever_it_is_told() {
        let silent = Pump { link: Link::Silent, ..live_pump() };
        assert_eq!(judge(&[silent], [&pump_stop()], FRESH, NOW), Verdict::Alarm);
        let with_alarm = Pump { alarms: vec![pump_stop()], ..live_pump() };
        assert_eq!(judge(&[with_alarm], [], FRESH, NOW), Verdict::Alarm);
    }

    #[test]
    fn a_card_is_no_alarm_and_is_told_beside_them() {
        let card = Alarm { priority: Priority::Information, ..pump_stop() };
        assert_eq!(judge(&[live_pump()], [&card], FRESH, NOW), Verdict::Fine);
        let with_card = Pump { alarms: vec![card.clone()], ..live_pump() };
        assert_eq!(judge(&[with_card], [], FRESH, NOW), Verdict::Fine);
        assert_eq!(
            summary(&[live_pump()], std::slice::from_ref(&card), NOW),
            "1 of 1 pump live; no alarms on 1 pump, 1 information card"
        );
        assert_eq!(
            summary(&[live_pump()], &[card, pump_stop()], NOW),
            "1 of 1 pump live; 1 alarm active, 1 information card"
        );
    }

    #[test]
    fn an_alarm_thread_that_hangs_or_never_ran_is_not_fine() {
        let hung = GatewayTime(17_900_000_000);
        assert_eq!(judge(&[live_pump()], [], hung, NOW), Verdict::NoData);
        assert_eq!(judge(&[live_pump()], [], GatewayTime(0), GatewayTime(1)), Verdict::NoData);
    }

    #[test]
    fn the_summary_never_says_no_alarms_without_saying_of_whom() {
        let silent = Pump { link: Link::Silent, ..live_pump() };
        for (pumps, alarms, text) in [
            (vec![live_pump()], 0, "1 of 1 pump live; no alarms on 1 pump"),
            (
                vec![live_pump(), silent.clone()],
                0,
                "1 of 2 pumps live; no alarms on 1 pump, 1 without data",
            ),
            (vec![silent.clone()], 0, "0 of 1 pump live; alarms cannot be known, 1 without data"),
            (vec![silent], 2, "0 of 1 pump live; 2 alarms active, 1 without data"),
        ] {
            assert_eq!(summary(&pumps, &vec![pump_stop(); alarms], NOW), text);
        }
    }
}
