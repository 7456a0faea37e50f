//! Linux Industrial I/O: analog-to-digital converters, read file by file ([`sysfs`]) or from the kernel's buffer ([`buffer`]).
//!
//! A converter gives `(raw + offset) * scale`, in millivolts for voltages. What a millivolt is worth is the site's setting.

pub mod scan_type;

pub mod folder;

pub mod sysfs;

pub mod buffer;

use core::time::Duration;

use rustix::io::Errno;

use self::folder::Folder;
use super::Channel;
use crate::config::{IioChannel, IioSettings, count_step};

/// Waiting times before a device is looked for again: doubled from the first to the last.
const REOPEN_FIRST: Duration = Duration::from_millis(100);
const REOPEN_LAST: Duration = Duration::from_secs(2);

/// The kernel's way from a raw number to millivolts.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Millivolts {
    scale: f64,
    offset: f64,
}

impl Millivolts {
    /// As the kernel states it for an input.
    fn of(folder: &Folder, input: &str) -> Result<Self, Errno> {
        let scale = folder.number_of(input, "scale", 1.0)?;
        let offset = folder.number_of(input, "offset", 0.0)?;
        Ok(Self { scale, offset })
    }

    fn of_raw(self, raw: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no converter has more than 52 bits")]
        let raw = raw as f64;
        (raw + self.offset) * self.scale
    }
}

/// The channels as the birth declares them.
fn channels(settings: &IioSettings) -> Vec<Channel> {
    let channel = |channel: &IioChannel| Channel {
        range: channel.scaling.range().cloned(),
        ..Channel::new(channel.parameter, settings.rate_hz, count_step(channel.parameter))
    };
    settings.channels.iter().map(channel).collect()
}

#[cfg(test)]
mod tests;
