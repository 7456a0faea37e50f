//! `[silence]`, `[signals]` and `[sensors]`: absence, sounds, and which sensors the gateway cannot do without.

use std::time::Duration;

use ecmo_core::alarm::rule::{SensorRules, SignalRules, SilenceRules};

use crate::error::Problems;
use crate::reader::{Table, Value};
use crate::words;

/// Longest audio pause that IEC 60601-1-8 practice allows (reference, section 3.2).
const PAUSE_MAX: Duration = Duration::from_secs(120);

/// Longest time for which anything may be shelved.
const SHELVE_MAX: Duration = Duration::from_secs(8 * 60 * 60);

/// Longest time without a frame that counts as watched, and shortest that a healthy path keeps.
const FRAME: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// Range of the times about single channels and consoles.
const CHANNEL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// Range of the time for which zeroing may keep limits from being judged (reference, section 2.4, C11e).
const CALIBRATING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Range of the times that must pass until an absence counts as over.
const CLEAR: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// Range of the difference between two wall clocks.
const SKEW: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(60));

/// Range of the time for which the difference must last.
const SKEW_DELAY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

/// Range of the interval between reminders.
const REMINDER: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));

/// Range of the time within which a cause and its consequence begin.
const WINDOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Reads a time in seconds that must be there.
fn seconds<'a>(
    key: &'static str,
    (least, most): (Duration, Duration),
    table: &mut Table<'a>,
    problems: &mut Problems,
) -> Option<(Duration, Value<'a>)> {
    let value = table.required(key, problems)?;
    Some((value.seconds(least, most, problems)?, value))
}

/// Reads `[silence]`.
pub(crate) fn silence(mut table: Table<'_>, problems: &mut Problems) -> Option<SilenceRules> {
    let frame = seconds("frame_s", FRAME, &mut table, problems);
    let hint = seconds("frame_after_hint_s", FRAME, &mut table, problems);
    let frame_clear = seconds("frame_clear_s", CLEAR, &mut table, problems);
    let channel = seconds("channel_s", CHANNEL, &mut table, problems);
    let channel_missing = seconds("channel_missing_s", CHANNEL, &mut table, problems);
    let channel_clear = seconds("channel_clear_s", CLEAR, &mut table, problems);
    let calibrating = seconds("calibrating_s", CALIBRATING, &mut table, problems);
    let console = seconds("console_s", CHANNEL, &mut table, problems);
    let duplicate_clear = seconds("duplicate_clear_s", CLEAR, &mut table, problems);
    let skew_low = seconds("skew_low_s", SKEW, &mut table, problems);
    let skew_medium = seconds("skew_medium_s", SKEW, &mut table, problems);
    let skew_delay = seconds("skew_delay_s", SKEW_DELAY, &mut table, problems);
    table.close(problems);
    let (frame, (hint, hint_value)) = (frame?.0, hint?);
    if hint > frame {
        hint_value.refuse(problems, "is longer than frame_s", "write at most frame_s");
    }
    let (skew_low, (skew_medium, skew_value)) = (skew_low?.0, skew_medium?);
    if skew_medium <= skew_low {
        skew_value.refuse(problems, "is not beyond skew_low_s", "write more than skew_low_s");
    }
    Some(SilenceRules {
        frame,
        frame_after_hint: hint,
        frame_clear: frame_clear?.0,
        channel: channel?.0,
        channel_missing: channel_missing?.0,
        channel_clear: channel_clear?.0,
        calibrating: calibrating?.0,
        console: console?.0,
        duplicate_clear: duplicate_clear?.0,
        skew: (skew_low, skew_medium),
        skew_delay: skew_delay?.0,
    })
}

/// Reads `[signals]`. There is no key with which an alarm of high priority could be shelved.
pub(crate) fn signals(mut table: Table<'_>, problems: &mut Problems) -> Option<SignalRules> {
    let pause = seconds("pause_max_s", (Duration::ZERO, PAUSE_MAX), &mut table, problems);
    let reminder = seconds("reminder_s", REMINDER, &mut table, problems);
    let shelve = table
        .required("shelve_max_min", problems)
        .and_then(|value| value.minutes(Duration::ZERO, SHELVE_MAX, problems));
    let window = seconds("group_window_s", WINDOW, &mut table, problems);
    table.close(problems);
    Some(SignalRules {
        pause_max: pause?.0,
        reminder: reminder?.0,
        shelve_max: shelve?,
        group_window: window?.0,
    })
}

/// Reads `[sensors]`.
pub(crate) fn sensors(mut table: Table<'_>, problems: &mut Problems) -> Option<SensorRules> {
    let vital = table
        .required("vital", problems)
        .and_then(|value| value.filled_list("the sensors that the gateway must have", problems));
    table.close(problems);
    let mut parameters = Vec::new();
    for value in vital? {
        let parameter = words::parameter(&value, problems)?;
        if parameters.contains(&parameter) {
            value.refuse(problems, "is named twice", "remove one");
        }
        parameters.push(parameter);
    }
    Some(SensorRules { vital: parameters })
}
