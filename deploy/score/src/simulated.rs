//! A simulated circuit as a source of samples, and what is true of it.

use core::time::Duration;

use anyhow::Result;
use ecmo_circuit::{Event, Fault, Setup, Simulation, TICK, What};
use ecmo_core::channel::ChannelSpec;

use crate::source::{Sample, Source, Subject};
use crate::truth::{Expected, Pattern, Truth};

/// A sample may carry the very end of its tick as its time: everything before is certainly delivered.
const INSTANT: Duration = Duration::from_nanos(1);

/// When a simulated run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At a time.
    Time(Duration),
    /// So long after the true onset of its fault; at most at a time, where the fault never comes.
    AfterOnset {
        /// After the onset.
        for_: Duration,
        /// At most.
        at_most: Duration,
    },
}

/// A simulated circuit that is run.
pub struct Circuit {
    simulation: Simulation,
    /// Time of the next tick.
    now: Duration,
    subject: Subject,
    event: Option<Event>,
    until: Until,
}

impl Circuit {
    /// A circuit; of its events at most one is a fault.
    #[must_use]
    pub fn new(setup: Setup, until: Until) -> Self {
        let event = setup.events.iter().find(|event| fault_of(event).is_some()).copied();
        let mut subject = Subject {
            kg: Some(setup.kg),
            target_ml_min: Some(setup.flow_target()),
            kind: Some(setup.kind),
            therapy: Some(setup.therapy),
            oxygenator_flow_min: Some(setup.oxygenator_flow_min()),
            speed_max: Some(setup.speed_max()),
            membrane_baseline: None,
        };
        let simulation = Simulation::new(setup);
        subject.membrane_baseline = Some(simulation.state().membrane_resistance);
        Self { simulation, now: Duration::ZERO, subject, event, until }
    }

    /// What is true of the run so far; `None` for a harmless one.
    #[must_use]
    pub fn truth(&self) -> Option<Truth> {
        let event = self.event?;
        let found = self.simulation.truth().first()?;
        // Until the fault is switched off it may come back, whatever the criterion says.
        let end = event.lasts.map(|lasts| {
            let off = event.at + lasts;
            found.end.map_or(off, |end| end.max(off))
        });
        let begin = found.onset.map_or(event.at, |onset| onset.min(event.at));
        Some(Truth { begin, onset: found.onset, end, expected: expected(found.fault) })
    }

    /// What the rules are told: what a person enters with the case. Its membrane was measured when it was new.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    fn has_ended(&self) -> bool {
        match self.until {
            Until::Time(time) => self.now >= time,
            Until::AfterOnset { for_, at_most } => {
                let onset = self.simulation.truth().first().and_then(|truth| truth.onset);
                self.now >= at_most || onset.is_some_and(|onset| self.now >= onset + for_)
            }
        }
    }

    /// Runs the circuit alone until its fault is physically there; `None` where that does not happen in time.
    #[must_use]
    pub fn onset(setup: Setup, at_most: Duration) -> Option<Duration> {
        let mut simulation = Simulation::new(setup);
        let mut now = Duration::ZERO;
        while now < at_most {
            simulation.tick(&mut |_parameter, _at, _reading| {});
            now += TICK;
            let onset = simulation.truth().first().and_then(|truth| truth.onset);
            if onset.is_some() {
                return onset;
            }
        }
        None
    }
}

impl Source for Circuit {
    fn channels(&self) -> Vec<ChannelSpec> {
        let spec = |channel: &ecmo_circuit::Channel| ChannelSpec {
            parameter: channel.parameter,
            interval: channel.interval,
        };
        self.simulation.channels().iter().map(spec).collect()
    }

    fn advance(&mut self, out: &mut Vec<Sample>) -> Result<Option<Duration>> {
        if self.has_ended() {
            return Ok(None);
        }
        let from = out.len();
        self.simulation.tick(&mut |parameter, at, reading| {
            out.push(Sample { parameter, at, reading });
        });
        self.now += TICK;
        let new = out.get_mut(from..).unwrap_or_default();
        if !new.is_sorted_by_key(|sample| sample.at) {
            new.sort_by_key(|sample| sample.at);
        }
        Ok(Some(self.now.saturating_sub(INSTANT)))
    }
}

/// The fault of an event.
#[must_use]
pub fn fault_of(event: &Event) -> Option<Fault> {
    match event.what {
        What::Fault(fault) => Some(fault),
        What::Disturbance(_) => None,
    }
}

/// Which alarm a fault must raise.
#[must_use]
pub fn expected(fault: Fault) -> Expected {
    let expectation = fault.expectation();
    Expected {
        any_of: expectation.any_of.iter().map(|id| Pattern::new(id)).collect(),
        priority_floor: expectation.priority_floor,
        within: expectation.within,
    }
}
