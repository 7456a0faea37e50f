//! The settings of the alarm that the agent raises by itself: one `[local_alarm]` table, every key with a default.

use core::time::Duration;
use std::path::{Path, PathBuf};

use ecmo_core::alarm::condition::Priority;
use serde::Deserialize;

use super::number::Seconds;

/// How long an agent that no gateway has ever leased since its start is quiet: a gateway and its network start too (own
/// proposal).
const GRACE: Duration = Duration::from_secs(30);

/// How long "nobody listens" sounds while nothing else is wrong (own proposal).
const UNATTENDED_FOR: Duration = Duration::from_secs(120);

/// Longest run of the command before it is killed (own proposal).
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// The local alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalAlarmSettings {
    /// Whether the agent judges at all.
    pub enabled: bool,
    /// The rule set; `None`: the built-in starter profile.
    pub profile: Option<PathBuf>,
    /// Where treatment and unleased occurrences survive a restart; `None`: they do not.
    pub state: Option<PathBuf>,
    /// How long an agent is quiet that no gateway has leased since its start.
    pub grace: Duration,
    /// How urgent it is that no gateway listens; `None`: that alone does not sound.
    pub unattended: Option<Priority>,
    /// How long that sounds.
    pub unattended_for: Duration,
    /// Program and arguments that are started at each change; empty: none.
    pub command: Vec<String>,
    /// Longest run of the command.
    pub command_timeout: Duration,
    /// A line that is active while it sounds.
    pub gpio: Option<GpioSettings>,
    /// Program and arguments that play what is written to them; empty: none.
    pub tone: Vec<String>,
}

/// A line of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpioSettings {
    /// The character device, such as `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// Number of the line on the chip.
    pub line: u32,
    /// Whether the line is low while it sounds.
    #[serde(default)]
    pub active_low: bool,
}

impl Default for LocalAlarmSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            profile: None,
            state: None,
            grace: GRACE,
            unattended: Some(Priority::Low),
            unattended_for: UNATTENDED_FOR,
            command: Vec::new(),
            command_timeout: COMMAND_TIMEOUT,
            gpio: None,
            tone: Vec::new(),
        }
    }
}

impl LocalAlarmSettings {
    /// Relative paths count from the folder of the settings file.
    pub(super) fn in_folder(&mut self, folder: &Path) {
        for path in [&mut self.profile, &mut self.state].into_iter().flatten() {
            *path = folder.join(&*path);
        }
    }
}

/// How urgent it is that no gateway listens.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unattended {
    Off,
    Low,
    Medium,
}

/// The table as it stands in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    enabled: Option<bool>,
    profile: Option<PathBuf>,
    state: Option<PathBuf>,
    grace_s: Option<Seconds>,
    unattended: Option<Unattended>,
    unattended_s: Option<Seconds>,
    command: Vec<String>,
    command_timeout_s: Option<Seconds>,
    gpio: Option<GpioSettings>,
    tone: Vec<String>,
}

impl<'de> Deserialize<'de> for LocalAlarmSettings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = Keys::deserialize(deserializer)?;
        for (key, words) in [("command", &keys.command), ("tone", &keys.tone)] {
            if words.first().is_some_and(|program| !Path::new(program).is_absolute()) {
                let why = format!("{key} must begin with an absolute path: no shell looks for it");
                return Err(serde::de::Error::custom(why));
            }
        }
        let default = Self::default();
        let seconds = |given: Option<Seconds>, default| given.map_or(default, Seconds::duration);
        Ok(Self {
            enabled: keys.enabled.unwrap_or(default.enabled),
            profile: keys.profile,
            state: keys.state,
            grace: seconds(keys.grace_s, default.grace),
            unattended: keys.unattended.map_or(default.unattended, |word| match word {
                Unattended::Off => None,
                Unattended::Low => Some(Priority::Low),
                Unattended::Medium => Some(Priority::Medium),
            }),
            unattended_for: seconds(keys.unattended_s, default.unattended_for),
            command: keys.command,
            command_timeout: seconds(keys.command_timeout_s, default.command_timeout),
            gpio: keys.gpio,
            tone: keys.tone,
        })
    }
}
