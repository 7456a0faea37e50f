//! Tokens of an identity provider at a real gateway: its keys come and go, and an outage takes nothing away.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecmo_gateway::clock::Clock;
use ecmo_gateway::people::{Provider, Role};
use ecmo_testkit::eventually;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;
use tonic::Code;

use super::{Ward, accounts, settings};
use crate::display::SOON;
use crate::site::Site;

/// A provider with one key.
struct Issuer {
    kid: &'static str,
    key: Ed25519KeyPair,
}

impl Issuer {
    fn new(kid: &'static str) -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self { kid, key: Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap() }
    }

    fn set(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": x }] }).to_string()
    }

    fn token(&self, name: &str, roles: &[&str], lasts_s: i64) -> String {
        let now_s = Clock::start().wall_ns() / 1_000_000_000;
        let head = json!({ "alg": "EdDSA", "kid": self.kid });
        let claims = json!({
            "iss": "https://id.example", "aud": "ecmo-gateway", "exp": now_s + lasts_s,
            "preferred_username": name, "roles": roles,
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(head), part(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_the_provider_are_people_and_its_outage_takes_nothing_away() {
    let dir = tempfile::tempdir().unwrap();
    let (file, keys) = (dir.path().join("people.toml"), dir.path().join("keys.json"));
    accounts(&file);
    let old = Issuer::new("old");
    std::fs::write(&keys, old.set()).unwrap();
    let mut settings = settings(dir.path());
    settings.people.as_mut().unwrap().provider = Some(Provider {
        issuer: "https://id.example".to_owned(),
        audience: "ecmo-gateway".to_owned(),
        keys: keys.clone(),
        name_claim: "preferred_username".to_owned(),
        role_claim: "roles".to_owned(),
        roles: vec![("nurse".to_owned(), Role::Clinician)],
    });
    let ward = Ward { site: Site::with(settings).await, dir };
    let code = async |token: &str| ward.acknowledge(Some(token), "").await.unwrap_err().code();
    let nurse = old.token("ann", &["nurse"], 300);
    assert_eq!(code(&nurse).await, Code::NotFound, "as far as the alarm, which does not exist");
    let known = ward.identity(&nurse).await.identity.unwrap();
    assert_eq!((known.name.as_str(), known.left_s), ("ann", 0));
    assert_eq!(code(&old.token("ann", &[], 300)).await, Code::PermissionDenied);
    assert_eq!(code(&old.token("ann", &["nurse"], -61)).await, Code::Unauthenticated);
    assert_eq!(
        code(&Issuer::new("old").token("ann", &["nurse"], 300)).await,
        Code::Unauthenticated
    );
    // Two ways in, and one name in the log.
    assert_eq!(code(&old.token("the ADMIN", &["nurse"], 300)).await, Code::Unauthenticated);

    std::fs::remove_file(&keys).unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(code(&nurse).await, Code::NotFound, "keys that were read last stay in force");

    let new = Issuer::new("new");
    std::fs::write(&keys, new.set()).unwrap();
    let fresh = new.token("ann", &["nurse"], 300);
    eventually(SOON, "the new key", async || {
        let code = code(&fresh).await;
        if code == Code::NotFound { Ok(()) } else { Err(code.to_string()) }
    })
    .await
    .unwrap();
    assert_eq!(
        code(&nurse).await,
        Code::Unauthenticated,
        "a key that was taken back signs nobody in"
    );
    ward.site.gateway.stop().await;
}
