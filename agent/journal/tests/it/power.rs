//! Power loss on a real file system.
