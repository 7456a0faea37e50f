//! One pressure that jumps alone: a transducer that is being flushed, not a circuit.
//!
//! Pressures along a line are tied by the flow between them: none can rise by much while its neighbours and the flow stay as
//! they were. For a few seconds that is a flush, and the limits of that transducer are not judged; then it is a fault. As
//! soon as a neighbour or the flow moves too, the jump is believed.

use core::time::Duration;

use super::Doubt;
use crate::case::PumpKind;
use crate::parameter::Parameter;
use crate::signal::Signals;
use crate::time::SampleTime;

/// Pressures that are watched, each with its neighbours.
const WATCHED: [(Parameter, [Parameter; 2]); 3] = [
    (Parameter::PressDrain, [Parameter::PressPre, Parameter::PressPost]),
    (Parameter::PressPre, [Parameter::PressPost, Parameter::PressDrain]),
    (Parameter::PressPost, [Parameter::PressPre, Parameter::PressDrain]),
];

/// Number of pressures that are watched.
pub(super) const COUNT: usize = WATCHED.len();

/// A rise by more than this against the reference is a jump, in mmHg (own, prop).
const JUMP: f32 = 60.0;

/// A flush bag presses with about 300 mmHg; what is more is no flush (own, prop).
const FLUSH_PRESSURE_MAX: f32 = 350.0;

/// Neighbours within this of their reference have not moved: in mmHg, or as this share of the jump if that is more.
const STILL: f32 = 12.0;
const STILL_SHARE: f32 = 0.1;

/// A flow within this share of its reference has not changed.
const FLOW_SAME: f32 = 0.1;

/// A pressure within this of 0 was that of the room, in mmHg.
const ROOM: f32 = 2.0;

/// Nobody flushes for longer.
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// What is known of one transducer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lone {
    parameter: Parameter,
    neighbours: [Parameter; 2],
    since: Option<SampleTime>,
    doubt: Option<Doubt>,
}

impl Lone {
    /// The state of every watched pressure.
    pub(super) fn all() -> [Self; COUNT] {
        WATCHED.map(|(parameter, neighbours)| Self {
            parameter,
            neighbours,
            since: None,
            doubt: None,
        })
    }

    pub(super) const fn is_believed(&self) -> bool {
        self.doubt.is_none()
    }

    pub(super) fn doubt(&self, parameter: Parameter) -> Option<Doubt> {
        self.doubt.filter(|_doubt| parameter == self.parameter)
    }

    pub(super) fn judge(&mut self, signals: &Signals, tick: SampleTime, kind: Option<PumpKind>) {
        // A roller pushes on against a closed line: the pressure before the membrane may rise alone there.
        let pushed = self.parameter == Parameter::PressPre && kind != Some(PumpKind::Centrifugal);
        if pushed || !self.jumps_alone(signals, tick).unwrap_or(false) {
            self.since = None;
            self.doubt = None;
            return;
        }
        let since = *self.since.get_or_insert(tick);
        let [neighbour, _] = self.neighbours;
        self.doubt = Some(if tick.since(since) < FLUSH_MAX {
            Doubt::Zeroing
        } else {
            Doubt::Disagrees(neighbour)
        });
    }

    /// `None` where too little is known to say: then it is believed.
    fn jumps_alone(&self, signals: &Signals, tick: SampleTime) -> Option<bool> {
        let reference = signals.reference();
        let moved = |parameter, bins| {
            let now = signals.tenths(parameter)?.mean(tick, 0, bins)?;
            Some(now - reference.of(parameter)?)
        };
        let jump = moved(self.parameter, 1)?;
        if jump <= JUMP {
            return Some(false);
        }
        // Back from the room's pressure, or to where it usually works, is no jump: so zeroing ends.
        let now = jump + reference.of(self.parameter)?;
        let was_room = (now - jump).abs() <= ROOM;
        let usual = signals.working().and_then(|usual| usual.of(self.parameter));
        if now > FLUSH_PRESSURE_MAX
            || was_room
            || usual.is_some_and(|usual| (now - usual).abs() <= JUMP)
        {
            return Some(false);
        }
        // What the flow and the neighbours do now, not in the mean of a beat: a true jump shows in them at once.
        let flow = moved(Parameter::FlowBlood, 2)?.abs();
        let flow_same = flow <= FLOW_SAME * reference.of(Parameter::FlowBlood)?.abs();
        let [next, far] = self.neighbours;
        let still = STILL.max(STILL_SHARE * jump);
        let next_still = moved(next, 1)?.abs() <= still;
        let far_still = moved(far, 1).is_none_or(|moved| moved.abs() <= still);
        Some(flow_same && next_still && far_still)
    }
}
