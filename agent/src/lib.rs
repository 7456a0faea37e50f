//! The agent at the bedside: samples one pump's sensors and publishes frames. It sends no command to any device.
//!
//! Data flows through the modules in the order in which they are declared; a module uses only earlier ones. [`run`] joins
//! them. Read [`sensor::Sensor`] to add a source of samples, and [`config`] for the settings.

pub mod config;

pub mod clock;

pub mod wall_clock;

pub mod counters;

pub mod sensor;

pub mod sampler;

pub mod frame;

pub mod queue;

pub mod spool;

pub mod birth;

pub mod lease;

pub mod local_alarm;

pub mod judge;

pub mod heartbeat;

pub mod publish;

use std::sync::{Arc, OnceLock};

use ecmo_core::alarm::profile::Profile;
use tokio::sync::watch;

pub use config::{BrokerUrl, Fault, FaultKind, Settings};
pub use counters::Summary;

use birth::Announcer;
use counters::Counters;
use frame::{Boot, Framer};
use heartbeat::Vitals;
use judge::{Judge, JudgeError};
use lease::Lease;
use publish::{Archive, Publication, Publisher};
use queue::Outlets;
use sampler::{Lineup, Sampler};
use spool::Spool;
use wall_clock::WallClock;

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
    /// The rules at the bedside cannot run.
    #[error("cannot judge {pump} at the bedside")]
    Judge {
        /// Ward and pump.
        pump: String,
        /// Why.
        source: JudgeError,
    },
    /// No thread to sample on.
    #[error("cannot start the sampling thread; see the limits of this system")]
    Thread(#[source] std::io::Error),
    /// The sampling thread panicked.
    #[error("sampling ended")]
    Sampler(#[source] sampler::SamplerPanicked),
}

impl RunError {
    /// Whether other settings would help; if not, it is a fault of this program or system.
    #[must_use]
    pub const fn is_about_settings(&self) -> bool {
        match self {
            Self::Sources { .. } | Self::Lineup { .. } | Self::Announce { .. } => true,
            Self::Judge { source, .. } => !matches!(source, JudgeError::Thread(_)),
            Self::Thread(_) | Self::Sampler(_) => false,
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

/// What the agent says of itself.
fn announcer(
    settings: &Settings,
    boot: &Boot,
    lineup: &Lineup,
    rules: Option<&Profile>,
    boot_number: u64,
) -> Announcer {
    let announcer = Announcer::new(boot, lineup, settings.pump_kind, settings.frame_period);
    let announcer = announcer.with_boot_number(boot_number);
    match rules {
        Some(rules) => announcer.with_rule_hash(rules.hash),
        None => announcer,
    }
}

/// Lets frames and heartbeats reach the judge that has started.
fn set_judge(
    judge: &OnceLock<Judge>,
    started: Result<Judge, JudgeError>,
    boot: &Boot,
) -> Result<(), RunError> {
    let refused = |source| RunError::Judge { pump: boot.address.to_string(), source };
    let started = started.map_err(refused)?;
    judge.get_or_init(|| started);
    Ok(())
}

/// What heartbeats tell of disk and local alarm.
fn vitals(spool: Option<spool::SpoolView>, judge: Arc<OnceLock<Judge>>) -> Vitals {
    Vitals {
        local_alarm: Box::new(move || judge.get().map(Judge::status)),
        spool: Box::new(move || Some(spool.as_ref()?.status(clock::now()))),
        ..Vitals::default()
    }
}

/// Runs one agent until `stop` is ready: samples, publishes, says goodbye, and tells what it did.
///
/// Many agents may run in one process; recordings are read before the first await. When the future is dropped instead, sampling stops and the connection is cut
/// without a word, so that the broker sends the last will.
///
/// # Errors
/// Settings that cannot work, and a sampling thread that cannot start or panicked. A broker that is away is no error.
pub async fn run(settings: Settings, stop: impl Future<Output = ()>) -> Result<Summary, RunError> {
    // 1. Who samples what.
    let (lineup, boot) = (lineup(&settings)?, Boot::new(settings.address.clone()));
    let period = settings.frame_period;
    let (spool, boot_number) = recording(&settings, boot.id).await?;
    let rules = rules(&settings)?;
    let announcer = announcer(&settings, &boot, &lineup, rules.as_deref(), boot_number);
    let wall_clock = Arc::new(WallClock::default());
    wall_clock.look();
    let birth = announcer.birth(clock::stamp(), wall_clock.quality());
    if let Some(spool) = &spool {
        spool.begin(birth.clone().into());
    }
    let view = spool.as_ref().map(Spool::view);
    let archive = view.clone().map(|view| -> Arc<dyn Archive> { Arc::new(view) });
    // The judge is set once the way out is known to work.
    let (lease, judge) = (Arc::new(Lease::default()), Arc::new(OnceLock::<Judge>::new()));
    let vitals = vitals(view, Arc::clone(&judge));
    // Without a spool there is nothing to send.
    let backfill_bytes_per_s =
        settings.spool.as_ref().map_or(1, |spool| spool.backfill_bytes_per_s);
    let spool = spool.map(Arc::new);

    // 2. The way out.
    let counters = Arc::new(Counters::default());
    let outlets = Outlets::new(settings.brokers.count());
    let to_spool = spool.clone();
    let (to_outlets, to_counters) = (outlets.clone(), Arc::clone(&counters));
    let publisher = Publisher::new(Publication {
        brokers: settings.brokers,
        announcer,
        outlets,
        vitals,
        wall_clock: Arc::clone(&wall_clock),
        lease: Arc::clone(&lease),
        archive,
        backfill_bytes_per_s,
        counters: Arc::clone(&counters),
    })
    .map_err(|source| RunError::Announce { pump: boot.address.to_string(), source })?;

    // 3. The rules at the bedside.
    if let Some(rules) = rules {
        let counters = Arc::clone(&counters);
        let started = Judge::start(&settings.local_alarm, rules, &boot, &birth, lease, counters);
        set_judge(&judge, started, &boot)?;
    }

    // 4. Sampling, on its own thread.
    let mut framer = Framer::new(&boot, lineup.channels(), period).with_wall_clock(wall_clock);
    let tick = sampler::TICK.min(period);
    let mut sampler = Sampler::start(lineup, tick, Arc::clone(&counters), move |tick| {
        framer.on_tick(tick, &to_counters, |frame| {
            to_outlets.push(&frame, &to_counters);
            if let Some(judge) = judge.get() {
                judge.offer(&frame);
            }
            if let Some(spool) = &to_spool {
                spool.offer(frame);
            }
        });
    })
    .map_err(RunError::Thread)?;
    tracing::info!(pump = %boot.address, boot_id = boot.id, "sampling");

    // 5. Publishing, until something ends. A sampler that ended unasked cannot say goodbye for a pump it does not see.
    let (stop_publisher, is_stopped) = watch::channel(false);
    let mut publishing = core::pin::pin!(publisher.run(is_stopped));
    tokio::select! {
        () = stop => {}
        () = &mut publishing => {}
        () = sampler.ended() => {}
    }
    sampler.stop().await.map_err(RunError::Sampler)?;
    stop_publisher.send_replace(true);
    publishing.await;
    // The sampler is gone, and with it the other holder.
    if let Some(spool) = spool.and_then(Arc::into_inner) {
        spool.stop().await;
    }
    Ok(counters.summary())
}
