//! A display that attends: it renews its lease by what it has painted, and confirms what it shows. It can be made to fail.
#![expect(
    clippy::missing_panics_doc,
    reason = "a display of a test panics when the gateway does not answer"
)]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::watch_alarms_response::Update;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::display::{AlarmLog, Display, SOON};
use crate::wait::eventually;

/// Time between two words of a display; the contract asks for one each second.
const PERIOD: Duration = Duration::from_millis(500);

/// Messages that may wait to be shown: as many as the gateway keeps for a display.
const WAITING_MAX: usize = 1_024;

/// What an attendant does, and what became of it.
#[derive(Debug, Clone)]
struct Ways {
    paints: bool,
    confirms: bool,
    renews: bool,
    health: v1::DisplayHealth,
    state: v1::DisplayState,
    counted: u32,
    drills: Vec<v1::Drill>,
}

/// A display that attends until it is dropped; then its lease runs out, as of one that was killed.
#[derive(Debug)]
pub struct Attendant {
    /// Its name.
    pub name: String,
    /// What it has heard.
    pub log: AlarmLog,
    display: Display,
    ways: Arc<Mutex<Ways>>,
    task: JoinHandle<()>,
}

impl Drop for Attendant {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Attendant {
    async fn start(display: Display, name: &str, ward: &str) -> Self {
        let (to, messages) = mpsc::channel(WAITING_MAX);
        let log = AlarmLog::passing_on(display.alarm_stream(ward).await, Some(to)).await;
        let health = v1::DisplayHealth {
            frames_per_second: 30.0,
            lag_ms: 5,
            audio: v1::AudioOutput::On.into(),
            visible: true,
            ..v1::DisplayHealth::default()
        };
        let ways = Arc::new(Mutex::new(Ways {
            paints: true,
            confirms: true,
            renews: true,
            health,
            state: v1::DisplayState::Unspecified,
            counted: 0,
            drills: Vec::new(),
        }));
        let wards = if ward.is_empty() { Vec::new() } else { vec![ward.to_owned()] };
        let works = Work {
            display: display.clone(),
            name: name.to_owned(),
            wards,
            ways: Arc::clone(&ways),
        };
        let task = tokio::spawn(works.run(messages));
        let one = Self { name: name.to_owned(), log, display, ways, task };
        one.await_state(v1::DisplayState::Attends).await;
        one
    }

    fn change<T>(&self, change: impl FnOnce(&mut Ways) -> T) -> T {
        change(&mut self.ways.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on reading and renewing, and paints nothing new: frozen behind a living connection.
    pub fn freeze(&self) {
        self.change(|ways| ways.paints = false);
    }

    /// Paints again.
    pub fn thaw(&self) {
        self.change(|ways| ways.paints = true);
    }

    /// Whether it confirms what it shows from now on.
    pub fn confirms(&self, confirms: bool) {
        self.change(|ways| ways.confirms = confirms);
    }

    /// Whether it renews its lease from now on: one that does not is gone for the gateway.
    pub fn renews(&self, renews: bool) {
        self.change(|ways| ways.renews = renews);
    }

    /// Whether it can be heard from now on.
    pub fn sounds(&self, audio: v1::AudioOutput) {
        self.change(|ways| ways.health.audio = audio.into());
    }

    /// Whether a person can see it from now on.
    pub fn shows(&self, visible: bool) {
        self.change(|ways| ways.health.visible = visible);
    }

    /// What the gateway last took it for.
    #[must_use]
    pub fn state(&self) -> v1::DisplayState {
        self.change(|ways| ways.state)
    }

    /// How many of its confirmations the gateway let count.
    #[must_use]
    pub fn counted(&self) -> u32 {
        self.change(|ways| ways.counted)
    }

    /// The drills that it was given.
    #[must_use]
    pub fn drills(&self) -> Vec<v1::Drill> {
        self.change(|ways| ways.drills.clone())
    }

    /// Waits until the gateway takes it for this.
    pub async fn await_state(&self, state: v1::DisplayState) {
        eventually(SOON, &format!("{} is {state:?}", self.name), async || {
            let now = self.state();
            if now == state { Ok(()) } else { Err(format!("{now:?}")) }
        })
        .await
        .expect("the gateway answers");
    }

    /// Says goodbye.
    pub async fn leave(self) {
        self.task.abort();
        let request = v1::LeaveWardsRequest { display: self.name.clone() };
        self.display.displays().leave_wards(request).await.expect("the gateway answers");
    }
}

impl Display {
    /// Attends a ward, or all for "", as a display does that shows and confirms what it is told; returns once the gateway
    /// takes it for one.
    pub async fn attend(&self, name: &str, ward: &str) -> Attendant {
        Attendant::start(self.clone(), name, ward).await
    }
}

struct Work {
    display: Display,
    name: String,
    wards: Vec<String>,
    ways: Arc<Mutex<Ways>>,
}

impl Work {
    fn ways(&self) -> std::sync::MutexGuard<'_, Ways> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A gateway that ends answers nothing more: the work goes on until the test drops it.
    async fn run(self, mut messages: mpsc::Receiver<v1::WatchAlarmsResponse>) {
        let mut renew = tokio::time::interval(PERIOD);
        loop {
            tokio::select! {
                biased;
                message = messages.recv() => match message {
                    Some(message) => self.show(message).await,
                    None => return,
                },
                _ = renew.tick() => self.renew().await,
            }
        }
    }

    async fn renew(&self) {
        let ways = self.ways().clone();
        if !ways.renews {
            return;
        }
        let request = v1::AttendWardsRequest {
            display: self.name.clone(),
            wards: self.wards.clone(),
            health: Some(ways.health),
        };
        if let Ok(answer) = self.display.displays().attend_wards(request).await {
            self.ways().state = answer.into_inner().state();
        }
    }

    async fn show(&self, message: v1::WatchAlarmsResponse) {
        let ways = {
            let mut ways = self.ways();
            if ways.paints {
                ways.health.painted_mono_ns = message.now_mono_ns;
                ways.health.painted_epoch = message.epoch;
            }
            if let Some(Update::Drill(drill)) = &message.update {
                ways.drills.push(drill.clone());
            }
            ways.clone()
        };
        if ways.paints && ways.confirms {
            // One that the gateway does not know cannot have shown anything.
            if ways.state == v1::DisplayState::Unspecified {
                self.renew().await;
            }
            self.confirm(message).await;
        }
    }

    async fn confirm(&self, message: v1::WatchAlarmsResponse) {
        let of = |alarm: v1::Alarm| v1::ShownAlarm {
            occurrence: alarm.occurrence,
            revision: alarm.revision,
        };
        let shown = match message.update {
            Some(Update::Snapshot(snapshot)) => snapshot.alarms.into_iter().map(of).collect(),
            Some(Update::Alarm(alarm)) => vec![of(alarm)],
            Some(Update::Drill(drill)) => {
                vec![v1::ShownAlarm { occurrence: drill.occurrence, revision: drill.revision }]
            }
            Some(Update::Heartbeat(_)) | None => return,
        };
        if shown.is_empty() {
            return;
        }
        let display = self.name.clone();
        let request = v1::ConfirmAlarmsRequest { display, shown };
        if let Ok(answer) = self.display.alarms().confirm_alarms(request).await
            && answer.into_inner().counts
        {
            self.ways().counted += 1;
        }
    }
}
