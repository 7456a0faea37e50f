//! Faults come and go.

use super::{World, number};
use crate::broker::Life;
use crate::checks::Verdict;
use crate::checks::ordered::Order;
use crate::faults::{Fault, FaultKind};
use crate::message::Event;
use crate::time::{MS, Nanos, SECOND};
use crate::trace::Step;

impl World {
    /// A fault of the plan begins, and the next one of its kind is planned.
    pub(super) fn afflict(&mut self, place: usize) {
        let Some((kind, mean)) = self.plan.faults.get(place).copied() else { return };
        let now = self.net.now;
        let next = self.dice.about(mean);
        self.net.plan(now + next, Event::Fault(place));
        let mut fault = Fault::somewhere(kind, &self.plan, &mut self.dice);
        let lasts = fault.lasts(&mut self.dice).max(MS);
        let (one, other) = fault.at;
        self.trace.note(now, Step::FaultBegins, [kind as u64, number(one), number(other)]);
        if self.begin(&mut fault) {
            self.tally.faults += 1;
            self.faults += 1;
            self.calm_since = None;
            self.net.plan(now + lasts, Event::Heal(Box::new(fault)));
        }
    }

    /// Whether the fault finds something that it can do.
    fn begin(&mut self, fault: &mut Fault) -> bool {
        let fair = fault.weather(&mut self.dice);
        let cuts = fault.cuts();
        if let Some(link) = fault.link(&mut self.net) {
            if cuts {
                link.cuts += 1;
            } else {
                link.weather = fair;
            }
            return true;
        }
        let (one, _) = fault.at;
        match fault.kind {
            FaultKind::AgentDies => self.agents[one].die(&mut self.net),
            FaultKind::AgentFreezes if self.agents[one].life == Life::Runs => {
                self.agents[one].life = Life::Frozen;
            }
            FaultKind::BrokerDies => self.brokers[one].die(),
            FaultKind::BrokerFreezes if self.brokers[one].life == Life::Runs => {
                self.brokers[one].life = Life::Frozen;
            }
            FaultKind::GatewayDies => self.kill_gateway(one),
            FaultKind::GatewayFreezes if self.gateways[one].life == Life::Runs => {
                self.gateways[one].life = Life::Frozen;
            }
            FaultKind::DisplayDies if self.displays[one].life == Life::Runs => {
                self.displays[one].life = Life::Dead;
                self.look_at_display(one);
            }
            FaultKind::DisplayFreezes if self.displays[one].life == Life::Runs => {
                self.displays[one].life = Life::Frozen;
                self.look_at_display(one);
            }
            FaultKind::ClockSteps => self.step_clock(one),
            FaultKind::DiskSlow => self.gateways[one].disk.slow_by = self.dice.below(4 * SECOND),
            FaultKind::DiskFails => self.gateways[one].disk.works = false,
            FaultKind::SpoolFails => self.agents[one].disk_works = false,
            // It is dead or frozen already; or it is about a way, and was dealt with.
            FaultKind::AgentFreezes
            | FaultKind::BrokerFreezes
            | FaultKind::GatewayFreezes
            | FaultKind::DisplayDies
            | FaultKind::DisplayFreezes
            | FaultKind::BedsideCut
            | FaultKind::BedsideDeaf
            | FaultKind::BedsideStorm
            | FaultKind::TrunkCut
            | FaultKind::TrunkDeaf
            | FaultKind::TrunkStorm
            | FaultKind::WardCut
            | FaultKind::WardDeaf
            | FaultKind::WardSlow => return false,
        }
        true
    }

    fn step_clock(&mut self, host: usize) {
        let step = i64::try_from(self.dice.below(10 * 3_600 * SECOND)).unwrap_or(0);
        let step = if self.dice.chance(500_000) { step } else { -step };
        let step = if self.dice.chance(500_000) { step / 10_000 } else { step };
        let pumps = self.agents.len();
        if host < pumps {
            self.agents[host].clock.wall_offset += step;
        } else {
            self.gateways[host - pumps].clock.wall_offset += step;
        }
    }

    fn kill_gateway(&mut self, gateway: usize) {
        self.gateways[gateway].die();
        self.ledger.on_death(gateway);
        for broker in self.brokers.iter_mut() {
            broker.forget(gateway);
        }
        for pump in 0..self.alike.len() {
            self.alike[pump].forget(gateway);
            self.orders[gateway][pump] = Order::default();
        }
        // The host closes the connections of a process that is gone, as far as the way carries that.
        for display in 0..self.displays.len() {
            self.displays[display].gateway_is_gone(gateway, &mut self.net);
        }
    }

    /// A fault ends.
    pub(super) fn heal(&mut self, fault: Fault) -> Verdict {
        let (one, other) = fault.at;
        let now = self.net.now;
        self.trace.note(now, Step::FaultEnds, [fault.kind as u64, number(one), number(other)]);
        self.faults -= 1;
        self.calm_since = (self.faults == 0).then_some(now);
        if let Some(link) = fault.link(&mut self.net) {
            if fault.cuts() {
                link.cuts -= 1;
            } else {
                link.weather = crate::link::Weather::FAIR;
            }
            self.reconnect(fault);
            return Ok(());
        }
        self.end(fault)
    }

    /// A connection over a way that was cut is made anew: what was under way on it is lost, and both ends know.
    fn reconnect(&mut self, fault: Fault) {
        let (one, other) = fault.at;
        match fault.kind {
            FaultKind::BedsideCut | FaultKind::BedsideDeaf => {
                self.agents[one].paths[other].connected = false;
            }
            FaultKind::TrunkCut | FaultKind::TrunkDeaf => {
                let now = self.gateways[one].clock.instant(self.net.now);
                if self.gateways[one].life == Life::Runs {
                    self.gateways[one].lose_path(other, now, &mut self.net);
                }
                self.brokers[other].forget(one);
            }
            FaultKind::BedsideStorm
            | FaultKind::TrunkStorm
            | FaultKind::WardCut
            | FaultKind::WardDeaf
            | FaultKind::WardSlow
            | FaultKind::AgentDies
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
            | FaultKind::SpoolFails => {}
        }
    }

    /// What died starts anew, what was frozen goes on; what met another fate meanwhile is left alone.
    fn end(&mut self, fault: Fault) -> Verdict {
        let (one, _) = fault.at;
        let is = |life: Life, wanted: Life| life == wanted;
        match fault.kind {
            FaultKind::AgentDies if is(self.agents[one].life, Life::Dead) => {
                self.agents[one].start(&mut self.net);
                self.note(Step::Boot, [number(one), self.agents[one].run.boot.get(), 0]);
            }
            FaultKind::AgentFreezes if is(self.agents[one].life, Life::Frozen) => {
                self.agents[one].life = Life::Runs;
            }
            FaultKind::BrokerDies if is(self.brokers[one].life, Life::Dead) => {
                self.brokers[one].life = Life::Runs;
                // Its connections died with it, and agents make them anew.
                for agent in self.agents.iter_mut() {
                    agent.paths[one].connected = false;
                }
            }
            FaultKind::BrokerFreezes if is(self.brokers[one].life, Life::Frozen) => {
                self.brokers[one].life = Life::Runs;
                for (from, message) in std::mem::take(&mut self.brokers[one].waiting) {
                    self.brokers[one].take(from, message, &mut self.net);
                }
            }
            FaultKind::GatewayDies if is(self.gateways[one].life, Life::Dead) => {
                return self.start_gateway(one);
            }
            FaultKind::GatewayFreezes if is(self.gateways[one].life, Life::Frozen) => {
                self.gateways[one].life = Life::Runs;
                while let Some(event) = self.gateways[one].waiting.pop_front() {
                    self.step(event)?;
                }
            }
            FaultKind::DisplayDies if is(self.displays[one].life, Life::Dead) => {
                self.displays[one].start();
            }
            FaultKind::DisplayFreezes if is(self.displays[one].life, Life::Frozen) => {
                self.displays[one].life = Life::Runs;
                for (gateway, packet) in std::mem::take(&mut self.displays[one].inbox) {
                    self.hand_to_display(one, gateway, packet);
                }
            }
            FaultKind::DiskSlow => self.gateways[one].disk.slow_by = 0,
            FaultKind::DiskFails => self.gateways[one].disk.works = true,
            FaultKind::SpoolFails => self.agents[one].disk_works = true,
            FaultKind::AgentDies
            | FaultKind::AgentFreezes
            | FaultKind::BrokerDies
            | FaultKind::BrokerFreezes
            | FaultKind::GatewayDies
            | FaultKind::GatewayFreezes
            | FaultKind::DisplayDies
            | FaultKind::DisplayFreezes
            | FaultKind::ClockSteps
            | FaultKind::BedsideCut
            | FaultKind::BedsideDeaf
            | FaultKind::BedsideStorm
            | FaultKind::TrunkCut
            | FaultKind::TrunkDeaf
            | FaultKind::TrunkStorm
            | FaultKind::WardCut
            | FaultKind::WardDeaf
            | FaultKind::WardSlow => {}
        }
        Ok(())
    }

    fn start_gateway(&mut self, gateway: usize) -> Verdict {
        self.gateways[gateway].start(&mut self.net);
        let (starts, kept) = (self.gateways[gateway].starts, self.gateways[gateway].disk.log.len());
        self.note(Step::Restart, [number(gateway), u64::from(starts), number(kept)]);
        self.look_at_gateway(gateway, None)
    }

    /// For how long no fault has been there.
    pub(super) fn calm_for(&self) -> Nanos {
        self.calm_since.map_or(0, |since| self.net.now.saturating_sub(since))
    }
}
