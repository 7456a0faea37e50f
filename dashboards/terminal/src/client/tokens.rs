//! What proves who acts: a token for each gateway, from a file that its owner alone can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Tokens by the addresses of their gateways.
#[derive(Default, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    of: Vec<(String, String)>,
    /// A file that holds a token and nothing else: it is for every gateway.
    every: Option<String>,
}

// A token that is printed is one that can be used.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let urls: Vec<&str> = self.of.iter().map(|(url, _token)| url.as_str()).collect();
        formatter.debug_tuple("Tokens").field(&urls).finish()
    }
}

impl Tokens {
    /// Reads a file: lines of an address and a token, or one token. None, while there is no file.
    ///
    /// # Errors
    /// It cannot be read, or others may read it.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            opened => opened?,
        };
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            let what = format!("others may read {}: chmod 600 it", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut tokens = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once(' ') {
                Some((url, token)) => tokens.set(url, token.trim()),
                None => tokens.every = Some(line.to_owned()),
            }
        }
        tokens
    }

    /// Keeps a token for a gateway.
    pub(crate) fn set(&mut self, url: &str, token: &str) {
        self.of.retain(|(other, _token)| other != url);
        self.of.push((url.to_owned(), token.to_owned()));
    }

    /// Forgets the token of a gateway.
    pub(crate) fn forget(&mut self, url: &str) {
        self.of.retain(|(other, _token)| other != url);
    }

    fn get(&self, url: &str) -> Option<&str> {
        let of = self.of.iter().find(|(other, _token)| other == url).map(|(_url, token)| token);
        of.or(self.every.as_ref()).map(String::as_str)
    }

    /// What goes with each call to a gateway.
    pub(super) fn pass(&self, url: &str) -> Pass {
        let value = self.get(url).and_then(|token| format!("Bearer {token}").parse().ok());
        Pass(value.map(|mut value: MetadataValue<Ascii>| {
            value.set_sensitive(true);
            value
        }))
    }

    /// Writes the file anew; its owner alone can read it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let lines: String = self.of.iter().map(|(url, token)| format!("{url} {token}\n")).collect();
        let beside = path.with_extension("new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(lines.as_bytes())?;
        fs::rename(&beside, path)
    }
}

/// Puts the token into each call; without one, nothing.
#[derive(Clone)]
pub(crate) struct Pass(Option<MetadataValue<Ascii>>);

impl std::fmt::Debug for Pass {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Pass({})", self.0.is_some())
    }
}

impl Interceptor for Pass {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gateway_has_its_token_and_the_file_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens");
        let mut tokens = Tokens::read(&path).unwrap();
        assert_eq!(tokens, Tokens::default(), "no file is no tokens");
        tokens.set("http://a:1", "ecmo-1");
        tokens.set("http://b:1", "ecmo-2");
        tokens.set("http://a:1", "ecmo-3");
        tokens.write(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut read = Tokens::read(&path).unwrap();
        assert_eq!(
            (read.get("http://a:1"), read.get("http://b:1")),
            (Some("ecmo-3"), Some("ecmo-2"))
        );
        assert_eq!(read.get("http://c:1"), None, "a token goes to no stranger");
        read.forget("http://a:1");
        assert_eq!(read.get("http://a:1"), None);
        assert!(!format!("{read:?} {:?}", read.pass("http://b:1")).contains("ecmo-"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Tokens::read(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_file_with_one_token_is_for_every_gateway() {
        let tokens = Tokens::parse("\n a.b.c \n");
        assert_eq!(tokens.get("http://anywhere:1"), Some("a.b.c"));
    }
}
