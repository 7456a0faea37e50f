//! When a path's heartbeat is due, which probes it answers, and whether what was sent comes back. Pure: time is an argument.

use core::time::Duration;
use std::collections::VecDeque;

use ecmo_core::time::SampleTime;
use ecmo_proto::v1::ProbeEcho;

/// Time between two heartbeats that nobody asked for.
const EVERY: Duration = Duration::from_secs(1);

/// Least time between two heartbeats, so that probes cannot crowd out frames: at most 20 a second.
const APART: Duration = Duration::from_millis(50);

/// Most probes that one heartbeat answers: two gateways probe 4 times a second, so a lot more than come in [`APART`].
const ECHOES_MAX: usize = 16;

/// Heartbeats whose return is awaited: all that can be sent before silence is noticed, and as many again.
const AWAITED_MAX: usize = 64;
const _: () = assert!(
    AWAITED_MAX as u128 >= 2 * SILENT_MAX.as_millis() / APART.as_millis(),
    "every heartbeat that can still come back is known"
);

/// Longest time without the return of an own heartbeat before a connection is given up. A frozen broker is left within it.
pub(super) const SILENT_MAX: Duration = Duration::from_millis(1500);

/// Time between two looks whether the broker is silent.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The heartbeats of one path.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    sequence: u64,
    /// When the next one is due that nobody asks for; `None` at once.
    due: Option<SampleTime>,
    last: Option<SampleTime>,
    echoes: Vec<ProbeEcho>,
    /// Sequence and time of those that may come back.
    awaited: VecDeque<(u64, SampleTime)>,
}

impl Pulse {
    /// A new connection: what was under way on the old one does not come back, and its probes have no path for an answer.
    pub(super) fn begin(&mut self) {
        *self = Self { sequence: self.sequence, ..Self::default() };
    }

    /// Takes a probe to answer; whether there was room.
    pub(super) fn probed(&mut self, echo: ProbeEcho) -> bool {
        let has_room = self.echoes.len() < ECHOES_MAX;
        if has_room {
            self.echoes.push(echo);
        }
        has_room
    }

    /// Time until the next heartbeat is due; zero when it is.
    pub(super) fn wait(&self, now: SampleTime) -> Duration {
        let regular = self.due.map_or(Duration::ZERO, |due| due.since(now));
        if self.echoes.is_empty() {
            return regular;
        }
        let apart = self.last.map_or(Duration::ZERO, |last| last.plus(APART).since(now));
        regular.min(apart)
    }

    /// Number and answers of the next heartbeat.
    pub(super) fn next(&self) -> (u64, Vec<ProbeEcho>) {
        (self.sequence, self.echoes.clone())
    }

    /// The next heartbeat has left; how many probes it answered.
    pub(super) fn sent(&mut self, now: SampleTime) -> u64 {
        if self.awaited.len() >= AWAITED_MAX {
            self.awaited.pop_front();
        }
        self.awaited.push_back((self.sequence, now));
        self.sequence += 1;
        self.last = Some(now);
        // The grid is kept, so that answers to probes do not shift it; after a stall it begins anew.
        let next = self.due.unwrap_or(now).plus(EVERY);
        if self.due.is_none_or(|due| due <= now) {
            self.due = Some(if next > now { next } else { now.plus(EVERY) });
        }
        let answered = self.echoes.len() as u64;
        self.echoes.clear();
        answered
    }

    /// A heartbeat of this agent was heard. The time that it took, when it is one of this connection.
    pub(super) fn heard(
        &mut self,
        sequence: u64,
        mono_ns: u64,
        now: SampleTime,
    ) -> Option<Duration> {
        let of_this = (sequence, SampleTime::from_nanos(mono_ns));
        let at = self.awaited.iter().position(|awaited| *awaited == of_this)?;
        self.awaited.drain(..=at);
        Some(now.since(of_this.1))
    }
}

/// Notices that nothing comes back.
#[derive(Debug)]
pub(super) struct Silence {
    heard: SampleTime,
    looked: SampleTime,
}

impl Silence {
    /// From now on something must come back.
    pub(super) const fn new(now: SampleTime) -> Self {
        Self { heard: now, looked: now }
    }

    /// Something came back.
    pub(super) const fn heard(&mut self, now: SampleTime) {
        self.heard = now;
    }

    /// Whether the broker has been silent for too long. Time in which this agent itself stood still does not count: what
    /// came back meanwhile has not been read yet.
    pub(super) fn look(&mut self, now: SampleTime) -> bool {
        let late = now.since(self.looked).saturating_sub(LOOK_EVERY * 2);
        self.looked = now;
        self.heard = self.heard.plus(late);
        now.since(self.heard) > SILENT_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> SampleTime {
        SampleTime::from_millis(millis)
    }

    fn echo(number: u64) -> ProbeEcho {
        ProbeEcho { number, ..ProbeEcho::default() }
    }

    #[test]
    fn a_heartbeat_is_due_at_once_then_each_second_and_soon_after_a_probe() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.wait(ms(500)), Duration::ZERO);
        assert_eq!(pulse.sent(ms(500)), 0);
        assert_eq!(pulse.wait(ms(500)), Duration::from_millis(1000));
        assert!(pulse.probed(echo(1)));
        assert_eq!(
            pulse.wait(ms(510)),
            Duration::from_millis(40),
            "probes cannot crowd out frames"
        );
        assert_eq!(pulse.wait(ms(700)), Duration::ZERO, "a probe is answered at once");
        assert_eq!(pulse.next(), (1, vec![echo(1)]));
        assert_eq!(pulse.sent(ms(700)), 1);
        assert_eq!(pulse.wait(ms(700)), Duration::from_millis(800), "the second goes on");
        pulse.sent(ms(1500));
        assert_eq!(pulse.wait(ms(1500)), Duration::from_millis(1000));
        pulse.sent(ms(60_000));
        assert_eq!(pulse.wait(ms(60_000)), Duration::from_millis(1000), "no storm after a stall");
    }

    #[test]
    fn probes_beyond_the_bound_are_told() {
        let mut pulse = Pulse::default();
        let taken = (0..100).filter(|number| pulse.probed(echo(*number))).count();
        assert_eq!(taken, ECHOES_MAX);
        assert_eq!(pulse.sent(ms(1)), ECHOES_MAX as u64);
        assert!(pulse.next().1.is_empty());
    }

    #[test]
    fn only_an_own_heartbeat_of_this_connection_is_an_echo() {
        let mut pulse = Pulse::default();
        pulse.sent(ms(1000));
        pulse.sent(ms(2000));
        let of = |millis: u64| millis * 1_000_000;
        assert_eq!(pulse.heard(0, of(2000), ms(2001)), None, "another path's");
        assert_eq!(pulse.heard(1, of(2000), ms(2003)), Some(Duration::from_millis(3)));
        assert_eq!(pulse.heard(1, of(2000), ms(2004)), None, "doubled");
        assert_eq!(pulse.heard(0, of(1000), ms(2005)), None, "overtaken");
        pulse.sent(ms(3000));
        pulse.begin();
        assert_eq!(pulse.heard(2, of(3000), ms(3001)), None, "of the connection before");
        assert_eq!(pulse.next().0, 3, "numbers go on");
        for _ in 0..1000 {
            pulse.sent(ms(4000));
        }
        assert_eq!(pulse.awaited.len(), AWAITED_MAX);
    }

    #[test]
    fn silence_is_noticed_and_an_own_stall_is_none() {
        let mut silence = Silence::new(ms(0));
        let mut noticed = None;
        for now in (0..5000).step_by(100) {
            if now <= 1000 && now % 500 == 0 {
                silence.heard(ms(now));
            }
            if silence.look(ms(now)) && noticed.is_none() {
                noticed = Some(now);
            }
        }
        assert_eq!(noticed, Some(2600));

        let mut silence = Silence::new(ms(0));
        silence.look(ms(100));
        assert!(!silence.look(ms(9000)), "this agent stood still for 9 s");
        assert!((9100..10_000).step_by(100).all(|now| !silence.look(ms(now))));
        assert!((10_000..11_000).step_by(100).any(|now| silence.look(ms(now))));
    }
}
