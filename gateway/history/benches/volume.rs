//! Measures a ward in the history.

fn main() {}
