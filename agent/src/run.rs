//! Joins the stages of an agent, starts them in the order of the data, and ends them in that order.

use core::time::Duration;
use std::sync::{Arc, OnceLock};

use ecmo_core::alarm::profile::Profile;
use ecmo_identity::ClientTls;
use ecmo_notify::Manager;
use ecmo_proto::v1;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::birth::Announcer;
use crate::clock;
use crate::config::Settings;
use crate::counters::{Counters, Summary};
use crate::frame::{Boot, Framer, PreparedFrame};
use crate::framer::{self, Taker};
use crate::heartbeat::Vitals;
use crate::judge::{self, Judge, JudgeError};
use crate::lease::Lease;
use crate::manager;
use crate::metrics::{self, Metrics};
use crate::publish::{self, Archive, Publication, Publisher};
use crate::queue::Outlets;
use crate::sampler::{self, Lineup, Plan, Sampler};
use crate::sensor;
use crate::sensor::status::{SourceState, SourceStatus};
use crate::spool::{Spool, SpoolView};
use crate::tls::{self, TlsError};
use crate::wall_clock::WallClock;
use crate::worker;

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
    /// The agent cannot say who it is.
    #[error("cannot publish {pump} by TLS")]
    Tls {
        /// Ward and pump.
        pump: String,
        /// Why.
        source: TlsError,
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
            | Self::Tls { .. }
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

/// Begins to keep frames on disk, if the settings say so; also the number of this run, 0 when it is not known.
async fn recording(settings: &Settings, boot_id: u64) -> Result<(Option<Spool>, u64), RunError> {
    let Some(settings) = &settings.spool else { return Ok((None, 0)) };
    let mut spool = Spool::start(settings, boot_id).map_err(RunError::Thread)?;
    let boot_number = spool.boot_number().await.unwrap_or(0);
    Ok((Some(spool), boot_number))
}

/// Runs one agent until `stop` is ready: samples, publishes, says goodbye, and tells what it did.
///
/// Many agents may run in one process; recordings are read before the first await. When the future is dropped instead,
/// sampling stops and the connection is cut without a word, so that the broker sends the last will.
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
    let refused = |source| RunError::Tls { pump: pump.clone(), source };
    let tls = tls::open(&settings).map_err(refused)?;
    let renewing = tls::watch(tls.clone(), metrics.certificate_until.clone());
    let recording = recording(&settings, boot.id).await?;
    let (publisher, ways) = ways(settings, tls, &boot, &lineup, recording, &counters)?;
    let spool = ways.spool.clone();

    // 4. Sampling, and frames of what is sampled, each on its own thread.
    let mut threads = Threads::start(lineup, plan, &boot, period, ways, &counters)?;

    // 5. Publishing, until something ends. A sampler that ended unasked cannot say goodbye for a pump it does not see.
    let (stop_publisher, is_stopped) = watch::channel(false);
    let mut publishing = core::pin::pin!(publisher.run(is_stopped));
    let beside = async {
        tokio::join!(manager::follow(&manager, &counters, &pump), renewing, async {
            if let Some(told) = told {
                told.await;
            }
        })
    };
    tokio::select! {
        () = stop => {}
        () = &mut publishing => {}
        () = threads.ended() => {}
        ((), (), ()) = beside => {}
    }

    // 6. The end, in the order of the flow.
    manager.stopping();
    threads.stop().await?;
    stop_publisher.send_replace(true);
    publishing.await;
    // The framer is gone, and with it the other holder.
    if let Some(spool) = spool.and_then(Arc::into_inner) {
        spool.stop().await;
    }
    Ok(counters.summary())
}

/// Where frames go besides the publisher's future.
struct Ways {
    /// Each gets every frame and never waits.
    takers: Vec<Taker>,
    wall_clock: Arc<WallClock>,
    spool: Option<Arc<Spool>>,
}

/// Makes the ways out: the brokers, the disk, the rules at the bedside.
fn ways(
    settings: Settings,
    tls: Option<Arc<ClientTls>>,
    boot: &Boot,
    lineup: &Lineup,
    (spool, boot_number): (Option<Spool>, u64),
    counters: &Arc<Counters>,
) -> Result<(Publisher, Ways), RunError> {
    let pump = || boot.address.to_string();
    // 1. What is said of this run.
    let rules = rules(&settings)?;
    let wall_clock = Arc::new(WallClock::default());
    wall_clock.look();
    let period = settings.frame_period;
    let announcer = Announcer::new(boot, lineup, settings.pump_kind, period, Arc::clone(counters))
        .with_boot_number(boot_number);
    let announcer = match &rules {
        Some(rules) => announcer.with_rule_hash(rules.hash),
        None => announcer,
    };
    let birth = announcer.birth(clock::stamp(), wall_clock.quality());
    if let Some(spool) = &spool {
        spool.begin(birth.clone().into());
    }

    // 2. The brokers. The judge starts once this way is known to work; heartbeats tell of it from then on.
    let (lease, judge) = (Arc::new(Lease::default()), Arc::new(OnceLock::<Judge>::new()));
    let view = spool.as_ref().map(Spool::view);
    let outlets = Outlets::new(settings.brokers.count());
    let told = Arc::clone(&judge);
    let vitals = vitals(view.clone(), told, lineup.statuses(), Arc::clone(counters));
    let publisher = Publisher::new(Publication {
        brokers: settings.brokers,
        tls,
        announcer,
        outlets: outlets.clone(),
        vitals,
        wall_clock: Arc::clone(&wall_clock),
        lease: Arc::clone(&lease),
        archive: view.map(|view| -> Arc<dyn Archive> { Arc::new(view) }),
        // Without a spool there is nothing to send.
        backfill_bytes_per_s: settings.spool.as_ref().map_or(1, |it| it.backfill_bytes_per_s),
        counters: Arc::clone(counters),
    })
    .map_err(|source| RunError::Announce { pump: pump(), source })?;
    let to_counters = Arc::clone(counters);
    let to_brokers: Taker = Box::new(move |frame| outlets.push(frame, &to_counters));
    let mut takers = vec![to_brokers];

    // 3. The rules at the bedside, then the disk.
    if let Some(rules) = rules {
        let counters = Arc::clone(counters);
        let started = Judge::start(&settings.local_alarm, rules, boot, &birth, lease, counters);
        let started = started.map_err(|source| RunError::Judge { pump: pump(), source })?;
        judge.get_or_init(|| started);
        takers.push(to_judge(judge));
    }
    let spool = spool.map(Arc::new);
    takers.extend(spool.clone().map(to_spool));
    Ok((publisher, Ways { takers, wall_clock, spool }))
}

/// What heartbeats tell.
fn vitals(
    spool: Option<SpoolView>,
    judge: Arc<OnceLock<Judge>>,
    sources: Vec<Arc<SourceStatus>>,
    counters: Arc<Counters>,
) -> Vitals {
    Vitals {
        sampling: Box::new(move || Some(counters.sampling())),
        spool: Box::new(move || Some(spool.as_ref()?.status(clock::now()))),
        local_alarm: Box::new(move || judge.get().map(Judge::status)),
        sources: Box::new(move || sources.iter().map(|status| source(status)).collect()),
    }
}

/// The state of an instrument as heartbeats tell it.
fn source(status: &SourceStatus) -> v1::Source {
    let link = status.link();
    let state = match link.state {
        SourceState::Live => v1::SourceState::Live,
        SourceState::Silent => v1::SourceState::Silent,
        SourceState::Off => v1::SourceState::Off,
    };
    v1::Source {
        device: status.device().to_owned(),
        state: state.into(),
        refused: status.refused(),
        connections: link.connections,
    }
}

/// Every frame goes to the disk's thread, which never lets anybody wait.
fn to_spool(spool: Arc<Spool>) -> Taker {
    Box::new(move |frame: &PreparedFrame| spool.offer(frame.clone()))
}

/// Every frame goes to the rules at the bedside, which never let anybody wait.
fn to_judge(judge: Arc<OnceLock<Judge>>) -> Taker {
    Box::new(move |frame: &PreparedFrame| {
        if let Some(judge) = judge.get() {
            judge.offer(frame);
        }
    })
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
        ways: Ways,
        counters: &Arc<Counters>,
    ) -> Result<Self, RunError> {
        let (sender, receiver) = sampler::ring(&lineup, plan.tick, frame_period);
        let Ways { takers, wall_clock, .. } = ways;
        let framer = Framer::new(boot, lineup.channels(), frame_period).with_wall_clock(wall_clock);
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
