//! What people do about alarms: acknowledge, pause, shelve; and the report on them.

use ecmo_proto::v1 as wire;

use super::{ClientError, Gateway, ShownAlarm, timed};
use crate::convert;
use crate::model::{Alarm, MissedAlarm, PumpName, Report};

/// What a pause of the sound covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PauseTarget {
    /// One occurrence.
    Alarm(String),
    /// A pump.
    Pump(PumpName),
    /// A ward.
    Ward(String),
}

impl PauseTarget {
    /// Scope, occurrence, ward and pump of a message.
    fn parts(self) -> (i32, String, String, String) {
        let none = String::new;
        match self {
            Self::Alarm(occurrence) => (wire::PauseScope::Alarm.into(), occurrence, none(), none()),
            Self::Pump(name) => (wire::PauseScope::Pump.into(), none(), name.ward, name.pump),
            Self::Ward(ward) => (wire::PauseScope::Ward.into(), none(), ward, none()),
        }
    }
}

impl Gateway {
    /// Acknowledges one occurrence as far as it was shown; the occurrence as it is now, where the gateway tells it, and
    /// whether that survives a restart of the gateway.
    pub(crate) async fn acknowledge(
        &self,
        shown: ShownAlarm,
        by: &str,
        note: &str,
    ) -> Result<(Option<Alarm>, bool), ClientError> {
        let request = wire::AcknowledgeAlarmRequest {
            occurrence: shown.occurrence,
            revision: shown.revision,
            by: by.to_owned(),
            note: note.to_owned(),
        };
        let mut client = Self::alarms_client(self.channel.clone());
        let call = client.acknowledge_alarm(request);
        let answer = self.changed("acknowledge alarm", call).await?;
        Ok((answer.alarm.map(convert::alarm), answer.durable))
    }

    /// Pauses sound; how many alarms, and whether that survives a restart of the gateway.
    pub(crate) async fn pause(
        &self,
        target: PauseTarget,
        seconds: u32,
        by: &str,
    ) -> Result<(u32, bool), ClientError> {
        let (scope, occurrence, ward, pump) = target.parts();
        let by = by.to_owned();
        let request = wire::PauseAudioRequest { scope, occurrence, ward, pump, seconds, by };
        let mut client = Self::alarms_client(self.channel.clone());
        let answer = self.changed("pause sound", client.pause_audio(request)).await?;
        Ok((answer.paused, answer.durable))
    }

    /// Ends pauses; how many alarms are heard again, and whether that survives a restart of the gateway.
    pub(crate) async fn resume(
        &self,
        target: PauseTarget,
        by: &str,
    ) -> Result<(u32, bool), ClientError> {
        let (scope, occurrence, ward, pump) = target.parts();
        let by = by.to_owned();
        let request = wire::ResumeAudioRequest { scope, occurrence, ward, pump, by };
        let mut client = Self::alarms_client(self.channel.clone());
        let answer = self.changed("resume sound", client.resume_audio(request)).await?;
        Ok((answer.resumed, answer.durable))
    }

    /// Shelves the condition of an occurrence; the occurrence as it is now, where the gateway tells it, and whether that
    /// survives a restart of the gateway.
    pub(crate) async fn shelve(
        &self,
        occurrence: &str,
        minutes: u32,
        by: &str,
        reason: &str,
    ) -> Result<(Option<Alarm>, bool), ClientError> {
        let request = wire::ShelveAlarmRequest {
            occurrence: occurrence.to_owned(),
            minutes,
            by: by.to_owned(),
            reason: reason.to_owned(),
        };
        let mut client = Self::alarms_client(self.channel.clone());
        let answer = self.changed("shelve alarm", client.shelve_alarm(request)).await?;
        Ok((answer.alarm.map(convert::alarm), answer.durable))
    }

    /// Ends the shelving of a condition; whether that survives a restart of the gateway.
    pub(crate) async fn unshelve(
        &self,
        name: PumpName,
        condition: &str,
        by: &str,
    ) -> Result<bool, ClientError> {
        let PumpName { ward, pump } = name;
        let (condition, by) = (condition.to_owned(), by.to_owned());
        let request = wire::UnshelveAlarmRequest { ward, pump, condition, by };
        let mut client = Self::alarms_client(self.channel.clone());
        Ok(self.changed("unshelve alarm", client.unshelve_alarm(request)).await?.durable)
    }

    /// What was missed at one pump, or all, the newest first.
    pub(crate) async fn missed(
        &self,
        name: Option<&PumpName>,
    ) -> Result<Vec<MissedAlarm>, ClientError> {
        let part = |of: fn(&PumpName) -> &String| name.map(of).cloned().unwrap_or_default();
        let (ward, pump) = (part(|name| &name.ward), part(|name| &name.pump));
        let mut client = Self::alarms_client(self.channel.clone());
        let call = client.list_missed_alarms(timed(wire::ListMissedAlarmsRequest { ward, pump }));
        let answer = self.answer("list missed alarms", call).await?;
        Ok(answer.missed.into_iter().map(convert::missed).collect())
    }

    /// How good the alarms of a pump were as alarms.
    pub(crate) async fn report(&self, name: PumpName) -> Result<Report, ClientError> {
        let PumpName { ward, pump } = name;
        let mut client = Self::alarms_client(self.channel.clone());
        let call = client.get_alarm_report(timed(wire::GetAlarmReportRequest { ward, pump }));
        Ok(convert::report(&self.answer("get report", call).await?))
    }
}
