//! Who the agent is towards brokers: its certificate must be that of its pump, and is followed when it is renewed.

use std::sync::Arc;

use ecmo_identity::{ClientTls, FileError, Identity, LOOK_PERIOD, Look, MisfitError, Told};
use tokio::time::sleep;

use crate::clock;
use crate::config::{Settings, TlsSettings};
use crate::metrics::Gauge;

/// Nanoseconds of a second.
const SECOND_NS: i64 = 1_000_000_000;

/// Why the agent cannot say who it is.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A broker is reached by TLS, and nothing says who comes.
    #[error(
        "mqtts:// needs certificates: set ca, certificate and key under [tls] of a settings file"
    )]
    NoCertificates,
    /// A file is of no use.
    #[error(transparent)]
    File(#[from] FileError),
    /// The certificate is another's.
    #[error(
        "the certificate {certificate} {misfit}; use the one that was made for this pump, or correct ward and pump"
    )]
    Misfit {
        /// The file.
        certificate: String,
        /// How it differs.
        misfit: Box<MisfitError>,
    },
}

/// TLS as the settings want it; `None` when no broker is reached by it.
///
/// A certificate that has ended is no error: whoever watches at the bedside goes on, and takes a new one when it comes.
///
/// # Errors
/// A file is of no use, or the certificate is another's.
pub fn open(settings: &Settings) -> Result<Option<Arc<ClientTls>>, TlsError> {
    let Some(tls) = &settings.tls else {
        let by_tls = settings.brokers.paths().any(|(_, broker)| broker.is_secured());
        return if by_tls { Err(TlsError::NoCertificates) } else { Ok(None) };
    };
    fits(settings, tls)?;
    Ok(Some(Arc::new(ClientTls::of(tls.files(), &[])?)))
}

fn fits(settings: &Settings, tls: &TlsSettings) -> Result<(), TlsError> {
    let own = ecmo_identity::certificate(&tls.certificate)?;
    Identity::agent(&settings.address).owns(&own).map_err(|misfit| {
        let certificate = tls.certificate.display().to_string();
        TlsError::Misfit { certificate, misfit: Box::new(misfit) }
    })
}

/// Follows the files, and warns before the certificate ends. Connections that stand are never cut. Never ends.
pub(crate) async fn watch(tls: Option<Arc<ClientTls>>, not_after: Gauge) {
    let Some(tls) = tls else { return core::future::pending().await };
    let mut told = Told::default();
    loop {
        tell(&tls, &mut told, &not_after);
        sleep(LOOK_PERIOD).await;
        let files = Arc::clone(&tls);
        // The disk may hang; publishing must not.
        match tokio::task::spawn_blocking(move || files.look()).await {
            Ok(Look::Same) => {}
            Ok(Look::Renewed) => {
                tracing::info!("a new certificate is used from the next connection on")
            }
            Ok(Look::Refused(error)) => {
                tracing::warn!(%error, "a new certificate is of no use; the one before stays");
            }
            Err(error) => tracing::error!(%error, "looking at the certificate failed"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 need no 53 bits")]
fn tell(tls: &ClientTls, told: &mut Told, not_after: &Gauge) {
    not_after.set(tls.not_after() as f64);
    if let Some(warning) = told.next(tls.not_after(), clock::wall_ns() / SECOND_NS) {
        tracing::warn!(until = ecmo_identity::date(tls.not_after()), "{warning}");
    }
}
