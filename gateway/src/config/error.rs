//! Why settings are refused, as one line: file, line, what is wrong, what to do.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read settings from {}; name a readable file with --config", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file holds something impossible.
    #[error("{file}:{line}: {what}; {todo}")]
    Wrong {
        /// The file.
        file: String,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
        /// What to do.
        todo: String,
    },
    /// The profile is refused, with everything that is wrong with it, one problem a line.
    #[error("{}", profile_lines(.path, .refused))]
    Profile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        refused: ecmo_profile::ProfileError,
    },
}

fn profile_lines(path: &Path, error: &ecmo_profile::ProfileError) -> String {
    let line = |problem| format!("{}:{problem}", path.display());
    error.problems().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Something wrong at a place of the text.
#[derive(Debug)]
pub(super) struct Complaint {
    /// The place, in bytes.
    pub(super) at: Range<usize>,
    /// What is wrong.
    pub(super) what: String,
    /// What to do.
    pub(super) todo: String,
}

impl Complaint {
    /// A complaint about a place.
    pub(super) fn new(at: Range<usize>, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { at, what: what.into(), todo: todo.into() }
    }

    /// With file and line.
    pub(super) fn in_file(self, file: &str, text: &str) -> ConfigError {
        let line = line_of(text, self.at.start);
        ConfigError::Wrong { file: file.to_owned(), line, what: self.what, todo: self.todo }
    }
}

impl From<toml::de::Error> for Complaint {
    /// Our own checks say what to do after a semicolon; the parser's messages get it here.
    fn from(error: toml::de::Error) -> Self {
        let at = error.span().unwrap_or(0..0);
        let message = error.message().replace('\n', ", ");
        if let Some((what, todo)) = message.split_once("; ") {
            return Self::new(at, what, todo);
        }
        let todo = if message.starts_with("unknown field") {
            "correct its spelling or remove it"
        } else {
            "compare with the example deploy/config/gateway.toml, which explains every key"
        };
        Self::new(at, message, todo)
    }
}

/// Line of a byte, counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}
