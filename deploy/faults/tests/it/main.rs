//! The faults of the reference (section 2 of the operations part), each with its promised outcome.

mod site;

mod agents;

mod frames;

mod paths;

mod clocks;

mod bedside;

mod links;

mod gateway;

mod displays;

mod supervision;
