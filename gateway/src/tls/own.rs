//! The gateway's own certificates: opened from files, followed when they are renewed, and told of before they end.

use std::sync::Arc;

use ecmo_identity::{ClientTls, FileError, LOOK_PERIOD, Look, ServerTls, Told};
use tokio::time::{MissedTickBehavior, interval};

use super::acceptor::PROTOCOLS;
use crate::clock::Clock;
use crate::config::Settings;
use crate::metrics::{Metrics, Side};

/// Nanoseconds of a second.
const SECOND_NS: i64 = 1_000_000_000;

/// What the gateway shows of itself; `None` where there is no TLS.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// To brokers.
    pub brokers: Option<Arc<ClientTls>>,
    /// To displays.
    pub displays: Option<Arc<ServerTls>>,
}

impl Own {
    /// Opens what the settings name, and says loudly what is not protected. Blocks on the disk.
    ///
    /// # Errors
    /// A file is of no use.
    pub fn open(settings: &Settings, metrics: &Metrics) -> Result<Self, FileError> {
        if settings.serve.is_exposed() {
            metrics.secured.unprotected.get(Side::Displays).set(1.0);
            let bind = settings.serve.bind;
            tracing::warn!(%bind, "INSECURE: displays are served over the network without TLS: whoever reaches this address reads and acts");
        }
        if settings.brokers().any(crate::config::Broker::is_exposed) {
            metrics.secured.unprotected.get(Side::Brokers).set(1.0);
            tracing::warn!(
                "INSECURE: a broker is reached without TLS; use mqtts:// unless its network is closed to others"
            );
        }
        let brokers = settings.tls.clone().map(|files| ClientTls::of(files, &[])).transpose()?;
        let displays =
            settings.serve.tls.clone().map(|files| ServerTls::of(files, PROTOCOLS)).transpose()?;
        Ok(Self { brokers: brokers.map(Arc::new), displays: displays.map(Arc::new) })
    }
}

/// Follows the files of both, and warns before a certificate ends. A connection that stands is never cut. Never ends.
pub async fn watch(own: Own, metrics: Arc<Metrics>, clock: Clock) -> &'static str {
    let mut looks = interval(LOOK_PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = (Told::default(), Told::default());
    loop {
        looks.tick().await;
        let files = own.clone();
        // The disk may hang; serving must not.
        let looked = tokio::task::spawn_blocking(move || {
            let brokers = files.brokers.as_ref().map(|tls| tls.look());
            (brokers, files.displays.as_ref().map(|tls| tls.look()))
        });
        match looked.await {
            Ok((brokers, displays)) => {
                report(Side::Brokers, brokers);
                report(Side::Displays, displays);
            }
            Err(error) => tracing::error!(%error, "looking at certificates failed"),
        }
        let (brokers, displays) = &mut told;
        let until = (own.brokers.as_ref().map(|tls| tls.not_after()), brokers);
        tell(Side::Brokers, until, &metrics, clock);
        let until = (own.displays.as_ref().map(|tls| tls.not_after()), displays);
        tell(Side::Displays, until, &metrics, clock);
    }
}

fn report(side: Side, look: Option<Look>) {
    let side = side.label();
    match look {
        None | Some(Look::Same) => {}
        Some(Look::Renewed) => {
            tracing::info!(side, "a new certificate is used from the next connection on");
        }
        Some(Look::Refused(error)) => {
            tracing::warn!(side, %error, "a new certificate is of no use; the one before stays");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 need no 53 bits")]
fn tell(side: Side, (until, told): (Option<i64>, &mut Told), metrics: &Metrics, clock: Clock) {
    let Some(until) = until else { return };
    metrics.secured.certificate_until.get(side).set(until as f64);
    if let Some(warning) = told.next(until, clock.wall_ns() / SECOND_NS) {
        tracing::warn!(side = side.label(), until = ecmo_identity::date(until), "{warning}");
    }
}
