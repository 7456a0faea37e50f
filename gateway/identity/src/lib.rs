//! Certificates as identities: who one is for, how long it holds, and TLS 1.3 made of files that may change.

mod der;

mod certificate;

mod files;

mod remaining;

mod kept;

mod who;

pub use certificate::Certificate;
pub use der::date;
pub use files::{ClientFiles, FileError, Pair, ServerFiles, certificate};
pub use kept::{ClientTls, Kept, LOOK_PERIOD, Look, Made, ServerTls, Told};
pub use remaining::{DAY_S, Remaining};
pub use rustls;
pub use who::{Identity, Kind, MisfitError, NoIdentity, NobodyError};
