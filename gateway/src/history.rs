//! What the values were: least, mean and greatest of each tenth of a second, for as long as the settings say.
//!
//! The alarm thread collects and hands over once a second, and waits for nobody: what finds no place is lost and counted,
//! and shows as time without data. Only parameters that a limit looks at are kept.

mod collect;

mod trial;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecmo_core::alarm::preview::Bin;
use ecmo_core::parameter::Parameter;
use ecmo_core::time::Instant;
use ecmo_proto::topic::PumpAddress;

pub use collect::{Collector, watched};
pub use trial::{Trial, needed, try_limit};

/// Width of a bin.
pub const BIN: Duration = Duration::from_millis(100);

/// Bins in a second.
const BINS_PER_SECOND: u64 = 10;

/// Batches on their way from the alarm thread: four seconds of 256 pumps.
pub const BATCHES_MAX: usize = 1_024;

/// The values of one parameter in one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Number of the bin since the zero of the gateway's monotonic clock.
    pub tick: u64,
    /// Its values.
    pub bin: Bin,
}

/// What one pump's collector hands over.
#[derive(Debug)]
pub struct Batch {
    /// Whose.
    pub address: PumpAddress,
    /// The rows, in the order of time within each parameter.
    pub rows: Vec<(Parameter, Row)>,
}

/// Number of the bin of a time.
#[must_use]
pub fn tick_of(at: Instant) -> u64 {
    at.as_nanos() / u64::try_from(BIN.as_nanos()).unwrap_or(u64::MAX)
}

type Rows = HashMap<Parameter, VecDeque<Row>>;

/// The rows of every pump, on the serving side.
#[derive(Debug)]
pub struct Histories {
    /// Bins that are kept of each parameter; 0 keeps nothing.
    ticks_max: u64,
    pumps: Mutex<HashMap<PumpAddress, Rows>>,
}

impl Histories {
    /// Nothing is known yet; rows are forgotten when they are as old as this.
    #[must_use]
    pub fn new(kept: Duration) -> Self {
        Self { ticks_max: kept.as_secs().saturating_mul(BINS_PER_SECOND), pumps: Mutex::default() }
    }

    /// Whether anything is kept at all.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.ticks_max > 0
    }

    fn pumps(&self) -> MutexGuard<'_, HashMap<PumpAddress, Rows>> {
        self.pumps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a batch, and forgets what is too old.
    pub fn take(&self, batch: Batch) {
        if !self.is_kept() {
            return;
        }
        let mut pumps = self.pumps();
        let of_pump = pumps.entry(batch.address).or_default();
        let newest = batch.rows.iter().map(|(_parameter, row)| row.tick).max().unwrap_or(0);
        for (parameter, row) in batch.rows {
            of_pump.entry(parameter).or_default().push_back(row);
        }
        let oldest = newest.saturating_sub(self.ticks_max);
        of_pump.retain(|_parameter, rows| {
            let too_old = rows.iter().take_while(|row| row.tick <= oldest).count();
            rows.drain(..too_old);
            // Bins do not repeat but for a clock map that moved; the bound holds all the same.
            let bound = usize::try_from(self.ticks_max).unwrap_or(usize::MAX);
            rows.drain(..rows.len().saturating_sub(bound));
            !rows.is_empty()
        });
    }

    /// Forgets a pump: what was measured at another patient says nothing about this one.
    pub fn forget(&self, address: &PumpAddress) {
        self.pumps().remove(address);
    }

    /// A copy of what is known of these parameters at a pump.
    #[must_use]
    pub fn rows(
        &self,
        address: &PumpAddress,
        wanted: &[Parameter],
    ) -> HashMap<Parameter, Vec<Row>> {
        let pumps = self.pumps();
        let Some(of_pump) = pumps.get(address) else { return HashMap::new() };
        let rows = |parameter: &Parameter| {
            let rows = of_pump.get(parameter)?;
            Some((*parameter, rows.iter().copied().collect()))
        };
        wanted.iter().filter_map(rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_proto::topic::Id;

    fn address(pump: &str) -> PumpAddress {
        PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new(pump).unwrap() }
    }

    fn row(tick: u64) -> Row {
        Row { tick, bin: Bin { min: 1.0, mean: 2.0, max: 3.0 } }
    }

    fn batch(pump: &str, ticks: std::ops::Range<u64>) -> Batch {
        let rows = ticks.map(|tick| (Parameter::PressPre, row(tick))).collect();
        Batch { address: address(pump), rows }
    }

    fn kept(histories: &Histories, pump: &str) -> Vec<u64> {
        let rows = histories.rows(&address(pump), &[Parameter::PressPre]);
        rows.get(&Parameter::PressPre).into_iter().flatten().map(|row| row.tick).collect()
    }

    #[test]
    fn what_is_too_old_is_forgotten_and_the_rest_is_kept() {
        let histories = Histories::new(Duration::from_mins(1));
        for second in 0..100 {
            histories.take(batch("p1", second * 10..second * 10 + 10));
            assert!(kept(&histories, "p1").len() <= 600);
        }
        assert_eq!(kept(&histories, "p1"), (400..1_000).collect::<Vec<_>>());
        assert!(kept(&histories, "p2").is_empty());
        histories.forget(&address("p1"));
        assert!(kept(&histories, "p1").is_empty());
    }

    #[test]
    fn a_history_of_no_minutes_keeps_nothing() {
        let histories = Histories::new(Duration::ZERO);
        histories.take(batch("p1", 0..10));
        assert!(!histories.is_kept() && kept(&histories, "p1").is_empty());
    }
}
