//! Who may reach whom in a browser: which pages this gateway answers, and what its own page may do.

use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::config::{Origin, Ui};

/// How long a browser may remember that a page may call: without that, each acknowledgement would be asked for twice.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Answers pages of the gateways and origins that are listed, and no other page. The page of this gateway itself asks nobody.
pub fn cors(ui: &Ui) -> CorsLayer {
    let listed = ui.gateways.iter().chain(&ui.origins);
    let origins = listed.filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        // The star covers every header but the one that says who calls.
        .allow_headers([HeaderName::from_static("*"), header::AUTHORIZATION])
        .expose_headers(Any)
        .max_age(REMEMBERED)
}

/// What the page may load and run, and where it may connect: this gateway and the listed ones. No script or style stands in the
/// page itself, so that nothing that is put into it can run.
pub(super) fn policy(gateways: &[Origin]) -> HeaderValue {
    let connect: String = gateways.iter().map(|it| format!(" {}", it.as_str())).collect();
    let text = format!(
        "default-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'{connect}; font-src 'self'; style-src 'self'; \
         img-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    // An origin holds nothing that a header may not; without one the page may connect to this gateway alone.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("default-src 'self'"))
}
