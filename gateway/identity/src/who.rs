//! Who a certificate is for: a pump's agent, a gateway, a broker, a display or a monitor, by its common name and a URI.

use std::fmt;
use std::str::FromStr;

use ecmo_proto::topic::{Id, PumpAddress};

use crate::certificate::Certificate;

/// What every URI of ours begins with.
const PREFIX: &str = "urn:ecmo:";

/// What a certificate lets its holder be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The agent at one pump; its name is the pump's.
    Agent,
    /// A gateway.
    Gateway,
    /// A broker.
    Broker,
    /// A display that stands somewhere: a nurse station, a screen at a bed.
    Display,
    /// Whoever watches over the system, such as Prometheus.
    Monitor,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Agent, Self::Gateway, Self::Broker, Self::Display, Self::Monitor];

    /// The word for it in a URI.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Gateway => "gateway",
            Self::Broker => "broker",
            Self::Display => "display",
            Self::Monitor => "monitor",
        }
    }
}

/// Who somebody is, as it stands in a certificate's URI: `urn:ecmo:agent:WARD:PUMP`, or `urn:ecmo:KIND:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub kind: Kind,
    /// The ward of an agent; nobody else has one.
    pub ward: Option<Id>,
    /// The common name.
    pub name: Id,
}

/// Why a certificate names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NobodyError {
    /// None, or several.
    #[error("has no single common name")]
    CommonName,
    /// More than one of our URIs.
    #[error("has {0} names that begin with {PREFIX}, and may have one")]
    Several(usize),
    /// The URI names nothing that we know.
    #[error("says {0:?}, which is neither {PREFIX}agent:WARD:PUMP nor {PREFIX}KIND:NAME")]
    Unknown(String),
    /// It contradicts itself.
    #[error("says {uri:?} and has the common name {common_name:?}")]
    Differs {
        /// The URI.
        uri: String,
        /// The common name.
        common_name: String,
    },
}

/// Why a certificate does not belong to settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MisfitError {
    /// It names nobody.
    #[error(transparent)]
    Nobody(#[from] NobodyError),
    /// Another name.
    #[error("is for {found:?}, and not for {expected:?}")]
    Name {
        /// In the certificate.
        found: String,
        /// In the settings.
        expected: String,
    },
    /// Something else.
    #[error("is for {found}, and not for {expected}")]
    Other {
        /// In the certificate.
        found: Identity,
        /// In the settings.
        expected: Identity,
    },
}

impl Identity {
    /// The agent at a pump.
    #[must_use]
    pub fn agent(address: &PumpAddress) -> Self {
        Self { kind: Kind::Agent, ward: Some(address.ward.clone()), name: address.pump.clone() }
    }

    /// Anybody but an agent.
    #[must_use]
    pub const fn service(kind: Kind, name: Id) -> Self {
        Self { kind, ward: None, name }
    }

    /// Who a certificate is for; `None` when no URI of ours says it: its common name alone is known then.
    ///
    /// # Errors
    /// The certificate contradicts itself, or says what we do not know.
    pub fn of(certificate: &Certificate) -> Result<Option<Self>, NobodyError> {
        let common_name = certificate.common_name.as_ref().ok_or(NobodyError::CommonName)?;
        let mut ours = certificate.uris.iter().filter(|uri| uri.starts_with(PREFIX));
        let Some(uri) = ours.next() else { return Ok(None) };
        let more = ours.count();
        if more > 0 {
            return Err(NobodyError::Several(1 + more));
        }
        let identity: Self = uri.parse().map_err(|NoIdentity| NobodyError::Unknown(uri.clone()))?;
        if identity.name.as_str() != common_name {
            let (uri, common_name) = (uri.clone(), common_name.clone());
            return Err(NobodyError::Differs { uri, common_name });
        }
        Ok(Some(identity))
    }

    /// Whether a certificate belongs to this one. The common name must be the same: a broker takes it for user and client id.
    /// A URI of ours, where it has one, must be the same too.
    ///
    /// # Errors
    /// It belongs to another.
    pub fn owns(&self, certificate: &Certificate) -> Result<(), MisfitError> {
        let found = Self::of(certificate)?;
        let name = certificate.common_name.as_deref().unwrap_or_default();
        if name != self.name.as_str() {
            let (found, expected) = (name.to_owned(), self.name.to_string());
            return Err(MisfitError::Name { found, expected });
        }
        match found {
            Some(found) if found != *self => {
                Err(MisfitError::Other { found, expected: self.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}:", self.kind.word())?;
        if let Some(ward) = &self.ward {
            write!(formatter, "{ward}:")?;
        }
        write!(formatter, "{}", self.name)
    }
}

/// A text is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no identity")]
pub struct NoIdentity;

impl FromStr for Identity {
    type Err = NoIdentity;

    fn from_str(text: &str) -> Result<Self, NoIdentity> {
        let rest = text.strip_prefix(PREFIX).ok_or(NoIdentity)?;
        let (word, rest) = rest.split_once(':').ok_or(NoIdentity)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or(NoIdentity)?;
        // Ids hold no colon, and those that begin with '_' are kept for the system itself.
        let id = |text: &str| Id::new(text).ok().filter(|id| !id.is_reserved()).ok_or(NoIdentity);
        match (kind, rest.split_once(':')) {
            (Kind::Agent, Some((ward, pump))) => {
                Ok(Self { kind, ward: Some(id(ward)?), name: id(pump)? })
            }
            (Kind::Gateway | Kind::Broker | Kind::Display | Kind::Monitor, None) => {
                Ok(Self::service(kind, id(rest)?))
            }
            (Kind::Agent, None)
            | (Kind::Gateway | Kind::Broker | Kind::Display | Kind::Monitor, Some(_)) => {
                Err(NoIdentity)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(name: &str, uris: &[&str]) -> Certificate {
        Certificate {
            common_name: (!name.is_empty()).then(|| name.to_owned()),
            uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
            hosts: Vec::new(),
            not_before: 0,
            not_after: 1,
            is_authority: false,
            subject: Vec::new(),
            issuer: Vec::new(),
        }
    }

    fn pump(ward: &str, pump: &str) -> Identity {
        let id = |text| Id::new(text).unwrap();
        Identity::agent(&PumpAddress { ward: id(ward), pump: id(pump) })
    }

    #[test]
    fn an_identity_is_written_as_it_is_read_and_nothing_else_is_one() {
        for text in [
            "urn:ecmo:agent:nicu:pump-1",
            "urn:ecmo:gateway:gateway-a",
            "urn:ecmo:broker:broker-a",
            "urn:ecmo:display:desk-1",
            "urn:ecmo:monitor:prometheus",
        ] {
            assert_eq!(text.parse::<Identity>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "urn:ecmo:",
            "urn:ecmo:agent:pump-1",
            "urn:ecmo:agent:nicu:pump-1:x",
            "urn:ecmo:gateway:nicu:a",
            "urn:ecmo:admin:a",
            "urn:ecmo:display:",
            "urn:ecmo:display:a b",
            "urn:ecmo:gateway:_gateways",
            "URN:ecmo:display:a",
        ] {
            assert_eq!(wrong.parse::<Identity>(), Err(NoIdentity), "{wrong}");
        }
    }

    #[test]
    fn a_certificate_fits_by_its_common_name_and_by_its_uri_where_it_has_one() {
        let own = pump("nicu", "pump-1");
        let uri = own.to_string();
        assert_eq!(own.owns(&certificate("pump-1", &[])), Ok(()));
        assert_eq!(own.owns(&certificate("pump-1", &["https://x", &uri])), Ok(()));
        let words = |name: &str, uris: &[&str]| own.owns(&certificate(name, uris)).unwrap_err();
        for (name, uris, expected) in [
            ("pump-2", &[][..], "for \"pump-2\", and not for \"pump-1\""),
            ("pump-2", &["urn:ecmo:agent:nicu:pump-2"], "for \"pump-2\""),
            ("pump-1", &["urn:ecmo:agent:picu:pump-1"], "agent:picu:pump-1, and not for urn"),
            ("pump-1", &["urn:ecmo:gateway:pump-1"], "gateway:pump-1, and not"),
            ("pump-1", &["urn:ecmo:agent:nicu:pump-2"], "has the common name"),
            ("pump-1", &["urn:ecmo:agent:nicu:pump-1", "urn:ecmo:display:pump-1"], "has 2 names"),
            ("pump-1", &["urn:ecmo:root:pump-1"], "neither"),
            ("", &["urn:ecmo:agent:nicu:pump-1"], "no single common name"),
        ] {
            let words = words(name, uris).to_string();
            assert!(words.contains(expected), "{name} {uris:?}: {words}");
        }
    }
}
