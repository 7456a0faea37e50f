//! The alarm thread: messages in, decisions, alarms out. It waits for nothing but messages, commands and deadlines.
//!
//! One thread with a runtime of its own reads the brokers and judges what they bring, so that no display, disk or scrape
//! can hold up an alarm, and no hand-over between threads adds to its way.

mod counting;

mod decisions;

mod lane;

mod recent;

mod hub;

mod command;

mod timer;

mod asking;

mod entry;

mod stranger;

mod ward;

mod people;

mod rounds;

mod standing;

mod attending;

mod storing;

mod drill;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread::JoinHandle;

use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::attendance::Attendance;
use ecmo_core::pump::Kept;
use ecmo_core::uplink::Uplink;
use ecmo_proto::topic::PumpAddress;
use tokio::sync::{mpsc, oneshot};

use crate::action::ActionRecord;
use crate::clock::Clock;
use crate::config::{PUMPS_MAX, Settings};
use crate::fanout::{AlarmUpdate, PumpSlot};
use crate::history::{BATCHES_MAX, Batch};
use crate::ingest::{self, Requests};
use crate::journal::Intake;
use crate::latency::Latencies;
use crate::metrics::Metrics;
use crate::request::Asker;
use crate::store::state::StateIntake;

use asking::Voice;
use command::COMMANDS_MAX;
use decisions::Decisions;
use drill::Drill;
use hub::Hub;
use rounds::{Own, Rounds};
use ward::{Ward, WardParts};

pub use crate::journal::BackfillPart;
pub use attending::{AlarmConfirmations, DisplayView};
pub use command::{EngineHandle, NoAnswer, Report};
pub use drill::{DRILL_LIMIT, DRILL_PARAMETER};
pub use hub::{Confirmed, Waveform};
pub use standing::StandingActions;

/// Waveform frames on their way to the serving side: a quarter second of every pump. Beyond, they are lost and counted.
const WAVEFORMS_MAX: usize = 3_200;

/// Parts of backfills on their way to the journal: some 10 MB. Beyond, they are dropped, counted, and asked for again.
const BACKFILL_PARTS_MAX: usize = 64;

/// What was before the gateway started, with times of its present clock.
#[derive(Debug, Default)]
pub struct Restored {
    /// What people had said about treatments: in force before the first frame of the pump is judged.
    pub treatments: HashMap<PumpAddress, Treatment>,
    /// Alarms, shelves and ownership of each pump.
    pub kept: HashMap<PumpAddress, Kept>,
    /// Alarms that had ended, the oldest first.
    pub ended: Vec<AlarmUpdate>,
    /// What people did that the rest does not hold yet, in its order: done again before the first frame is judged.
    pub redo: Vec<ActionRecord>,
}

impl Restored {
    /// Treatments alone.
    #[must_use]
    pub fn treated(treatments: HashMap<PumpAddress, Treatment>) -> Self {
        Self { treatments, ..Self::default() }
    }
}

/// What the alarm thread needs.
#[derive(Debug)]
pub struct EngineParts {
    /// The clock.
    pub clock: Clock,
    /// Handles of all series.
    pub metrics: Arc<Metrics>,
    /// Histograms of the hops.
    pub latencies: Arc<Latencies>,
    /// Brokers to read, each with the requests that it publishes.
    pub brokers: Vec<(ingest::Options, ingest::Outbound)>,
    /// The way to the agents.
    pub requests: Requests,
    /// Makes what is asked of them.
    pub asker: Asker,
    /// What was before the gateway started.
    pub restored: Restored,
    /// The way to the journal, where one is kept.
    pub journal: Option<Intake>,
    /// The way to the history, where one is kept.
    pub disclosure: Option<Intake>,
    /// The way to the state store, where one is kept.
    pub state: Option<StateIntake>,
}

/// What comes out of the alarm thread besides alarms.
#[derive(Debug)]
pub struct EngineOutputs {
    /// Pumps that were met for the first time.
    pub new_pumps: mpsc::Receiver<Arc<PumpSlot>>,
    /// Waveforms of pumps that a display watches.
    pub waveforms: mpsc::Receiver<Waveform>,
    /// What the values were.
    pub history: mpsc::Receiver<Batch>,
    /// Parts of backfills, unread, for the journal.
    pub backfill: mpsc::Receiver<BackfillPart>,
}

/// The running alarm thread; it ends when told to.
#[derive(Debug)]
pub struct Engine {
    /// The way to it.
    pub handle: EngineHandle,
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Engine {
    /// Starts the alarm thread.
    ///
    /// # Errors
    /// The system gives no thread or no runtime.
    pub fn start(
        settings: &Settings,
        parts: EngineParts,
    ) -> Result<(Self, EngineOutputs), std::io::Error> {
        let (commands, asked) = mpsc::channel(COMMANDS_MAX);
        let (new_pumps, met) = mpsc::channel(PUMPS_MAX);
        let (waveforms, passed) = mpsc::channel(WAVEFORMS_MAX);
        let (history, rows) = mpsc::channel(BATCHES_MAX);
        let (backfill, parts_to_keep) = mpsc::channel(BACKFILL_PARTS_MAX);
        let (stop, stopped) = oneshot::channel();
        let handle = EngineHandle::new(commands);
        let profile = settings.alarms.in_force();
        let clock = parts.clock;
        let mut hub = Hub::new(clock, Arc::clone(&parts.metrics), parts.latencies, waveforms)
            .named(&settings.name)
            .recording(parts.journal, parts.disclosure)
            .telling(Decisions { requests: parts.requests.clone(), profile_hash: profile.hash })
            .storing(parts.state);
        let mut uplink = Uplink::new(&profile, clock.now());
        // Whoever sends them may hang or end: that is judged here too.
        uplink.expect_drills(settings.drill);
        let own = Own {
            uplink,
            attendance: Attendance::new(&profile, settings.serve.displays_max),
            drill: Drill::new(&settings.name, &profile, clock.now()),
        };
        // A pump that was treated before a restart must be there after it, whether its agent lives or not.
        let mut restored = parts.restored;
        let redo = std::mem::take(&mut restored.redo);
        hub.remember(std::mem::take(&mut restored.ended));
        let Restored { treatments, kept, ended: _, redo: _ } = &restored;
        let treated = treatments.iter().filter(|(_, treatment)| treatment.patient > 0);
        let concerns = kept.iter().filter(|(_, kept)| kept.is_of_concern());
        let known = treated.map(|(address, _)| address).chain(concerns.map(|(address, _)| address));
        let done = redo.iter().filter_map(|record| record.address.as_ref());
        let known: HashSet<_> = known.chain(done).chain(&settings.pumps).cloned().collect();
        let voice = Voice {
            asker: parts.asker,
            requests: parts.requests,
            profile_hash: profile.hash,
            heard: true,
        };
        let mut ward = Ward::new(WardParts {
            profile,
            voice,
            metrics: Arc::clone(&parts.metrics),
            new_pumps,
            restored,
            history: (!settings.history.is_zero()).then_some(history),
            backfill,
        });
        for address in &known {
            ward.expect(address, clock.now(), &mut hub);
        }
        let (queue, arrivals) = ingest::queue();
        let mut rounds = Rounds::new(clock, Arc::clone(&parts.metrics), hub, ward, own, &handle);
        redo.iter().for_each(|record| rounds.merge(record, clock.now()));
        // A display that is faster than the first message sees what was restored, and nothing else.
        rounds.finish_round();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("alarm".to_owned()).spawn(move || {
            runtime.block_on(async move {
                for (options, outbound) in parts.brokers {
                    let metrics = Arc::clone(&parts.metrics);
                    tokio::spawn(ingest::run(options, clock, metrics, queue.clone(), outbound));
                }
                drop(queue);
                rounds.run(arrivals, asked, stopped).await;
            });
        })?;
        let outputs = EngineOutputs {
            new_pumps: met,
            waveforms: passed,
            history: rows,
            backfill: parts_to_keep,
        };
        Ok((Self { handle, thread, stop }, outputs))
    }

    /// Whether the thread has ended unasked.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Tells the thread to end and waits for it; it ends within a round.
    pub fn stop(self) {
        // A thread that has ended already needs no telling.
        let _ended_already = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the alarm thread had panicked");
        }
    }
}
