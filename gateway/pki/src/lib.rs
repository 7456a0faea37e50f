//! An authority for trials: a folder with a key that signs certificates for brokers, gateways, agents, displays and monitors.
//!
//! A site that has an authority of its own uses that one; what its certificates must say is in `deploy/docs/certificates.md`.

mod authority;

mod folder;

pub use authority::{AUTHORITY_DAYS, Authority, DAYS_DEFAULT, DAYS_MAX, Order, PkiError, Signed};
pub use folder::{AUTHORITY, FolderError, Kept, certificate_path, issue, key_path, make_authority};
