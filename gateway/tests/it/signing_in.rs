//! People before a gateway that asks who they are: every role at every call, sessions, the PIN, the audit log, pages.
#![cfg(test)]

mod matrix;

mod program;

mod sessions;

mod tokens;

use std::path::Path;

use argon2::password_hash::{PasswordHasher as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use ecmo_gateway::config::Settings;
use ecmo_gateway::people::{PeopleSettings, Role};
use ecmo_proto::v1;
use ecmo_proto::v1::people_service_client::PeopleServiceClient;
use ecmo_proto::v1::sign_in_request::Proof;
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::site::{Site, keeping_in};

/// The password of every account here.
const PASSWORD: &str = "correct horse";

/// The PIN here.
const PIN: &str = "482915";

/// Name of the account of a role.
fn name_of(role: Role) -> String {
    format!("The {}", role.word())
}

/// A gateway with an account of each role and a PIN; its files go with it.
struct Ward {
    site: Site,
    dir: TempDir,
}

fn settings(dir: &Path) -> Settings {
    let mut settings = keeping_in(dir.join("state"));
    settings.people = Some(PeopleSettings::of_accounts(dir.join("people.toml")));
    settings
}

/// Writes an account of each role and the PIN, hashed so cheaply that a test can sign in often.
fn accounts(file: &Path) {
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = SaltString::encode_b64(&[7; 16]).unwrap();
    let hash = |secret: &str| argon2.hash_password(secret.as_bytes(), &salt).unwrap().to_string();
    let account = |role: Role| {
        let (name, role, password) = (name_of(role), role.word(), hash(PASSWORD));
        format!("[[account]]\nname = {name:?}\nrole = {role:?}\npassword = {password:?}\n")
    };
    let accounts: String = Role::ALL.map(account).concat();
    std::fs::write(file, format!("{accounts}[break_glass]\npin = {:?}\n", hash(PIN))).unwrap();
}

impl Ward {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        accounts(&dir.path().join("people.toml"));
        let site = Site::with(settings(dir.path())).await;
        Self { site, dir }
    }

    fn people(&self) -> PeopleServiceClient<Channel> {
        PeopleServiceClient::new(self.site.display.channel.clone())
    }

    async fn prove(&self, name: &str, proof: Proof) -> Result<v1::SignInResponse, Status> {
        let request = v1::SignInRequest { name: name.to_owned(), proof: Some(proof) };
        self.people().sign_in(request).await.map(tonic::Response::into_inner)
    }

    async fn try_password(&self, name: &str, password: &str) -> Result<v1::SignInResponse, Status> {
        self.prove(name, Proof::Password(password.to_owned())).await
    }

    async fn sign_in(&self, role: Role) -> String {
        self.try_password(&name_of(role), PASSWORD).await.unwrap().token
    }

    async fn by_pin(&self, name: &str) -> v1::SignInResponse {
        self.prove(name, Proof::Pin(PIN.to_owned())).await.unwrap()
    }

    /// Who the gateway takes the holder of a token for.
    async fn identity(&self, token: &str) -> v1::GetIdentityResponse {
        let request = with_token(v1::GetIdentityRequest {}, Some(token));
        self.people().get_identity(request).await.unwrap().into_inner()
    }

    /// Acknowledges something that does not exist: how far a person comes.
    async fn acknowledge(&self, token: Option<&str>, by: &str) -> Result<(), Status> {
        let request = v1::AcknowledgeAlarmRequest {
            occurrence: "pump.stop/none-1".to_owned(),
            revision: 1,
            by: by.to_owned(),
            ..v1::AcknowledgeAlarmRequest::default()
        };
        let answer = self.site.display.alarms().acknowledge_alarm(with_token(request, token)).await;
        answer.map(|_done| ())
    }

    /// The lines of the audit log.
    fn log(&self) -> Vec<serde_json::Value> {
        let text =
            std::fs::read_to_string(self.dir.path().join("state/audit/000001.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A request with a token, or without.
fn with_token<T>(message: T, token: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    request
}
