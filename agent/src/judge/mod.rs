//! The rules at the bedside: the same frames, decoded by the same code, judged by the same core as in the gateway.
//!
//! It runs on a thread of its own behind a bounded channel. The framer only tries to hand a frame over; one that does not fit
//! is counted and told, and the rules then see a loss as a gateway would. The reader's clock of this pump is the agent's own
//! monotonic clock, so what depends on sample time is decided as in the gateway, and silence by the same clock.

pub mod treatment;

mod findings;

mod thread;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use ecmo_core::alarm::profile::Profile;
use ecmo_proto::v1;

use crate::clock;
use crate::config::LocalAlarmSettings;
use crate::counters::Counters;
use crate::frame::{Boot, PreparedFrame};
use crate::lease::Lease;
use crate::local_alarm::kept::{self, Keeper, Kept};
use crate::local_alarm::output::Outputs;

use thread::{Bench, Parts};

/// Most frames that wait to be judged: five seconds of them. Judging one takes some 10 us, so more than a few wait only when
/// the machine is overloaded.
const FRAMES_MAX: usize = 256;

/// Why the agent does not judge.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The rule set cannot be read.
    #[error("cannot read the profile {path}: check the path and its permissions")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The rule set is wrong.
    #[error("the profile {path} is refused: correct it, or leave out local_alarm.profile")]
    Profile {
        /// The file.
        path: String,
        /// What is wrong.
        source: ecmo_profile::ProfileError,
    },
    /// The agent's own birth cannot be read by a gateway either.
    #[error("the birth cannot be read; a gateway would refuse it too")]
    Birth(#[from] ecmo_decode::BirthFault),
    /// No thread.
    #[error("cannot start a thread for the local alarm; see the limits of this system")]
    Thread(#[source] io::Error),
}

/// Reads the rule set; the built-in starter profile when none is named.
///
/// # Errors
/// It cannot be read, or something in it is wrong.
pub fn profile(path: Option<&Path>) -> Result<Profile, JudgeError> {
    let Some(path) = path else { return Ok(ecmo_profile::starter()) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| JudgeError::Read { path: name.clone(), source })?;
    ecmo_profile::parse(&text).map_err(|source| JudgeError::Profile { path: name, source })
}

/// Judges what one agent samples, and sounds when nobody else does. Ends when it is dropped.
#[derive(Debug)]
pub struct Judge {
    frames: SyncSender<PreparedFrame>,
    is_behind: AtomicBool,
    counters: Arc<Counters>,
    status: Arc<Mutex<v1::LocalAlarm>>,
}

impl Judge {
    /// Starts to judge, with what an earlier run has kept.
    ///
    /// # Errors
    /// A birth that cannot be read, and a system that refuses a thread.
    pub fn start(
        settings: &LocalAlarmSettings,
        profile: Arc<Profile>,
        boot: &Boot,
        birth: &[u8],
        lease: Arc<Lease>,
        counters: Arc<Counters>,
    ) -> Result<Self, JudgeError> {
        let birth = ecmo_decode::birth(birth, boot.address.pump.as_str())?;
        let pump = boot.address.to_string();
        let kept =
            settings.state.as_deref().map_or_else(Kept::default, |folder| {
                match kept::load(folder, &pump) {
                    Ok(kept) => kept.unwrap_or_default(),
                    Err(error) => {
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::error!(%pump, %error, cause, "local alarm state not restored");
                        Kept::default()
                    }
                }
            });
        let keeper = settings.state.clone().map(Keeper::start).transpose();
        let outputs = Outputs::start(settings, &pump).map_err(JudgeError::Thread)?;
        let status: Arc<Mutex<v1::LocalAlarm>> = Arc::default();
        let bench = Bench::new(Parts {
            settings,
            profile,
            pump,
            birth,
            lease,
            kept,
            keeper: keeper.map_err(JudgeError::Thread)?,
            outputs,
            status: Arc::clone(&status),
            counters: Arc::clone(&counters),
            now: clock::now(),
        });
        let (frames, waiting) = sync_channel(FRAMES_MAX);
        std::thread::Builder::new()
            .name("ecmo-judge".to_owned())
            .spawn(move || bench.run(&waiting))
            .map_err(JudgeError::Thread)?;
        Ok(Self { frames, is_behind: AtomicBool::new(false), counters, status })
    }

    /// Hands a frame over; never waits. One that does not fit is counted, and told once until it fits again.
    pub fn offer(&self, frame: &PreparedFrame) {
        match self.frames.try_send(frame.clone()) {
            Ok(()) => {
                if self.is_behind.swap(false, Ordering::Relaxed) {
                    tracing::info!("local alarm judges every frame again");
                }
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counters.frames_not_judged.add(1);
                if !self.is_behind.swap(true, Ordering::Relaxed) {
                    tracing::error!("local alarm is behind: frames are not judged at the bedside");
                }
            }
        }
    }

    /// What a heartbeat tells of it.
    #[must_use]
    pub fn status(&self) -> v1::LocalAlarm {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        v1::LocalAlarm { behind: self.is_behind.load(Ordering::Relaxed), ..status }
    }
}

#[cfg(test)]
mod tests;
