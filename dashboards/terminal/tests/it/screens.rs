//! `top` on a terminal of its own: what it paints, confirms and answers for.

use std::fs::File;
use std::process::Stdio;

use ecmo_proto::v1::AlarmPriority;
use ecmo_testkit::Pty;
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::{Child, Command};
use tokio::time::{Duration, Instant, sleep};

use crate::gateway::{Gateway, Script, alarm, pump};

/// Longest wait for anything that should happen soon.
const SOON: Duration = Duration::from_secs(20);

/// `top` with the terminal that it paints on.
struct Top {
    pty: Pty,
    child: Child,
    painted: String,
}

fn start(urls: &str) -> Top {
    let pty = Pty::open().unwrap();
    let end = || File::options().read(true).write(true).open(pty.path()).unwrap();
    let size = Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(end(), size).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_ecmoctl"))
        .env_remove("ECMO_GATEWAY")
        .env("TERM", "xterm")
        .args(["--gateway", urls, "top"])
        .stdin(Stdio::from(end()))
        .stdout(Stdio::from(end()))
        .stderr(Stdio::from(end()))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    Top { pty, child, painted: String::new() }
}

impl Top {
    /// Reads on until all of this has been painted; a terminal is sent what changed only.
    async fn paints(&mut self, texts: &[&str]) {
        let until = Instant::now() + SOON;
        while !texts.iter().all(|text| self.painted.contains(text)) {
            match self.pty.try_read(4_096).unwrap() {
                Some(bytes) => self.painted.push_str(&String::from_utf8_lossy(&bytes)),
                None => sleep(Duration::from_millis(10)).await,
            }
            assert!(Instant::now() < until, "{texts:?} never came:\n{}", self.painted);
        }
        self.painted.clear();
    }

    async fn quit(mut self) -> i32 {
        self.pty.write(b"q").await.unwrap();
        let ended = async {
            loop {
                // What it paints at its end must be read, or it waits for room.
                self.pty.try_read(4_096).ok();
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.code().unwrap();
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(SOON, ended).await.unwrap()
    }
}

#[tokio::test]
async fn top_paints_confirms_what_it_painted_attends_and_says_goodbye() {
    let script = Script {
        pumps: vec![pump("pump-1")],
        alarms: vec![alarm("pump-1", "pump.stop", AlarmPriority::High)],
        ..Script::default()
    };
    let gateway = Gateway::start(script).await;
    let mut top = start(&gateway.url);
    top.paints(&["nicu/pump-1", "pump stopped"]).await;
    gateway.until(|script| !script.confirmed.is_empty() && script.attended.len() >= 3).await;
    {
        let script = gateway.script();
        let shown: Vec<_> = script.confirmed.iter().flat_map(|request| &request.shown).collect();
        assert_eq!((shown.len(), shown[0].revision), (1, 1));
        let last = script.attended.last().unwrap().health.unwrap();
        let age = Duration::from_nanos(gateway.now().saturating_sub(last.painted_mono_ns));
        assert!(last.visible && age < Duration::from_secs(3), "{last:?}, {age:?}");
    }
    assert_eq!(top.quit().await, 0);
    assert_eq!(gateway.script().left.len(), 1);
}

#[tokio::test]
async fn top_goes_on_with_one_of_two_gateways_and_says_so() {
    let script = || Script { pumps: vec![pump("pump-1")], ..Script::default() };
    let (a, b) = (Gateway::start(script()).await, Gateway::start(script()).await);
    let mut top = start(&format!("{},{}", a.url, b.url));
    top.paints(&["nicu/pump-1", "gateways 1 LIVE, 2 LIVE"]).await;
    a.script().is_silent = true;
    let since = Instant::now();
    top.paints(&["ONE GATEWAY IS LOST"]).await;
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    b.script().alarms = vec![alarm("pump-1", "pump.stop", AlarmPriority::High)];
    top.paints(&["pump stopped"]).await;
    assert_eq!(top.quit().await, 0);
}
