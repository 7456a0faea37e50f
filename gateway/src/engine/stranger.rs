//! Messages at places where no pump is known: one that can be read makes a pump known, any other leaves nothing but its count.

use ecmo_proto::topic::{Kind, PumpAddress};

use crate::decode::{self, Accepted, Decoder, FrameBytes, HeartbeatRejected};
use crate::ingest::Arrival;
use crate::metrics::{
    BirthRejected, BrokerPath, FrameRejected, Metrics, PumpMetrics, StatusRejected,
};

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// A frame, or something at a place that is none.
    Frame(FrameRejected),
    /// A birth.
    Birth(BirthRejected),
    /// A status.
    Status(StatusRejected),
    /// A heartbeat.
    Heartbeat(HeartbeatRejected),
    /// A part of a backfill that nobody asked for.
    Backfill,
    /// What nobody subscribes to; a broker that sends it anyway is ignored.
    Ignored,
}

impl Refused {
    /// Whether a message of a pump that is not known can be read: random bytes at invented places must make no pumps.
    pub(super) fn unless_readable(
        kind: Kind,
        address: &PumpAddress,
        arrival: &Arrival,
        decoder: &mut Decoder,
    ) -> Result<(), Self> {
        let (payload, pump) = (&arrival.payload, address.pump.as_str());
        match kind {
            Kind::Frame => {
                let (retained, received) = (arrival.retained, arrival.received);
                let accepted = Accepted::Live;
                let bytes = FrameBytes { payload, pump, retained, accepted, received };
                let read = decoder.frame(bytes, None, &mut |_reason, _samples| {});
                read.map(drop).map_err(|reason| Self::Frame(reason.into()))
            }
            Kind::Birth => {
                decode::birth(payload, pump).map(drop).map_err(|reason| Self::Birth(reason.into()))
            }
            Kind::Status => decode::status(payload, pump)
                .map(drop)
                .map_err(|reason| Self::Status(reason.into())),
            Kind::Heartbeat => decode::heartbeat(payload, pump, arrival.retained)
                .map(drop)
                .map_err(Self::Heartbeat),
            Kind::Backfill => Err(Self::Backfill),
            Kind::Request | Kind::Alarm | Kind::Action | Kind::Peer => Err(Self::Ignored),
        }
    }

    /// That a message is too long.
    pub(super) const fn oversize(kind: Kind) -> Self {
        match kind {
            Kind::Frame => Self::Frame(FrameRejected::Oversize),
            Kind::Birth => Self::Birth(BirthRejected::Oversize),
            Kind::Status => Self::Status(StatusRejected::Oversize),
            Kind::Heartbeat => Self::Heartbeat(HeartbeatRejected::Seal),
            Kind::Backfill => Self::Backfill,
            Kind::Request | Kind::Alarm | Kind::Action | Kind::Peer => Self::Ignored,
        }
    }

    /// That there are too many pumps.
    pub(super) const fn capacity(kind: Kind) -> Self {
        match kind {
            Kind::Frame => Self::Frame(FrameRejected::Capacity),
            Kind::Birth => Self::Birth(BirthRejected::Capacity),
            Kind::Status => Self::Status(StatusRejected::Capacity),
            // For the log alone: heartbeats are not counted by reason.
            Kind::Heartbeat => Self::Heartbeat(HeartbeatRejected::Boot),
            Kind::Backfill => Self::Backfill,
            Kind::Request | Kind::Alarm | Kind::Action | Kind::Peer => Self::Ignored,
        }
    }

    /// Counts it.
    pub(super) fn count(self, path: BrokerPath, series: &PumpMetrics, metrics: &Metrics) {
        match self {
            Self::Frame(reason) => series.frames_rejected.get(reason).increment(1),
            Self::Birth(reason) => series.births_rejected.get(reason).increment(1),
            Self::Status(reason) => series.statuses_rejected.get(reason).increment(1),
            Self::Heartbeat(_) => series.heartbeats_rejected.increment(1),
            Self::Backfill => metrics.backfill_parts_dropped.increment(1),
            Self::Ignored => {}
        }
        if self.is_damage() {
            series.messages_damaged.get(path).increment(1);
        }
    }

    /// Whether it was damaged, is against the contract, or is not of the pump whose place it is at; what a broker had kept, or
    /// comes at the wrong time, is whole.
    pub(super) const fn is_damage(self) -> bool {
        match self {
            Self::Frame(reason) => match reason {
                FrameRejected::Oversize
                | FrameRejected::Crc
                | FrameRejected::Decode
                | FrameRejected::Topic
                | FrameRejected::Identity
                | FrameRejected::Schema => true,
                FrameRejected::Retained
                | FrameRejected::NoBirth
                | FrameRejected::Boot
                | FrameRejected::Historical
                | FrameRejected::Capacity => false,
            },
            Self::Birth(reason) => match reason {
                BirthRejected::Oversize
                | BirthRejected::Decode
                | BirthRejected::Identity
                | BirthRejected::Channel
                | BirthRejected::Unit
                | BirthRejected::Range => true,
                BirthRejected::Boot | BirthRejected::Capacity => false,
            },
            Self::Status(reason) => match reason {
                StatusRejected::Oversize
                | StatusRejected::Decode
                | StatusRejected::Identity
                | StatusRejected::State => true,
                StatusRejected::Boot | StatusRejected::Capacity => false,
            },
            Self::Heartbeat(reason) => match reason {
                HeartbeatRejected::Seal
                | HeartbeatRejected::Identity
                | HeartbeatRejected::Schema => true,
                HeartbeatRejected::Retained | HeartbeatRejected::Boot => false,
            },
            Self::Backfill | Self::Ignored => false,
        }
    }

    /// What it was, for the log.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Frame(_) => "frame",
            Self::Birth(_) => "birth",
            Self::Status(_) => "status",
            Self::Heartbeat(_) => "heartbeat",
            Self::Backfill => "backfill",
            Self::Ignored => "other",
        }
    }

    /// Why, for the log.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Frame(reason) => reason.label(),
            Self::Birth(reason) => reason.label(),
            Self::Status(reason) => reason.label(),
            Self::Heartbeat(reason) => reason.label(),
            Self::Backfill => "unasked",
            Self::Ignored => "ignored",
        }
    }
}
