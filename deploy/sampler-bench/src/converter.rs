//! The files of a converter with eight inputs, as the kernel shows one: each input is a link to an attribute in sysfs, so that
//! a read costs what it costs there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

/// What is measured, an attribute of the loopback interface that is a whole number on each Linux, and what it is worth: the
/// circuit of a newborn, healthy.
const INPUTS: [(&str, &str, f64); 8] = [
    ("flow.blood", "type", 0.5),
    ("pump.speed", "tx_queue_len", 2.0),
    ("press.drain", "ifindex", -20.0),
    ("press.pre", "iflink", 100.0),
    ("press.post", "ifindex", 80.0),
    ("press.aux", "addr_len", 2.0),
    ("pt.abp", "addr_len", 8.0),
    ("pt.cvp", "addr_len", 1.0),
];

/// Makes the files below a folder that stands for the root of the machine.
pub(crate) fn plug(root: &Path) -> Result<()> {
    let device = root.join("sys/bus/iio/devices/iio:device0");
    let made = || {
        fs::create_dir_all(&device)?;
        fs::write(device.join("name"), "bench\n")?;
        fs::write(device.join("in_voltage_scale"), "1\n")?;
        for (number, (_, attribute, _)) in INPUTS.iter().enumerate() {
            let link = device.join(format!("in_voltage{number}_raw"));
            symlink(Path::new("/sys/class/net/lo").join(attribute), link)?;
        }
        std::io::Result::Ok(())
    };
    made().with_context(|| format!("cannot make a converter in {}", device.display()))
}

/// The converter as a source in the settings.
pub(crate) fn source(root: &Path, rate_hz: u32) -> String {
    let channel = |(number, (parameter, _, scale)): (usize, &(&str, &str, f64))| {
        format!(
            "[[source.channel]]\nparameter = \"{parameter}\"\ninput = \"in_voltage{number}\"\nscale = {scale:.1}\n"
        )
    };
    let channels: String = INPUTS.iter().enumerate().map(channel).collect();
    format!(
        "[[source]]\nkind = \"iio\"\nroot = \"{}\"\ndevice = \"bench\"\nmode = \"sysfs\"\nrate_hz = {rate_hz}\n{channels}",
        root.display()
    )
}
