//! The window of chatter: swings of drainage pressure and flow over 4 s, as the clinical reference judges them (C6).

/// Places in the window: 4 s at 20 Hz.
const PLACES: usize = 80;

/// Ticks between two places.
pub(crate) const EVERY: u64 = 5;

/// The last 4 s of drainage pressure (mmHg), flow (mL/min), and whether the vein was closed.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    drain: [f64; PLACES],
    flow: [f64; PLACES],
    collapsed: [Option<u64>; PLACES],
    next: usize,
    filled: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            drain: [0.0; PLACES],
            flow: [0.0; PLACES],
            collapsed: [None; PLACES],
            next: 0,
            filled: 0,
        }
    }
}

impl Window {
    /// Adds a moment.
    pub(crate) fn push(&mut self, tick: u64, drain: f64, flow: f64, is_collapsed: bool) {
        let place = self.next;
        if let (Some(at_drain), Some(at_flow), Some(at_collapsed)) =
            (self.drain.get_mut(place), self.flow.get_mut(place), self.collapsed.get_mut(place))
        {
            *at_drain = drain;
            *at_flow = flow;
            *at_collapsed = is_collapsed.then_some(tick);
        }
        self.next = (place + 1) % PLACES;
        self.filled = (self.filled + 1).min(PLACES);
    }

    /// P95 - P5 of the drainage pressure, in mmHg; 0 until the window is full.
    pub(crate) fn swing(&self) -> f64 {
        if self.filled < PLACES {
            return 0.0;
        }
        let [low, _, high] = ranks(&self.drain);
        high - low
    }

    /// The earliest moment in the window at which the vein was closed.
    pub(crate) fn first_collapse(&self) -> Option<u64> {
        self.collapsed.iter().flatten().min().copied()
    }

    /// C6: swing over 30 mmHg and over three times the usual, three downward crossings of 20 mmHg below the median in
    /// 10 s, flow that swings by more than a fifth.
    pub(crate) fn is_chatter(&self, usual_swing: f64) -> bool {
        if self.filled < PLACES || self.first_collapse().is_none() {
            return false;
        }
        let [low, median, high] = ranks(&self.drain);
        let [least, middle, most] = flow_span(&self.flow);
        let crossings = self.crossings(median - 20.0);
        high - low > (3.0 * usual_swing).max(30.0)
            // Two in 4 s are five in 10 s; one would be two and a half.
            && crossings >= 2
            && most - least > 0.2 * middle.abs()
    }

    fn crossings(&self, level: f64) -> usize {
        let inside =
            |offset: usize| self.drain.get((self.next + offset) % PLACES).copied().unwrap_or(0.0);
        (1..PLACES).filter(|place| inside(place - 1) >= level && inside(*place) < level).count()
    }
}

/// 5th, 50th and 95th percentile.
fn ranks(values: &[f64; PLACES]) -> [f64; 3] {
    let mut sorted = *values;
    sorted.sort_unstable_by(f64::total_cmp);
    [4, 40, 75].map(|place: usize| sorted.get(place).copied().unwrap_or(0.0))
}

/// Least, median and greatest.
fn flow_span(values: &[f64; PLACES]) -> [f64; 3] {
    let mut sorted = *values;
    sorted.sort_unstable_by(f64::total_cmp);
    [0, 40, PLACES - 1].map(|place: usize| sorted.get(place).copied().unwrap_or(0.0))
}
