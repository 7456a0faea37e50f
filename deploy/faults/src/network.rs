//! A network of the test's own: the ward in one namespace, the bedside in another, one cable for each path between them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use ecmo_testkit::Program;

/// Set in the process that runs inside the ward's namespace; its value names the network.
const INSIDE: &str = "ECMO_FAULTS_NETWORK";

/// Paths between bedside and ward.
pub const PATHS: usize = 2;

/// The cables of one network. It exists in the process that runs in the ward's namespace.
#[derive(Debug)]
pub struct Network {
    name: String,
    relays: Vec<Program>,
    folder: tempfile::TempDir,
}

/// Runs a test of this binary again inside a namespace of its own; `None` when this is that run already.
///
/// # Errors
/// Not root, `ip` is missing, or the test failed in there.
pub fn inside(test: &str) -> anyhow::Result<Option<Network>> {
    if let Ok(name) = std::env::var(INSIDE) {
        return Network::lay(name).map(Some);
    }
    let name = format!("ecmo{}", std::process::id());
    let spaces = Spaces::add(&name)?;
    let this = std::env::current_exe().context("cannot find the running test")?;
    let mut again = Command::new("ip");
    again.args(["netns", "exec", &spaces.ward()]).arg(this);
    again.args(["--exact", test, "--include-ignored", "--nocapture"]).env(INSIDE, &name);
    let status = again.status().context("cannot run the test in its namespace")?;
    ensure!(status.success(), "the test failed in its namespace; what it said is above");
    Ok(None)
}

/// Two namespaces; they go when this is dropped.
#[derive(Debug)]
struct Spaces<'a>(&'a str);

impl<'a> Spaces<'a> {
    fn add(name: &'a str) -> anyhow::Result<Self> {
        let spaces = Self(name);
        ip(&["netns", "add", &spaces.ward()])?;
        ip(&["netns", "add", &bedside(name)])?;
        Ok(spaces)
    }

    fn ward(&self) -> String {
        format!("{}w", self.0)
    }
}

impl Drop for Spaces<'_> {
    fn drop(&mut self) {
        for name in [self.ward(), bedside(self.0)] {
            // What was never added need not go.
            ip(&["netns", "del", &name]).ok();
        }
    }
}

fn bedside(name: &str) -> String {
    format!("{name}b")
}

fn ip(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("ip").args(arguments).output();
    let output = output.context("cannot run ip: install iproute2, and run as root")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("ip {}: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}

impl Network {
    /// Lays the cables; the ward's ends are in the namespace of this process.
    fn lay(name: String) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder for the network")?;
        let network = Self { name, relays: Vec::new(), folder };
        ip(&["link", "set", "lo", "up"])?;
        let bed = bedside(&network.name);
        ip(&["-n", &bed, "link", "set", "lo", "up"])?;
        for path in 0..PATHS {
            let (here, there) = (format!("w{path}"), format!("b{path}"));
            ip(&["link", "add", &here, "type", "veth", "peer", "name", &there, "netns", &bed])?;
            let [ward, pump] = Self::ends(path);
            ip(&["addr", "add", &format!("{ward}/24"), "dev", &here])?;
            ip(&["-n", &bed, "addr", "add", &format!("{pump}/24"), "dev", &there])?;
            ip(&["link", "set", &here, "up"])?;
            ip(&["-n", &bed, "link", "set", &there, "up"])?;
        }
        Ok(network)
    }

    /// The ends of a cable: in the ward, at the bedside.
    fn ends(path: usize) -> [Ipv4Addr; 2] {
        let path = u8::try_from(path).unwrap_or(u8::MAX);
        [Ipv4Addr::new(10, 77, path, 1), Ipv4Addr::new(10, 77, path, 2)]
    }

    /// Where the bedside reaches a broker of the ward by a path.
    ///
    /// # Errors
    /// `socat` is missing.
    pub fn reach(&mut self, path: usize, broker: SocketAddr) -> anyhow::Result<SocketAddr> {
        let [ward, _pump] = Self::ends(path);
        let at = SocketAddr::from((ward, broker.port()));
        let mut relay = Command::new("socat");
        relay.arg(format!("TCP-LISTEN:{},bind={ward},fork,reuseaddr,nodelay", at.port()));
        relay.arg(format!("TCP:{broker},nodelay"));
        let program = Program::start(relay, &format!("relay-{path}"), self.folder.path())?;
        self.relays.push(program);
        Ok(at)
    }

    /// What stands before a command that is to run at the bedside.
    #[must_use]
    pub fn prefix(&self) -> Vec<String> {
        ["ip", "netns", "exec"]
            .map(str::to_owned)
            .into_iter()
            .chain([bedside(&self.name)])
            .collect()
    }

    /// Pulls the cable of a path, or plugs it in again.
    ///
    /// # Errors
    /// `ip` refuses.
    pub fn plug(&self, path: usize, plugged: bool) -> anyhow::Result<()> {
        ip(&["link", "set", &format!("w{path}"), if plugged { "up" } else { "down" }])
    }

    /// Drops every packet of a path in both directions without a word, or lets them pass again: a half-open connection.
    ///
    /// # Errors
    /// `nft` is missing or refuses.
    pub fn swallow(&self, path: usize, swallowed: bool) -> anyhow::Result<()> {
        let table = format!("swallow{path}");
        let rules = if swallowed {
            format!(
                "table inet {table} {{\n chain in {{ type filter hook input priority 0; iifname \"w{path}\" drop; }}\n \
                 chain out {{ type filter hook output priority 0; oifname \"w{path}\" drop; }}\n}}\n"
            )
        } else {
            format!("delete table inet {table}\n")
        };
        self.rule(&rules)
    }

    /// Loses so many of a hundred packets of a path at random, in each direction; 0 loses none again.
    ///
    /// # Errors
    /// `nft` is missing or refuses.
    pub fn lose(&self, path: usize, percent: u32) -> anyhow::Result<()> {
        let table = format!("lose{path}");
        // What is not there yet cannot be deleted: it is made first.
        let mut rules = format!("table inet {table} {{}}\ndelete table inet {table}\n");
        if percent > 0 {
            // The kernel's dice show 0 to 99: all of them cannot be asked for.
            let chance = match percent {
                100.. => "drop".to_owned(),
                _ => format!("numgen random mod 100 < {percent} drop"),
            };
            rules.push_str(&format!(
                "table inet {table} {{\n chain in {{ type filter hook input priority 0; iifname \"w{path}\" {chance}; }}\n \
                 chain out {{ type filter hook output priority 0; oifname \"w{path}\" {chance}; }}\n}}\n"
            ));
        }
        self.rule(&rules)
    }

    fn rule(&self, rules: &str) -> anyhow::Result<()> {
        let file: PathBuf = self.folder.path().join("rules.nft");
        std::fs::write(&file, rules).context("cannot write rules")?;
        let output = Command::new("nft").arg("-f").arg(&file).output();
        let output = output.context("cannot run nft: install nftables")?;
        ensure!(output.status.success(), "nft: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}
