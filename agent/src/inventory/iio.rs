//! The analog-to-digital converters that the kernel's Industrial I/O subsystem offers.

use std::path::Path;

use super::{below, names};

/// Where the subsystem lists its devices.
const DEVICES: &str = "/sys/bus/iio/devices";

/// A converter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundConverter {
    /// Its folder's name, such as `iio:device0`.
    pub id: String,
    /// The chip, as the driver names it.
    pub name: String,
    /// Its inputs, such as `voltage0`.
    pub inputs: Vec<String>,
    /// Whether a raw value can be read.
    pub is_readable: bool,
}

/// All converters of a machine.
pub(super) fn look(root: &Path) -> Vec<FoundConverter> {
    let devices = below(root, Path::new(DEVICES));
    let found = |id: String| {
        let folder = devices.join(&id);
        let name = std::fs::read_to_string(folder.join("name")).unwrap_or_default();
        let raw: Vec<_> = names(&folder, &["in_"]);
        let raw: Vec<_> = raw.into_iter().filter(|name| name.ends_with("_raw")).collect();
        let is_readable = raw.first().is_some_and(|raw| {
            // The value itself does not matter here.
            std::fs::read_to_string(folder.join(raw)).is_ok()
        });
        let input =
            |raw: &String| raw.trim_start_matches("in_").trim_end_matches("_raw").to_owned();
        let inputs = raw.iter().map(input).collect();
        FoundConverter { id, name: name.trim().to_owned(), inputs, is_readable }
    };
    names(&devices, &["iio:device"]).into_iter().map(found).collect()
}
