//! The agent at the bedside: samples one pump's sensors and publishes frames. It sends no command to any device.
//!
//! Data flows through the modules in the order in which they are declared; a module uses only earlier ones. [`run`] joins
//! them. Read [`sensor::Sensor`] to add a source of samples, and [`config`] for the settings.

pub mod config;

pub mod clock;

pub mod counters;

pub mod worker;

pub mod sensor;

pub mod inventory;

pub mod record;

pub mod sampler;

pub mod frame;

pub mod framer;

pub mod queue;

pub mod spool;

pub mod birth;

pub mod lease;

pub mod local_alarm;

pub mod judge;

pub mod publish;

pub mod metrics;

pub mod manager;

use core::time::Duration;
use std::sync::Arc;

use ecmo_core::alarm::profile::Profile;
use tokio::sync::watch;
use tokio::time::timeout;

pub use config::{BrokerUrl, Fault, FaultKind, Settings};
pub use counters::Summary;
pub use manager::Manager;

use crate::metrics::Metrics;
use birth::Announcer;
use counters::Counters;
use frame::{Boot, Framer, PreparedFrame};
use framer::Taker;
use judge::{Judge, JudgeError};
use lease::Lease;
use publish::Publisher;
use queue::FrameQueue;
use sampler::{Lineup, Plan, Sampler};
use spool::Spool;

/// How long the sampling threads may take to end. A sensor that blocks for longer has broken its promise.
const THREADS_END_MAX: Duration = Duration::from_secs(2);

/// Why an agent does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A source cannot be made.
    #[error("cannot make the sources of {pump}")]
    Sources {
        /// Ward and pump.
        pump: String,
        /// Why.
        source: sensor::recording::RecordingError,
    },
    /// The sources do not go together.
    #[error("cannot sample {pump}")]
    Lineup {
        /// Ward and pump.
        pump: String,
        /// Why.
        source: sampler::LineupError,
    },
    /// The birth cannot be sent.
    #[error("cannot announce {pump}")]
    Announce {
        /// Ward and pump.
        pump: String,
        /// Why.
        source: publish::BirthTooLong,
    },
    /// The metrics cannot be read.
    #[error("cannot tell metrics of {pump}")]
    Metrics {
        /// Ward and pump.
        pump: String,
        /// Why.
        source: metrics::CannotListen,
    },
    /// The rules at the bedside cannot run.
    #[error("cannot judge {pump} at the bedside")]
    Judge {
        /// Ward and pump.
        pump: String,
        /// Why.
        source: JudgeError,
    },
    /// No thread to sample on.
    #[error("cannot start the sampling threads; see the limits of this system")]
    Thread(#[source] std::io::Error),
    /// A thread panicked.
    #[error("sampling ended")]
    Panicked(#[source] worker::Panicked),
    /// A thread does not end.
    #[error("sampling does not stop: a sensor or a way out of frames holds it up; report it")]
    Stuck,
}

impl RunError {
    /// Whether other settings would help; if not, it is a fault of this program or system.
    #[must_use]
    pub const fn is_about_settings(&self) -> bool {
        match self {
            Self::Sources { .. }
            | Self::Lineup { .. }
            | Self::Announce { .. }
            | Self::Metrics { .. } => true,
            Self::Thread(_) | Self::Panicked(_) | Self::Stuck => false,
            Self::Judge { source, .. } => !matches!(source, JudgeError::Thread(_)),
        }
    }
}

/// Makes the sensors of an agent without starting anything.
///
/// # Errors
/// A source that cannot be made, or sources that do not go together.
pub fn lineup(settings: &Settings) -> Result<Lineup, RunError> {
    let pump = || settings.address.to_string();
    let sensors = sensor::build(&settings.sources)
        .map_err(|source| RunError::Sources { pump: pump(), source })?;
    Lineup::new(sensors).map_err(|source| RunError::Lineup { pump: pump(), source })
}

/// The rules at the bedside; `None` where the settings say that there are none.
fn rules(settings: &Settings) -> Result<Option<Arc<Profile>>, RunError> {
    let local = &settings.local_alarm;
    if !local.enabled {
        return Ok(None);
    }
    let profile = judge::profile(local.profile.as_deref());
    let refused = |source| RunError::Judge { pump: settings.address.to_string(), source };
    profile.map(|profile| Some(Arc::new(profile))).map_err(refused)
}

/// Runs one agent until `stop` is ready: samples, publishes, says goodbye, and tells what it did.
///
/// Many agents may run in one process; recordings are read before the first await. When the future is dropped instead, sampling stops and the connection is cut
/// without a word, so that the broker sends the last will.
///
/// # Errors
/// Settings that cannot work, and a sampling thread that cannot start, panicked or hangs. A broker that is away is no error.
pub async fn run(settings: Settings, stop: impl Future<Output = ()>) -> Result<Summary, RunError> {
    let lineup = lineup(&settings)?;
    run_lineup(settings, lineup, Manager::default(), stop).await
}

/// Runs one agent with sensors that were made already, and tells a service manager how it does. See [`run`].
///
/// # Errors
/// As [`run`].
pub async fn run_lineup(
    settings: Settings,
    lineup: Lineup,
    manager: Manager,
    stop: impl Future<Output = ()>,
) -> Result<Summary, RunError> {
    // 1. Who samples what, and how.
    let boot = Boot::new(settings.address.clone());
    let pump = boot.address.to_string();
    let period = settings.frame_period;
    let plan = Plan::new(&settings.sampling, &lineup, period);

    // 2. What is counted, and who may read it.
    let counters = Arc::new(Counters::default());
    let metrics = Metrics::new();
    let told = settings.metrics.map(|told| metrics::serve(told.bind, &metrics, &counters));
    let told =
        told.transpose().map_err(|source| RunError::Metrics { pump: pump.clone(), source })?;

    // 3. The ways out of frames.
    let mut spool = settings.spool.as_ref().map(|spool| Spool::start(spool, boot.id));
    let mut spool = spool.take().transpose().map_err(RunError::Thread)?;
    let boot_number = match &mut spool {
        Some(spool) => spool.boot_number().await.unwrap_or(0),
        None => 0,
    };
    let mut announcer =
        Announcer::new(&boot, &lineup, settings.pump_kind, period, Arc::clone(&counters))
            .with_boot_number(boot_number);
    let rules = rules(&settings)?;
    announcer.set_rules(rules.as_ref().map(|profile| profile.hash));
    let birth = announcer.birth(clock::stamp());
    if let Some(spool) = &spool {
        spool.begin(birth.clone().into());
    }
    let spool = spool.map(Arc::new);
    let queue = Arc::new(FrameQueue::default());
    let client = format!("ecmo-agent-{}-{}", settings.address.ward, settings.address.pump);
    let publisher = Publisher::new(
        settings.broker,
        client,
        announcer,
        Arc::clone(&queue),
        Arc::clone(&counters),
    )
    .map_err(|source| RunError::Announce { pump: pump.clone(), source })?;
    let mut takers = vec![to_queue(queue, Arc::clone(&counters))];
    takers.extend(spool.clone().map(to_spool));

    // 4. The rules at the bedside.
    let lease = Arc::new(Lease::default());
    let local = &settings.local_alarm;
    let judge = rules
        .map(|rules| Judge::start(local, rules, &boot, &birth, lease, Arc::clone(&counters)))
        .transpose()
        .map_err(|source| RunError::Judge { pump: pump.clone(), source })?;
    takers.extend(judge.map(to_judge));

    // 4. Sampling, and frames of what is sampled, each on its own thread.
    let mut threads = Threads::start(lineup, plan, &boot, period, takers, &counters)?;

    // 5. Publishing, until something ends. A sampler that ended unasked cannot say goodbye for a pump it does not see.
    let (stop_publisher, is_stopped) = watch::channel(false);
    let mut publishing = core::pin::pin!(publisher.run(is_stopped));
    let beside = async {
        tokio::join!(manager.follow(&counters, &pump), async {
            if let Some(told) = told {
                told.await;
            }
        })
    };
    tokio::select! {
        () = stop => {}
        () = &mut publishing => {}
        () = threads.ended() => {}
        ((), ()) = beside => {}
    }

    // 6. The end, in the order of the flow.
    manager.stopping();
    threads.stop().await?;
    stop_publisher.send_replace(true);
    publishing.await;
    // The sampler is gone, and with it the other holder.
    if let Some(spool) = spool.and_then(Arc::into_inner) {
        spool.stop().await;
    }
    Ok(counters.summary())
}

/// Every frame goes to a queue, which never waits.
fn to_queue(queue: Arc<FrameQueue>, counters: Arc<Counters>) -> Taker {
    Box::new(move |frame: &PreparedFrame| queue.push(frame.clone(), &counters))
}

/// Every frame goes to the disk's thread, which never lets anybody wait.
fn to_spool(spool: Arc<Spool>) -> Taker {
    Box::new(move |frame: &PreparedFrame| spool.offer(frame.clone()))
}

/// Every frame goes to the rules at the bedside, which never let anybody wait.
fn to_judge(judge: Judge) -> Taker {
    Box::new(move |frame: &PreparedFrame| judge.offer(frame))
}

/// The two threads between sensors and frames.
struct Threads {
    sampler: Sampler,
    framer: worker::Worker,
}

impl Threads {
    fn start(
        lineup: Lineup,
        plan: Plan,
        boot: &Boot,
        frame_period: Duration,
        takers: Vec<Taker>,
        counters: &Arc<Counters>,
    ) -> Result<Self, RunError> {
        let (sender, receiver) = sampler::ring(&lineup, plan.tick, frame_period);
        let framer = Framer::new(boot, lineup.channels(), frame_period);
        let framer = framer::start(framer, receiver, takers, Arc::clone(counters))
            .map_err(RunError::Thread)?;
        let sender = sender.waking(framer.thread().clone());
        let sampler =
            Sampler::start(lineup, plan, sender, Arc::clone(counters)).map_err(RunError::Thread)?;
        let footing = counters.footing.get().cloned().unwrap_or_default();
        tracing::info!(
            pump = %boot.address, boot_id = boot.id, tick_us = footing.tick.as_micros(),
            realtime = footing.realtime, memory_locked = footing.memory_locked,
            limitation = footing.limitation, "sampling"
        );
        Ok(Self { sampler, framer })
    }

    /// Waits until one of them has ended.
    async fn ended(&mut self) {
        tokio::select! {
            () = self.sampler.ended() => {}
            () = self.framer.ended() => {}
        }
    }

    /// Stops the sampler, and with it the framer, which makes frames of what is in the ring.
    async fn stop(self) -> Result<(), RunError> {
        let both = async {
            self.sampler.stop().await?;
            self.framer.join().await
        };
        let ended = timeout(THREADS_END_MAX, both).await.map_err(|_late| RunError::Stuck)?;
        ended.map_err(RunError::Panicked)
    }
}
