//! The pyramid: rows of a minute and of ten minutes for each parameter, gathered from chunks and written once each ten minutes.
//!
//! ```text
//! summary  version u8 | first minute, minutes: signed | columns
//! column   id of the parameter, then with their length: rows of a minute, rows of ten minutes
//! row      place as difference to the one before, summary
//! ```
//!
//! Rows add up: late samples bring rows of their own for times that have some already, and nothing is ever written anew.

use std::collections::BTreeMap;

use ecmo_core::parameter::Parameter;

use crate::bytes::{Cursor, put_bytes, put_number, put_signed};
use crate::chunk::{VERSION, WINDOW_NS};
use crate::row::Row;

/// A minute, in nanoseconds.
pub(crate) const MINUTE_NS: i64 = 60_000_000_000;

/// Ten minutes, in nanoseconds.
pub(crate) const TEN_MINUTES_NS: i64 = 10 * MINUTE_NS;

const _: () = assert!(MINUTE_NS % WINDOW_NS == 0);

/// How long a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Minute,
    TenMinutes,
}

impl Level {
    pub(crate) const fn ns(self) -> i64 {
        match self {
            Self::Minute => MINUTE_NS,
            Self::TenMinutes => TEN_MINUTES_NS,
        }
    }
}

/// Rows that are gathered and not written yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    /// Rows of a minute, by its number.
    columns: BTreeMap<Parameter, BTreeMap<i64, Row>>,
    /// Chunks that are in it.
    pub(crate) chunks: usize,
}

impl Summary {
    /// Takes the rows of a chunk of this window in.
    pub(crate) fn add(&mut self, window: i64, rows: impl IntoIterator<Item = (Parameter, Row)>) {
        let minute = window.div_euclid(MINUTE_NS / WINDOW_NS);
        self.chunks += 1;
        for (parameter, row) in rows {
            let minutes = self.columns.entry(parameter).or_default();
            minutes.entry(minute).or_default().merge(&row);
        }
    }

    /// The rows of these parameters, with the time at which each begins.
    pub(crate) fn rows(&self, level: Level, parameter: Parameter) -> BTreeMap<i64, Row> {
        let minutes = self.columns.get(&parameter);
        let mut rows: BTreeMap<i64, Row> = BTreeMap::new();
        for (minute, row) in minutes.into_iter().flatten() {
            let begin = (minute * MINUTE_NS).div_euclid(level.ns()) * level.ns();
            rows.entry(begin).or_default().merge(row);
        }
        rows
    }

    /// From the first to after the last minute, in nanoseconds.
    fn hull(&self) -> (i64, i64) {
        let minutes = || self.columns.values().flat_map(|rows| rows.keys().copied());
        let (first, last) = (minutes().min().unwrap_or_default(), minutes().max());
        (first * MINUTE_NS, last.map_or(first, |last| last + 1) * MINUTE_NS)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        let (from_ns, to_ns) = self.hull();
        put_signed(&mut out, from_ns / MINUTE_NS);
        put_signed(&mut out, (to_ns - from_ns) / MINUTE_NS);
        put_number(&mut out, self.columns.len() as u64);
        let mut bytes = Vec::new();
        for parameter in self.columns.keys() {
            put_bytes(&mut out, parameter.info().id.as_bytes());
            for level in [Level::Minute, Level::TenMinutes] {
                bytes.clear();
                put_rows(&mut bytes, &self.rows(level, *parameter), level);
                put_bytes(&mut out, &bytes);
            }
        }
        out
    }

    /// From when to when a written summary reaches, in nanoseconds.
    pub(crate) fn span(bytes: &[u8]) -> Option<(i64, i64)> {
        head(&mut Cursor::new(bytes))
    }

    /// Gives the wanted rows of a written summary, with the parameter and the time at which each begins; `None`: it is
    /// damaged or of a later version.
    pub(crate) fn read(
        bytes: &[u8],
        level: Level,
        wanted: impl Fn(Parameter) -> bool,
        mut take: impl FnMut(Parameter, i64, &Row),
    ) -> Option<()> {
        let mut cursor = Cursor::new(bytes);
        head(&mut cursor)?;
        for _ in 0..cursor.count()? {
            let parameter = Parameter::from_id(cursor.text()?).filter(|one| wanted(*one));
            let (minutes, tens) = (cursor.bytes()?, cursor.bytes()?);
            let Some(parameter) = parameter else { continue };
            let mut rows = Cursor::new(match level {
                Level::Minute => minutes,
                Level::TenMinutes => tens,
            });
            let mut place = 0_i64;
            while !rows.is_empty() {
                place = place.checked_add(rows.signed()?)?;
                take(parameter, place.checked_mul(level.ns())?, &Row::decode(&mut rows)?);
            }
        }
        Some(())
    }
}

fn head(cursor: &mut Cursor<'_>) -> Option<(i64, i64)> {
    if cursor.byte()? != VERSION {
        return None;
    }
    let first = cursor.signed()?;
    let end = first.checked_add(cursor.signed()?)?;
    Some((first.checked_mul(MINUTE_NS)?, end.checked_mul(MINUTE_NS)?))
}

fn put_rows(out: &mut Vec<u8>, rows: &BTreeMap<i64, Row>, level: Level) {
    let mut before = 0;
    for (begin, row) in rows {
        let place = begin / level.ns();
        put_signed(out, place - before);
        row.encode(out);
        before = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::reading::Reading;
    use proptest::prelude::*;

    fn row(value: f32) -> Row {
        let mut row = Row::default();
        row.add(Reading::Value(value));
        row
    }

    #[test]
    fn rows_of_a_minute_and_of_ten_come_back_and_add_up() {
        let mut summary = Summary::default();
        for window in -7..130 {
            summary.add(window, [(Parameter::FlowBlood, row(1.5)), (Parameter::Hb, row(9.0))]);
        }
        let bytes = summary.encode();
        assert_eq!(Summary::span(&bytes), Some((-2 * MINUTE_NS, 22 * MINUTE_NS)));
        for (level, rows) in [(Level::Minute, 24), (Level::TenMinutes, 4)] {
            let mut found = BTreeMap::new();
            let wanted = |one| one == Parameter::Hb;
            Summary::read(&bytes, level, wanted, |parameter, at_ns, row| {
                assert_eq!(parameter, Parameter::Hb);
                assert_eq!(at_ns % level.ns(), 0);
                found.insert(at_ns, *row);
            })
            .unwrap();
            assert_eq!(found.len(), rows);
            assert_eq!(found.values().map(|row| row.count).sum::<u64>(), 137);
            assert_eq!(found, summary.rows(level, Parameter::Hb));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
            bytes[0] = VERSION;
            let _any = Summary::read(&bytes, Level::Minute, |_one| true, |_one, _at, _row| {});
        }
    }
}
