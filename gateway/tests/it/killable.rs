//! The real gateway as a process that a test can kill, with settings and a broker that outlive it.
#![cfg(test)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::display::{Display, SOON};

/// The real program.
pub(crate) struct Killable {
    child: Child,
    pub(crate) display: Display,
}

impl Killable {
    pub(crate) async fn start(settings: &Path) -> Self {
        let program = env!("CARGO_BIN_EXE_ecmo-gateway");
        let mut child = Command::new(program)
            .args(["serve", "--config"])
            .arg(settings)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap();
        let url = line.strip_prefix("displays: http://").unwrap_or_else(|| panic!("{line}"));
        let gateway: SocketAddr = url.trim().parse().unwrap();
        // The other end of its output closes here: a gateway does not end because nobody reads it.
        drop(lines);
        Self { child, display: Display::connect(gateway).await }
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Settings in a folder, with a broker that outlives the gateway; what survives lies in `said`.
pub(crate) fn settings(folder: &Path, broker: SocketAddr) -> PathBuf {
    let path = folder.join("gateway.toml");
    let text = format!(
        "[broker]\nurl = \"mqtt://{broker}\"\n[serve]\nbind = \"127.0.0.1:0\"\n\
         [metrics]\nbind = \"127.0.0.1:0\"\n[state]\ndir = \"said\"\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}
