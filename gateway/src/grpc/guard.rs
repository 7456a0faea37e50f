//! Stands before every service: who calls, whether the table of calls allows it, and whether the page may ask.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::{HeaderMap, header};
use tonic::Status;

use super::Serving;
use crate::actions::Actions;
use crate::config::{Origin, Ui};
use crate::people::policy::{self, Denied, Needs};
use crate::people::{Door, Identity};
use crate::tls::PeerCertificate;

/// Who asks on a connection with a certificate: every kind that is let in looks, and is no person.
fn display_of(shown: &PeerCertificate) -> Identity {
    Identity::Display(shown.name.clone())
}

/// The only call that needs no person and is asked by no other page: a stranger's page must not guess passwords.
const SIGN_IN: &str = "/ecmo.v1.PeopleService/SignIn";

/// What is needed to judge a call.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    door: Arc<Door>,
    actions: Arc<Actions>,
    pages: Arc<[Origin]>,
}

impl Guard {
    /// Where people are asked who they are; otherwise there is nothing to guard.
    pub(super) fn new(serving: &Serving, pages: &Ui) -> Option<Self> {
        let pages = pages.gateways.iter().chain(&pages.origins).cloned().collect();
        let door = serving.door.clone()?;
        Some(Self { door, actions: Arc::clone(&serving.actions), pages })
    }

    /// Who calls, if the call is allowed.
    fn judge(&self, request: &Request) -> Result<Identity, Status> {
        let path = request.uri().path();
        let looks = policy::needs(path) == Some(Needs::Display);
        if !looks || path == SIGN_IN {
            self.check_page(request)?;
        }
        let caller = self.door.identify(bearer(request.headers()), !looks);
        let who = match caller {
            // A display with a certificate is known by its connection, whoever stands before it.
            Ok(caller) if caller.identity == Identity::Nobody => {
                request.extensions().get().map_or(Identity::Nobody, display_of)
            }
            Ok(caller) => caller.identity,
            // Whose session is over still looks.
            Err(_stranger) if looks => Identity::Nobody,
            Err(stranger) => return Err(Status::unauthenticated(stranger.to_string())),
        };
        policy::check(path, &who)
            .map(|()| who.clone())
            .map_err(|denied| self.denied(path, &who, denied))
    }

    fn denied(&self, path: &str, who: &Identity, denied: Denied) -> Status {
        let why = denied.to_string();
        tracing::info!(target: "action", path, ?who, why, "denied");
        if let Identity::Person(person) = who {
            self.actions.note_refusal(None, (&person.name, ""), format!("{path}: {why}"));
        }
        match denied {
            Denied::Nobody(_) => Status::unauthenticated(why),
            Denied::Unknown => Status::unimplemented(why),
            Denied::Role(_) | Denied::Pin(_) => Status::permission_denied(why),
        }
    }

    /// A browser says from which page a call comes: it must be this gateway's own, or one of those that are listed.
    fn check_page(&self, request: &Request) -> Result<(), Status> {
        let Some(page) = request.headers().get(header::ORIGIN) else { return Ok(()) };
        let page = page.to_str().unwrap_or_default();
        let host = request.uri().authority().map(http::uri::Authority::as_str);
        let host = host.or_else(|| request.headers().get(header::HOST)?.to_str().ok());
        let own = |scheme: &str| page.strip_prefix(scheme).is_some_and(|it| Some(it) == host);
        let listed = || self.pages.iter().any(|known| known.as_str() == page);
        if own("http://") || own("https://") || listed() {
            return Ok(());
        }
        Err(Status::permission_denied(
            "this page is not one of the gateway's; list it in origins under [ui], or use the gateway's own",
        ))
    }
}

/// The token of a call; `None` without one.
pub(super) fn bearer(head: &HeaderMap) -> Option<&str> {
    let value = head.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// The services behind the guard; as they are, where there is none.
pub(super) fn before(services: Router, guard: Option<Guard>) -> Router {
    match guard {
        None => services,
        Some(guard) => services.layer(from_fn_with_state(guard, judged)),
    }
}

async fn judged(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    match guard.judge(&request) {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(status) => status.into_http(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_stands_behind_bearer() {
        let of = |value: &'static str| {
            let mut head = HeaderMap::new();
            head.insert(
                header::AUTHORIZATION,
                http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
            bearer(&head).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc ").as_deref(), Some("abc"));
        for none in ["", "Bearer", "Bearer ", "Basic abc", "abc", "\u{e9}"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
