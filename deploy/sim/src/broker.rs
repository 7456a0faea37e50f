//! A broker: hands on what it gets, keeps births and statuses, and forgets everything when it dies.

use ecmo_core::frame::BootId;
use ecmo_core::pump::Presence;

use crate::many::Many;
use crate::message::{Birth, Message, Sender};
use crate::net::Net;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Runs,
    /// It is frozen: what comes waits.
    Frozen,
    /// It is gone.
    Dead,
}

/// Messages that wait for a frozen process; what does not fit is lost, as from a full socket.
pub const WAITING_MAX: usize = 20_000;

/// A broker.
#[derive(Debug)]
pub struct Broker {
    number: usize,
    /// What its process does.
    pub life: Life,
    /// What came while it was frozen.
    pub waiting: Vec<(Sender, Message)>,
    /// Which gateways have subscribed.
    subscribed: Many<bool>,
    births: Many<Option<Birth>>,
    statuses: Many<Option<(BootId, Presence)>>,
}

impl Broker {
    /// A broker that has just started.
    #[must_use]
    pub fn new(number: usize, pumps: usize, gateways: usize) -> Self {
        Self {
            number,
            life: Life::Runs,
            waiting: Vec::new(),
            subscribed: Many::new(gateways, |_| false),
            births: Many::new(pumps, |_| None),
            statuses: Many::new(pumps, |_| None),
        }
    }

    /// It dies, and with it every subscription and what it kept.
    pub fn die(&mut self) {
        *self = Self {
            life: Life::Dead,
            ..Self::new(self.number, self.births.len(), self.subscribed.len())
        };
    }

    /// A gateway is gone, and its connection with it.
    pub fn forget(&mut self, gateway: usize) {
        self.subscribed[gateway] = false;
    }

    /// Takes a message.
    pub fn take(&mut self, from: Sender, message: Message, net: &mut Net) {
        match self.life {
            Life::Runs => self.hand_on(from, message, net),
            Life::Frozen if self.waiting.len() < WAITING_MAX => self.waiting.push((from, message)),
            Life::Frozen | Life::Dead => {}
        }
    }

    fn hand_on(&mut self, from: Sender, message: Message, net: &mut Net) {
        match message {
            Message::Ping { gateway, fresh } => {
                let is_new = fresh || !self.subscribed[gateway];
                self.subscribed[gateway] = true;
                net.to_gateway(self.number, gateway, &Message::Pong);
                if is_new {
                    self.repeat(gateway, net);
                }
            }
            Message::Ask { pump, .. } => net.to_agent(self.number, pump, &message),
            Message::Birth(birth) => {
                self.births[birth.pump] = Some(Birth { retained: true, ..birth });
                self.to_gateways(None, &message, net);
            }
            Message::Status { pump, boot, presence } => {
                self.statuses[pump] = Some((boot, presence));
                self.to_gateways(None, &message, net);
            }
            // Every gateway would get it; only the one that asked has a use for it.
            Message::Beat { ref beat, .. } if beat.answer.is_some() => {
                let asked = beat.answer.map_or(0, |(gateway, ..)| gateway);
                if self.subscribed[asked] {
                    net.to_gateway(self.number, asked, &message);
                }
            }
            Message::Beat { pump, .. } => {
                self.to_gateways(None, &message, net);
                if from == Sender::Agent(pump) {
                    net.to_agent(self.number, pump, &message);
                }
            }
            Message::Frame { .. } => self.to_gateways(None, &message, net),
            Message::Action(_) | Message::Peer(_) => self.to_gateways(Some(from), &message, net),
            Message::Pong => {}
        }
    }

    fn to_gateways(&self, but: Option<Sender>, message: &Message, net: &mut Net) {
        for (gateway, _) in self.subscribed.iter().enumerate().filter(|(_, is)| **is) {
            if but != Some(Sender::Gateway(gateway)) {
                net.to_gateway(self.number, gateway, message);
            }
        }
    }

    /// A gateway has subscribed: it gets what was kept.
    fn repeat(&self, gateway: usize, net: &mut Net) {
        for birth in self.births.iter().flatten() {
            net.to_gateway(self.number, gateway, &Message::Birth(*birth));
        }
        for (pump, status) in self.statuses.iter().enumerate() {
            if let Some((boot, presence)) = *status {
                net.to_gateway(self.number, gateway, &Message::Status { pump, boot, presence });
            }
        }
    }
}
