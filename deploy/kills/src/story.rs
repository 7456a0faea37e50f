//! What a display has shown, in order: each change of each row with its time. Pure, so that it can be judged by tests.

use std::collections::BTreeMap;
use std::time::Duration;

/// Pump and condition.
pub(crate) type Key = (String, String);

/// What a row is at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// Occurrence id.
    pub(crate) occurrence: String,
    /// How often it has called for a person, by the gateway that is shown.
    pub(crate) call: u32,
    /// How often the row has, on this display.
    pub(crate) calls: u32,
    /// Whether nobody has acknowledged it.
    pub(crate) signals: bool,
}

/// A row from a time on; `None` while it is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Since the start of the run.
    pub(crate) at: Duration,
    pub(crate) state: Option<State>,
}

/// A person was called: the row is new, or calls anew, or is not acknowledged any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) at: Duration,
    pub(crate) key: Key,
    pub(crate) occurrence: String,
    pub(crate) call: u32,
    /// When it no longer signals; `None` when it still does.
    pub(crate) until: Option<Duration>,
}

/// Everything that one display has shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    rows: BTreeMap<Key, Vec<Step>>,
    /// Occurrences that came and went, and were told afterwards.
    missed: Vec<String>,
}

impl Story {
    /// Takes note of a row; what changes nothing is not noted.
    pub(crate) fn note(&mut self, at: Duration, key: Key, state: Option<State>) {
        let steps = self.rows.entry(key).or_default();
        let before = steps.last().and_then(|last| last.state.as_ref());
        if before != state.as_ref() {
            steps.push(Step { at, state });
        }
    }

    /// Takes note of an occurrence that was told as missed.
    pub(crate) fn note_missed(&mut self, occurrence: String) {
        self.missed.push(occurrence);
    }

    /// Forgets all rows but these.
    pub(crate) fn keep(&mut self, which: impl Fn(&Key) -> bool) {
        self.rows.retain(|key, _| which(key));
    }

    /// Whether an occurrence was told as missed.
    pub(crate) fn was_missed(&self, occurrence: &str) -> bool {
        self.missed.iter().any(|missed| missed == occurrence)
    }

    /// Every time that a person was called, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let mut calls: Vec<_> =
            self.rows.iter().flat_map(|(key, steps)| calls(key, steps)).collect();
        calls.sort_by_key(|call| call.at);
        calls
    }

    /// Whether a row signalled at some time from `from` to `to`.
    pub(crate) fn signalled(&self, key: &Key, from: Duration, to: Duration) -> bool {
        let Some(steps) = self.rows.get(key) else { return false };
        let ends = steps.iter().skip(1).map(|next| next.at).chain([Duration::MAX]);
        steps.iter().zip(ends).any(|(step, end)| {
            step.state.as_ref().is_some_and(|state| state.signals) && step.at <= to && end > from
        })
    }

    /// Whether anything about the arrival of a pump's data signalled at some time from `from` to `to`.
    pub(crate) fn told_of_silence(&self, pump: &str, from: Duration, to: Duration) -> bool {
        let about = |(name, condition): &&Key| {
            name == pump && (condition.starts_with("comm.") || condition.starts_with("agent."))
        };
        self.rows.keys().filter(about).any(|key| self.signalled(key, from, to))
    }

    /// Every step of every row, a line each: for whoever looks for the cause of what was found.
    pub(crate) fn lines(&self, name: &str) -> Vec<(Duration, String)> {
        let of_row = |((pump, condition), steps): (&Key, &Vec<Step>)| {
            let line = |step: &Step| {
                let seconds = step.at.as_secs_f64();
                let state = step.state.as_ref().map_or_else(
                    || "gone".to_owned(),
                    |State { occurrence, call, calls, signals }| {
                        let word = if *signals { "signals" } else { "acknowledged" };
                        format!("{word}, {calls} here, call {call} of {occurrence}")
                    },
                );
                (step.at, format!("{seconds:9.3} {pump} {condition} {name}: {state}"))
            };
            steps.iter().map(line).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(of_row).collect()
    }

    /// What signals now: pump, condition and state.
    pub(crate) fn signalling(&self) -> Vec<(Key, State)> {
        let newest = |(key, steps): (&Key, &Vec<Step>)| {
            let state = steps.last()?.state.clone()?;
            state.signals.then(|| (key.clone(), state))
        };
        self.rows.iter().filter_map(newest).collect()
    }
}

fn calls(key: &Key, steps: &[Step]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut before: Option<&State> = None;
    for step in steps {
        let signals = step.state.as_ref().filter(|state| state.signals);
        let is_same = |state: &State| {
            before.is_some_and(|before| before.signals && before.calls >= state.calls)
        };
        match signals {
            Some(state) if !is_same(state) => {
                end(&mut calls, step.at);
                calls.push(Call {
                    at: step.at,
                    key: key.clone(),
                    occurrence: state.occurrence.clone(),
                    call: state.call,
                    until: None,
                });
            }
            Some(_) => {}
            None => end(&mut calls, step.at),
        }
        before = step.state.as_ref();
    }
    calls
}

fn end(calls: &mut [Call], at: Duration) {
    if let Some(last) = calls.last_mut() {
        last.until.get_or_insert(at);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn key() -> Key {
        ("pump-1".to_owned(), "level.low".to_owned())
    }

    /// Occurrence, call, whether it signals.
    type Shown = Option<(&'static str, u32, bool)>;

    /// A row from a time in milliseconds on.
    pub(crate) fn story(steps: &[(u64, Shown)]) -> Story {
        let mut story = Story::default();
        for (ms, state) in steps {
            let state = state.map(|(occurrence, call, signals)| State {
                occurrence: occurrence.to_owned(),
                call,
                calls: call,
                signals,
            });
            story.note(Duration::from_millis(*ms), key(), state);
        }
        story
    }

    fn starts(story: &Story) -> Vec<(u128, u32, Option<u128>)> {
        let calls = story.calls().into_iter();
        calls.map(|it| (it.at.as_millis(), it.call, it.until.map(|end| end.as_millis()))).collect()
    }

    #[test]
    fn a_person_is_called_by_a_new_row_and_by_each_call_of_it() {
        let shown = story(&[
            (1, Some(("x", 1, true))),
            (2, Some(("x", 1, true))),
            (3, Some(("x", 2, true))),
            (4, Some(("x", 2, false))),
            (5, None),
            (6, Some(("y", 1, true))),
        ]);
        assert_eq!(starts(&shown), [(1, 1, Some(3)), (3, 2, Some(4)), (6, 1, None)]);
        assert_eq!(shown.signalling().len(), 1);
    }

    #[test]
    fn another_gateways_name_for_what_signals_already_calls_nobody() {
        let shown = story(&[(1, Some(("x", 1, true))), (2, Some(("later", 1, true))), (3, None)]);
        assert_eq!(starts(&shown), [(1, 1, Some(3))]);
    }

    #[test]
    fn what_was_acknowledged_and_signals_again_calls_again() {
        let shown = story(&[
            (1, Some(("x", 1, true))),
            (2, Some(("x", 1, false))),
            (3, Some(("x", 1, true))),
        ]);
        assert_eq!(starts(&shown), [(1, 1, Some(2)), (3, 1, None)]);
    }

    #[test]
    fn when_a_row_signalled_is_known() {
        let shown = story(&[(10, Some(("x", 1, true))), (20, Some(("x", 1, false))), (30, None)]);
        let signalled = |from, to| {
            shown.signalled(&key(), Duration::from_millis(from), Duration::from_millis(to))
        };
        assert!(signalled(5, 10) && signalled(15, 18) && signalled(0, 100));
        assert!(!signalled(0, 9) && !signalled(20, 50));
    }
}
