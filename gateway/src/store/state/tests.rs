//! The store over restarts, damage and disks that fail.
