//! How a world is made of a seed: first the plan, then every host with clocks and dice of its own.

use std::io::Write;
use std::sync::Arc;

use super::{Tally, World};
use crate::agent::Agent;
use crate::breaks::Break;
use crate::broker::Broker;
use crate::checks::alike::Alike;
use crate::checks::ordered::Order;
use crate::checks::quiet;
use crate::checks::told::Untold;
use crate::dice::Dice;
use crate::display::Display;
use crate::gateway::Gateway;
use crate::ledger::Ledger;
use crate::many::Many;
use crate::message::Event;
use crate::net::Net;
use crate::plan::Plan;
use crate::rules::{WATCHED, profile};
use crate::time::{HOUR, HostClock, MINUTE, MS, SECOND};
use crate::trace::Trace;
use crate::truth::Truth;
use crate::wire::Wire;

/// A host's clocks: it has been up for up to weeks, gains or loses up to 100 ppm, and its wall clock is right or not.
fn clock(dice: &mut Dice) -> HostClock {
    let up = dice.between(SECOND, 500 * HOUR);
    let ppm = i64::try_from(dice.below(201)).unwrap_or(0) - 100;
    let off = i64::try_from(dice.below(400 * MS)).unwrap_or(0);
    HostClock::new(up, ppm, off)
}

pub(super) fn world(seed: u64, planted: Option<Break>, file: Option<Box<dyn Write>>) -> World {
    let mut dice = Dice::new(seed);
    let plan = Plan::of(&mut dice);
    let Plan { pumps, brokers, gateways, pace, .. } = plan;
    let displays = plan.displays.len();
    let rules = Arc::new(profile(pace));
    let net = Net::new(pumps, brokers, gateways, displays, dice.split());
    let agents = Many::new(pumps, |pump| {
        Agent::new(pump, brokers, pace, &rules, clock(&mut dice), dice.split())
    });
    let channels = agents.iter().next().map(|agent| agent.channels().to_vec()).unwrap_or_default();
    let gateways_made = Many::new(gateways, |gateway| {
        let of = (pumps, brokers, displays);
        let clock = clock(&mut dice);
        Gateway::new(gateway, of, &rules, &channels, clock, planted, dice.split())
    });
    let displays_made = Many::new(displays, |display| {
        let links = plan.displays.get(display).cloned().unwrap_or_default();
        Display::new(display, &links, pumps, clock(&mut dice), planted, dice.split())
    });
    let wire = Wire::new(&agents, pace, dice.split());
    let mut world = World {
        planted,
        net,
        truths: Many::new(pumps, |pump| Truth::new(pump, dice.split())),
        agents,
        brokers: Many::new(brokers, |broker| Broker::new(broker, pumps, gateways)),
        gateways: gateways_made,
        displays: displays_made,
        calm_since: Some(0),
        faults: 0,
        dice,
        wire,
        trace: Trace::new(file),
        tally: Tally::default(),
        ledger: Ledger::default(),
        untold: Untold::new(displays, pumps, pace),
        alike: Many::new(pumps, |_| Alike::new(gateways, pace)),
        leases: Many::new(pumps, |_| quiet::Heard::new(gateways)),
        orders: Many::new(gateways, |_| Many::new(pumps, |_| Order::default())),
        plan,
    };
    begin(&mut world);
    world
}

/// Everything starts within a few seconds, in any order.
fn begin(world: &mut World) {
    for gateway in 0..world.gateways.len() {
        world.gateways[gateway].start(&mut world.net);
        let at = world.dice.below(500 * MS);
        world.net.plan(at, Event::Round(gateway));
    }
    for pump in 0..world.agents.len() {
        world.agents[pump].start(&mut world.net);
        let at = world.dice.below(world.plan.pace.period);
        world.net.plan(at, Event::Sample(pump));
        let at = world.dice.below(SECOND);
        world.net.plan(at, Event::Beat(pump));
        for place in 0..WATCHED.len() {
            let at = world.dice.about(2 * MINUTE);
            world.net.plan(at, Event::Turn(pump, place));
            let at = world.dice.about(10 * MINUTE);
            world.net.plan(at, Event::TurnSensor(pump, place));
        }
    }
    for display in 0..world.displays.len() {
        let at = world.dice.below(500 * MS);
        world.net.plan(at, Event::Paint(display));
        let at = world.dice.about(world.plan.people);
        world.net.plan(at, Event::Person(display));
    }
    for place in 0..world.plan.faults.len() {
        let mean = world.plan.faults.get(place).map_or(HOUR, |(_, mean)| *mean);
        let at = world.dice.about(mean);
        world.net.plan(at, Event::Fault(place));
    }
}
