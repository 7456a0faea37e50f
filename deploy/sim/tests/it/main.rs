//! Checks the simulation from outside: it replays, it finds what is planted, and past failures stay away.

#![expect(clippy::unwrap_used, reason = "all of it is test code; a panic is a failed test")]

mod mutation;

mod replay;

mod seeds;
