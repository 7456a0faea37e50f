//! Who a person is to a gateway: signs in and out, and asks.

use ecmo_proto::v1 as wire;
use wire::people_service_client::PeopleServiceClient;
use wire::sign_in_request::Proof;

use super::{ClientError, Gateway, Link, timed};

/// Who a person is to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedIn {
    /// To be sent with each call.
    pub(crate) token: String,
    /// The name that is recorded.
    pub(crate) name: String,
    /// What they may do, in a word.
    pub(crate) role: &'static str,
    /// For how long, in seconds.
    pub(crate) left_s: u32,
}

fn role(identity: &wire::Identity) -> &'static str {
    match identity.role() {
        _any if identity.break_glass => "break-glass",
        wire::Role::Unspecified | wire::Role::Viewer => "viewer",
        wire::Role::Clinician => "clinician",
        wire::Role::Biomed => "biomed",
        wire::Role::Admin => "admin",
    }
}

impl Gateway {
    fn people_client(&self) -> PeopleServiceClient<Link> {
        PeopleServiceClient::new(self.channel.clone())
    }

    /// Signs in by a password, or by the PIN of the site.
    pub(crate) async fn sign_in(
        &self,
        name: &str,
        secret: &str,
        by_pin: bool,
    ) -> Result<SignedIn, ClientError> {
        let proof = if by_pin { Proof::Pin } else { Proof::Password };
        let proof = Some(proof(secret.to_owned()));
        let request = wire::SignInRequest { name: name.to_owned(), proof };
        let answer = self.changed("sign in", self.people_client().sign_in(request)).await?;
        let identity = answer.identity.unwrap_or_default();
        let role = role(&identity);
        Ok(SignedIn { token: answer.token, name: identity.name, role, left_s: identity.left_s })
    }

    /// Ends the session here.
    pub(crate) async fn sign_out(&self) -> Result<(), ClientError> {
        let mut client = self.people_client();
        self.answer("sign out", client.sign_out(timed(wire::SignOutRequest {}))).await?;
        Ok(())
    }
}
