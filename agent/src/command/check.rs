//! `ecmo-agent check`: checks the settings and prints what would be sampled.

use std::path::Path;

use ecmo_agent::Settings;

use super::{Exit, of_run, settings_fault};

/// Prints what would be sampled.
pub(crate) fn check(config: &Path) -> Result<(), Exit> {
    let settings = Settings::load(config).map_err(settings_fault)?;
    let lineup = ecmo_agent::lineup(&settings).map_err(of_run)?;
    println!("pump     {}", settings.address);
    for (path, broker) in settings.brokers.paths() {
        println!("broker {path} {broker}");
    }
    println!("device   {}", lineup.device());
    println!("source   {:?}", lineup.source());
    println!("frames   every {} ms", settings.frame_period.as_millis());
    println!("{:<24} {:<12} {:>10}  {:<10} name", "channel", "unit", "rate", "step");
    for channel in lineup.channels() {
        let info = channel.parameter.info();
        let rate = if channel.rate_hz > 0.0 {
            format!("{:.4} Hz", channel.rate_hz)
        } else {
            "on change".to_owned()
        };
        println!(
            "{:<24} {:<12} {rate:>10}  {:<10} {}",
            info.id, info.unit, channel.scale, info.name
        );
    }
    Ok(())
}
