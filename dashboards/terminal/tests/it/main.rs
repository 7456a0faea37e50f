//! The real `ecmoctl` against a scripted gateway that speaks the real protocol on a port of its own.

mod gateway;

mod once;

mod process;

mod watching;
