//! Checks the simulation from outside: it replays, it finds what is planted, and past failures stay away.

mod mutation;

mod replay;

mod seeds;
