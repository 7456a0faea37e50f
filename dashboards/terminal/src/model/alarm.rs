//! Alarms as the display knows them: what a condition is, where its occurrence stands, what is heard of it.

use std::cmp::Reverse;
use std::time::Duration;

use crate::age::GatewayTime;

words! {
    /// Whether a sample is a measurement, or why it is none.
    Validity {
        /// A measurement.
        Valid = "valid",
        /// A measurement that the device doubts.
        Questionable = "questionable",
        /// Below what the sensor can measure.
        BelowRange = "below_range",
        /// Above what the sensor can measure.
        AboveRange = "above_range",
        /// The device does not measure now.
        NotMeasured = "not_measured",
        /// Unplugged or off.
        SensorOff = "sensor_off",
        /// The sensor reports a fault.
        SensorFault = "sensor_fault",
        /// Being zeroed or calibrated.
        Calibrating = "calibrating",
        /// The device repeats an old value.
        Stale = "stale",
        /// Simulated by the device, not measured.
        Simulated = "simulated",
        /// The agent hears nothing from the device.
        CommLost = "comm_lost",
    }
}

words! {
    /// What an alarm is about.
    AlarmKind {
        /// The patient or the circuit's blood side.
        Physiological = "physiological",
        /// A device, a sensor, a link or the system.
        Technical = "technical",
    }
}

words! {
    /// How urgent an alarm is; the greater the more urgent.
    Priority {
        /// No alarm: a card to read, without sound.
        Information = "information",
        /// Awareness.
        Low = "low",
        /// Prompt response.
        Medium = "medium",
        /// Immediate response.
        High = "high",
    }
}

words! {
    /// What the signal of an alarm does.
    Signal {
        /// Present and not acknowledged.
        On = "on",
        /// Gone and not acknowledged.
        Latched = "latched",
        /// Present and acknowledged.
        Acknowledged = "acknowledged",
        /// Ended.
        Off = "off",
    }
}

words! {
    /// What is heard of an alarm.
    Audio {
        /// Its sound.
        On = "on",
        /// Nothing: acknowledged, ended, or a card.
        Off = "off",
        /// Nothing for a while: a person paused it.
        Paused = "paused",
        /// Nothing for a while: a person shelved its condition.
        Shelved = "shelved",
        /// Nothing: it is the consequence of another alarm that signals.
        Grouped = "grouped",
    }
}

words! {
    /// What a pause of the sound covers.
    PauseScope {
        /// One alarm.
        Alarm = "alarm",
        /// The alarms of one pump that signalled then.
        Pump = "pump",
        /// The alarms of one ward that signalled then.
        Ward = "ward",
    }
}

words! {
    /// What changed with a revision.
    Transition {
        /// The condition became present.
        Raised = "raised",
        /// Gone but latched, it is present again.
        Returned = "returned",
        /// Gone; the signal stays until acknowledged.
        Latched = "latched",
        /// A person acknowledged it.
        Acknowledged = "acknowledged",
        /// Its data is missing.
        DataLost = "data_lost",
        /// Its data is back.
        DataBack = "data_back",
        /// Worse than what was acknowledged, or more urgent.
        Worsened = "worsened",
        /// More urgent because nobody acknowledged it in time.
        Escalated = "escalated",
        /// Its limit changed, or it is less urgent.
        RuleChanged = "rule_changed",
        /// Its sound was paused, shelved or grouped, or is heard again.
        AudioChanged = "audio_changed",
        /// Nobody has acknowledged it for a while.
        Reminded = "reminded",
        /// Ended.
        Ended = "ended",
    }
}

words! {
    /// Which side of a limit is the violation.
    Side {
        /// Values below it.
        Below = "below",
        /// Values above it.
        Above = "above",
    }
}

/// One occurrence of an alarm condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) occurrence: String,
    pub(crate) revision: u32,
    pub(crate) ward: String,
    /// `None` for a condition of the gateway itself.
    pub(crate) pump: Option<String>,
    /// The gateway whose own condition it is, by its name.
    pub(crate) gateway: Option<String>,
    /// Of another ward, and shown here because no display of its own has confirmed it.
    pub(crate) redirected: bool,
    pub(crate) condition: String,
    pub(crate) kind: AlarmKind,
    pub(crate) priority: Priority,
    pub(crate) present: bool,
    pub(crate) signal: Signal,
    /// True while the condition cannot be judged because its data is missing.
    pub(crate) last_known: bool,
    pub(crate) parameter: Option<String>,
    /// Newest value; finite.
    pub(crate) value: Option<f32>,
    pub(crate) worst: Option<f32>,
    pub(crate) limit: Option<f32>,
    pub(crate) side: Option<Side>,
    pub(crate) unit: String,
    /// Why there is no value, where that is the condition.
    pub(crate) no_value: Option<Validity>,
    pub(crate) onset: GatewayTime,
    /// Nanoseconds since 1970 UTC; 0 when unknown.
    pub(crate) onset_wall_ns: i64,
    /// When `value` was taken; where the gateway does not say, when the alarm last changed.
    pub(crate) value_at: GatewayTime,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) acknowledged_note: Option<String>,
    pub(crate) audio: Audio,
    /// When a pause or shelving ends by itself.
    pub(crate) audio_until: Option<GatewayTime>,
    /// Who paused or shelved it.
    pub(crate) audio_by: Option<String>,
    /// What the pause covers.
    pub(crate) pause_scope: Option<PauseScope>,
    /// The condition whose consequence it is.
    pub(crate) led_by: Option<String>,
    /// More urgent because nobody acknowledged it in time.
    pub(crate) escalated: bool,
    /// How often it was recalled because nobody acknowledged it.
    pub(crate) reminders: u32,
    /// The rule that it follows.
    pub(crate) rule: Option<String>,
    /// What changed with this revision; `None` where the gateway does not say.
    pub(crate) transition: Option<Transition>,
    pub(crate) path: Option<AlarmPath>,
    pub(crate) unreviewed: bool,
}

/// What the path took for the sample that decided an alarm, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) struct AlarmPath {
    pub(crate) sampled_to_published_ns: Option<u64>,
    pub(crate) published_to_received_ns: Option<u64>,
    pub(crate) received_to_decided_ns: Option<u64>,
}

impl Alarm {
    /// Whether it is no alarm but a card to read.
    pub(crate) fn is_card(&self) -> bool {
        self.priority == Priority::Information
    }

    /// The occurrence and its revision, as a person names what they have seen: `OCCURRENCE@REVISION`.
    pub(crate) fn seen_id(&self) -> String {
        format!("{}@{}", self.occurrence, self.revision)
    }

    /// How long the sound stays away by itself; `None` where no time ends it.
    pub(crate) fn audio_left(&self, now: GatewayTime) -> Option<Duration> {
        self.audio_until.map(|until| now.age_at(until))
    }

    /// Whether the occurrence has not ended; also of a card.
    pub(crate) fn is_active(&self) -> bool {
        self.present || self.signal != Signal::Off
    }

    /// Whether somebody still has to acknowledge it.
    pub(crate) const fn is_unacknowledged(&self) -> bool {
        match self.signal {
            Signal::On | Signal::Latched => true,
            Signal::Acknowledged | Signal::Off => false,
        }
    }

    /// Order of a list: priority, then the older first; the rest makes it stable.
    pub(crate) fn listed(&self) -> (Reverse<Priority>, GatewayTime, String) {
        (Reverse(self.priority), self.onset, self.occurrence.clone())
    }

    /// Order of a short list: what nobody has acknowledged before what somebody has, then as in a list; cards last.
    pub(crate) fn urgency(&self) -> (bool, bool, Reverse<Priority>, GatewayTime, String) {
        let (priority, onset, occurrence) = self.listed();
        (self.is_card(), !self.is_unacknowledged(), priority, onset, occurrence)
    }

    /// The pump as `ward/pump`; for a condition of a gateway its name, with the ward where it is about one.
    pub(crate) fn place(&self) -> String {
        // A gateway that nobody has named is called by this word, too.
        const GATEWAY: &str = "gateway";
        let Some(pump) = &self.pump else {
            let name = self.gateway.as_deref().filter(|name| *name != GATEWAY);
            let gateway =
                name.map_or_else(|| GATEWAY.to_owned(), |name| format!("{GATEWAY} {name}"));
            let ward = &self.ward;
            return if ward.is_empty() { gateway } else { format!("ward {ward} ({gateway})") };
        };
        let place =
            if self.ward.is_empty() { pump.clone() } else { format!("{}/{pump}", self.ward) };
        if self.redirected { format!("REDIRECTED {place}") } else { place }
    }

    /// The same with its times moved by so many nanoseconds, to be read on another clock.
    pub(crate) fn moved(self, by: i128) -> Self {
        let moved = |time: GatewayTime| time.moved(by);
        Self {
            onset: moved(self.onset),
            value_at: moved(self.value_at),
            audio_until: self.audio_until.map(moved),
            ..self
        }
    }
}

/// An alarm that would have been raised if the frames had arrived in time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MissedAlarm {
    pub(crate) name: super::PumpName,
    pub(crate) occurrence: String,
    pub(crate) condition: String,
    pub(crate) priority: Priority,
    pub(crate) onset_wall_ns: i64,
    /// `None`: present at the end of what was missed.
    pub(crate) end_wall_ns: Option<i64>,
    pub(crate) worst: Option<f32>,
    pub(crate) limit: Option<f32>,
    pub(crate) unit: String,
    pub(crate) found_by_gateway: bool,
    pub(crate) found_by_agent: bool,
    pub(crate) sounded: bool,
}
