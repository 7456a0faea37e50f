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
use tonic::transport::{Channel, Endpoint};

use crate::background::Background;
use crate::clock;
use crate::crossing::CONDITION;
use crate::views::{self, Seen, Views};

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
    tasks: JoinSet<anyhow::Result<(Vec<Received>, Seen)>>,
    stop: watch::Sender<bool>,
    arrived: Arc<AtomicUsize>,
    _threads: Background,
}

impl Displays {
    /// Connects `count` displays that watch the alarms of a ward, and what else `views` says; returns when each has its
    /// snapshots.
    pub(crate) async fn connect(
        url: &str,
        ward: &str,
        count: u32,
        views: &Views,
    ) -> anyhow::Result<Self> {
        let threads = Background::start("displays", Some(1))?;
        let (stop, stopping) = watch::channel(false);
        let (tell_ready, mut ready) = mpsc::channel(1);
        let arrived = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let asked = Asked { url: url.to_owned(), ward: ward.to_owned(), views: views.clone() };
            let (ready, stopping) = (tell_ready.clone(), stopping.clone());
            tasks.spawn_on(watch(asked, ready, stopping, Arc::clone(&arrived)), &threads);
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

    /// Ends the displays and returns what each has got, and what all have seen besides.
    pub(crate) async fn finish(mut self) -> anyhow::Result<(Vec<Vec<Received>>, Seen)> {
        self.stop.send_replace(true);
        let (mut all, mut seen) = (Vec::new(), Seen::default());
        while let Some(ended) = self.tasks.join_next().await {
            let (received, also) = ended.context("a display panicked")??;
            all.push(received);
            seen += also;
        }
        Ok((all, seen))
    }
}

/// What one display watches.
struct Asked {
    url: String,
    ward: String,
    views: Views,
}

/// A connection as a display makes it: what a stream does not read must not hold up the others.
pub(crate) async fn channel(url: String) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(url)?
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_MAX)
        .initial_stream_window_size(views::STREAM_BYTES)
        .initial_connection_window_size(views::CONNECTION_BYTES);
    endpoint.connect().await.context("a display cannot connect")
}

/// A watch of a ward's alarms whose snapshot is here.
pub(crate) async fn alarms(
    channel: Channel,
    ward: String,
) -> anyhow::Result<tonic::Streaming<v1::WatchAlarmsResponse>> {
    let asked = v1::WatchAlarmsRequest { ward, display: String::new(), seen_until: None };
    let mut stream = AlarmServiceClient::new(channel).watch_alarms(asked).await?.into_inner();
    let first = stream.message().await?.and_then(|first| first.update);
    ensure!(matches!(first, Some(Update::Snapshot(_))), "a stream began without a snapshot");
    Ok(stream)
}

async fn watch(
    Asked { url, ward, views }: Asked,
    ready: mpsc::Sender<()>,
    mut stopping: watch::Receiver<bool>,
    arrived: Arc<AtomicUsize>,
) -> anyhow::Result<(Vec<Received>, Seen)> {
    let channel = channel(url).await?;
    let mut stream = alarms(channel.clone(), ward.clone()).await?;
    let beside = views.open(channel, ward, stopping.clone()).await?;
    // Nobody waits any more when the round was given up.
    let _round_given_up = ready.send(()).await.is_err();
    drop(ready);
    let mut kept = Vec::new();
    loop {
        let message = tokio::select! {
            biased;
            message = stream.message() => message,
            _stopped = stopping.wait_for(|stopping| *stopping) => break,
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
    let seen = match beside {
        Some(beside) => beside.await.context("the views of a display panicked")??,
        None => Seen::default(),
    };
    Ok((kept, seen))
}
