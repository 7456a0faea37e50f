//! The network and the calendar: who sends something gives it to a way, and the way says when it arrives, if ever.

use crate::dice::Dice;
use crate::faults::{Fault, FaultKind};
use crate::link::{Link, Way};
use crate::many::Many;
use crate::message::{Event, Message, Sender};
use crate::queue::Queue;
use crate::stream::{Packet, Request};
use crate::time::Nanos;

/// All ways, and everything that is to happen.
#[derive(Debug)]
pub struct Net {
    /// True time.
    pub now: Nanos,
    /// What is to happen.
    pub queue: Queue<Event>,
    /// The network's dice.
    pub dice: Dice,
    /// Agent to broker, by pump and broker.
    pub bedside: Many<Many<Way>>,
    /// Broker to gateway, by gateway and broker.
    pub trunk: Many<Many<Way>>,
    /// Gateway to display, by display and gateway.
    pub ward: Many<Many<Way>>,
}

impl Net {
    /// Good ways between so many pumps, brokers, gateways and displays.
    #[must_use]
    pub fn new(pumps: usize, brokers: usize, gateways: usize, displays: usize, dice: Dice) -> Self {
        let ways = |of: usize, to: usize| Many::new(of, |_| Many::new(to, |_| Way::default()));
        Self {
            now: 0,
            queue: Queue::default(),
            dice,
            bedside: ways(pumps, brokers),
            trunk: ways(gateways, brokers),
            ward: ways(displays, gateways),
        }
    }

    /// Plans something.
    pub fn plan(&mut self, at: Nanos, event: Event) {
        self.queue.push(at, event);
    }

    /// An agent publishes.
    pub fn publish(&mut self, pump: usize, broker: usize, message: &Message) {
        let arrivals =
            self.bedside[pump][broker].there.carry(self.now, message.may_be_lost(), &mut self.dice);
        for at in arrivals.into_iter().flatten() {
            self.plan(at, Event::AtBroker(broker, Sender::Agent(pump), message.clone()));
        }
    }

    /// A broker hands something to an agent.
    pub fn to_agent(&mut self, broker: usize, pump: usize, message: &Message) {
        let arrivals =
            self.bedside[pump][broker].back.carry(self.now, message.may_be_lost(), &mut self.dice);
        for at in arrivals.into_iter().flatten() {
            self.plan(at, Event::AtAgent(pump, broker, message.clone()));
        }
    }

    /// A gateway publishes.
    pub fn from_gateway(&mut self, gateway: usize, broker: usize, message: &Message) {
        let arrivals =
            self.trunk[gateway][broker].back.carry(self.now, message.may_be_lost(), &mut self.dice);
        for at in arrivals.into_iter().flatten() {
            self.plan(at, Event::AtBroker(broker, Sender::Gateway(gateway), message.clone()));
        }
    }

    /// A broker hands something to a gateway.
    pub fn to_gateway(&mut self, broker: usize, gateway: usize, message: &Message) {
        let arrivals = self.trunk[gateway][broker].there.carry(
            self.now,
            message.may_be_lost(),
            &mut self.dice,
        );
        for at in arrivals.into_iter().flatten() {
            self.plan(at, Event::AtGateway(gateway, broker, message.clone()));
        }
    }

    /// A gateway sends a packet down a stream; whether the connection still carries it.
    pub fn to_display(&mut self, gateway: usize, display: usize, packet: Packet) -> bool {
        let link = &mut self.ward[display][gateway].there;
        let Some(at) = link.carry_in_order(self.now, &mut self.dice) else { return false };
        self.plan(at, Event::AtDisplay(display, gateway, Box::new(packet)));
        true
    }

    /// A display asks a gateway for something; a cut way swallows it.
    pub fn request(&mut self, display: usize, gateway: usize, request: Request) {
        let link = &mut self.ward[display][gateway].back;
        if let Some(at) = link.carry_in_order(self.now, &mut self.dice) {
            self.plan(at, Event::FromDisplay(gateway, display, Box::new(request)));
        }
    }
}

impl Fault {
    /// The direction of the way that it cuts or makes worse; `None` when it is about no way.
    pub fn link<'net>(&self, net: &'net mut Net) -> Option<&'net mut Link> {
        let (one, other) = self.at;
        Some(match self.kind {
            FaultKind::BedsideCut | FaultKind::BedsideStorm => &mut net.bedside[one][other].there,
            FaultKind::BedsideDeaf => &mut net.bedside[one][other].back,
            FaultKind::TrunkCut | FaultKind::TrunkStorm => &mut net.trunk[one][other].there,
            FaultKind::TrunkDeaf => &mut net.trunk[one][other].back,
            FaultKind::WardCut | FaultKind::WardSlow => &mut net.ward[one][other].there,
            FaultKind::WardDeaf => &mut net.ward[one][other].back,
            FaultKind::AgentDies
            | FaultKind::AgentFreezes
            | FaultKind::BrokerDies
            | FaultKind::BrokerFreezes
            | FaultKind::GatewayDies
            | FaultKind::GatewayFreezes
            | FaultKind::DisplayDies
            | FaultKind::DisplayFreezes
            | FaultKind::ClockSteps
            | FaultKind::DiskSlow
            | FaultKind::DiskFails
            | FaultKind::SpoolFails => return None,
        })
    }
}
