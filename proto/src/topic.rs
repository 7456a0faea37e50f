//! Builds and parses MQTT topic names: `ecmo/v1/<ward>/<pump>/<kind>`. The other half of the contract.

use std::fmt;

/// First two levels of every topic.
pub const PREFIX: &str = "ecmo/v1";

/// Longest ward or pump id, in bytes; with it the longest topic is below 160 bytes.
pub const ID_BYTES_MAX: usize = 64;

/// Stands for a whole ward where a topic or an action names a pump.
pub const WHOLE_WARD: &str = "_ward";

/// Stands where a topic names a ward, before the names of gateways.
pub const GATEWAYS: &str = "_gateways";

/// Ward of the synthetic pumps, one a gateway, by which the alarm path tries itself.
pub const DRILL: &str = "_drill";

/// A ward or pump id: 1 to 64 of `a-z`, `A-Z`, `0-9`, `-`, `_`, `.`, so that it can stand in a topic, a file name and a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no id: use 1 to 64 letters, digits, '-', '_' or '.'")]
pub struct IdError {
    text: String,
}

impl Id {
    /// Checks a text.
    ///
    /// # Errors
    /// Empty, too long, or a character that a topic level or a label cannot hold.
    pub fn new(text: &str) -> Result<Self, IdError> {
        if !Self::fits(text) {
            return Err(IdError { text: text.chars().take(ID_BYTES_MAX).collect() });
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a text is an id; allocates nothing.
    #[must_use]
    pub fn fits(text: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !text.is_empty() && text.len() <= ID_BYTES_MAX && text.bytes().all(allowed)
    }

    /// Whether it is no ward's and no pump's: ids that begin with `_` are kept for what the contract itself names.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with('_')
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(&text)
    }
}

impl std::str::FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Live frames; QoS 0, never retained.
    Frame,
    /// Who and what; QoS 1, retained.
    Birth,
    /// Present or gone; QoS 1, retained, the last will.
    Status,
    /// That the agent lives, and how it does; QoS 0, never retained.
    Heartbeat,
    /// Frames from the spool; QoS 1.
    Backfill,
    /// Gateway to agent: backfill ranges, time probes, alarm lease; QoS 1.
    Request,
    /// Gateway to all: alarm occurrences; QoS 1.
    Alarm,
    /// Gateway to all: operator actions; QoS 1.
    Action,
    /// Gateway to gateways: that it lives, and by what it decides; QoS 0, never retained.
    Peer,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Frame,
        Self::Birth,
        Self::Status,
        Self::Heartbeat,
        Self::Backfill,
        Self::Request,
        Self::Alarm,
        Self::Action,
        Self::Peer,
    ];

    /// The last level of the topic.
    #[must_use]
    pub const fn level(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Birth => "birth",
            Self::Status => "status",
            Self::Heartbeat => "heartbeat",
            Self::Backfill => "backfill",
            Self::Request => "request",
            Self::Alarm => "alarm",
            Self::Action => "action",
            Self::Peer => "peer",
        }
    }
}

/// One pump of one ward.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PumpAddress {
    /// The ward.
    pub ward: Id,
    /// The pump.
    pub pump: Id,
}

impl PumpAddress {
    /// The topic of one kind of message of this pump.
    #[must_use]
    pub fn topic(&self, kind: Kind) -> String {
        format!("{PREFIX}/{}/{}/{}", self.ward, self.pump, kind.level())
    }
}

impl fmt::Display for PumpAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.ward, self.pump)
    }
}

/// A topic taken apart, borrowing from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic<'a> {
    /// The ward id as sent; a valid id.
    pub ward: &'a str,
    /// The pump id as sent; a valid id.
    pub pump: &'a str,
    /// What the topic carries.
    pub kind: Kind,
}

/// Takes a topic apart; `None` when it is none of ours.
#[must_use]
pub fn parse(topic: &str) -> Option<Topic<'_>> {
    let rest = topic.strip_prefix(PREFIX)?.strip_prefix('/')?;
    let mut levels = rest.split('/');
    let (ward, pump, last) = (levels.next()?, levels.next()?, levels.next()?);
    if levels.next().is_some() || !Id::fits(ward) || !Id::fits(pump) {
        return None;
    }
    let kind = Kind::ALL.into_iter().find(|kind| kind.level() == last)?;
    Some(Topic { ward, pump, kind })
}

/// The filter that a gateway subscribes to for one kind of message of one ward, or of all wards.
#[must_use]
pub fn filter(ward: Option<&Id>, kind: Kind) -> String {
    format!("{PREFIX}/{}/+/{}", ward.map_or("+", Id::as_str), kind.level())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_topic_is_taken_apart_into_what_it_was_built_from() {
        let address =
            PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new("pump-07").unwrap() };
        for kind in Kind::ALL {
            let topic = address.topic(kind);
            assert_eq!(parse(&topic), Some(Topic { ward: "nicu", pump: "pump-07", kind }));
        }
    }

    #[test]
    fn foreign_topics_are_none_of_ours() {
        for topic in [
            "",
            "ecmo/v1",
            "ecmo/v1/nicu/p1",
            "ecmo/v1/nicu/p1/frame/x",
            "ecmo/v1//p1/frame",
            "ecmo/v1/nicu/+/frame",
            "ecmo/v1/nicu/p 1/frame",
            "ecmo/v2/nicu/p1/frame",
            "ecmo/v1/nicu/p1/frames",
            "/ecmo/v1/nicu/p1/frame",
            "ecmo/v1x/nicu/p1/frame",
        ] {
            assert_eq!(parse(topic), None, "{topic}");
        }
    }

    #[test]
    fn a_filter_names_one_ward_or_all() {
        let ward = Id::new("nicu").unwrap();
        assert_eq!(filter(Some(&ward), Kind::Frame), "ecmo/v1/nicu/+/frame");
        assert_eq!(filter(None, Kind::Status), "ecmo/v1/+/+/status");
    }

    #[test]
    fn an_id_that_cannot_stand_in_a_topic_is_refused_with_what_to_do() {
        for text in ["", "a/b", "a+b", "#", "a b", "ä", &"x".repeat(65)] {
            let error = Id::new(text).unwrap_err().to_string();
            assert!(error.contains("letters, digits"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in ".*") {
            if let Some(topic) = parse(&text) {
                prop_assert_eq!(format!("{PREFIX}/{}/{}/{}", topic.ward, topic.pump, topic.kind.level()), text);
            }
        }
    }
}
