//! Runs the real binary; every wait has a deadline.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Longer than any command here may take, also on a machine that is busy building.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a command that ended left.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Standard output as one JSON object.
    pub(crate) fn object(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {:?}, {}", self.stdout, self.stderr))
    }

    /// Standard output as one JSON array.
    pub(crate) fn array(&self) -> Vec<Value> {
        let value: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {:?}, {}", self.stdout, self.stderr));
        value.as_array().unwrap().clone()
    }
}

fn command(url: &str, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecmoctl"));
    command
        .env_remove("ECMO_GATEWAY")
        .env_remove("ECMOCTL_BY")
        .env("TZ", "UTC")
        .args(["--gateway", url])
        // A `~` stands for a blank within an argument.
        .args(args.split_whitespace().map(|arg| arg.replace('~', " ")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub(crate) async fn run(url: &str, args: &str) -> Finished {
    let output = command(url, args).output();
    let output = tokio::time::timeout(DEADLINE, output).await.expect("ended in time").unwrap();
    Finished {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A command that goes on.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Starts a command.
pub(crate) fn start(url: &str, args: &str) -> Running {
    let mut child = command(url, args).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Running { child, lines }
}

impl Running {
    /// Reads on to a line that holds all of `words`.
    pub(crate) async fn line_with(&mut self, words: &[&str]) -> String {
        let mut seen = Vec::new();
        let reading = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if words.iter().all(|word| line.contains(word)) {
                    return Some(line);
                }
                seen.push(line);
            }
            None
        };
        match tokio::time::timeout(DEADLINE, reading).await {
            Ok(Some(line)) => line,
            Ok(None) | Err(_) => panic!("no line with {words:?} in {seen:#?}"),
        }
    }

    /// Reads on until each of these sets of words was on some line, in any order.
    pub(crate) async fn lines_with(&mut self, sets: &[&[&str]]) {
        let mut missing = sets.to_vec();
        while !missing.is_empty() {
            let line = self.line_with(&[]).await;
            missing.retain(|words| !words.iter().all(|word| line.contains(word)));
        }
    }

    /// Asks it to end, as a person at a terminal does, and waits for its exit code.
    pub(crate) async fn interrupt(self) -> i32 {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        self.end().await.code
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Finished {
        let waiting = async {
            let mut stdout = String::new();
            while let Some(line) = self.lines.next_line().await.unwrap() {
                stdout.push_str(&line);
                stdout.push('\n');
            }
            let mut stderr = String::new();
            self.child.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
            let code = self.child.wait().await.unwrap().code().unwrap();
            Finished { code, stdout, stderr }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("ended in time")
    }
}
