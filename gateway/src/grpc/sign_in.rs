//! Lets people in and out, and tells them who they are here.

use std::sync::Arc;
use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::people_service_server::PeopleService;
use ecmo_proto::v1::sign_in_request::Proof;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::Serving;
use super::guard::bearer;
use crate::people::door::Caller;
use crate::people::{Door, Identity, Person, Refusal, Role, Way, policy};
use crate::store::audit::Kind;

/// The service of people.
#[derive(Debug)]
pub(super) struct Entrance {
    serving: Serving,
}

impl Entrance {
    pub(super) const fn new(serving: Serving) -> Self {
        Self { serving }
    }

    fn door(&self) -> Result<&Arc<Door>, Status> {
        let open = "nobody signs in here: this gateway takes names as they are said";
        self.serving.door.as_ref().ok_or_else(|| Status::failed_precondition(open))
    }

    fn note(&self, kind: Kind, by: &str, details: &str) {
        tracing::info!(target: "action", ?kind, by, details, "people");
        self.serving.actions.note(kind, None, (by, ""), details.to_owned());
    }
}

fn refused(refusal: &Refusal) -> Status {
    let why = refusal.to_string();
    match refusal {
        Refusal::Name => Status::invalid_argument(why),
        Refusal::Wrong => Status::unauthenticated(why),
        Refusal::NoPin => Status::failed_precondition(why),
        Refusal::Wait(_) | Refusal::Busy => Status::resource_exhausted(why),
        Refusal::Failed(_) => Status::unavailable(why),
    }
}

const fn role(role: Role) -> v1::Role {
    match role {
        Role::Viewer => v1::Role::Viewer,
        Role::Clinician => v1::Role::Clinician,
        Role::Biomed => v1::Role::Biomed,
        Role::Admin => v1::Role::Admin,
    }
}

/// Whole seconds, rounded up: a session that has not ended has some left.
fn seconds(left: Duration) -> u32 {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

fn identity(caller: &Caller) -> Option<v1::Identity> {
    let Identity::Person(person) = &caller.identity else { return None };
    let (idle, left) = caller.left.unwrap_or_default();
    Some(v1::Identity {
        name: person.name.clone(),
        role: role(person.role).into(),
        break_glass: person.way == Way::BreakGlass,
        idle_s: seconds(idle),
        left_s: seconds(left),
        allowed: policy::allowed(&caller.identity).map(str::to_owned).collect(),
    })
}

/// The token of a call.
fn token(head: MetadataMap) -> Option<String> {
    bearer(&head.into_headers()).map(str::to_owned)
}

#[tonic::async_trait]
impl PeopleService for Entrance {
    async fn sign_in(
        &self,
        request: Request<v1::SignInRequest>,
    ) -> Result<Response<v1::SignInResponse>, Status> {
        let door = self.door()?;
        let v1::SignInRequest { name, proof } = request.into_inner();
        let (kind, how, opened) = match proof {
            None => return Err(Status::invalid_argument("proof: give a password or a PIN")),
            Some(Proof::Password(secret)) => {
                (Kind::SignIn, "password", door.sign_in(&name, &secret).await)
            }
            Some(Proof::Pin(pin)) => (Kind::BreakGlass, "PIN", door.break_glass(&name, &pin).await),
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(refusal) => {
                // Beyond the attempts that are counted nothing is written: a flood must not fill the log.
                if refusal == Refusal::Wrong {
                    let said: String =
                        name.chars().filter(|it| !it.is_control()).take(64).collect();
                    self.note(Kind::Refused, &said, &format!("sign in by {how}: not right"));
                }
                return Err(refused(&refusal));
            }
        };
        if let Identity::Person(Person { name, role, .. }) = &opened.caller.identity {
            self.note(kind, name, &format!("by {how}, as {}", role.word()));
        }
        let identity = identity(&opened.caller);
        Ok(Response::new(v1::SignInResponse { token: opened.token, identity }))
    }

    async fn sign_out(
        &self,
        request: Request<v1::SignOutRequest>,
    ) -> Result<Response<v1::SignOutResponse>, Status> {
        let token = token(request.into_parts().0);
        let out = self.serving.door.as_ref().zip(token).and_then(|(door, it)| door.sign_out(&it));
        if let Some(person) = out {
            self.note(Kind::SignOut, &person.name, "");
        }
        Ok(Response::new(v1::SignOutResponse {}))
    }

    async fn get_identity(
        &self,
        request: Request<v1::GetIdentityRequest>,
    ) -> Result<Response<v1::GetIdentityResponse>, Status> {
        let Some(door) = &self.serving.door else {
            return Ok(Response::new(v1::GetIdentityResponse::default()));
        };
        let token = token(request.into_parts().0);
        // Whose session is over is nobody.
        let identity = door.identify(token.as_deref(), false).ok().and_then(|it| identity(&it));
        let has_pin = door.has_pin();
        Ok(Response::new(v1::GetIdentityResponse { asked: true, identity, has_pin }))
    }
}
