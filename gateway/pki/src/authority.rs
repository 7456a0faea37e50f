//! Makes keys and signs certificates, in memory.

use std::time::{Duration, SystemTime};

use ecmo_identity::rustls::pki_types::CertificateDer;
use ecmo_identity::{Certificate, Identity, Kind};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};

/// Days for which an authority holds, when nobody says otherwise.
pub const AUTHORITY_DAYS: u32 = 3_650;

/// Days for which a certificate holds, when nobody says otherwise: a year, and a month to renew it in.
pub const DAYS_DEFAULT: u32 = 397;

/// Most days for which a certificate may hold: what is lost or stolen ends some time.
pub const DAYS_MAX: u32 = 825;

/// A certificate holds from a little before it was made: the clock of who reads it may be behind.
const BEFORE: Duration = Duration::from_mins(5);

const DAY: Duration = Duration::from_hours(24);

/// What every common name of ours begins with; by it an authority is known that was made here.
const AUTHORITY_NAME: &str = "ECMO trial authority of ";

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The library refuses.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The key of an authority is no key.
    #[error("the authority's key cannot be read: {0}")]
    Key(#[source] rcgen::Error),
    /// Another authority, whose names we would not write as it does.
    #[error("this authority was not made by this program; let whoever made it sign")]
    Foreign,
    /// Something that serves must say where.
    #[error("a {0} is reached by a name or an address: say it with --host")]
    NoHost(&'static str),
    /// Nothing that serves.
    #[error("nobody connects to a {0}: leave out --host")]
    Host(&'static str),
    /// Longer than is wise.
    #[error("{0} days are impossible; choose 1 to {DAYS_MAX}")]
    Days(u32),
}

/// A certificate to be signed.
#[derive(Debug, Clone)]
pub struct Order {
    /// Whom it is for.
    pub identity: Identity,
    /// Names and addresses at which it is reached; for brokers and gateways alone.
    pub hosts: Vec<String>,
    /// From when it holds.
    pub from: SystemTime,
    /// Until when it holds.
    pub until: SystemTime,
}

impl Order {
    /// One that holds from now on.
    ///
    /// # Errors
    /// Too many days, or none.
    pub fn for_days(
        identity: Identity,
        hosts: Vec<String>,
        days: u32,
        now: SystemTime,
    ) -> Result<Self, PkiError> {
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(PkiError::Days(days));
        }
        Ok(Self { identity, hosts, from: now - BEFORE, until: now + DAY * days })
    }

    fn params(&self) -> Result<CertificateParams, PkiError> {
        let kind = self.identity.kind;
        let (serves, connects) = match kind {
            Kind::Broker => (true, false),
            Kind::Gateway => (true, true),
            Kind::Agent | Kind::Display | Kind::Monitor => (false, true),
        };
        if serves && self.hosts.is_empty() {
            return Err(PkiError::NoHost(kind.word()));
        }
        if !serves && !self.hosts.is_empty() {
            return Err(PkiError::Host(kind.word()));
        }
        let mut params = CertificateParams::new(self.hosts.clone())?;
        params.subject_alt_names.push(SanType::URI(self.identity.to_string().try_into()?));
        params.distinguished_name = named(self.identity.name.as_str());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = [
            (serves, ExtendedKeyUsagePurpose::ServerAuth),
            (connects, ExtendedKeyUsagePurpose::ClientAuth),
        ]
        .into_iter()
        .filter_map(|(does, usage)| does.then_some(usage))
        .collect();
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.not_before = self.from.into();
        params.not_after = self.until.into();
        Ok(params)
    }
}

/// A certificate and its key, both as PEM.
#[derive(Clone)]
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Signed")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

/// Who signs.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    subject: Vec<u8>,
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Authority {
    /// A new one for a site, with its certificate and key.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn make(site: &str, days: u32, now: SystemTime) -> Result<(Self, Signed), PkiError> {
        let name = format!("{AUTHORITY_NAME}{site}");
        let key = KeyPair::generate()?;
        let mut params = authority_params(&name);
        params.not_before = (now - BEFORE).into();
        params.not_after = (now + DAY * days).into();
        let certificate = params.self_signed(&key)?;
        let signed = Signed { certificate: certificate.pem(), key: key.serialize_pem() };
        let subject = Certificate::read(certificate.der()).ok_or(PkiError::Foreign)?.subject;
        Ok((Self { issuer: Issuer::new(params, key), subject }, signed))
    }

    /// One that was made before: its certificate, and the PEM text of its key.
    ///
    /// # Errors
    /// It was made elsewhere, or its key is none.
    pub fn again(certificate: &Certificate, key: &str) -> Result<Self, PkiError> {
        let name = certificate.common_name.as_deref().unwrap_or_default();
        if !certificate.is_authority || !name.starts_with(AUTHORITY_NAME) {
            return Err(PkiError::Foreign);
        }
        let key = KeyPair::from_pem(key).map_err(PkiError::Key)?;
        let subject = certificate.subject.clone();
        Ok(Self { issuer: Issuer::new(authority_params(name), key), subject })
    }

    /// Makes a key, and signs its certificate.
    ///
    /// # Errors
    /// An order that cannot be.
    pub fn sign(&self, order: &Order) -> Result<Signed, PkiError> {
        let key = KeyPair::generate()?;
        let certificate = order.params()?.signed_by(&key, &self.issuer)?;
        let der: &CertificateDer<'_> = certificate.der();
        // Whoever checks it looks for this very name.
        if Certificate::read(der).is_none_or(|signed| signed.issuer != self.subject) {
            return Err(PkiError::Foreign);
        }
        Ok(Signed { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}
