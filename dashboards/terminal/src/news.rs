//! What became of an alarm, as it is told: from the screen's changes. Pure.

use ecmo_display as display;

use crate::age::GatewayTime;
use crate::convert;
use crate::model::{Alarm, Audio, Signal, Transition};

/// What happened to an alarm, with the gateway's time by which it is dated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct News {
    pub(crate) what: What,
    pub(crate) alarm: Alarm,
    pub(crate) now: GatewayTime,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Not known before.
    New,
    /// Something of it is different.
    Changed,
    /// The gateway says that it has ended.
    Ended,
    /// It ended while this display was not connected.
    EndedUnseen,
    /// Of before a restart of the gateway, and not told by it since. Nothing says that it has ended.
    Forgotten,
}

impl News {
    /// What a change of the screen tells.
    pub(crate) fn of(change: &display::Change, now: GatewayTime) -> Self {
        let what = match change {
            display::Change::New(_) => What::New,
            display::Change::Changed(..) => What::Changed,
            display::Change::Ended(_) => What::Ended,
            display::Change::EndedUnseen(_) => What::EndedUnseen,
            display::Change::Forgotten(_) => What::Forgotten,
        };
        let mut alarm = convert::alarm((*change.row().alarm).clone());
        // The wire tells an escalation as a worsening; that it is one shows beside what was known before.
        if let display::Change::Changed(_, before) = change
            && alarm.transition == Some(Transition::Worsened)
            && alarm.escalated
            && !before.escalated
        {
            alarm.transition = Some(Transition::Escalated);
        }
        Self { what, alarm, now }
    }

    /// Stable id of what happened, for programs.
    pub(crate) fn id(&self) -> &'static str {
        match self.what {
            What::New if self.alarm.signal == Signal::Acknowledged => "acknowledged",
            What::New => "active",
            What::Changed => changed_id(&self.alarm),
            What::Ended => "ended",
            What::EndedUnseen => "ended_unseen",
            What::Forgotten => "forgotten",
        }
    }
}

/// What a newer revision is about; where the gateway does not say, where the occurrence stands.
fn changed_id(alarm: &Alarm) -> &'static str {
    match alarm.transition {
        Some(Transition::AudioChanged) => match alarm.audio {
            Audio::Paused => "paused",
            Audio::Shelved => "shelved",
            Audio::Grouped => "grouped",
            Audio::On => "audible",
            Audio::Off => "silent",
        },
        Some(Transition::Worsened) => "worsened",
        Some(Transition::Escalated) => "escalated",
        Some(Transition::Returned) => "returned",
        Some(Transition::DataLost) => "data_lost",
        Some(Transition::DataBack) => "data_back",
        Some(Transition::RuleChanged) => "rule_changed",
        Some(Transition::Reminded) => "reminded",
        Some(
            Transition::Raised | Transition::Latched | Transition::Acknowledged | Transition::Ended,
        )
        | None => match alarm.signal {
            Signal::Acknowledged => "acknowledged",
            Signal::Latched => "latched",
            Signal::On | Signal::Off => "changed",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::tests::pump_stop;

    #[test]
    fn a_change_is_named_by_what_changed() {
        let alarm = pump_stop();
        let with = |transition| Alarm { transition: Some(transition), ..alarm.clone() };
        let heard = |audio| Alarm { audio, ..with(Transition::AudioChanged) };
        let acknowledged = Alarm { signal: Signal::Acknowledged, ..with(Transition::Acknowledged) };
        let latched = Alarm { signal: Signal::Latched, ..with(Transition::Latched) };
        for (alarm, id) in [
            (with(Transition::Worsened), "worsened"),
            (with(Transition::Escalated), "escalated"),
            (with(Transition::Returned), "returned"),
            (with(Transition::DataLost), "data_lost"),
            (with(Transition::DataBack), "data_back"),
            (with(Transition::RuleChanged), "rule_changed"),
            (with(Transition::Reminded), "reminded"),
            (heard(Audio::Paused), "paused"),
            (heard(Audio::Shelved), "shelved"),
            (heard(Audio::Grouped), "grouped"),
            (heard(Audio::On), "audible"),
            (heard(Audio::Off), "silent"),
            (acknowledged, "acknowledged"),
            (latched, "latched"),
            (alarm.clone(), "changed"),
        ] {
            assert_eq!(changed_id(&alarm), id);
        }
    }

    #[test]
    fn an_escalation_is_told_apart_from_a_worsening_by_what_was_before() {
        let mut screen = display::Screen::new(1, "");
        let wire = |revision, escalated| ecmo_proto::v1::Alarm {
            occurrence: "a".to_owned(),
            revision,
            present: true,
            escalated,
            transition: ecmo_proto::v1::AlarmTransition::Worsened.into(),
            ..ecmo_proto::v1::Alarm::default()
        };
        let message = |sequence, update| ecmo_proto::v1::WatchAlarmsResponse {
            sequence,
            update: Some(update),
            ..ecmo_proto::v1::WatchAlarmsResponse::default()
        };
        use ecmo_proto::v1::watch_alarms_response::Update;
        let first = ecmo_proto::v1::AlarmSnapshot {
            alarms: vec![wire(1, false)],
            ..ecmo_proto::v1::AlarmSnapshot::default()
        };
        let link = display::LinkId(0);
        let at = display::LocalTime::default();
        screen.on_alarms(link, message(0, Update::Snapshot(first)), at);
        screen.on_alarms(link, message(1, Update::Alarm(wire(2, true))), at);
        // One that has escalated before is worse for another reason now.
        screen.on_alarms(link, message(2, Update::Alarm(wire(3, true))), at);
        let changes = screen.take_changes().0;
        let ids = changes.iter().map(|change| News::of(change, GatewayTime(0)).id());
        assert_eq!(ids.collect::<Vec<_>>(), ["active", "escalated", "worsened"]);
    }
}
