//! The score: how often, how fast and how wrongly the alarm rules speak, held against runs whose truth is known.
//!
//! Reading order is data order: [`source`] is what a run delivers, [`sealing`] puts it into frames as an agent does,
//! [`rules`] and [`judge`] are the gateway's own core at work, [`truth`] is what had to be said. [`recording`] reads runs
//! that were made elsewhere; [`verdict`] holds one judged run against its truth, [`target`] is what must be reached, [`tally`]
//! adds up. [`simulated`] and [`wave`] are runs made here, [`plan`] says which; [`work`] spreads them over threads.
//! [`score`] joins all of it, [`report`] and [`explain`] put it into words, [`export`] writes simulated runs as recordings.

pub mod source;

pub mod sealing;

pub mod rules;

pub mod judge;

pub mod truth;

pub mod recording;

pub mod simulated;

pub mod wave;

pub mod plan;

pub mod verdict;

pub mod target;

pub mod tally;

mod consequence;

pub mod work;

pub mod score;

pub mod report;

pub mod export;

pub mod explain;
