//! One display while it follows one or two gateways: their streams into the screen, what was painted back to them.

use ecmo_display::{LinkId, Row, Screen};
use ecmo_proto::v1 as wire;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

use crate::age::LocalTime;
use crate::attend::{Attender, Lease, Pace, RENEW, Renewed};
use crate::client::{ClientError, Gateway};
use crate::clock::Clock;
use crate::confirm::{Confirmed, Confirmer, display_name};
use crate::follow::{Followed, follow};

/// What a link tells.
#[derive(Debug)]
pub(crate) enum Event {
    Pumps(LinkId, Followed<wire::WatchPumpsResponse>),
    Alarms(LinkId, Box<Followed<wire::WatchAlarmsResponse>>),
    Confirmed(Confirmed),
    Renewed(LinkId, Renewed),
}

/// What a person should be told of a link.
#[derive(Debug)]
pub(crate) enum Told {
    /// Messages of a stream arrive.
    Message(LinkId, Stream),
    /// A stream was lost.
    Lost(LinkId, Stream, ClientError),
    /// A gateway took a confirmation.
    Confirmed(Confirmed),
    /// Nothing.
    Nothing,
}

/// One of the streams of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Pumps,
    Alarms,
}

/// What is followed.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) gateways: &'a [Gateway],
    pub(crate) ward: &'a str,
    /// Least time between two messages of pumps, where they are followed.
    pub(crate) pumps_interval_ms: Option<u32>,
    /// A display without a lease shows alarms, and does not answer for them.
    pub(crate) lease: Option<Lease>,
    pub(crate) clock: Clock,
}

/// One display.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) screen: Screen,
    seen: Vec<watch::Sender<Option<wire::SeenUntil>>>,
    confirmers: Vec<Confirmer>,
    attenders: Vec<Attender>,
    lease: Option<Lease>,
    pace: Pace,
    renewed_at: Option<LocalTime>,
    /// Gateways that hold the lease and do not take this display as one that paints.
    doubted: Vec<bool>,
    /// Confirmations that found no room; they are told.
    pub(crate) left_out: usize,
}

impl Live {
    /// Follows; each event goes to `out`.
    pub(crate) fn start<E: Send + 'static>(
        setup: &Setup<'_>,
        out: &Sender<E>,
        wrap: fn(Event) -> E,
    ) -> Self {
        let display = display_name();
        let count = u8::try_from(setup.gateways.len()).unwrap_or(u8::MAX);
        let mut live = Self {
            screen: Screen::new(count, setup.ward),
            seen: Vec::new(),
            confirmers: Vec::new(),
            attenders: Vec::new(),
            lease: setup.lease,
            pace: Pace::default(),
            renewed_at: None,
            doubted: vec![false; setup.gateways.len()],
            left_out: 0,
        };
        for (id, gateway) in (0..).map(LinkId).zip(setup.gateways) {
            let (seen, seen_until) = watch::channel(None);
            live.seen.push(seen);
            let alarms = gateway.watch_alarms(setup.ward, &display, &seen_until);
            let told = move |followed| wrap(Event::Alarms(id, Box::new(followed)));
            tokio::spawn(follow("watch alarms", alarms, told, out.clone()));
            if let Some(interval_ms) = setup.pumps_interval_ms {
                let pumps = gateway.watch_pumps(setup.ward, interval_ms);
                let told = move |followed| wrap(Event::Pumps(id, followed));
                tokio::spawn(follow("watch pumps", pumps, told, out.clone()));
            }
            let to = out.clone();
            // Full, or nobody reads: confirmations are told for people, nothing rests on them.
            let told = move |confirmed| drop(to.try_send(wrap(Event::Confirmed(confirmed))));
            let answers_for = setup.lease.is_some_and(|lease| lease.visible);
            let (named, one) = (display.clone(), gateway.clone());
            live.confirmers.push(Confirmer::start(one, named, answers_for, told));
            if setup.lease.is_some() {
                let to = out.clone();
                let told = move |renewed| drop(to.try_send(wrap(Event::Renewed(id, renewed))));
                let (gateway, name) = (gateway.clone(), display.clone());
                live.attenders.push(Attender::start(gateway, name, setup.ward, setup.clock, told));
            }
        }
        live
    }

    /// Takes what a link told.
    pub(crate) fn take(&mut self, event: Event, local: LocalTime) -> Told {
        match event {
            Event::Alarms(id, followed) => match *followed {
                Followed::Message(message) => {
                    self.pace.message(local);
                    self.screen.on_alarms(id, message, local);
                    if let Some(seen) = self.seen.get(usize::from(id.0)) {
                        seen.send_replace(self.screen.seen_until(id));
                    }
                    Told::Message(id, Stream::Alarms)
                }
                Followed::Lost(error) => {
                    self.screen.on_alarms_lost(id, local);
                    Told::Lost(id, Stream::Alarms, error)
                }
            },
            Event::Pumps(id, Followed::Message(message)) => {
                self.screen.on_pumps(id, message, local);
                Told::Message(id, Stream::Pumps)
            }
            Event::Pumps(id, Followed::Lost(error)) => {
                self.screen.on_pumps_lost(id, local);
                Told::Lost(id, Stream::Pumps, error)
            }
            Event::Confirmed(confirmed) => Told::Confirmed(confirmed),
            Event::Renewed(id, Renewed { attended, sent }) => {
                let (epoch, now) = (attended.epoch, attended.now_mono_ns);
                self.screen.on_answer(id, epoch, now, sent, local);
                if let Some(doubted) = self.doubted.get_mut(usize::from(id.0)) {
                    *doubted = !attended.attends;
                }
                Told::Nothing
            }
        }
    }

    /// A picture was painted, or lines were written: what of it a person could see is confirmed, and the lease renewed.
    pub(crate) fn painted(
        &mut self,
        picture: &ecmo_display::Picture,
        local: LocalTime,
        shown: impl Fn(&Row) -> bool,
    ) {
        self.screen.painted(picture, shown);
        self.pace.picture(local);
        for (id, confirmer) in (0..).map(LinkId).zip(&self.confirmers) {
            for shown in self.screen.take_confirmations(id) {
                if !confirmer.shown(shown) {
                    self.left_out = self.left_out.saturating_add(1);
                }
            }
        }
        self.renew(local);
    }

    fn renew(&mut self, local: LocalTime) {
        let Some(lease) = self.lease else { return };
        if self.renewed_at.is_some_and(|at| local.since(at) < RENEW) {
            return;
        }
        let (frames_per_second, lag_ms) = self.pace.told();
        for (id, attender) in (0..).map(LinkId).zip(&self.attenders) {
            // Before anything of a gateway was painted there is no proof, and nothing to answer for.
            let Some((epoch, painted)) = self.screen.painted_until(id) else { continue };
            self.renewed_at = Some(local);
            attender.attend(wire::DisplayHealth {
                painted_mono_ns: painted.0,
                painted_epoch: epoch,
                frames_per_second,
                lag_ms,
                audio: lease.audio.into(),
                visible: lease.visible,
            });
        }
    }

    /// Whether some gateway that is heard does not take this display as one that paints.
    pub(crate) fn is_doubted(&self) -> bool {
        let links = self.screen.links();
        self.doubted.iter().zip(links).any(|(doubted, link)| *doubted && link.state.is_known())
    }

    /// Waits for what is still to be confirmed, and says goodbye; how many revisions could not be confirmed.
    pub(crate) async fn finish(self) -> usize {
        let mut unconfirmed = 0;
        for confirmer in self.confirmers {
            unconfirmed += confirmer.finish().await;
        }
        for attender in self.attenders {
            attender.finish().await;
        }
        unconfirmed
    }
}
