//! What an agent says, from bytes to the core's types: checked once, refused with a reason. The gateway and the agent's own
//! alarm read with the same code, so they judge the same values to the last bit.
//!
//! Behind this crate generated messages do not pass. [`birth()`] says what a run's samples mean, [`Decoder`] reads its frames by
//! it, [`status()`] says whether it is there.

mod fault;

mod birth;

mod status;

mod frame;

pub use fault::{BirthFault, FrameFault, SampleFault, StatusFault};

pub use birth::{
    BIRTH_BYTES_MAX, Birth, CHANNELS_MAX, PumpKind, RefusedChannel, SourceKind, birth, read_birth,
    shorten,
};

pub use status::{STATUS_BYTES_MAX, status};

pub use frame::{Accepted, BLOCK_SAMPLES_MAX, Decoder, FrameBytes, Invalid, KeptFrame};
