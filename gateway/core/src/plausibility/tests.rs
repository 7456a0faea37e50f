//! Doubts by hand-made signals.
