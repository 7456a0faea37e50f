//! Passwords and PINs: made into Argon2id hashes, and checked against them. Slow by design; never called on a thread that serves.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};

/// Longest password, in bytes: more makes nothing safer.
pub(super) const PASSWORD_BYTES_MAX: usize = 256;

/// Most memory that a stored hash may ask for, in KiB: a mistyped file must not take the machine.
const MEMORY_KIB_MAX: u32 = 256 * 1024;

/// Most rounds that a stored hash may ask for.
const ROUNDS_MAX: u32 = 16;

/// What is checked where there is no account, so that this takes as long as a wrong password: of a password nobody knows, made
/// as [`hash`] makes them.
pub(super) const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A hash for a new password or PIN: Argon2id, 19 MiB, two rounds (prop: OWASP's least).
///
/// # Errors
/// The system gives no random bytes.
pub(super) fn hash(password: &str) -> Result<String, String> {
    hash_with(password, Params::default())
}

fn hash_with(password: &str, params: Params) -> Result<String, String> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_none| "the system gives no random bytes")?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| error.to_string())?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}

/// Whether a text is a hash that can be checked here.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_form(text: &str) -> Result<(), &'static str> {
    let hash = PasswordHash::new(text).map_err(|_other| "it is no hash of a password")?;
    if hash.algorithm != argon2::ARGON2ID_IDENT || hash.hash.is_none() || hash.salt.is_none() {
        return Err("it is no Argon2id hash");
    }
    let params = Params::try_from(&hash).map_err(|_other| "its parameters are impossible")?;
    if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > ROUNDS_MAX || params.p_cost() != 1 {
        return Err("it asks for more memory or rounds than allowed");
    }
    Ok(())
}

/// Whether a password is the one of a hash. Takes some hundredths of a second and 19 MiB.
pub(super) fn verify(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cheap, for tests.
    fn quick(password: &str) -> String {
        hash_with(password, Params::new(8, 1, 1, None).unwrap()).unwrap()
    }

    #[test]
    fn a_password_fits_its_own_hash_and_no_other() {
        let hash = quick("heart");
        assert!(verify("heart", &hash) && !verify("hearT", &hash) && !verify("", &hash));
        assert_ne!(quick("heart"), hash, "each has a salt of its own");
        assert!(!verify("heart", "heart") && !verify("", NOBODYS));
    }

    #[test]
    fn a_new_hash_is_as_dear_as_the_one_that_is_checked_for_nobody() {
        let form = |text: &str| text.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(form(&hash("heart").unwrap()), form(NOBODYS));
        assert_eq!(check_form(NOBODYS), Ok(()));
    }

    #[test]
    fn only_argon2id_of_a_bearable_price_is_taken() {
        for bad in [
            "",
            "heart",
            "$argon2id$v=19$m=19456,t=2,p=1",
            &NOBODYS.replace("argon2id", "argon2i"),
            &NOBODYS.replace("m=19456", "m=4000000"),
            &NOBODYS.replace("t=2", "t=99"),
        ] {
            assert!(check_form(bad).is_err(), "{bad}");
        }
    }
}
