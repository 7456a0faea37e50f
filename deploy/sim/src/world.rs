//! The world of one seed: everything in it, and what one event does. After each event everything that must hold is checked.

mod afflicted;

mod looked_at;

mod made;

use std::io::Write;

use crate::agent::Agent;
use crate::breaks::Break;
use crate::broker::{Broker, Life};
use crate::checks::Verdict;
use crate::checks::alike::Alike;
use crate::checks::ordered::Order;
use crate::checks::quiet;
use crate::checks::told::Untold;
use crate::dice::Dice;
use crate::display::{Display, PAINT};
use crate::gateway::{Gateway, WAITING_MAX};
use crate::ledger::Ledger;
use crate::many::Many;
use crate::message::Event;
use crate::net::Net;
use crate::plan::Plan;
use crate::stream::Packet;
use crate::time::{MS, Nanos};
use crate::trace::{Step, Trace};
use crate::truth::Truth;
use crate::wire::Wire;

/// Time between two rounds of a gateway.
const ROUND: Nanos = 500 * MS;

/// What a run counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames that agents made.
    pub frames: u64,
    /// Frames that gateways judged.
    pub judged: u64,
    /// Alarms that changed.
    pub changes: u64,
    /// Alarms of watched signals that were raised.
    pub raised: u64,
    /// Values that were shown as of now.
    pub shown: u64,
    /// The greatest age of such a value.
    pub oldest: Nanos,
    /// Faults that came.
    pub faults: u64,
    /// Messages that went over the wire format, and those that were damaged and refused.
    pub wire: (u64, u64),
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// What the seed made.
    pub plan: Plan,
    planted: Option<Break>,
    net: Net,
    agents: Many<Agent>,
    truths: Many<Truth>,
    brokers: Many<Broker>,
    gateways: Many<Gateway>,
    displays: Many<Display>,
    /// Since when no fault is there.
    calm_since: Option<Nanos>,
    faults: usize,
    dice: Dice,
    wire: Wire,
    /// What happened.
    pub trace: Trace,
    /// What was counted.
    pub tally: Tally,
    /// What people did.
    pub ledger: Ledger,
    /// Since when displays have been silent.
    pub untold: Untold,
    /// The two gateways beside each other, by pump.
    pub alike: Many<Alike>,
    orders: Many<Many<Order>>,
    leases: Many<quiet::Heard>,
}

fn number(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

impl World {
    /// The world of a seed, with a planted fault if one is wanted.
    #[must_use]
    pub fn new(seed: u64, planted: Option<Break>, file: Option<Box<dyn Write>>) -> Self {
        made::world(seed, planted, file)
    }

    /// True time since the beginning.
    #[must_use]
    pub const fn now(&self) -> Nanos {
        self.net.now
    }

    /// Goes on until `until`.
    ///
    /// # Errors
    /// Something that must hold does not.
    pub fn run(&mut self, until: Nanos) -> Verdict {
        while let Some((at, event)) = self.net.queue.pop() {
            if at > until {
                self.net.plan(at, event);
                break;
            }
            self.net.now = at;
            self.step(event)?;
        }
        self.net.now = until;
        Ok(())
    }

    /// One event, and everything that must hold after it.
    fn step(&mut self, event: Event) -> Verdict {
        self.untold.check(self.net.now)?;
        match event {
            Event::Sample(pump) => self.sample(pump),
            Event::Beat(pump) => self.beat(pump),
            Event::AtBroker(broker, from, message) => {
                self.note(Step::AtBroker, [number(broker), message.kind(), 0]);
                self.brokers[broker].take(from, message, &mut self.net);
                self.check_broker(broker)
            }
            Event::AtAgent(pump, path, message) => {
                self.note(Step::AtAgent, [number(pump), message.kind(), number(path)]);
                self.agents[pump].take(path, &message, &mut self.net);
                self.check_agent(pump)
            }
            Event::AtGateway(gateway, ..)
            | Event::Timer(gateway, ..)
            | Event::Written(gateway, ..)
            | Event::FromDisplay(gateway, ..) => self.at_gateway(gateway, event),
            Event::Round(gateway) => {
                self.net.plan(self.net.now + ROUND, Event::Round(gateway));
                if self.gateways[gateway].life == Life::Runs {
                    self.note(Step::Round, [number(gateway), 0, 0]);
                    self.gateways[gateway].round(&mut self.net);
                    self.look_at_gateway(gateway, None)?;
                    self.check_gateway(gateway)?;
                }
                Ok(())
            }
            Event::AtDisplay(display, gateway, packet) => {
                self.at_display(display, gateway, *packet)
            }
            Event::Paint(display) => self.paint(display),
            Event::Person(display) => {
                let mean = self.plan.people;
                self.net.plan(self.net.now + self.dice.about(mean), Event::Person(display));
                let done = self.displays[display].person(&mut self.ledger, &mut self.net);
                if let Some(wish) = done {
                    self.note(Step::Person, [number(display), wish, 0]);
                }
                Ok(())
            }
            Event::Turn(pump, place) => {
                let next = self.truths[pump].turn(place, self.plan.pace, self.net.now);
                self.net.plan(next, Event::Turn(pump, place));
                let beyond = self.truths[pump].signals[place].beyond_since.is_some();
                self.note(Step::Turn, [number(pump), number(place), number(usize::from(beyond))]);
                self.look_at_displays();
                Ok(())
            }
            Event::TurnSensor(pump, place) => {
                let next = self.truths[pump].turn_sensor(place, self.net.now);
                self.net.plan(next, Event::TurnSensor(pump, place));
                self.note(Step::Sensor, [number(pump), number(place), 0]);
                Ok(())
            }
            Event::Fault(place) => {
                self.afflict(place);
                Ok(())
            }
            Event::Heal(fault) => self.heal(*fault),
        }
    }

    /// Notes a step.
    fn note(&mut self, step: Step, numbers: [u64; 3]) {
        self.trace.note(self.net.now, step, numbers);
    }

    fn sample(&mut self, pump: usize) -> Verdict {
        let agent = &mut self.agents[pump];
        let (next, _) = agent.next(self.net.now);
        self.net.plan(next, Event::Sample(pump));
        let made = agent.sample(&mut self.truths[pump], self.planted, &mut self.net);
        if let Some(frame) = made {
            self.tally.frames += 1;
            self.alike[pump].on_made(&frame);
            self.note(Step::Sample, [number(pump), frame.sequence, 0]);
            if let Some(told) = self.wire.try_frame(pump, &frame, self.net.now)? {
                self.note(Step::Wire, [number(pump), frame.sequence, number(usize::from(told))]);
                self.tally.wire.0 += 1;
                self.tally.wire.1 += u64::from(told);
            }
        }
        self.check_agent(pump)
    }

    fn beat(&mut self, pump: usize) -> Verdict {
        let (_, next) = self.agents[pump].next(self.net.now);
        self.net.plan(next, Event::Beat(pump));
        self.note(Step::Beat, [number(pump), 0, 0]);
        self.agents[pump].beat(&mut self.net);
        self.check_quiet(pump)?;
        self.check_agent(pump)
    }

    /// Something comes to a gateway, if it runs; a frozen one finds it later.
    fn at_gateway(&mut self, gateway: usize, event: Event) -> Verdict {
        let one = &mut self.gateways[gateway];
        match one.life {
            Life::Dead => return Ok(()),
            Life::Frozen if one.waiting.len() < WAITING_MAX => {
                one.waiting.push_back(event);
                return Ok(());
            }
            Life::Frozen => {
                one.lost += 1;
                return Ok(());
            }
            Life::Runs => {}
        }
        let pump = match event {
            Event::AtGateway(_, path, message) => {
                let pump = message.pump();
                self.note(Step::AtGateway, [number(gateway), message.kind(), number(path)]);
                self.gateways[gateway].take(path, message, &mut self.net);
                pump
            }
            Event::Timer(_, pump, planned) => {
                self.note(Step::Timer, [number(gateway), number(pump.unwrap_or(usize::MAX)), 0]);
                self.gateways[gateway].timer(pump, planned, &mut self.net);
                pump
            }
            Event::Written(_, starts, written) => {
                self.note(Step::Store, [number(gateway), u64::from(starts), 0]);
                self.gateways[gateway].written(starts, *written, &mut self.net);
                None
            }
            Event::FromDisplay(_, display, request) => {
                self.note(Step::FromDisplay, [number(display), number(gateway), request.kind()]);
                self.gateways[gateway].serve(display, *request, &mut self.net);
                None
            }
            Event::Sample(_)
            | Event::Beat(_)
            | Event::AtBroker(..)
            | Event::AtAgent(..)
            | Event::Round(_)
            | Event::AtDisplay(..)
            | Event::Paint(_)
            | Event::Person(_)
            | Event::Turn(..)
            | Event::TurnSensor(..)
            | Event::Fault(_)
            | Event::Heal(_) => None,
        };
        self.look_at_gateway(gateway, pump)
    }

    fn at_display(&mut self, display: usize, gateway: usize, packet: Packet) -> Verdict {
        let one = &mut self.displays[display];
        match one.life {
            Life::Dead => return Ok(()),
            Life::Frozen => {
                one.inbox.push((gateway, packet));
                return self.check_display(display);
            }
            Life::Runs => {}
        }
        self.note(Step::ToDisplay, [number(display), number(gateway), packet.kind()]);
        self.hand_to_display(display, gateway, packet);
        Ok(())
    }

    fn hand_to_display(&mut self, display: usize, gateway: usize, packet: Packet) {
        let alarms = matches!(packet, Packet::Alarms(..) | Packet::Closed(..));
        if let Packet::Alarms(subscription, _) | Packet::Pumps(subscription, _) = &packet {
            self.gateways[gateway].read(display, *subscription, &mut self.net);
        }
        self.displays[display].take(gateway, packet, &mut self.ledger, self.net.now);
        if alarms {
            self.look_at_display(display);
        }
    }

    fn paint(&mut self, display: usize) -> Verdict {
        self.net.plan(self.net.now + PAINT, Event::Paint(display));
        if self.displays[display].life != Life::Runs {
            return Ok(());
        }
        self.note(Step::Paint, [number(display), 0, 0]);
        let picture = self.displays[display].paint(&mut self.net);
        self.look_at_display(display);
        self.check_picture(display, &picture)?;
        self.check_display(display)
    }
}
