//! `ecmo-agent check`: checks the settings and prints what would be sampled, and from which ports.

use std::path::Path;

use ecmo_agent::Settings;
use ecmo_agent::inventory::UsedPort;
use ecmo_agent::sampler::{Plan, footing_here};
use ecmo_agent::sensor::Channel;

use super::{Exit, of_run, settings_fault};

/// Prints what would be sampled, and what is in the way; `root` is `/` but in tests.
pub(crate) fn check(config: &Path, root: &Path) -> Result<(), Exit> {
    let settings = Settings::load(config).map_err(settings_fault)?;
    let lineup = ecmo_agent::lineup(&settings).map_err(of_run)?;
    println!("pump     {}", settings.address);
    for (name, broker) in settings.brokers.paths() {
        println!("path {name}   {broker}");
    }
    print_certificate(&settings)?;
    println!("device   {}", lineup.device());
    println!("source   {:?}", lineup.source());
    println!("frames   every {} ms", settings.frame_period.as_millis());
    let plan = Plan::new(&settings.sampling, &lineup, settings.frame_period);
    let footing = footing_here(&plan);
    let yes = |is_so| if is_so { "yes" } else { "no" };
    println!(
        "sampling every {} us, real-time priority {}, memory locked {}",
        plan.tick.as_micros(),
        yes(footing.realtime),
        yes(footing.memory_locked)
    );
    if !footing.limitation.is_empty() {
        println!("limits   {}", footing.limitation);
    }
    if let Some(metrics) = settings.metrics {
        println!("metrics  http://{}/metrics", metrics.bind);
    }
    for used in settings.sources.iter().filter_map(UsedPort::of) {
        print_port(&used, root);
    }
    println!(
        "{:<24} {:<12} {:>10}  {:<16} {:<10} name",
        "channel", "unit", "rate", "range", "step"
    );
    for channel in lineup.channels() {
        let info = channel.parameter.info();
        println!(
            "{:<24} {:<12} {:>10}  {:<16} {:<10} {}",
            info.id,
            info.unit,
            rate(channel),
            range(channel),
            channel.scale,
            info.name
        );
    }
    Ok(())
}

/// Prints for whom the certificate is, and how long it holds, where brokers are reached by TLS.
fn print_certificate(settings: &Settings) -> Result<(), Exit> {
    ecmo_agent::tls::open(settings).map_err(settings_fault)?;
    let Some(tls) = &settings.tls else { return Ok(()) };
    let own = ecmo_identity::certificate(&tls.certificate).map_err(settings_fault)?;
    let (name, until) = (own.common_name.unwrap_or_default(), ecmo_identity::date(own.not_after));
    println!("tls      as {name}, until {until}");
    Ok(())
}

/// Prints a port of the settings with what to do about it.
pub(super) fn print_port(used: &UsedPort, root: &Path) {
    println!("port     {}, {}", used.address, used.line);
    println!("         {}", used.advice(root));
    println!("         may be sent: {}", used.sends);
}

fn rate(channel: &Channel) -> String {
    if channel.rate_hz > 0.0 {
        format!("{:.4} Hz", channel.rate_hz)
    } else {
        "on change".to_owned()
    }
}

/// What the sensor can measure, or else what is possible at all, in brackets.
fn range(channel: &Channel) -> String {
    let info = channel.parameter.info();
    channel.range.as_ref().map_or_else(
        || format!("({} to {})", info.possible_low, info.possible_high),
        |range| format!("{} to {}", range.start(), range.end()),
    )
}
