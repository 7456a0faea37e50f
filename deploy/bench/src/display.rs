//! Displays that watch alarms, each over a connection of its own, and keep what they got with the time of its arrival.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use ecmo_proto::v1;
use ecmo_proto::v1::alarm_service_client::AlarmServiceClient;
use ecmo_proto::v1::watch_alarms_response::Update;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Endpoint;

use crate::background::Background;
use crate::clock;
use crate::crossing::CONDITION;

/// How long connecting and the first snapshot may take, on a machine that is busy building too.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Between two looks at how much has arrived.
const LOOK: Duration = Duration::from_millis(10);

/// Alarms that one display keeps: ten minutes of the most pumps.
const KEPT_MAX: usize = 600 * 2 * 200;

/// An alarm change at a display.
#[derive(Debug)]
pub(crate) struct Received {
    /// Monotonic time of its arrival, in nanoseconds.
    pub(crate) at_ns: u64,
    /// The change.
    pub(crate) alarm: v1::Alarm,
}

/// Displays that are watching.
#[derive(Debug)]
pub(crate) struct Displays {
    tasks: JoinSet<anyhow::Result<Vec<Received>>>,
    stop: watch::Sender<bool>,
    arrived: Arc<AtomicUsize>,
    _threads: Background,
}

impl Displays {
    /// Connects `count` displays that watch a ward; returns when each has its snapshot.
    pub(crate) async fn connect(url: &str, ward: &str, count: u32) -> anyhow::Result<Self> {
        let threads = Background::start("displays", Some(1))?;
        let (stop, stopping) = watch::channel(false);
        let (tell_ready, mut ready) = mpsc::channel(1);
        let arrived = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let watched = watch_alarms(
                url.to_owned(),
                ward.to_owned(),
                tell_ready.clone(),
                stopping.clone(),
                Arc::clone(&arrived),
            );
            tasks.spawn_on(watched, &threads);
        }
        drop(tell_ready);
        let mut displays = Self { tasks, stop, arrived, _threads: threads };
        for _ in 0..count {
            let told = timeout(CONNECT_MAX, ready.recv()).await.context("no snapshot in time")?;
            if told.is_none() {
                displays.failed().await?;
            }
        }
        Ok(displays)
    }

    /// The reason of a display that ended unasked.
    async fn failed(&mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a display panicked")??;
        }
        anyhow::bail!("the displays ended unasked")
    }

    /// Waits until all displays together have got so many changes, or the time is over.
    pub(crate) async fn wait(&self, changes: usize, limit: Duration) {
        let end = Instant::now() + limit;
        while self.arrived.load(Ordering::Relaxed) < changes && Instant::now() < end {
            sleep(LOOK).await;
        }
    }

    /// Ends the displays and returns what each has got.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Vec<Vec<Received>>> {
        self.stop.send_replace(true);
        let mut all = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            all.push(ended.context("a display panicked")??);
        }
        Ok(all)
    }
}

async fn watch_alarms(
    url: String,
    ward: String,
    ready: mpsc::Sender<()>,
    mut stopping: watch::Receiver<bool>,
    arrived: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<Received>> {
    let endpoint = Endpoint::from_shared(url)?.tcp_nodelay(true).connect_timeout(CONNECT_MAX);
    let channel = endpoint.connect().await.context("a display cannot connect")?;
    let asked = v1::WatchAlarmsRequest { ward, display: String::new(), seen_until: None };
    let mut stream = AlarmServiceClient::new(channel).watch_alarms(asked).await?.into_inner();
    let first = stream.message().await?.and_then(|first| first.update);
    ensure!(matches!(first, Some(Update::Snapshot(_))), "a stream began without a snapshot");
    // Nobody waits any more when the round was given up.
    let _round_given_up = ready.send(()).await.is_err();
    drop(ready);
    let mut kept = Vec::new();
    loop {
        let message = tokio::select! {
            biased;
            message = stream.message() => message,
            _stopped = stopping.wait_for(|stopping| *stopping) => return Ok(kept),
        };
        let at_ns = clock::now_ns();
        let update = message?.context("the server ended a display's stream")?.update;
        let Some(Update::Alarm(alarm)) = update else { continue };
        if alarm.condition == CONDITION {
            ensure!(kept.len() < KEPT_MAX, "more than {KEPT_MAX} alarm changes at one display");
            kept.push(Received { at_ns, alarm });
            arrived.fetch_add(1, Ordering::Relaxed);
        }
    }
}
