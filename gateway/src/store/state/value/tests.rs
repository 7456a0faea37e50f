//! Everything that is kept of a pump comes back as it was, with its times on another clock.
