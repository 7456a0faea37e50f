//! deploy/mosquitto/broker.conf and ecmo.acl on two real Mosquittos: who gets in, and what each may write and read.
#![cfg(test)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ecmo_testkit::{eventually_sync, free_port};

use super::SOON;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../mosquitto");

/// What is tried to be written by each of those who are let in.
const TOPICS: [&str; 14] = [
    "ecmo/v1/nicu/pump-1/frame",
    "ecmo/v1/nicu/pump-1/heartbeat",
    "ecmo/v1/nicu/pump-1/backfill",
    "ecmo/v1/nicu/pump-1/request",
    "ecmo/v1/nicu/pump-1/action",
    "ecmo/v1/nicu/pump-1/alarm",
    "ecmo/v1/nicu/pump-2/frame",
    "ecmo/v1/nicu/pump-2/request",
    "ecmo/v1/picu/pump-1/frame",
    "ecmo/v1/_gateways/gateway-a/peer",
    "ecmo/v1/_gateways/gateway-b/peer",
    "ecmo/v1/_drill/gateway-a/frame",
    "ecmo/v2/nicu/pump-1/frame",
    "anything/else",
];

/// Which of them each may write.
const WRITES: [(&str, &[usize]); 4] = [
    ("pump-1", &[0, 1, 2]),
    ("pump-2", &[6]),
    ("gateway-a", &[3, 4, 5, 7, 9, 11]),
    // Its certificate is good, and it is a pump that nobody knows: it has its own topics, and none of these.
    ("printer", &[]),
];

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _or_ended = self.0.kill();
        let _or_ended = self.0.wait();
    }
}

/// Certificates, and the brokers that have them.
struct Site {
    folder: tempfile::TempDir,
    brokers: Vec<(u16, Running)>,
}

fn run(command: &mut Command) -> Output {
    let name = format!("{command:?}");
    let output =
        command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

impl Site {
    fn start() -> Self {
        let mut site = Self { folder: tempfile::tempdir().unwrap(), brokers: Vec::new() };
        for authority in ["ca", "other-ca"] {
            site.certify(authority, authority, None, &[]);
        }
        for name in
            ["broker-a", "broker-b", "pump-1", "pump-2", "gateway-a", "gateway-b", "printer"]
        {
            site.certify(name, name, Some("ca"), &[]);
        }
        site.certify("forged", "pump-1", Some("other-ca"), &[]);
        site.certify("expired", "pump-1", Some("ca"), &["faketime", "-f", "-10d"]);
        site.brokers = ["broker-a", "broker-b"].map(|broker| site.broker(broker)).into();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A key and its certificate for a day, of this common name, signed by that authority, or by itself.
    fn certify(&self, file: &str, name: &str, authority: Option<&str>, before: &[&str]) {
        let at = |name: &str, ending: &str| self.path(&format!("{name}.{ending}"));
        let words: Vec<&str> = before.iter().chain(&["openssl"]).copied().collect();
        let (program, first) = words.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(first).args(["req", "-x509", "-nodes", "-days", "1", "-newkey", "ec"]);
        command.args(["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", &format!("/CN={name}")]);
        command.arg("-keyout").arg(at(file, "key")).arg("-out").arg(at(file, "crt"));
        if let Some(authority) = authority {
            command.arg("-CA").arg(at(authority, "crt")).arg("-CAkey").arg(at(authority, "key"));
            command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
            command.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
        }
        run(&mut command);
    }

    /// A Mosquitto with the settings as they are, but for port and folders.
    fn broker(&self, name: &str) -> (u16, Running) {
        let port = free_port().unwrap();
        let settings = std::fs::read_to_string(Path::new(FOLDER).join("broker.conf")).unwrap();
        let file = |name: &str| self.path(name).display().to_string();
        let mut text = settings.clone();
        for (from, to) in [
            ("listener 8883", format!("listener {port} 127.0.0.1")),
            ("/etc/mosquitto/certs/ca.crt", file("ca.crt")),
            ("/etc/mosquitto/certs/broker.crt", file(&format!("{name}.crt"))),
            ("/etc/mosquitto/certs/broker.key", file(&format!("{name}.key"))),
            ("/etc/mosquitto/ecmo.acl", file("ecmo.acl")),
        ] {
            assert_eq!(settings.matches(from).count(), 1, "{from}");
            text = text.replace(from, &to);
        }
        let path = self.path(&format!("{name}.conf"));
        std::fs::write(&path, text).unwrap();
        // The checkout may lie where the user mosquitto must not look.
        std::fs::copy(Path::new(FOLDER).join("ecmo.acl"), self.path("ecmo.acl")).unwrap();
        let log = std::fs::File::create(self.path(&format!("{name}.log"))).unwrap();
        // As root it would become the user mosquitto, who may not read a test's folder; as anybody else it stays who it is.
        let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"];
        let program = program.into_iter().find(|it| Path::new(it).exists()).unwrap_or("mosquitto");
        let mut command = Command::new(program);
        command.arg("-c").arg(path).stdout(Stdio::null()).stderr(log);
        open_to_all(self.folder.path());
        let running = Running(command.spawn().unwrap());
        let connect = || std::net::TcpStream::connect(("127.0.0.1", port));
        let log = || std::fs::read_to_string(self.path(&format!("{name}.log"))).unwrap();
        eventually_sync(SOON, "Mosquitto listens", connect)
            .unwrap_or_else(|it| panic!("{it}: {}", log()));
        (port, running)
    }

    /// A client of Mosquitto at a broker, with these certificates.
    fn client(&self, program: &str, broker: usize, authority: &str, own: Option<&str>) -> Command {
        let mut command = Command::new(program);
        command.args([
            "-V",
            "mqttv5",
            "-h",
            "127.0.0.1",
            "-p",
            &self.brokers[broker].0.to_string(),
        ]);
        command.arg("--cafile").arg(self.path(&format!("{authority}.crt")));
        if let Some(own) = own {
            command.arg("--cert").arg(self.path(&format!("{own}.crt")));
            command.arg("--key").arg(self.path(&format!("{own}.key")));
        }
        command.stdin(Stdio::null());
        command
    }

    /// Publishes its own name; whether the broker says that it may.
    fn publish(&self, broker: usize, own: &str, topic: &str) -> bool {
        let mut command = self.client("mosquitto_pub", broker, "ca", Some(own));
        let said = run(command.args(["-q", "1", "-t", topic, "-m", own]));
        let words = String::from_utf8_lossy(&said.stderr) + String::from_utf8_lossy(&said.stdout);
        let refused = words.contains("Not authorized");
        assert!(refused || words.trim().is_empty(), "{own} {topic}: {words}");
        !refused
    }

    /// Listens to everything that it is given, under any name that it likes.
    fn spy(&self, broker: usize, own: &str) -> Spy {
        let log = self.path(&format!("spy-{own}-{broker}"));
        // Into a file its lines would come in blocks.
        let client = self.client("mosquitto_sub", broker, "ca", Some(own));
        let mut command = Command::new("stdbuf");
        command.arg("-oL").arg(client.get_program()).args(client.get_args()).stdin(Stdio::null());
        command.args(["-v", "-q", "1", "-d", "-t", "#", "-t", "$SYS/#"]);
        command.stdout(std::fs::File::create(&log).unwrap()).stderr(Stdio::null());
        let spy = Spy { log, _running: Running(command.spawn().unwrap()) };
        eventually_sync(SOON, "it listens", || spy.text().contains("Subscribed").then_some(()))
            .unwrap();
        spy
    }
}

/// Lets the user that Mosquitto becomes read the certificates of a test.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(folder, 0o755);
    for entry in std::fs::read_dir(folder).unwrap() {
        allow(&entry.unwrap().path(), 0o644);
    }
}

struct Spy {
    log: PathBuf,
    _running: Running,
}

impl Spy {
    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Topic and who published, of all that came; what the client says of itself stands between.
    fn heard(&self) -> BTreeSet<String> {
        let text = self.text();
        let is_message = |line: &&str| {
            line.starts_with("ecmo/") || line.starts_with("anything") || line.starts_with('$')
        };
        text.lines().filter(is_message).map(str::to_owned).collect()
    }

    fn await_message(&self, message: &str) {
        let came = || self.heard().contains(message).then_some(());
        eventually_sync(SOON, message, came).unwrap_or_else(|it| panic!("{it}: {}", self.text()));
    }
}

#[test]
#[ignore = "needs Mosquitto, its clients, openssl and faketime; cargo xtask ci runs it"]
fn broker_settings_let_nobody_in_but_those_whom_the_site_has_signed() {
    let site = Site::start();
    for broker in [0, 1] {
        let enters = |authority: &str, own: Option<&str>| {
            let mut command = site.client("mosquitto_pub", broker, authority, own);
            let output = command.args(["-q", "1", "-t", TOPICS[0], "-m", "x"]).output().unwrap();
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.success(), words)
        };
        assert_eq!(enters("ca", Some("pump-1")), (true, String::new()));
        for (what, authority, own) in [
            ("no certificate", "ca", None),
            ("another authority's certificate", "ca", Some("forged")),
            ("an expired certificate", "ca", Some("expired")),
            ("a broker that another authority signed", "other-ca", Some("pump-1")),
        ] {
            let (entered, words) = enters(authority, own);
            assert!(!entered, "{what}: {words}");
            println!("{what}: refused, {}", words.trim());
        }
        // With the best of certificates: only the version of the protocol differs.
        let handshake = |version: &str| {
            let mut command = Command::new("openssl");
            let address = format!("127.0.0.1:{}", site.brokers[broker].0);
            command.args(["s_client", "-brief", version, "-verify_return_error"]);
            command.args(["-connect", &address]).arg("-CAfile").arg(site.path("ca.crt"));
            command.arg("-cert").arg(site.path("pump-1.crt"));
            command.arg("-key").arg(site.path("pump-1.key"));
            command.stdin(Stdio::null()).output().unwrap().status.success()
        };
        assert!(handshake("-tls1_3"));
        assert!(!handshake("-tls1_2"), "TLS 1.2");
        let plain =
            ["-h", "127.0.0.1", "-p", &site.brokers[broker].0.to_string(), "-t", "a", "-m", "b"];
        let plain = Command::new("mosquitto_pub").args(plain).output().unwrap();
        assert!(!plain.status.success(), "without TLS");
    }
}

#[test]
#[ignore = "needs Mosquitto, its clients, openssl and faketime; cargo xtask ci runs it"]
fn broker_settings_let_each_write_its_own_topics_and_nothing_else() {
    let site = Site::start();
    for broker in [0, 1] {
        let spy = site.spy(broker, "gateway-b");
        let mut expected = BTreeSet::new();
        for (own, allowed) in WRITES {
            for (index, topic) in TOPICS.iter().enumerate() {
                let may = allowed.contains(&index);
                assert_eq!(site.publish(broker, own, topic), may, "{own} writes {topic}");
                if may {
                    expected.insert(format!("{topic} {own}"));
                }
            }
        }
        // The last of all: what came before it has been given out.
        let last = "ecmo/v1/nicu/printer/status";
        assert!(site.publish(broker, "printer", last));
        let last = format!("{last} printer");
        spy.await_message(&last);
        expected.insert(last);
        assert_eq!(spy.heard(), expected);
    }
}

#[test]
#[ignore = "needs Mosquitto, its clients, openssl and faketime; cargo xtask ci runs it"]
fn broker_settings_let_each_read_its_own_topics_and_nobody_take_anothers_place() {
    let site = Site::start();
    // Kept by the broker, because whoever publishes it now has the client id that listens then.
    let mut own = site.client("mosquitto_pub", 0, "ca", Some("pump-1"));
    run(own.args(["-r", "-q", "1", "-t", TOPICS[1], "-m", "beats"]));
    let [one, two, printer] = ["pump-1", "pump-2", "printer"].map(|own| site.spy(0, own));
    for index in [3, 4, 5, 7, 9, 11] {
        assert!(site.publish(0, "gateway-a", TOPICS[index]));
    }
    // Under the name of its neighbour, whom it would throw out: it is itself all the same.
    let mut thief = site.client("mosquitto_pub", 0, "ca", Some("pump-1"));
    run(thief.args(["-i", "pump-2", "-q", "1", "-t", TOPICS[0], "-m", "x"]));
    let late = "ecmo/v1/nicu/pump-2/request";
    let mut command = site.client("mosquitto_pub", 0, "ca", Some("gateway-a"));
    run(command.args(["-q", "1", "-t", late, "-m", "later"]));
    two.await_message(&format!("{late} later"));
    one.await_message("ecmo/v1/nicu/pump-1/request gateway-a");
    let heard = |spy: &Spy| spy.heard().into_iter().collect::<Vec<_>>();
    let beats = format!("{} beats", TOPICS[1]);
    assert_eq!(heard(&one), [beats.as_str(), "ecmo/v1/nicu/pump-1/request gateway-a"]);
    assert_eq!(heard(&two), [format!("{late} gateway-a"), format!("{late} later")]);
    assert_eq!(heard(&printer), [""; 0], "neither a pump's topic nor $SYS");
    // It was not thrown out, and did not come back: it connected once.
    assert_eq!(two.text().matches("received CONNACK").count(), 1, "{}", two.text());
}
