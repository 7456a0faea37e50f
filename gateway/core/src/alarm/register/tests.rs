//! Occurrences over many changes.

use super::*;
use crate::alarm::condition::Kind;
use crate::frame::Frame;
use crate::time::ClockMap;

#[derive(Default)]
struct Told(Vec<Transition>);

impl Output for Told {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.0.push(change.transition);
    }
}

#[test]
fn data_that_comes_and_goes_ten_times_a_second_is_told_once_a_second() {
    let start = Instant::from_millis(1_000);
    let mut register = Register::new(start);
    let id = OccurrenceId { condition: Condition::FLOW_LOW, boot: None, onset: 0 };
    let new = Occurrence::new(id, Kind::Physiological, Priority::Medium, start, start);
    register.active.push(new);
    let mut told = Told::default();
    for tick in 0..50_u64 {
        let now = Instant::from_millis(3_000 + tick * 100);
        register.set_last_known(|_one| true, tick % 2 == 0, now, &mut told);
    }
    // 5 s: lost at once, back a second later at the earliest, and lost again.
    assert_eq!(told.0.first(), Some(&Transition::DataLost));
    assert!((8..=10).contains(&told.0.len()), "{:?}", told.0);
}
