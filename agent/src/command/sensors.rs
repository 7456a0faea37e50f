//! `ecmo-agent sensors`: lists what could be an instrument of this machine, and what the settings would use.

use std::path::Path;

use ecmo_agent::Settings;
use ecmo_agent::inventory::{self, UsedPort};

use super::check::print_port;
use super::{Exit, settings_fault};

/// Lists what is found below `root`, which is `/` but in tests.
pub(crate) fn sensors(config: Option<&Path>, root: &Path) -> Result<(), Exit> {
    let settings = config.map(Settings::load).transpose().map_err(settings_fault)?;
    let found = inventory::look(root);

    println!("Serial ports");
    if found.ports.is_empty() {
        println!("  none: plug in the adapter, then see dmesg for what the system makes of it");
    }
    for port in &found.ports {
        println!("  {}", port.path.display());
        println!("    is {}; {}", port.device.display(), port.access.advice());
        if port.path == port.device {
            println!("    has no name that stays: with two adapters, give each one by a udev rule");
        }
    }

    println!("Analog-to-digital converters (Industrial I/O)");
    if found.converters.is_empty() {
        println!("  none");
    }
    for converter in &found.converters {
        let inputs = converter.inputs.join(", ");
        println!("  {} {}: {inputs}", converter.id, converter.name);
        if !converter.is_readable {
            println!("    no value can be read: check the right to its files below /sys/bus/iio");
        }
    }

    if let Some(settings) = settings {
        println!("What the settings of {} use", settings.address);
        let mut used = settings.sources.iter().filter_map(UsedPort::of).peekable();
        if used.peek().is_none() {
            println!("  no port");
        }
        used.for_each(|used| print_port(&used, root));
    }
    Ok(())
}
