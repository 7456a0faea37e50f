//! Why a call or a subscription failed, in words that say what to do.

use std::time::Duration;

use tonic::{Code, Status};

/// Why a call or a subscription failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error(
        "{url:?} is no gateway address: use http://HOST:PORT or https://HOST:PORT, such as http://127.0.0.1:8080"
    )]
    Url { url: String },
    #[error(
        "{url} is reached by TLS: name the authority that signed its certificate by --ca FILE (ECMOCTL_CA)"
    )]
    NoAuthority { url: String },
    #[error(transparent)]
    Certificate(#[from] ecmo_identity::FileError),
    #[error("at most {most} gateways can be named, with a comma between them")]
    TooMany { most: usize },
    #[error(
        "cannot connect to the gateway at {url}; is ecmo-gateway running there? (--gateway, ECMO_GATEWAY)"
    )]
    Connect { url: String, source: tonic::transport::Error },
    #[error("the gateway at {url} did not answer {what} within {} s; it may be frozen or cut off", within.as_secs())]
    NoAnswer { url: String, what: &'static str, within: Duration },
    #[error("{what}: nothing of that name: {message}")]
    NotFound { what: &'static str, message: String },
    #[error("{what}: cut off, this display read too slowly or the gateway is full: {message}")]
    CutOff { what: &'static str, message: String },
    #[error("{what}: refused: {message}")]
    Refused { what: &'static str, message: String },
    #[error("{what}: refused: {message}")]
    Conflict { what: &'static str, message: String },
    #[error("{what}: this gateway does not know how; it is older than this ecmoctl")]
    Unsupported { what: &'static str },
    #[error("{what}: failed: {message} ({code})")]
    Failed { what: &'static str, code: &'static str, message: String },
    #[error("{what}: the gateway ended the stream")]
    Ended { what: &'static str },
    #[error("{what}: nothing from the gateway for {:.1} s", silence.as_secs_f64())]
    Silent { what: &'static str, silence: Duration },
    #[error("{what}: message {expected} never came, {got} did")]
    Gap { what: &'static str, expected: u64, got: u64 },
}

impl ClientError {
    /// Whether the gateway did not answer, so that another one may be asked.
    pub(crate) const fn is_no_answer(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::NoAnswer { .. } | Self::Failed { .. } => true,
            Self::Url { .. }
            | Self::NoAuthority { .. }
            | Self::Certificate(_)
            | Self::TooMany { .. }
            | Self::NotFound { .. }
            | Self::CutOff { .. }
            | Self::Refused { .. }
            | Self::Conflict { .. }
            | Self::Unsupported { .. }
            | Self::Ended { .. }
            | Self::Silent { .. }
            | Self::Gap { .. } => false,
        }
    }

    /// The error with its causes, in one line.
    pub(crate) fn chain(&self) -> String {
        let mut parts = vec![self.to_string()];
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // Layers of the transport repeat each other.
            let part = error.to_string();
            if parts.last() != Some(&part) {
                parts.push(part);
            }
            cause = error.source();
        }
        parts.join(": ")
    }
}

/// What a status means to a person.
#[expect(clippy::wildcard_enum_match_arm, reason = "other codes are told by their name")]
pub(super) fn refused(what: &'static str, status: &Status) -> ClientError {
    let message = status.message().to_owned();
    match status.code() {
        Code::NotFound => ClientError::NotFound { what, message },
        Code::ResourceExhausted => ClientError::CutOff { what, message },
        Code::FailedPrecondition
        | Code::InvalidArgument
        | Code::Unauthenticated
        | Code::PermissionDenied => ClientError::Refused { what, message },
        Code::Aborted => ClientError::Conflict { what, message },
        Code::Unimplemented => ClientError::Unsupported { what },
        code => ClientError::Failed { what, code: code.description(), message },
    }
}
