//! After each event, whatever it touched is looked at: what the decisions said goes to displays, and what must hold is checked.

use ecmo_agent::queue::FRAMES_MAX;
use ecmo_core::alarm::occurrence::Transition;
use ecmo_display::Picture;

use super::{World, number};
use crate::agent::Run;
use crate::broker::{Life, WAITING_MAX as BROKER_MAX};
use crate::checks::bounded::{self, Filled};
use crate::checks::{Verdict, counted, fresh};
use crate::display::{Display, INBOX_MAX};
use crate::gateway::{ACTIONS_MAX, Heard};
use crate::gateway::{PEOPLE_MAX, WAITING_MAX};
use crate::ledger::MERGED_AFTER;
use crate::rules::WATCHED;
use crate::stream::LANE_MAX;
use crate::time::SECOND;
use crate::trace::Step;

/// Most missed alarms that a screen keeps.
const MISSED_MAX: usize = 1_024;

/// Once nothing has been wrong for so long, every path carries and everything that was sent has come.
const ALL_CAME_AFTER: u64 = 10 * SECOND;

impl World {
    /// What a gateway's decisions said goes to displays, and is checked; `pump` is the one that the event was about.
    pub(super) fn look_at_gateway(&mut self, gateway: usize, pump: Option<usize>) -> Verdict {
        let now = self.net.now;
        let mut rounds = 0;
        while !self.gateways[gateway].heard.is_empty() && rounds < 4 {
            rounds += 1;
            let Heard { judged, told } = self.gateways[gateway].take_heard();
            for one in &judged {
                self.tally.judged += 1;
                self.note(Step::Judged, [number(gateway), number(one.pump), one.sequence]);
                let order = &mut self.orders[gateway][one.pump];
                order.check_next(gateway, one, now)?;
                self.leases[one.pump].on_judged(gateway, one.boot, one.published);
            }
            for one in &told {
                self.tally.changes += 1;
                let place = one.pump().unwrap_or(usize::MAX);
                let onset = one.occurrence.id.onset ^ (u64::from(one.occurrence.revision) << 40);
                let told = onset ^ ((one.transition as u64) << 60);
                self.note(Step::Alarm, [number(gateway), told, number(place)]);
                let id = one.occurrence.id.condition;
                let is_watched = WATCHED.iter().any(|watched| watched.condition == id);
                self.tally.raised += u64::from(is_watched && one.transition == Transition::Raised);
                fresh::check_alarm(gateway, one, now)?;
                if let Some(pump) = one.pump() {
                    let order = self.orders[gateway][pump];
                    self.alike[pump].on_told(gateway, one, &order, now);
                    self.check_people(gateway, pump)?;
                }
                self.gateways[gateway].spread(one, &mut self.net);
            }
            for one in &judged {
                let order = self.orders[gateway][one.pump];
                let pump = self.gateways[gateway].pump(one.pump);
                self.alike[one.pump].check(gateway, &order, pump.alarms(), now)?;
            }
        }
        if let Some(pump) = pump {
            self.check_pump(gateway, pump)?;
        }
        Ok(())
    }

    /// I4 and I8, of one pump at one gateway.
    fn check_pump(&self, gateway: usize, pump: usize) -> Verdict {
        let now = self.net.now;
        let order = &self.orders[gateway][pump];
        let counters = self.gateways[gateway].frame_counters(pump);
        counted::check_counts(gateway, pump, order, counters, now)?;
        order.check_gaps(gateway, pump, counters.missing, now)
    }

    /// I7, of one pump at one gateway.
    fn check_people(&self, gateway: usize, pump: usize) -> Verdict {
        let merged = self.calm_for() > MERGED_AFTER;
        for alarm in self.gateways[gateway].pump(pump).alarms() {
            self.ledger.check_alarm(gateway, pump, alarm, merged, self.net.now)?;
        }
        Ok(())
    }

    fn note_attended(&mut self, gateway: usize) {
        let one = &self.gateways[gateway];
        let at = one.clock.instant(self.net.now);
        for pump in 0..self.agents.len() {
            if !one.has_unheard(pump, at) {
                self.leases[pump].on_attended(gateway, self.net.now);
            }
        }
    }

    /// I6, I7 and I8 of a gateway, at each of its rounds.
    pub(super) fn check_gateway(&mut self, gateway: usize) -> Verdict {
        let now = self.net.now;
        self.note_attended(gateway);
        let one = &self.gateways[gateway];
        let (actions, people) = one.action_lengths();
        let filled = |name, length, cap| Filled { name, length, cap };
        bounded::check(gateway, filled("actions of a gateway", actions, ACTIONS_MAX), now)?;
        bounded::check(gateway, filled("people who wait at a gateway", people, PEOPLE_MAX), now)?;
        bounded::check(
            gateway,
            filled("socket of a gateway", one.waiting.len(), WAITING_MAX),
            now,
        )?;
        for stream in one.streams.iter().flatten() {
            for lane in [&stream.alarms, &stream.pumps].into_iter().flatten() {
                bounded::check(gateway, filled("lane of a gateway", lane.unread, LANE_MAX), now)?;
            }
        }
        for pump in 0..self.agents.len() {
            self.check_people(gateway, pump)?;
            if self.calm_for() > ALL_CAME_AFTER {
                let run: Run = self.agents[pump].run;
                let order = &self.orders[gateway][pump];
                counted::check_sent(gateway, pump, order, run, self.plan.pace, now)?;
            }
        }
        Ok(())
    }

    /// I9, of an agent that runs.
    pub(super) fn check_quiet(&mut self, pump: usize) -> Verdict {
        let now = self.net.now;
        let agent = &mut self.agents[pump];
        if agent.life != Life::Runs || !agent.is_leased(now) {
            return Ok(());
        }
        self.leases[pump].check(pump, agent.run.boot, agent.clock.sample_time(now), now)
    }

    /// I6, of an agent.
    pub(super) fn check_agent(&self, pump: usize) -> Verdict {
        for path in self.agents[pump].paths.iter() {
            let queue =
                Filled { name: "queue of an agent", length: path.waiting(), cap: FRAMES_MAX };
            bounded::check(pump, queue, self.net.now)?;
        }
        Ok(())
    }

    /// I6, of a broker.
    pub(super) fn check_broker(&self, broker: usize) -> Verdict {
        let length = self.brokers[broker].waiting.len();
        let queue = Filled { name: "socket of a broker", length, cap: BROKER_MAX };
        bounded::check(broker, queue, self.net.now)
    }

    /// I6, of a display.
    pub(super) fn check_display(&self, display: usize) -> Verdict {
        let one = &self.displays[display];
        let inbox = Filled { name: "socket of a display", length: one.inbox.len(), cap: INBOX_MAX };
        bounded::check(display, inbox, self.net.now)?;
        let length = one.screen.missed().len();
        let missed = Filled { name: "missed alarms of a display", length, cap: MISSED_MAX };
        bounded::check(display, missed, self.net.now)
    }

    /// I1: whether a display tells of what is really beyond its limit.
    pub(super) fn look_at_display(&mut self, display: usize) {
        let one = &self.displays[display];
        let now = self.net.now;
        if one.life == Life::Runs {
            self.untold.look(display, &self.truths, now, |pump, place| one.tells(pump, place));
        } else {
            self.untold.look(display, &self.truths, now, |_pump, _place| true);
        }
    }

    /// I1, after the truth has changed.
    pub(super) fn look_at_displays(&mut self) {
        for display in 0..self.displays.len() {
            self.look_at_display(display);
        }
    }

    /// I2, I3 and I7, of a picture.
    pub(super) fn check_picture(&mut self, display: usize, picture: &Picture) -> Verdict {
        let now = self.net.now;
        for shown in Display::live_values(picture) {
            self.tally.shown += 1;
            fresh::check_pump(display, &shown, now)?;
            let age = fresh::check_age(display, &shown, &self.truths, now)?;
            self.tally.oldest = self.tally.oldest.max(age);
        }
        for row in &picture.rows {
            self.ledger.check_row(display, row, now)?;
        }
        Ok(())
    }
}
