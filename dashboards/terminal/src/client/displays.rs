//! What a display tells of itself (lease, confirmations), and what a gateway knows of displays.

use ecmo_proto::v1 as wire;
use wire::display_service_client::DisplayServiceClient;

use super::{ClientError, Gateway, Link, MESSAGE_BYTES_MAX, ShownAlarm, timed};
use crate::age::GatewayTime;
use crate::convert;
use crate::model::{Confirmations, DisplaySeen};

/// What a gateway said to a lease that was taken or renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attended {
    pub(crate) now_mono_ns: u64,
    pub(crate) epoch: u64,
    /// Whether the gateway takes this display as one that paints.
    pub(crate) attends: bool,
}

/// What a gateway said to confirmations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConfirmAnswer {
    /// From its decision about the last known one to the confirmation, by its clock.
    pub(crate) decided_to_confirmed_ns: Option<u64>,
    /// Whether this display counts there.
    pub(crate) counts: bool,
}

/// What `ListDisplays` tells.
#[derive(Debug, Clone)]
pub(crate) struct DisplaysAnswer {
    pub(crate) displays: Vec<DisplaySeen>,
    pub(crate) now: GatewayTime,
}

impl Gateway {
    fn displays_client(channel: Link) -> DisplayServiceClient<Link> {
        DisplayServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Takes or renews the lease of a display.
    pub(crate) async fn attend(
        &self,
        request: wire::AttendWardsRequest,
    ) -> Result<Attended, ClientError> {
        let mut client = Self::displays_client(self.channel.clone());
        let answer = self.answer("attend wards", client.attend_wards(timed(request))).await?;
        let attends = answer.state() == wire::DisplayState::Attends;
        Ok(Attended { now_mono_ns: answer.now_mono_ns, epoch: answer.epoch, attends })
    }

    /// Ends the lease of a display.
    pub(crate) async fn leave(&self, display: &str) -> Result<(), ClientError> {
        let mut client = Self::displays_client(self.channel.clone());
        let request = wire::LeaveWardsRequest { display: display.to_owned() };
        self.answer("leave wards", client.leave_wards(timed(request))).await?;
        Ok(())
    }

    /// Tells which revisions this display has shown.
    pub(crate) async fn confirm(
        &self,
        display: &str,
        shown: &[ShownAlarm],
    ) -> Result<ConfirmAnswer, ClientError> {
        let shown = shown
            .iter()
            .cloned()
            .map(|ShownAlarm { occurrence, revision }| wire::ShownAlarm { occurrence, revision });
        let request =
            wire::ConfirmAlarmsRequest { display: display.to_owned(), shown: shown.collect() };
        let mut client = Self::alarms_client(self.channel.clone());
        let answer = self.answer("confirm alarms", client.confirm_alarms(timed(request))).await?;
        Ok(ConfirmAnswer {
            decided_to_confirmed_ns: answer.decided_to_confirmed_ns,
            counts: answer.counts,
        })
    }

    /// Every display that the gateway knows, of a ward or of all.
    pub(crate) async fn list_displays(&self, ward: &str) -> Result<DisplaysAnswer, ClientError> {
        let mut client = Self::displays_client(self.channel.clone());
        let request = wire::ListDisplaysRequest { ward: ward.to_owned() };
        let answer = self.answer("list displays", client.list_displays(timed(request))).await?;
        Ok(DisplaysAnswer {
            displays: answer.displays.into_iter().map(convert::display).collect(),
            now: GatewayTime(answer.now_mono_ns),
        })
    }

    /// Who has shown each alarm that signals.
    pub(crate) async fn list_confirmations(
        &self,
        ward: &str,
    ) -> Result<Vec<Confirmations>, ClientError> {
        let mut client = Self::displays_client(self.channel.clone());
        let request = wire::ListConfirmationsRequest { ward: ward.to_owned() };
        let call = client.list_confirmations(timed(request));
        let answer = self.answer("list confirmations", call).await?;
        Ok(answer.alarms.into_iter().map(convert::confirmations).collect())
    }
}
