//! What a display watches beside alarms: the pumps of its ward, and waveforms of some of them, in one stream.

use std::ops::AddAssign;
use std::time::Duration;

use anyhow::{Context, ensure};
use ecmo_proto::v1;
use ecmo_proto::v1::pump_service_client::PumpServiceClient;
use ecmo_proto::v1::watch_ward_response::Update;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

use crate::frames::pump_name;

/// What a display takes of one stream ahead of its reading: small, so that what it does not read is dropped at the gateway.
pub(crate) const STREAM_BYTES: u32 = 64 * 1024;

/// The same for all streams of a connection: more than one of them, so that alarms never wait for another stream.
pub(crate) const CONNECTION_BYTES: u32 = 1024 * 1024;

/// How long the first message may take.
const FIRST_MAX: Duration = Duration::from_secs(10);

/// Which pumps' waveforms a display watches; by default it watches nothing but alarms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Views {
    /// Numbers of the pumps whose waveforms are watched; `None` when the ward is not watched at all.
    pub(crate) waves: Option<Vec<u32>>,
    /// Pause after each message: a display that reads too slowly.
    pub(crate) pause: Duration,
}

/// What came besides alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Seen {
    /// Messages of pumps.
    pub(crate) views: u64,
    /// Frames of waveforms.
    pub(crate) waves: u64,
    /// Frames of waveforms that the gateway says it has dropped.
    pub(crate) dropped: u64,
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.views += other.views;
        self.waves += other.waves;
        self.dropped += other.dropped;
    }
}

impl Seen {
    fn count(&mut self, update: Option<Update>) {
        match update {
            Some(Update::Pumps(_)) => self.views += 1,
            Some(Update::Waveform(one)) => {
                self.waves += 1;
                self.dropped += one.dropped;
            }
            None => {}
        }
    }
}

impl Views {
    /// The ward, and waveforms of these pumps.
    pub(crate) fn ward(waves: impl IntoIterator<Item = u32>) -> Self {
        Self { waves: Some(waves.into_iter().collect()), pause: Duration::ZERO }
    }

    /// Begins to watch on a connection; the first message is here when this returns.
    pub(crate) async fn open(
        self,
        channel: Channel,
        ward: String,
        mut stopping: watch::Receiver<bool>,
    ) -> anyhow::Result<Option<JoinHandle<anyhow::Result<Seen>>>> {
        let Some(waves) = self.waves else { return Ok(None) };
        let choice = |number: &u32| v1::WaveformChoice {
            ward: ward.clone(),
            pump: pump_name(*number),
            parameters: Vec::new(),
        };
        let waveforms = waves.iter().map(choice).collect();
        let asked = v1::WatchWardRequest { ward: ward.clone(), interval_ms: 100, waveforms };
        let mut client = PumpServiceClient::new(channel);
        let stream = client.watch_ward(asked).await.context("the ward cannot be watched")?;
        let mut stream = stream.into_inner();
        let first = timeout(FIRST_MAX, stream.message()).await.context("no view in time")??;
        let first = first.and_then(|first| first.update);
        ensure!(matches!(first, Some(Update::Pumps(_))), "a ward began without its pumps");
        Ok(Some(tokio::spawn(async move {
            let mut seen = Seen::default();
            loop {
                let message = tokio::select! {
                    biased;
                    _stopped = stopping.wait_for(|stopping| *stopping) => return Ok(seen),
                    message = stream.message() => message,
                };
                let message = message?.context("the server ended a ward's stream")?;
                seen.count(message.update);
                if !self.pause.is_zero() {
                    sleep(self.pause).await;
                }
            }
        })))
    }
}
