//! The public keys of an identity provider: Ed25519, P-256, RSA of 2048 bits at least. Others in the set are passed over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;

/// Most keys of a provider: those of now and those that it changes to.
const KEYS_MAX: usize = 32;

/// Longest set, in bytes.
pub(in super::super) const FILE_BYTES_MAX: u64 = 256 * 1024;

/// How a token is signed. What proves nothing (`none`) or is signed with a shared secret (`HS256`) has no place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    EdDsa,
    Es256,
    Rs256,
}

impl Algorithm {
    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word {
            "EdDSA" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Ed25519(Vec<u8>),
    /// Uncompressed point.
    P256(Vec<u8>),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    kid: Option<String>,
    material: Material,
}

impl Key {
    const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::P256(_) => Algorithm::Es256,
            Material::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// Whether this key made the signature of what was signed.
    pub(super) fn fits(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Ed25519(point) => {
                UnparsedPublicKey::new(&ED25519, point).verify(signed, signature).is_ok()
            }
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed, signature)
                .is_ok(),
            Material::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
                .is_ok(),
        }
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Written>,
}

/// A key as it is written.
#[derive(Deserialize)]
struct Written {
    kty: String,
    #[serde(default)]
    r#use: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
}

impl Written {
    /// The key, where it is for signatures and of a known kind.
    fn key(self) -> Option<Key> {
        if self.r#use.as_deref().is_some_and(|word| word != "sig") {
            return None;
        }
        let bytes = |part: Option<&String>| URL_SAFE_NO_PAD.decode(part?).ok();
        let coordinate = |part: Option<&String>| bytes(part).filter(|it| it.len() == 32);
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => Material::Ed25519(coordinate(self.x.as_ref())?),
            ("EC", Some("P-256")) => {
                let (x, y) = (coordinate(self.x.as_ref())?, coordinate(self.y.as_ref())?);
                Material::P256([vec![4], x, y].concat())
            }
            ("RSA", _) => {
                let without_zeros =
                    |bytes: Vec<u8>| bytes.into_iter().skip_while(|it| *it == 0).collect();
                let (n, e) = (bytes(self.n.as_ref())?, bytes(self.e.as_ref())?);
                Material::Rsa { n: without_zeros(n), e: without_zeros(e) }
            }
            _ => return None,
        };
        let key = Key { kid: self.kid, material };
        let says = self.alg.as_deref().map(Algorithm::from_word);
        says.is_none_or(|says| says == Some(key.algorithm())).then_some(key)
    }
}

/// The keys that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Keys(Vec<Key>);

impl Keys {
    /// Reads a JSON Web Key Set.
    ///
    /// # Errors
    /// It is none, or holds no key that can be used.
    pub(in super::super) fn parse(text: &str) -> Result<Self, String> {
        let set: Set = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let keys: Vec<Key> = set.keys.into_iter().filter_map(Written::key).take(KEYS_MAX).collect();
        if keys.is_empty() {
            return Err("it holds no Ed25519, P-256 or RSA key for signatures".to_owned());
        }
        Ok(Self(keys))
    }

    /// Those that a token can be signed with: of this kind, and of that name where it says one.
    pub(super) fn of(&self, algorithm: Algorithm, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        let named = move |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        self.0.iter().filter(move |key| key.algorithm() == algorithm).filter(named)
    }
}
