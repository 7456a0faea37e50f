//! Tokens signed here, right ones and every kind of wrong one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};

use super::*;

const NOW_S: f64 = 1_785_600_000.0;

/// Made for these tests and used for nothing else.
const RSA: &[u8] = include_bytes!("tests/rsa.pk8");

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A provider with a key of each kind.
struct Issuer {
    ed25519: Ed25519KeyPair,
    p256: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

impl Issuer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self {
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap(),
            p256: EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                p256.as_ref(),
                &random,
            )
            .unwrap(),
            rsa: RsaKeyPair::from_pkcs8(RSA).unwrap(),
        }
    }

    fn set(&self) -> Value {
        let point = self.p256.public_key().as_ref();
        let rsa = ring::signature::RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "kid": "e", "use": "sig", "alg": "EdDSA", "x": text(self.ed25519.public_key().as_ref()) },
            { "kty": "EC", "crv": "P-256", "kid": "p", "x": text(&point[1..33]), "y": text(&point[33..]) },
            { "kty": "RSA", "kid": "r", "alg": "RS256", "n": text(&rsa.n), "e": text(&rsa.e) },
            { "kty": "oct", "kid": "s", "k": text(b"shared") },
            { "kty": "EC", "crv": "P-521", "kid": "x", "x": "AA", "y": "AA" },
            { "kty": "OKP", "crv": "Ed25519", "kid": "enc", "use": "enc", "x": text(self.ed25519.public_key().as_ref()) },
        ] })
    }

    fn keys(&self) -> Keys {
        Keys::parse(&self.set().to_string()).unwrap()
    }

    fn sign(&self, head: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            text(head.to_string().as_bytes()),
            text(claims.to_string().as_bytes())
        );
        let random = SystemRandom::new();
        let signature = match head["alg"].as_str().unwrap() {
            "EdDSA" => self.ed25519.sign(signed.as_bytes()).as_ref().to_vec(),
            "ES256" => self.p256.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            "RS256" => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
                    .unwrap();
                signature
            }
            other => panic!("{other}"),
        };
        format!("{signed}.{}", text(&signature))
    }
}

fn provider() -> Provider {
    Provider {
        issuer: "https://id.example".to_owned(),
        audience: "ecmo-gateway".to_owned(),
        keys: PathBuf::new(),
        name_claim: "preferred_username".to_owned(),
        role_claim: "realm_access.roles".to_owned(),
        roles: vec![("nurse".to_owned(), Role::Clinician), ("tech".to_owned(), Role::Biomed)],
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": ["account", "ecmo-gateway"], "exp": NOW_S + 300.0, "nbf": NOW_S - 5.0,
        "preferred_username": "ann", "realm_access": { "roles": ["offline", "nurse"] },
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn judged(issuer: &Issuer, head: &Value, claims: &Value) -> Result<Person, TokenError> {
    verify(&issuer.sign(head, claims), (&provider(), &issuer.keys()), NOW_S)
}

#[test]
fn a_token_of_each_kind_of_key_names_its_person_and_role() {
    let issuer = Issuer::new();
    let ann = Person { name: "ann".to_owned(), role: Role::Clinician, way: Way::Provider };
    for head in [
        json!({ "alg": "EdDSA", "kid": "e", "typ": "JWT" }),
        json!({ "alg": "ES256", "kid": "p" }),
        json!({ "alg": "RS256", "kid": "r" }),
        json!({ "alg": "RS256" }),
    ] {
        assert_eq!(judged(&issuer, &head, &claims()), Ok(ann.clone()), "{head}");
    }
}

#[test]
fn what_is_claimed_must_be_for_here_and_for_now() {
    let issuer = Issuer::new();
    let head = json!({ "alg": "EdDSA", "kid": "e" });
    for (name, value, expected) in [
        ("aud", json!("account"), TokenError::Audience),
        ("aud", json!([]), TokenError::Audience),
        ("aud", Value::Null, TokenError::Audience),
        ("iss", json!("https://id.example/"), TokenError::Issuer),
        ("iss", json!(["https://id.example"]), TokenError::Issuer),
        ("exp", json!(NOW_S - 60.0), TokenError::Expired),
        ("exp", Value::Null, TokenError::Form),
        ("exp", json!("9999999999"), TokenError::Form),
        ("nbf", json!(NOW_S + 61.0), TokenError::Early),
        ("nbf", json!("0"), TokenError::Form),
        ("nbf", Value::Null, TokenError::Form),
        ("preferred_username", json!(""), TokenError::Name),
        ("preferred_username", json!(7), TokenError::Name),
        ("preferred_username", json!("x".repeat(49)), TokenError::Name),
        ("preferred_username", json!("ann (break-glass)"), TokenError::Name),
    ] {
        assert_eq!(
            judged(&issuer, &head, &with(name, value.clone())),
            Err(expected),
            "{name} {value}"
        );
    }
    for (name, value) in
        [("aud", json!("ecmo-gateway")), ("exp", json!(NOW_S - 59.0)), ("nbf", json!(NOW_S + 60.0))]
    {
        assert!(judged(&issuer, &head, &with(name, value.clone())).is_ok(), "{name} {value}");
    }
}

#[test]
fn the_greatest_role_counts_and_without_one_a_person_only_looks() {
    let issuer = Issuer::new();
    let head = json!({ "alg": "ES256", "kid": "p" });
    for (roles, role) in [
        (json!(["nurse", "tech", "nurse"]), Role::Biomed),
        (json!("tech"), Role::Biomed),
        (json!(["Tech", "admin"]), Role::Viewer),
        (json!([]), Role::Viewer),
        (json!(7), Role::Viewer),
    ] {
        let claims = with("realm_access", json!({ "roles": roles }));
        assert_eq!(judged(&issuer, &head, &claims).unwrap().role, role, "{claims}");
    }
    // A claim whose own name has dots, as some providers make them.
    let claims = with("realm_access.roles", json!(["tech"]));
    assert_eq!(judged(&issuer, &head, &claims).unwrap().role, Role::Biomed);
}

#[test]
fn no_other_signature_is_taken() {
    let issuer = Issuer::new();
    let (provider, keys) = (provider(), issuer.keys());
    let judge = |token: &str| verify(token, (&provider, &keys), NOW_S);
    let body = text(claims().to_string().as_bytes());
    let unsigned = |head: Value| format!("{}.{body}", text(head.to_string().as_bytes()));

    let none = format!("{}.", unsigned(json!({ "alg": "none" })));
    assert_eq!(judge(&none), Err(TokenError::Algorithm));
    // The public key as a shared secret: the old trick needs a reader that lets the token choose.
    let shared = unsigned(json!({ "alg": "HS256", "kid": "r" }));
    let secret = issuer.set()["keys"][2]["n"].as_str().unwrap().as_bytes().to_vec();
    let tag = ring::hmac::sign(
        &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret),
        shared.as_bytes(),
    );
    assert_eq!(judge(&format!("{shared}.{}", text(tag.as_ref()))), Err(TokenError::Algorithm));

    let stranger = Issuer::new();
    let forged = stranger.sign(&json!({ "alg": "EdDSA", "kid": "e" }), &claims());
    assert_eq!(judge(&forged), Err(TokenError::Signature));
    let unknown = issuer.sign(&json!({ "alg": "EdDSA", "kid": "other" }), &claims());
    assert_eq!(judge(&unknown), Err(TokenError::Key));
    // A name of a key of another kind.
    let other_kind = issuer.sign(&json!({ "alg": "EdDSA", "kid": "r" }), &claims());
    assert_eq!(judge(&other_kind), Err(TokenError::Key));
    let critical = issuer.sign(&json!({ "alg": "EdDSA", "kid": "e", "crit": ["b64"] }), &claims());
    assert_eq!(judge(&critical), Err(TokenError::Form));
}

#[test]
fn no_byte_of_a_token_can_be_changed_and_no_text_harms() {
    let issuer = Issuer::new();
    let (provider, keys) = (provider(), issuer.keys());
    let token = issuer.sign(&json!({ "alg": "EdDSA", "kid": "e" }), &claims());
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(verify(&changed, (&provider, &keys), NOW_S).is_err(), "at {place}");
    }
    let long = "a".repeat(9_000);
    for text in
        ["", ".", "..", "...", "a.b.c", &format!("{token}."), &token[..token.len() - 1], &long]
    {
        assert!(verify(text, (&provider, &keys), NOW_S).is_err(), "{text}");
    }
}

#[test]
fn a_set_without_a_key_that_can_be_used_is_refused() {
    for bad in ["", "[]", "{}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"] {
        assert!(Keys::parse(bad).is_err(), "{bad}");
    }
    let issuer = Issuer::new();
    let mut lying = issuer.set();
    lying["keys"][0]["alg"] = json!("HS256");
    let token = issuer.sign(&json!({ "alg": "EdDSA", "kid": "e" }), &claims());
    let keys = Keys::parse(&lying.to_string()).unwrap();
    assert_eq!(verify(&token, (&provider(), &keys), NOW_S), Err(TokenError::Key));
}
