//! Holds what a display has shown against what the gateway that was never killed has told: nothing lost, nothing doubled,
//! nothing acknowledged that comes back.

use std::fmt;
use std::time::Duration;

use crate::story::{Call, Key, State, Story};

/// The gateways may tell the same alarm so much apart: two of them judge the same frame at once, on a busy machine.
const APART: Duration = Duration::from_millis(1_000);

/// An acknowledgement that a person was told of as durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    /// When it was confirmed, since the start of the run.
    pub(crate) at: Duration,
    pub(crate) key: Key,
    pub(crate) occurrence: String,
    pub(crate) call: u32,
}

/// What must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// The observer told it, and this display did not show it.
    Lost(&'static str, Call),
    /// This display called for a person where the observer did not.
    Doubled(&'static str, Call),
    /// It had been acknowledged, durably.
    CameBack(&'static str, Call),
    /// A gateway with a working disk confirmed it without being sure that it would last.
    NotDurable(&'static str, Call),
    /// More time between two views of a pump than promised.
    Gap { kill: String, gap: Duration, allowed: Duration },
    /// The death of an agent was not told in time.
    NotTold { kill: String },
    /// After a kill and a restart not everything was live again in time.
    NotRecovered { kill: String, why: String },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut call = |word: &str, place: &str, call: &Call| {
            let Call { at, key: (pump, condition), occurrence, call, .. } = call;
            let at = at.as_secs_f64();
            write!(
                f,
                "{word} at {place}: {pump} {condition}, call {call} of {occurrence}, {at:.3} s"
            )
        };
        match self {
            Self::Lost(place, it) => call("lost", place, it),
            Self::Doubled(place, it) => call("doubled", place, it),
            Self::CameBack(place, it) => call("acknowledged and back", place, it),
            Self::NotDurable(place, it) => call("acknowledged and not durable", place, it),
            Self::Gap { kill, gap, allowed } => {
                let (gap, allowed) = (gap.as_millis(), allowed.as_millis());
                write!(f, "{kill}: no view for {gap} ms, allowed {allowed} ms")
            }
            Self::NotTold { kill } => write!(f, "{kill}: not told within 1 s"),
            Self::NotRecovered { kill, why } => write!(f, "{kill}: not recovered: {why}"),
        }
    }
}

/// Judges a display by the observer, up to the end of what both could have told.
///
/// `name` is the display's; `late` is how long the display may be without a gateway.
pub(crate) fn judge(
    name: &'static str,
    display: &Story,
    observer: &Story,
    acknowledged: &[Acknowledged],
    late: Duration,
    end: Duration,
) -> Vec<Violation> {
    let (shown, told) = (display.calls(), observer.calls());
    let within = late + APART;
    let settled = |call: &&Call| call.at + within <= end;
    let lost = told.iter().filter(settled).filter(|call| {
        let until = call.until.map_or(call.at + within, |until| until.min(call.at + within));
        // Nobody need be called anew by what calls already.
        !display.signalled(&call.key, call.at, until + APART)
            && !display.was_missed(&call.occurrence)
            && !is_settled_by_a_person(call, acknowledged)
    });
    let mut violations: Vec<_> = lost.cloned().map(|call| Violation::Lost(name, call)).collect();
    let mut taken = vec![false; told.len()];
    for (place, call) in shown.iter().enumerate() {
        let before = shown.get(..place).unwrap_or_default();
        let is_again = |one: &Call| one.occurrence == call.occurrence && one.call == call.call;
        // What was acknowledged and comes back is told below, and is not what the observer calls for next.
        if before.iter().any(is_again) && is_settled_by_a_person(call, acknowledged) {
            continue;
        }
        let fits = |one: &Call| {
            one.key == call.key && one.at <= call.at + APART && call.at <= one.at + within
        };
        let found = told.iter().zip(&mut taken).find(|(one, taken)| !**taken && fits(one));
        match found {
            Some((_one, taken)) => *taken = true,
            None if is_settled_by_a_person(call, acknowledged) => {}
            None => violations.push(Violation::Doubled(name, call.clone())),
        }
    }
    let back = shown.iter().filter(|call| {
        acknowledged.iter().any(|one| {
            one.occurrence == call.occurrence && call.call <= one.call && call.at > one.at
        })
    });
    violations.extend(back.cloned().map(|call| Violation::CameBack(name, call)));
    violations
}

/// A person who acknowledged at another gateway within the same moment needs no call.
fn is_settled_by_a_person(call: &Call, acknowledged: &[Acknowledged]) -> bool {
    acknowledged.iter().any(|one| one.occurrence == call.occurrence && one.call >= call.call)
}

/// Whether the observer, of what signals there, calls for a person anew since an acknowledgement. A gateway that was dead when the alarm
/// called before counts fewer calls: what it shows under an older number may be that one.
pub(crate) fn calls_anew(signalling: &[(Key, State)], done: &Acknowledged) -> bool {
    signalling.iter().any(|(key, state)| {
        *key == done.key && (state.occurrence != done.occurrence || state.call > done.call)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::tests::{key, story};

    const LATE: Duration = Duration::from_millis(500);
    const END: Duration = Duration::from_secs(60);

    fn violations(display: &Story, observer: &Story) -> Vec<String> {
        let all = judge("test", display, observer, &[], LATE, END);
        all.iter().map(|one| one.to_string().split(" at ").next().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_same_story_a_little_later_violates_nothing() {
        let observer = story(&[(5_000, Some(("x", 1, true))), (8_000, None)]);
        let display = story(&[(5_400, Some(("x", 1, true))), (8_300, None)]);
        assert_eq!(violations(&display, &observer), [""; 0]);
    }

    #[test]
    fn an_alarm_that_is_not_shown_is_lost_unless_it_was_told_as_missed() {
        let observer = story(&[(5_000, Some(("x", 1, true))), (8_000, None)]);
        assert_eq!(violations(&Story::default(), &observer), ["lost"]);
        let late = story(&[(9_700, Some(("x", 1, true)))]);
        assert_eq!(violations(&late, &observer), ["lost", "doubled"]);
        let mut missed = Story::default();
        missed.note_missed("x".to_owned());
        assert_eq!(violations(&missed, &observer), [""; 0]);
    }

    #[test]
    fn a_row_that_calls_already_covers_what_the_observer_calls_anew() {
        let observer = story(&[(5_000, Some(("x", 1, true))), (7_000, Some(("x", 2, true)))]);
        let display = story(&[(5_000, Some(("x", 1, true)))]);
        assert_eq!(violations(&display, &observer), [""; 0]);
    }

    #[test]
    fn a_row_that_goes_and_comes_again_is_doubled() {
        let observer = story(&[(5_000, Some(("x", 1, true))), (20_000, None)]);
        let steps = [(5_000, Some(("x", 1, true))), (7_000, None), (7_500, Some(("y", 1, true)))];
        assert_eq!(violations(&story(&steps), &observer), ["doubled"]);
    }

    #[test]
    fn what_comes_back_before_it_must_not_takes_nothing_of_what_is_called_next() {
        let steps = [
            (5_000, Some(("x", 1, true))),
            (6_000, None),
            (6_030, Some(("x", 1, true))),
            (6_500, Some(("x", 2, true))),
        ];
        let observer = story(&[(5_000, Some(("x", 1, true))), (6_500, Some(("x", 2, true)))]);
        let done = |ms| {
            let at = Duration::from_millis(ms);
            [Acknowledged { at, key: key(), occurrence: "x".to_owned(), call: 1 }]
        };
        assert_eq!(judge("test", &story(&steps), &observer, &done(9_000), LATE, END), []);
        let back = judge("test", &story(&steps), &observer, &done(6_010), LATE, END);
        assert!(matches!(back.as_slice(), [Violation::CameBack(_, call)] if call.call == 1));
        let unsaid = judge("test", &story(&steps), &observer, &[], LATE, END);
        assert!(matches!(unsaid.as_slice(), [Violation::Doubled(_, call)] if call.call == 2));
    }

    #[test]
    fn a_call_after_the_acknowledged_one_is_asked_of_the_gateway_that_was_never_killed() {
        let at = Duration::from_secs(6);
        let done = Acknowledged { at, key: key(), occurrence: "x".to_owned(), call: 2 };
        let signals = |occurrence, call| {
            calls_anew(&story(&[(7_000, Some((occurrence, call, true)))]).signalling(), &done)
        };
        assert!(!signals("x", 1) && !signals("x", 2));
        assert!(signals("x", 3) && signals("y", 1));
        let quiet = story(&[(7_000, Some(("x", 3, false)))]);
        assert!(!calls_anew(&quiet.signalling(), &done));
    }

    #[test]
    fn what_was_acknowledged_must_not_call_again_with_the_same_call() {
        let steps = [
            (5_000, Some(("x", 1, true))),
            (6_000, Some(("x", 1, false))),
            (9_000, Some(("x", 1, true))),
        ];
        let both = story(&steps);
        let at = Duration::from_millis(6_000);
        let done = Acknowledged { at, key: key(), occurrence: "x".to_owned(), call: 1 };
        let found = judge("test", &both, &both, std::slice::from_ref(&done), LATE, END);
        assert!(matches!(found.as_slice(), [Violation::CameBack(_, call)] if call.call == 1));
        let anew = story(&[(5_000, Some(("x", 1, false))), (9_000, Some(("x", 2, true)))]);
        assert_eq!(judge("test", &anew, &anew, &[done], LATE, END), []);
    }
}
