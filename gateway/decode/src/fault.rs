//! Why a message, or a sample of one, is not taken. What counts these reasons gives them its own labels.

/// Why a birth, or a channel of it, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BirthFault {
    /// Longer than a message may be.
    #[error("longer than a birth may be: shorten names or declare fewer channels")]
    Oversize,
    /// No protobuf birth.
    #[error("no birth of ecmo.v1: the sender does not follow the contract")]
    Decode,
    /// The pump in the birth is not the topic's.
    #[error("the pump in the birth is not the topic's: give each pump its own name")]
    Identity,
    /// Boot id zero.
    #[error("boot id 0: an agent chooses one at random when it starts")]
    Boot,
    /// Too many channels, one named twice, or one of no known parameter.
    #[error("too many channels, one named twice, or one of no known parameter")]
    Channel,
    /// A unit that the parameter does not have.
    #[error("a unit that the parameter does not have")]
    Unit,
    /// A rate, range or scale that no sensor has.
    #[error("a rate, range or scale that no sensor has")]
    Range,
}

/// Why a status is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StatusFault {
    /// Longer than a message may be.
    #[error("longer than a status may be")]
    Oversize,
    /// No protobuf status.
    #[error("no status of ecmo.v1: the sender does not follow the contract")]
    Decode,
    /// The pump in the status is not the topic's.
    #[error("the pump in the status is not the topic's: give each pump its own name")]
    Identity,
    /// Boot id zero.
    #[error("boot id 0: an agent chooses one at random when it starts")]
    Boot,
    /// A state that is not known.
    #[error("a state that is not known: sender and reader are of different versions")]
    State,
}

/// Why a frame is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FrameFault {
    /// Longer than a frame may be.
    #[error("longer than a frame may be")]
    Oversize,
    /// The check sum is missing or wrong.
    #[error("the check sum is missing or wrong: the frame was damaged on its way")]
    Crc,
    /// No protobuf frame.
    #[error("no frame of ecmo.v1: the sender does not follow the contract")]
    Decode,
    /// The pump in the frame is not the topic's.
    #[error("the pump in the frame is not the topic's: give each pump its own name")]
    Identity,
    /// Retained by the broker: its age is unknown.
    #[error("retained by the broker: frames must not be retained")]
    Retained,
    /// Boot id zero.
    #[error("boot id 0: an agent chooses one at random when it starts")]
    Boot,
    /// Block contents contradict each other.
    #[error("the contents of a block contradict each other")]
    Schema,
    /// Marked as historical where live frames are awaited.
    #[error("marked as historical where live frames are awaited")]
    Historical,
    /// Not marked as historical where frames from a spool are awaited.
    #[error("a live frame where frames from a spool are awaited")]
    Live,
}

/// Why a sample of an accepted frame is no measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SampleFault {
    /// Not a number, or not physically possible.
    Range,
    /// The channel's unit is not the parameter's.
    Unit,
    /// Of a channel that the birth does not declare, or that cannot be read.
    Channel,
    /// The agent says so: sensor off, fault, calibrating, stale.
    Sensor,
    /// No validity was given.
    Unspecified,
}
