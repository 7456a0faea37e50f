//! What was kept: trends, samples, alarms of the past.

use std::time::Duration;

use ecmo_core::parameter::Parameter;
use ecmo_proto::v1 as wire;
use tonic::Request;
use wire::history_service_client::HistoryServiceClient;

use super::error::refused;
use super::{ClientError, Gateway, Link, MESSAGE_BYTES_MAX};
use crate::convert;
use crate::model::{PastAlarm, PumpName, Span, Trend};

/// Longest wait for an answer, and for the next part of one: the gateway reads its disk first.
const PAST_MAX: Duration = Duration::from_secs(15);

/// Revisions of a page.
const PAGE: u32 = 500;

fn ids(parameters: &[Parameter]) -> Vec<String> {
    parameters.iter().map(|one| one.info().id.to_owned()).collect()
}

impl Gateway {
    fn history_client(&self) -> HistoryServiceClient<Link> {
        HistoryServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Least, mean and greatest in buckets.
    pub(crate) async fn trend(
        &self,
        name: &PumpName,
        parameters: &[Parameter],
        span: Span,
        buckets: u32,
    ) -> Result<Trend, ClientError> {
        let PumpName { ward, pump } = name.clone();
        let request = wire::QueryTrendRequest {
            ward,
            pump,
            parameters: ids(parameters),
            from_wall_ns: span.from_ns,
            to_wall_ns: span.to_ns,
            buckets,
        };
        let mut client = self.history_client();
        let call = client.query_trend(Request::new(request));
        let answer = self.answer_within(PAST_MAX, "query trend", call).await?;
        Ok(convert::trend(name.clone(), answer))
    }

    /// All samples and gaps of a time as they come, the last message with the gaps; to be asked for times that fit into memory.
    /// No parameters means all.
    pub(crate) async fn past(
        &self,
        name: &PumpName,
        parameters: &[Parameter],
        span: Span,
    ) -> Result<Vec<wire::ReadWaveformResponse>, ClientError> {
        const WHAT: &str = "read waveform";
        let PumpName { ward, pump } = name.clone();
        let request = wire::ReadWaveformRequest {
            ward,
            pump,
            parameters: ids(parameters),
            from_wall_ns: span.from_ns,
            to_wall_ns: span.to_ns,
        };
        let mut client = self.history_client();
        let call = client.read_waveform(Request::new(request));
        let mut stream = self.answer_within(PAST_MAX, WHAT, call).await?;
        let mut found = Vec::new();
        loop {
            let next = tokio::time::timeout(PAST_MAX, stream.message()).await;
            let next = next
                .map_err(|_elapsed| ClientError::Silent { what: WHAT, silence: PAST_MAX })?
                .map_err(|status| refused(WHAT, &status))?;
            // A stream that ends without its last message was cut: half an answer is none.
            let message = next.ok_or(ClientError::Ended { what: WHAT })?;
            let is_last = message.complete;
            found.push(message);
            if is_last {
                return Ok(found);
            }
        }
    }

    /// Every revision of the alarms of a time, the newest first; and how many records are damaged.
    pub(crate) async fn past_alarms(
        &self,
        name: &PumpName,
        span: Span,
    ) -> Result<(Vec<PastAlarm>, u64), ClientError> {
        let (mut found, mut damaged, mut page_token) = (Vec::new(), 0, String::new());
        loop {
            let PumpName { ward, pump } = name.clone();
            let request = wire::ListAlarmHistoryRequest {
                ward,
                pump,
                from_wall_ns: span.from_ns,
                to_wall_ns: span.to_ns,
                page_size: PAGE,
                page_token,
                ..wire::ListAlarmHistoryRequest::default()
            };
            let mut client = self.history_client();
            let call = client.list_alarm_history(Request::new(request));
            let answer = self.answer_within(PAST_MAX, "list alarm history", call).await?;
            found.extend(answer.revisions.into_iter().filter_map(convert::past_alarm));
            damaged = answer.damaged_records.max(damaged);
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                return Ok((found, damaged));
            }
        }
    }
}
