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

pub mod heartbeat;

pub mod publish;

mod archive;

use std::sync::Arc;

use tokio::sync::watch;

pub use config::{BrokerUrl, Fault, FaultKind, Settings};
pub use counters::Summary;

use birth::Announcer;
use counters::Counters;
use frame::{Boot, Framer};
use publish::{Publication, Publisher};
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

/// Runs one agent until `stop` is ready: samples, publishes, says goodbye, and tells what it did.
///
/// Many agents may run in one process; recordings are read before the first await. When the future is dropped instead, sampling stops and the connection is cut
/// without a word, so that the broker sends the last will.
///
/// # Errors
/// Settings that cannot work, and a sampling thread that cannot start or panicked. A broker that is away is no error.
pub async fn run(settings: Settings, stop: impl Future<Output = ()>) -> Result<Summary, RunError> {
    // 1. Who samples what.
    let lineup = lineup(&settings)?;
    let boot = Boot::new(settings.address.clone());
    let period = settings.frame_period;
    let mut spool = settings
        .spool
        .as_ref()
        .map(|settings| Spool::start(settings, boot.id))
        .transpose()
        .map_err(RunError::Thread)?;
    let boot_number = match &mut spool {
        Some(spool) => spool.boot_number().await.unwrap_or(0),
        None => 0,
    };
    let announcer = Announcer::new(&boot, &lineup, settings.pump_kind, period)
        .with_paths(settings.brokers.count())
        .with_boot_number(boot_number);
    if let Some(spool) = &spool {
        spool.begin(
            announcer.birth(clock::stamp(), ecmo_proto::v1::ClockQuality::Unspecified).into(),
        );
    }
    let spool = spool.map(Arc::new);

    // 2. The way out.
    let counters = Arc::new(Counters::default());
    let (vitals, archive) = archive::of(spool.as_deref());
    let to_spool = spool.clone();
    let outlets = Outlets::new(settings.brokers.count());
    let (to_outlets, to_counters) = (outlets.clone(), Arc::clone(&counters));
    let wall_clock = Arc::new(WallClock::default());
    let publisher = Publisher::new(Publication {
        brokers: settings.brokers,
        announcer,
        outlets,
        vitals,
        wall_clock: Arc::clone(&wall_clock),
        lease: Arc::default(),
        archive,
        backfill_bytes_per_s: settings.backfill_bytes_per_s,
        counters: Arc::clone(&counters),
    })
    .map_err(|source| RunError::Announce { pump: boot.address.to_string(), source })?;

    // 3. Sampling, on its own thread.
    let mut framer = Framer::new(&boot, lineup.channels(), period).with_wall_clock(wall_clock);
    let tick = sampler::TICK.min(period);
    let mut sampler = Sampler::start(lineup, tick, Arc::clone(&counters), move |tick| {
        framer.on_tick(tick, &to_counters, |frame| {
            if let Some(spool) = &to_spool {
                spool.offer(frame.clone());
            }
            to_outlets.push(&frame, &to_counters);
        });
    })
    .map_err(RunError::Thread)?;
    tracing::info!(pump = %boot.address, boot_id = boot.id, "sampling");

    // 4. Publishing, until something ends. A sampler that ended unasked cannot say goodbye for a pump it does not see.
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
