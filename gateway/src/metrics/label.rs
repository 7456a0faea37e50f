//! Every label value, as an enum, so that no series appears that nobody expects.

/// Values of one label.
pub trait Label: Copy + 'static {
    /// Name of the label.
    const KEY: &'static str;
    /// Every value, in the order of [`Label::index`].
    const ALL: &'static [Self];
    /// The value as Prometheus shows it.
    fn label(self) -> &'static str;
    /// Position in [`Label::ALL`].
    fn index(self) -> usize;
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident $key:literal { $($(#[$value_doc:meta])* $value:ident $text:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// The value as Prometheus shows it.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }

        impl Label for $name {
            const KEY: &'static str = $key;
            const ALL: &'static [Self] = &[$(Self::$value,)+];

            fn label(self) -> &'static str {
                self.label()
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    )+};
}

labels! {
    /// Which of two independent brokers.
    BrokerPath "path" {
        /// The first, or only one.
        A "a",
        /// The second.
        B "b",
    }

    /// With whom the gateway speaks.
    Side "side" {
        /// Brokers.
        Brokers "brokers",
        /// Displays.
        Displays "displays",
    }

    /// Why a connection of a display did not come to be.
    HandshakeRefused "reason" {
        /// It took too long.
        Timeout "timeout",
        /// TLS failed: an old version, no certificate, one of another authority, one that has ended.
        Tls "tls",
        /// The certificate is an agent's or a broker's, or says nobody.
        Identity "identity",
    }

    /// Why a frame was refused.
    FrameRejected "reason" {
        /// Longer than a frame may be.
        Oversize "oversize",
        /// The check sum is missing or wrong.
        Crc "crc",
        /// No protobuf frame.
        Decode "decode",
        /// The topic is none of ours.
        Topic "topic",
        /// The pump in the frame is not the topic's.
        Identity "identity",
        /// Retained by the broker: its age is unknown.
        Retained "retained",
        /// No birth of this boot is known, so the channels have no meaning.
        NoBirth "no_birth",
        /// Boot id zero, or of an agent that was replaced.
        Boot "boot",
        /// Block contents contradict each other.
        Schema "schema",
        /// Marked as historical on the live topic.
        Historical "historical",
        /// More pumps than the gateway serves.
        Capacity "capacity",
    }

    /// Why a birth was refused.
    BirthRejected "reason" {
        /// Longer than a message may be.
        Oversize "oversize",
        /// No protobuf birth.
        Decode "decode",
        /// The pump in the birth is not the topic's.
        Identity "identity",
        /// Boot id zero.
        Boot "boot",
        /// Too many channels, or one named twice.
        Channel "channel",
        /// A unit that the parameter does not have.
        Unit "unit",
        /// A rate, range or scale that no sensor has.
        Range "range",
        /// More pumps than the gateway serves.
        Capacity "capacity",
    }

    /// Why a status was refused.
    StatusRejected "reason" {
        /// Longer than a message may be.
        Oversize "oversize",
        /// No protobuf status.
        Decode "decode",
        /// The pump in the status is not the topic's.
        Identity "identity",
        /// Boot id zero.
        Boot "boot",
        /// A state that is not known.
        State "state",
        /// More pumps than the gateway serves.
        Capacity "capacity",
    }

    /// Why a sample of an accepted frame is no measurement.
    SampleInvalid "reason" {
        /// Not a number, or not physically possible.
        Range "range",
        /// The channel's unit is not the parameter's.
        Unit "unit",
        /// Of a channel that the birth does not declare, or that the gateway cannot read.
        Channel "channel",
        /// The agent says so: sensor off, fault, calibrating, stale.
        Sensor "sensor",
        /// No validity was given.
        Unspecified "unspecified",
    }

    /// Why a message of another gateway was refused.
    PeerRejected "reason" {
        /// Longer than a message may be.
        Oversize "oversize",
        /// The check sum is missing or wrong.
        Crc "crc",
        /// No such protobuf message.
        Decode "decode",
        /// A topic that no gateway publishes to.
        Topic "topic",
        /// Ward, pump or gateway in the message are not the topic's.
        Identity "identity",
        /// Retained by the broker: its age is unknown.
        Retained "retained",
        /// It says nothing, or something that cannot be.
        Content "content",
        /// Of a gateway beyond the most that are known.
        Capacity "capacity",
        /// There was no room for it.
        Overflow "overflow",
    }

    /// What a gateway says to others.
    Said "kind" {
        /// What a person did.
        Action "action",
        /// What samples decided.
        Decision "decision",
        /// That it lives, and by what it decides.
        Peer "peer",
        /// Its synthetic pump.
        Drill "drill",
    }

    /// Part of the alarm path.
    Stage "stage" {
        /// Bytes into a checked frame.
        Decode "decode",
        /// Order and rules.
        Alarm "alarm",
        /// Into the displays' mailboxes.
        Fanout "fanout",
    }

    /// Priority of an alarm.
    AlarmPriority "priority" {
        /// Immediate response.
        High "high",
        /// Prompt response.
        Medium "medium",
        /// Awareness.
        Low "low",
        /// No alarm: a card to read.
        Information "information",
    }

    /// Kind of an alarm condition.
    AlarmKind "kind" {
        /// Of the patient.
        Physiological "physiological",
        /// Of the equipment or the path.
        Technical "technical",
    }

    /// Step in the life of an alarm.
    AlarmTransition "transition" {
        /// It began.
        Raised "raised",
        /// Someone acknowledged it.
        Acknowledged "acked",
        /// It ended.
        Cleared "cleared",
        /// Nobody acknowledged it in time: its priority went up.
        Escalated "escalated",
        /// A person paused its sound.
        Paused "paused",
        /// A person shelved its condition.
        Shelved "shelved",
    }

    /// Where a frame in the journal came from.
    FrameSource "source" {
        /// As it was sampled.
        Live "live",
        /// From the agent's spool.
        Spool "spool",
    }

    /// What was done with the folder of treatments.
    StateError "op" {
        /// A record could not be read at the start.
        Read "read",
        /// A change could not be written: it is in force, and not durable.
        Write "write",
    }

    /// Folder that the settings name.
    Folder "folder" {
        /// Of the state and the audit log.
        State "state",
        /// Of the journal.
        Journal "journal",
    }

    /// What a subscription carries.
    StreamKind "kind" {
        /// Newest values.
        Numeric "numeric",
        /// Samples.
        Waveform "waveform",
        /// Alarms.
        Alarm "alarm",
        /// Treatments.
        Treatment "treatment",
    }

    /// Why a display did not get a message.
    SubscriptionDropped "reason" {
        /// A newer one took its place.
        Conflated "conflated",
        /// The display was too slow and lost it, or was cut off.
        Overflow "overflow",
    }

    /// Why the connection to a broker ended.
    LinkLost "reason" {
        /// The broker said no to the connection.
        Refused "refused",
        /// The broker said no to a subscription.
        Subscription "subscription",
        /// No answer in time to a connection, a subscription or a write.
        Timeout "timeout",
        /// No answer to a ping.
        Ping "ping",
        /// Closed or broken.
        Closed "closed",
        /// A packet that is longer than this client reads.
        Oversize "oversize",
        /// A packet that is none, or not expected.
        Protocol "protocol",
    }

    /// How far a drill has come.
    CanaryStage "stage" {
        /// The synthetic alarm was decided.
        Decided "decided",
        /// The first display that attends has confirmed it.
        Confirmed "confirmed",
    }

    /// One of the two runtimes.
    RuntimeName "runtime" {
        /// The alarm thread.
        Alarm "alarm",
        /// The serving side.
        Serving "serving",
    }
}
