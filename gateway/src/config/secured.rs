//! What the settings say of TLS: who the gateway is towards brokers and displays, and who may connect.

use std::net::SocketAddr;
use std::ops::Range;

use ecmo_identity::{ClientFiles, Identity, Kind, Pair, ServerFiles};
use ecmo_proto::topic::Id;
use serde::Deserialize;
use toml::Spanned;

use super::error::Complaint;
use super::file::FilePath;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsTable {
    ca: FilePath,
    certificate: FilePath,
    key: FilePath,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServeTlsTable {
    certificate: FilePath,
    key: FilePath,
    client_ca: Option<FilePath>,
    client_optional: Option<bool>,
}

/// What to do about a certificate that does not fit.
const REPLACE: &str = "use the one that was made for this gateway, or correct name under [gateway]";

/// The files for brokers, when there are any; `name` is this gateway's.
pub(super) fn towards_brokers(
    read: Option<Spanned<TlsTable>>,
    name: &Id,
    file: &str,
) -> Result<Option<ClientFiles>, Complaint> {
    let Some(read) = read else { return Ok(None) };
    let (span, table) = (read.span(), read.into_inner());
    let own = Pair {
        certificate: table.certificate.in_folder_of(file),
        key: table.key.in_folder_of(file),
    };
    let files = ClientFiles { ca: table.ca.in_folder_of(file), own: Some(own) };
    let refused = |what: String, todo: &str| Complaint::new(span.clone(), what, todo);
    files.load(&[]).map_err(|error| halves(span.clone(), &error))?;
    let own = files.certificate().map_err(|error| halves(span.clone(), &error))?;
    if let Some(own) = own {
        let identity = Identity::service(Kind::Gateway, name.clone());
        let misfit = |misfit| refused(format!("the certificate {misfit}"), REPLACE);
        identity.owns(&own).map_err(misfit)?;
    }
    Ok(Some(files))
}

/// The files for displays, when there are any.
pub(super) fn towards_displays(
    read: Option<Spanned<ServeTlsTable>>,
    file: &str,
) -> Result<Option<ServerFiles>, Complaint> {
    let Some(read) = read else { return Ok(None) };
    let (span, table) = (read.span(), read.into_inner());
    if table.client_ca.is_none() && table.client_optional.is_some() {
        let what = "client_optional without client_ca: nobody is asked for a certificate";
        return Err(Complaint::new(span, what, "set client_ca, or remove client_optional"));
    }
    let files = ServerFiles {
        own: Pair {
            certificate: table.certificate.in_folder_of(file),
            key: table.key.in_folder_of(file),
        },
        client_ca: table.client_ca.map(|ca| ca.in_folder_of(file)),
        client_optional: table.client_optional.unwrap_or(false),
    };
    files.load(&[]).map_err(|error| halves(span, &error))?;
    Ok(Some(files))
}

/// What is wrong and what to do, which the error has on both sides of its semicolon.
fn halves(span: Range<usize>, error: &ecmo_identity::FileError) -> Complaint {
    let text = error.to_string();
    let (what, todo) = text.rsplit_once("; ").unwrap_or((&text, "check the file"));
    Complaint::new(span, what, todo)
}

/// Whether brokers and certificates go together: where a broker is reached by TLS, and where [tls] stands.
pub(super) fn go_together(
    broker_at: Option<Range<usize>>,
    tls_at: Option<Range<usize>>,
) -> Result<(), Complaint> {
    match (broker_at, tls_at) {
        (Some(at), None) => Err(Complaint::new(
            at,
            "TLS to a broker needs certificates",
            "set ca, certificate and key under [tls], or use mqtt:// on this machine",
        )),
        (None, Some(at)) => Err(Complaint::new(
            at,
            "[tls] is set, and no broker is reached by it",
            "write mqtts://HOST:PORT under [broker], or remove [tls]",
        )),
        (Some(_), Some(_)) | (None, None) => Ok(()),
    }
}

/// Whether displays may be served there: beyond this machine only by TLS, unless somebody takes the risk by name.
pub(super) fn serves_safely(
    bind: SocketAddr,
    at: Range<usize>,
    has_tls: bool,
    insecure: bool,
) -> Result<(), Complaint> {
    if bind.ip().is_loopback() || has_tls || insecure {
        return Ok(());
    }
    Err(Complaint::new(
        at,
        format!("{bind} is open to the network, and nothing there is encrypted or asks who comes"),
        "set certificate and key under [serve.tls], or bind to 127.0.0.1; insecure = true under [serve] takes the risk",
    ))
}

/// Whether a broker is on this machine, as far as its name tells.
pub(super) fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<std::net::IpAddr> = bare.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}
