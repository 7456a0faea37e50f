//! The lease of this display at one gateway: renewed each second with proof of what was painted, and given back at the end.

use std::collections::VecDeque;
use std::time::Duration;

use ecmo_proto::v1 as wire;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::age::LocalTime;
use crate::client::{Attended, Gateway};
use crate::clock::Clock;

/// How often the lease is renewed: it lasts three seconds.
pub(crate) const RENEW: Duration = Duration::from_secs(1);

/// Over which time pictures and their lag are counted.
const COUNTED: Duration = Duration::from_secs(3);

/// Most pictures counted; more than any terminal paints in that time.
const PICTURES_MAX: usize = 1_024;

/// Longest wait for the goodbye when a command ends: the lease runs out by itself.
const LEAVE_MAX: Duration = Duration::from_millis(500);

/// What a display says of itself beside what it has painted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    /// Whether alarms are heard.
    pub(crate) audio: wire::AudioOutput,
    /// Whether a person can see what is written.
    pub(crate) visible: bool,
}

/// An answer to a lease, with the time at which it was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renewed {
    pub(crate) attended: Attended,
    pub(crate) sent: LocalTime,
}

/// Renews one lease in a task of its own: a gateway that does not answer delays no picture.
#[derive(Debug)]
pub(crate) struct Attender {
    health: watch::Sender<Option<wire::DisplayHealth>>,
    task: JoinHandle<()>,
}

impl Attender {
    /// Starts the task; nothing is sent before the first picture.
    pub(crate) fn start(
        gateway: Gateway,
        display: String,
        ward: &str,
        clock: Clock,
        told: impl Fn(Renewed) + Send + Sync + 'static,
    ) -> Self {
        let (health, newest) = watch::channel(None);
        let wards = Some(ward.to_owned()).filter(|ward| !ward.is_empty());
        let wards: Vec<String> = wards.into_iter().collect();
        Self { health, task: tokio::spawn(renew(gateway, display, wards, clock, newest, told)) }
    }

    /// What was painted: sent with the next renewal, which is now. What is newer takes its place.
    pub(crate) fn attend(&self, health: wire::DisplayHealth) {
        self.health.send_replace(Some(health));
    }

    /// Says goodbye.
    pub(crate) async fn finish(self) {
        drop(self.health);
        // A gateway that does not answer in time finds out by the lease.
        tokio::time::timeout(LEAVE_MAX, self.task).await.ok();
    }
}

async fn renew(
    gateway: Gateway,
    display: String,
    wards: Vec<String>,
    clock: Clock,
    mut newest: watch::Receiver<Option<wire::DisplayHealth>>,
    told: impl Fn(Renewed),
) {
    let mut holds = false;
    while newest.changed().await.is_ok() {
        let health = *newest.borrow_and_update();
        let (display, wards) = (display.clone(), wards.clone());
        let sent = clock.now();
        let request = wire::AttendWardsRequest { display, wards, health };
        // A lease that could not be renewed is asked for again with the next picture.
        if let Ok(attended) = gateway.attend(request).await {
            holds = true;
            told(Renewed { attended, sent });
        }
    }
    if holds {
        gateway.leave(&display).await.ok();
    }
}

/// How fast this display paints, over the last seconds.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When each picture was painted, and how long its oldest message had waited for it.
    pictures: VecDeque<(LocalTime, Duration)>,
    waits_since: Option<LocalTime>,
}

impl Pace {
    /// A message came.
    pub(crate) fn message(&mut self, local: LocalTime) {
        self.waits_since.get_or_insert(local);
    }

    /// A picture was painted.
    pub(crate) fn picture(&mut self, local: LocalTime) {
        let lag = self.waits_since.take().map_or(Duration::ZERO, |since| local.since(since));
        self.pictures.push_back((local, lag));
        let old = |(at, _): &(LocalTime, Duration)| local.since(*at) > COUNTED;
        while self.pictures.front().is_some_and(old) || self.pictures.len() > PICTURES_MAX {
            self.pictures.pop_front();
        }
    }

    /// Pictures a second, and the worst lag in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "at most 1,024 pictures")]
    pub(crate) fn told(&self) -> (f32, u32) {
        let lag = self.pictures.iter().map(|(_, lag)| *lag).max().unwrap_or_default();
        let lag_ms = u32::try_from(lag.as_millis()).unwrap_or(u32::MAX);
        (self.pictures.len() as f32 / COUNTED.as_secs_f32(), lag_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_their_worst_lag_are_counted_over_three_seconds() {
        let at = |ms: u64| LocalTime(ms * 1_000_000);
        let mut pace = Pace::default();
        assert_eq!(pace.told(), (0.0, 0));
        pace.message(at(100));
        pace.message(at(350));
        pace.picture(at(400));
        pace.picture(at(900));
        pace.picture(at(1_400));
        assert_eq!(pace.told(), (1.0, 300));
        pace.picture(at(3_500));
        assert_eq!(pace.told(), (1.0, 0), "the slow one is no longer counted");
    }
}
