//! Tests of looking for instruments, on a constructed tree.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use ecmo_testkit::Pty;

use super::*;
use crate::config::{EmtecSettings, Settings};

struct Tree {
    folder: tempfile::TempDir,
    pty: Pty,
}

impl Tree {
    /// A machine with one adapter that has a name that stays, one without, a file that is no port, and a converter.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("dev/serial/by-id")).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        let pty = Pty::open().unwrap();
        symlink(pty.path(), root.join("dev/ttyUSB0")).unwrap();
        symlink("../../ttyUSB0", root.join("dev/serial/by-id/usb-Meter-if00-port0")).unwrap();
        symlink("../../ttyUSB9", root.join("dev/serial/by-id/usb-Gone")).unwrap();
        fs::write(root.join("dev/ttyACM3"), "no terminal").unwrap();
        fs::write(root.join("dev/ttyS0"), "not looked at").unwrap();
        let converter = root.join("sys/bus/iio/devices/iio:device0");
        fs::create_dir_all(&converter).unwrap();
        for (file, text) in [
            ("name", "ads1256\n"),
            ("in_voltage0_raw", "12\n"),
            ("in_voltage1_raw", "13\n"),
            ("in_voltage_scale", "1\n"),
        ] {
            fs::write(converter.join(file), text).unwrap();
        }
        Self { folder, pty }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }
}

#[test]
fn ports_are_listed_by_the_name_that_stays_and_each_once() {
    let tree = Tree::new();
    let found = look(tree.root());
    let expected = [
        FoundPort {
            path: "/dev/serial/by-id/usb-Meter-if00-port0".into(),
            device: tree.pty.path().to_owned(),
            access: PortAccess::Opens,
        },
        FoundPort {
            path: "/dev/ttyACM3".into(),
            device: "/dev/ttyACM3".into(),
            access: PortAccess::NoLine,
        },
    ];
    assert_eq!(found.ports, expected);
    let converter = FoundConverter {
        id: "iio:device0".to_owned(),
        name: "ads1256".to_owned(),
        inputs: vec!["voltage0".to_owned(), "voltage1".to_owned()],
        is_readable: true,
    };
    assert_eq!(found.converters, [converter]);
    assert_eq!(look(&tree.root().join("nowhere")), Inventory::default());
}

#[test]
fn a_port_of_the_settings_is_told_with_what_to_do() {
    let tree = Tree::new();
    for (port, words) in [
        ("/dev/serial/by-id/usb-Meter-if00-port0", "opens"),
        ("/dev/ttyACM3", "no serial line"),
        ("/dev/ttyUSB7", "not there"),
        ("tcp://127.0.0.1:9", "not tried"),
    ] {
        let settings = EmtecSettings { port: port.parse().unwrap() };
        let used = UsedPort::of(&SourceSettings::Emtec(settings)).unwrap();
        assert_eq!(used.line.to_string(), "38400 baud 8N1");
        assert!(used.sends.starts_with("nothing"));
        let advice = used.advice(tree.root());
        assert!(advice.starts_with(words), "{advice}");
    }
    let held = crate::sensor::serial_port::Port::open(
        &PortAddress::Serial(tree.pty.path().to_owned()),
        &emtec::LINE,
        crate::sensor::serial_port::Access::Listen,
    );
    let access = port::access(tree.root(), tree.pty.path()).unwrap();
    // Root may open what another one has for itself.
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(access, if is_root { PortAccess::Opens } else { PortAccess::Busy });
    drop(held);
    let address = "mqtt://127.0.0.1:1".parse().unwrap();
    let pump = ecmo_proto::topic::Id::new("p").unwrap();
    let pump = ecmo_proto::topic::PumpAddress { ward: pump.clone(), pump };
    let simulated = Settings::simulated(pump, address, 1);
    assert_eq!(UsedPort::of(&simulated.sources[0]), None);
}

#[test]
fn a_missing_right_names_the_group_that_has_it() {
    let tree = Tree::new();
    let path = tree.root().join("dev/ttyACM3");
    let gid = fs::metadata(&path).unwrap().gid();
    fs::write(tree.root().join("etc/group"), format!("root:x:99999:\ndialout:x:{gid}:me\n"))
        .unwrap();
    assert_eq!(port::group_name(tree.root(), gid), Some("dialout".to_owned()));
    assert_eq!(port::group_name(tree.root(), gid + 12345), None);
    // Root needs no right: then only the words are tried.
    if !rustix::process::geteuid().is_root() {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o040)).unwrap();
        let access = port::access(tree.root(), &path).unwrap();
        assert_eq!(access, PortAccess::Denied { group: Some("dialout".to_owned()) });
    }
    let denied = PortAccess::Denied { group: Some("dialout".to_owned()) };
    assert!(denied.advice().contains("usermod -a -G dialout USER"));
}
