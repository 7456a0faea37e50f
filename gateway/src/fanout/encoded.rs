//! A thing that all displays get, with its bytes: made once, by whoever needs them first.

use std::sync::OnceLock;

use bytes::Bytes;

/// Something that is encoded once and shared. Whoever hands it over encodes nothing: the first display's task does.
#[derive(Debug)]
pub struct Encoded<T> {
    value: T,
    bytes: OnceLock<Bytes>,
}

impl<T> Encoded<T> {
    /// Not encoded yet.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { value, bytes: OnceLock::new() }
    }

    /// What is encoded.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The bytes; whoever comes first makes them, and who comes meanwhile waits. Serving side only.
    pub fn bytes(&self, encode: impl FnOnce(&T) -> Bytes) -> &Bytes {
        self.bytes.get_or_init(|| encode(&self.value))
    }
}
