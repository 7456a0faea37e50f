//! Writes samples as a table that replay, the line source and the scorer read back exactly. The file is the caller's.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;

use crate::sensor::table::{TIME_COLUMN, text};
use crate::sensor::{Batch, Channel};

/// How long a row waits for samples of the same time or an earlier one: longer than any instrument dates back.
const WAIT: Duration = Duration::from_secs(2);

/// Most rows that wait: the fastest rate for as long as they do, and a half more.
const ROWS_MAX: usize = 3000;

/// A table that grows.
#[derive(Debug)]
pub struct Table {
    columns: usize,
    rows: BTreeMap<SampleTime, Vec<Option<Reading>>>,
    /// Time of the first sample: zero of the table.
    start: Option<SampleTime>,
    /// Time of the newest row that was handed out.
    done: Option<SampleTime>,
    /// Samples that came too late for their row.
    pub late: u64,
}

impl Table {
    /// A table of these channels.
    #[must_use]
    pub const fn new(channels: &[Channel]) -> Self {
        Self { columns: channels.len(), rows: BTreeMap::new(), start: None, done: None, late: 0 }
    }

    /// The head of the file: what it is, and the names of the columns. Times count from the first sample.
    #[must_use]
    pub fn head(remark: &str, channels: &[Channel]) -> String {
        let remark = remark.replace(['\n', '\r'], " ");
        let ids = channels.iter().map(|channel| format!(",{}", channel.parameter.info().id));
        format!("# {remark}\n{TIME_COLUMN}{}\n", ids.collect::<String>())
    }

    /// Takes samples in any order.
    pub fn add(&mut self, batch: &Batch) {
        for sample in &batch.samples {
            // The first samples decide where zero is; one that is dated before them has no place.
            let too_early = self.start.is_some_and(|start| sample.time < start);
            if too_early || self.done.is_some_and(|done| sample.time <= done) {
                self.late += 1;
                continue;
            }
            let row = self.rows.entry(sample.time).or_insert_with(|| vec![None; self.columns]);
            if let Some(cell) = row.get_mut(sample.channel) {
                *cell = Some(sample.reading);
            }
        }
    }

    /// The rows that are complete at `now`, in the order of their times.
    pub fn rows(&mut self, now: SampleTime) -> String {
        let mut out = String::new();
        while let Some(first) = self.rows.first_entry() {
            let is_over = now.since(*first.key()) >= WAIT;
            if !is_over && self.rows.len() <= ROWS_MAX {
                break;
            }
            self.hand_out(&mut out);
        }
        out
    }

    /// Every row that is left.
    pub fn rest(&mut self) -> String {
        let mut out = String::new();
        while !self.rows.is_empty() {
            self.hand_out(&mut out);
        }
        out
    }

    fn hand_out(&mut self, out: &mut String) {
        let Some((time, cells)) = self.rows.pop_first() else { return };
        self.done = Some(time);
        let since = time.since(*self.start.get_or_insert(time));
        // Writing to a string cannot fail.
        let _written = write!(out, "{}.{:09}", since.as_secs(), since.subsec_nanos()).is_ok();
        for cell in cells {
            out.push(',');
            out.push_str(&cell.map(text).unwrap_or_default());
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::recording::Recording;
    use ecmo_core::parameter::Parameter;
    use ecmo_core::reading::NoData;
    use proptest::prelude::*;
    use std::path::Path;

    fn channels() -> [Channel; 2] {
        [
            Channel::new(Parameter::PressDrain, 100.0, 0.1),
            Channel::new(Parameter::FlowBlood, 10.0, 1.0),
        ]
    }

    #[test]
    fn rows_come_in_order_however_late_their_samples_are() {
        let at = SampleTime::from_millis;
        let mut table = Table::new(&channels());
        let mut batch = Batch::default();
        batch.push(0, at(1000), Reading::Value(-45.5));
        batch.push(0, at(1020), Reading::Questionable(-46.0));
        batch.push(1, at(1010), Reading::NoData(NoData::SensorOff));
        batch.push(1, at(1000), Reading::Value(350.0));
        table.add(&batch);
        assert_eq!(table.rows(at(2999)), "");
        assert_eq!(table.rows(at(3005)), "0.000000000,-45.5,350\n");
        batch.clear();
        batch.push(0, at(990), Reading::Value(1.0));
        table.add(&batch);
        assert_eq!(
            (table.rest().as_str(), table.late),
            ("0.010000000,,sensor_off\n0.020000000,-46?,\n", 1)
        );
    }

    proptest! {
        #[test]
        fn what_is_recorded_is_read_back_exactly(
            samples in proptest::collection::vec((0usize..2, 0u64..1000, any::<f32>(), 0usize..11), 3..100)
        ) {
            let mut table = Table::new(&channels());
            let mut expected = BTreeMap::new();
            let mut batch = Batch::default();
            for (channel, millis, value, kind) in samples {
                let reading = match NoData::WORDS.get(kind) {
                    Some((_, reason)) => Reading::NoData(*reason),
                    None if !value.is_finite() => Reading::NoData(NoData::SensorFault),
                    None if kind == 9 => Reading::Questionable(value),
                    None => Reading::Value(value),
                };
                batch.push(channel, SampleTime::from_millis(millis), reading);
                expected.entry(millis).or_insert([None; 2])[channel] = Some(reading);
            }
            prop_assume!(expected.len() >= 2);
            table.add(&batch);
            let text = Table::head("made up", &channels()) + &table.rest();
            let read = Recording::parse(&text, Path::new("r.csv")).unwrap();
            prop_assert_eq!(read.len(), expected.len());
            let first = *expected.keys().next().unwrap();
            for (index, (millis, cells)) in expected.into_iter().enumerate() {
                prop_assert_eq!(read.row(index), Some(&cells[..]));
                prop_assert_eq!(read.times.as_ref().unwrap()[index], Duration::from_millis(millis - first));
            }
        }
    }
}
