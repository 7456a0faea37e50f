//! What a certificate says of itself: its names, and how long it holds. Whether it is genuine, only TLS finds out.

use std::net::IpAddr;

use crate::der::{Reader, seconds, tag};

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

/// The parts of a certificate that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The common name; `None` when there is none, or more than one.
    pub common_name: Option<String>,
    /// URIs among its alternative names.
    pub uris: Vec<String>,
    /// Hosts for which it may serve: names and addresses, as text.
    pub hosts: Vec<String>,
    /// From when it holds, in seconds since 1970.
    pub not_before: i64,
    /// Until when it holds, in seconds since 1970.
    pub not_after: i64,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// Whose it is, as DER.
    pub subject: Vec<u8>,
    /// Who signed it, as DER.
    pub issuer: Vec<u8>,
}

impl Certificate {
    /// Reads DER; `None` when it is no certificate.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let mut whole = Reader::new(Reader::new(der).expect(tag::SEQUENCE)?);
        let mut body = Reader::new(whole.expect(tag::SEQUENCE)?);
        body.optional(tag::VERSION);
        // Serial number and algorithm.
        body.next()?;
        body.next()?;
        let issuer = body.expect(tag::SEQUENCE)?;
        let mut validity = Reader::new(body.expect(tag::SEQUENCE)?);
        let mut time = || validity.next().and_then(|(tag, text)| seconds(tag, text));
        let (not_before, not_after) = (time()?, time()?);
        let subject = body.expect(tag::SEQUENCE)?;
        // The public key.
        body.next()?;
        let mut found = Self {
            common_name: common_name(subject),
            uris: Vec::new(),
            hosts: Vec::new(),
            not_before,
            not_after,
            is_authority: false,
            subject: subject.to_vec(),
            issuer: issuer.to_vec(),
        };
        while let Some((kind, content)) = body.next() {
            if kind == tag::EXTENSIONS {
                found.read_extensions(Reader::new(content).expect(tag::SEQUENCE)?)?;
            }
        }
        Some(found)
    }

    fn read_extensions(&mut self, content: &[u8]) -> Option<()> {
        let mut extensions = Reader::new(content);
        while let Some((_, extension)) = extensions.next() {
            let mut extension = Reader::new(extension);
            let id = extension.expect(tag::OID)?;
            // Whether it is critical.
            extension.optional(tag::BOOLEAN);
            let mut value = Reader::new(extension.expect(tag::OCTETS)?);
            if id == ALTERNATIVE_NAMES {
                self.read_names(value.expect(tag::SEQUENCE)?);
            } else if id == BASIC_CONSTRAINTS {
                let mut constraints = Reader::new(value.expect(tag::SEQUENCE)?);
                self.is_authority =
                    constraints.optional(tag::BOOLEAN).is_some_and(|it| it == [0xff]);
            }
        }
        Some(())
    }

    fn read_names(&mut self, content: &[u8]) {
        let mut names = Reader::new(content);
        while let Some((kind, name)) = names.next() {
            let text = std::str::from_utf8(name).ok().map(str::to_owned);
            match kind {
                tag::URI => self.uris.extend(text),
                tag::DNS => self.hosts.extend(text),
                tag::IP => self.hosts.extend(address(name).map(|address| address.to_string())),
                _ => {}
            }
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    four.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from))
}

/// The only common name of a subject. Of two, a broker might take the one and we the other.
fn common_name(subject: &[u8]) -> Option<String> {
    let mut parts = Reader::new(subject);
    let mut names = Vec::new();
    while let Some(part) = parts.optional(tag::SET) {
        let mut pairs = Reader::new(part);
        while let Some(pair) = pairs.optional(tag::SEQUENCE) {
            let mut pair = Reader::new(pair);
            if pair.expect(tag::OID)? == COMMON_NAME {
                let (kind, name) = pair.next()?;
                let is_text = matches!(kind, tag::UTF8 | tag::PRINTABLE | tag::IA5);
                names.push(std::str::from_utf8(name).ok().filter(|_| is_text)?);
            }
        }
    }
    match names.as_slice() {
        [only] => Some((*only).to_owned()),
        [] | [_, _, ..] => None,
    }
}
