//! Lines on standard output and notes on standard error. A reader that has gone ends a command quietly.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use crate::args::Output;

/// Writes what a command says.
#[derive(Debug)]
pub(crate) struct Printer {
    output: Output,
    open: bool,
}

impl Printer {
    /// A printer of one form.
    pub(crate) const fn new(output: Output) -> Self {
        Self { output, open: true }
    }

    /// Whether programs read this.
    pub(crate) fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// Whether somebody still reads.
    pub(crate) const fn is_open(&self) -> bool {
        self.open
    }

    /// Writes a line at once, so that an alarm never waits in a buffer.
    pub(crate) fn line(&mut self, text: &str) {
        if !self.open {
            return;
        }
        let mut out = io::stdout().lock();
        if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
            self.open = false;
            if error.kind() != ErrorKind::BrokenPipe {
                self.note(&format!("cannot write the output: {error}"));
            }
        }
    }

    /// Writes an object on one line.
    pub(crate) fn object(&mut self, object: &impl Serialize) {
        match serde_json::to_string(object) {
            Ok(text) => self.line(&text),
            Err(error) => self.note(&format!("cannot write an object as JSON: {error}")),
        }
    }

    /// Writes an array, one element a line.
    pub(crate) fn array(&mut self, objects: &[impl Serialize]) {
        let texts: Result<Vec<String>, _> = objects.iter().map(serde_json::to_string).collect();
        match texts {
            Ok(texts) if texts.is_empty() => self.line("[]"),
            Ok(texts) => self.line(&format!("[\n{}\n]", texts.join(",\n"))),
            Err(error) => self.note(&format!("cannot write an array as JSON: {error}")),
        }
    }

    /// A note for people beside the output.
    #[expect(clippy::unused_self, reason = "said where the output is said")]
    pub(crate) fn note(&self, text: &str) {
        // Where standard error is gone too, nobody is left to be told.
        writeln!(io::stderr(), "ecmoctl: {text}").ok();
    }
}
