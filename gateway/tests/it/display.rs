//! The display of the test kit under the name that the tests of the gateway use.
#![cfg(test)]

pub(crate) use ecmo_testkit::attendant::Attendant;
pub(crate) use ecmo_testkit::display::*;
