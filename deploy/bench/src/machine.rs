//! What the figures were measured on.

use std::fs::read_to_string;

use serde::Serialize;

/// The machine and how busy it was.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) profile: &'static str,
    pub(crate) version: &'static str,
}

impl Machine {
    /// This one; what the system does not tell is "unknown".
    pub(crate) fn here() -> Self {
        let unknown = || "unknown".to_owned();
        let processors = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processors
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or_else(unknown, |(_, name)| name.trim().to_owned());
        let kernel = read_to_string("/proc/sys/kernel/osrelease")
            .map_or_else(|_not_told| unknown(), |text| text.trim().to_owned());
        Self {
            processor,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel,
            profile: if cfg!(debug_assertions) { "debug" } else { "release" },
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Load average over 1, 5 and 15 minutes, as the system tells it.
pub(crate) fn load() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = text.split_whitespace().take(3).collect();
    if load.is_empty() { "unknown".to_owned() } else { load.join(" ") }
}
