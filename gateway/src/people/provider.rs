//! Tokens of an identity provider (JWT): which signatures, which times, whose, for whom, and what role they give. Pure.
//!
//! Three ways to sign are known, each with its kind of key; the key, never the token, says which one it is for.

mod keys;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

pub(super) use keys::{FILE_BYTES_MAX as KEYS_BYTES_MAX, Keys};

use super::{Person, Role, Way, name_of};
use keys::Algorithm;

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// How far the clocks of provider and gateway may be apart, in seconds.
const SKEW_S: f64 = 60.0;

/// Whose tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Who must have issued a token: its `iss`.
    pub issuer: String,
    /// For whom it must be: its `aud`.
    pub audience: String,
    /// File with the provider's public keys, a JSON Web Key Set; the site refreshes it.
    pub keys: PathBuf,
    /// Where a token names the person: a claim, or a path of claims with dots.
    pub name_claim: String,
    /// Where a token names groups or roles: a claim, or a path of claims with dots.
    pub role_claim: String,
    /// Which of those names give which role; the greatest counts. Without any, a person is a viewer.
    pub roles: Vec<(String, Role)>,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// It does not have the form of a token.
    #[error("it is no token")]
    Form,
    /// It is signed in a way that is not taken.
    #[error("it is signed in a way that is not taken")]
    Algorithm,
    /// It is signed with no key of the provider.
    #[error("it is signed with no known key")]
    Key,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// Another issued it.
    #[error("another provider issued it")]
    Issuer,
    /// It is for somebody else.
    #[error("it is for another program")]
    Audience,
    /// It has expired.
    #[error("it has expired; get a new one")]
    Expired,
    /// It is not valid yet.
    #[error("it is not valid yet; compare the clocks")]
    Early,
    /// It names nobody.
    #[error("it names nobody, or with more than 48 characters")]
    Name,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood: none is.
    #[serde(default)]
    crit: Option<Value>,
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_other| TokenError::Form)
}

/// Whom a token names, if everything about it is right. `now_s`: seconds since 1970 UTC.
///
/// # Errors
/// What is not right.
pub(super) fn verify(
    token: &str,
    (provider, keys): (&Provider, &Keys),
    now_s: f64,
) -> Result<Person, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
    let (head, body) = signed.split_once('.').ok_or(TokenError::Form)?;
    let signature = decoded(signature)?;
    let head: Head = serde_json::from_slice(&decoded(head)?).map_err(|_other| TokenError::Form)?;
    if head.crit.is_some() {
        return Err(TokenError::Form);
    }
    let algorithm = Algorithm::from_word(&head.alg).ok_or(TokenError::Algorithm)?;
    let mut known = keys.of(algorithm, head.kid.as_deref()).peekable();
    if known.peek().is_none() {
        return Err(TokenError::Key);
    }
    if !known.any(|key| key.fits(signed.as_bytes(), &signature)) {
        return Err(TokenError::Signature);
    }
    // Only what is signed is read.
    let claims: Value =
        serde_json::from_slice(&decoded(body)?).map_err(|_other| TokenError::Form)?;
    for_here(&claims, provider)?;
    in_time(&claims, now_s)?;
    let name = claim(&claims, &provider.name_claim).and_then(Value::as_str).and_then(name_of);
    let role = role(&claims, provider);
    Ok(Person { name: name.ok_or(TokenError::Name)?, role, way: Way::Provider })
}

fn for_here(claims: &Value, provider: &Provider) -> Result<(), TokenError> {
    if claims.get("iss").and_then(Value::as_str) != Some(&provider.issuer) {
        return Err(TokenError::Issuer);
    }
    let mut audiences = words(claims.get("aud"));
    if audiences.any(|word| word == provider.audience) { Ok(()) } else { Err(TokenError::Audience) }
}

/// A time that is missing where it must be, or is no number, is no time at all.
fn in_time(claims: &Value, now_s: f64) -> Result<(), TokenError> {
    let time = |value: &Value| value.as_f64().filter(|time| time.is_finite());
    let expires = claims.get("exp").and_then(time).ok_or(TokenError::Form)?;
    if now_s >= expires + SKEW_S {
        return Err(TokenError::Expired);
    }
    match claims.get("nbf") {
        None => Ok(()),
        Some(value) => {
            let begins = time(value).ok_or(TokenError::Form)?;
            if now_s + SKEW_S < begins { Err(TokenError::Early) } else { Ok(()) }
        }
    }
}

/// The value at a path of claims with dots; a claim whose own name has dots goes before.
fn claim<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| path.split('.').try_fold(claims, |value, name| value.get(name)))
}

/// One word, or each of a list.
fn words(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.chain(value).filter_map(Value::as_str)
}

fn role(claims: &Value, provider: &Provider) -> Role {
    let given = words(claim(claims, &provider.role_claim));
    let role = |word: &str| {
        provider.roles.iter().filter(move |(name, _)| name == word).map(|(_, role)| *role).max()
    };
    given.filter_map(role).max().unwrap_or(Role::Viewer)
}
