//! The reader of an agent's messages, with its refusals as the labels by which they are counted.

mod heartbeat;

mod peer;

mod spool;

mod waiting;

pub use ecmo_decode::{
    Accepted, BIRTH_BYTES_MAX, BLOCK_SAMPLES_MAX, Birth, BirthFault, CHANNELS_MAX, Decoder,
    FrameBytes, FrameFault, Invalid, PumpKind, RefusedChannel, STATUS_BYTES_MAX, SampleFault,
    SourceKind, StatusFault, birth, read_birth, shorten, status,
};

pub use heartbeat::{AgentCounts, Echo, Heartbeat, HeartbeatRejected, LocalVerdict, heartbeat};

pub use peer::{PeerBeat, peer};

pub use spool::{
    OCCURRENCES_MAX, Part, SampleSpan, SpoolReport, Unleased, backfill, backfill_request,
    birth_wall_minus_mono_ns, sample_spans, spool_report, wall_minus_mono_ns,
};

pub use waiting::WaitingAt;

#[cfg(test)]
pub(crate) use peer::tests::word;

use crate::metrics::{BirthRejected, FrameRejected, SampleInvalid, StatusRejected};

impl From<FrameFault> for FrameRejected {
    fn from(fault: FrameFault) -> Self {
        match fault {
            FrameFault::Oversize => Self::Oversize,
            FrameFault::Crc => Self::Crc,
            FrameFault::Decode => Self::Decode,
            FrameFault::Identity => Self::Identity,
            FrameFault::Retained => Self::Retained,
            FrameFault::Boot => Self::Boot,
            FrameFault::Schema | FrameFault::Live => Self::Schema,
            FrameFault::Historical => Self::Historical,
        }
    }
}

impl From<BirthFault> for BirthRejected {
    fn from(fault: BirthFault) -> Self {
        match fault {
            BirthFault::Oversize => Self::Oversize,
            BirthFault::Decode => Self::Decode,
            BirthFault::Identity => Self::Identity,
            BirthFault::Boot => Self::Boot,
            BirthFault::Channel => Self::Channel,
            BirthFault::Unit => Self::Unit,
            BirthFault::Range => Self::Range,
        }
    }
}

impl From<StatusFault> for StatusRejected {
    fn from(fault: StatusFault) -> Self {
        match fault {
            StatusFault::Oversize => Self::Oversize,
            StatusFault::Decode => Self::Decode,
            StatusFault::Identity => Self::Identity,
            StatusFault::Boot => Self::Boot,
            StatusFault::State => Self::State,
        }
    }
}

impl From<SampleFault> for SampleInvalid {
    fn from(fault: SampleFault) -> Self {
        match fault {
            SampleFault::Range => Self::Range,
            SampleFault::Unit => Self::Unit,
            SampleFault::Channel => Self::Channel,
            SampleFault::Sensor => Self::Sensor,
            SampleFault::Unspecified => Self::Unspecified,
        }
    }
}
