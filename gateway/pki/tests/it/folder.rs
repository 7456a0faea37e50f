//! An authority in a folder: who may read its keys, and that nothing is overwritten.

use std::os::unix::fs::PermissionsExt as _;

use ecmo_identity::{DAY_S, Identity, Kind};
use ecmo_pki::{FolderError, Order, PkiError, issue, make_authority};

use super::{agent, id, now, order};

#[test]
fn what_is_made_says_whom_it_is_for_and_its_key_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("pki");
    let authority = make_authority(&dir, "ward 3", 100, now()).unwrap();
    assert!(authority.certificate.is_authority);
    for identity in [
        agent("pump-1"),
        Identity::service(Kind::Broker, id("broker-a")),
        Identity::service(Kind::Gateway, id("gateway-a")),
        Identity::service(Kind::Display, id("desk")),
        Identity::service(Kind::Monitor, id("prometheus")),
    ] {
        let kept = issue(&dir, &order(identity.clone())).unwrap();
        assert_eq!(Identity::of(&kept.certificate), Ok(Some(identity.clone())));
        assert_eq!(identity.owns(&kept.certificate), Ok(()));
        assert!(!kept.certificate.is_authority);
        let lasts = kept.certificate.not_after - kept.certificate.not_before;
        assert_eq!(lasts, 30 * DAY_S + 300, "{identity}");
        let serves = matches!(identity.kind, Kind::Broker | Kind::Gateway);
        assert_eq!(kept.certificate.hosts.len(), if serves { 2 } else { 0 });
        let mode = std::fs::metadata(&kept.pair.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{identity}");
    }
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(dir.join("ca.key")), mode(dir.clone())), (0o600, 0o700));
}

#[test]
fn nothing_is_overwritten_and_a_pump_is_there_once_whatever_its_ward() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let refused = issue(dir, &order(agent("pump-1"))).unwrap_err();
    assert!(matches!(refused, FolderError::NoAuthority { .. }), "{refused}");
    make_authority(dir, "a", 100, now()).unwrap();
    issue(dir, &order(agent("pump-1"))).unwrap();
    let files = || -> Vec<_> {
        let names = ["ca.crt", "ca.key", "pump-1.crt", "pump-1.key"];
        names.map(|name| std::fs::read(dir.join(name)).unwrap()).into()
    };
    let before = files();
    let again = make_authority(dir, "a", 100, now()).unwrap_err();
    assert!(matches!(again, FolderError::Exists { .. }), "{again}");
    // The common name is all that a broker looks at.
    let display = Identity::service(Kind::Display, id("pump-1"));
    for identity in [agent("pump-1"), display, Identity::service(Kind::Display, id("ca"))] {
        let again = issue(dir, &order(identity)).unwrap_err();
        assert!(matches!(again, FolderError::Exists { .. }), "{again}");
    }
    assert_eq!(files(), before);
}

#[test]
fn an_order_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    make_authority(folder.path(), "a", 100, now()).unwrap();
    let refused = |identity: Identity, hosts: &[&str]| {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let order = Order::for_days(identity, hosts, 30, now()).unwrap();
        issue(folder.path(), &order).unwrap_err().to_string()
    };
    let broker = Identity::service(Kind::Broker, id("broker-a"));
    assert!(refused(broker, &[]).contains("--host"));
    assert!(refused(agent("pump-1"), &["10.0.0.1"]).contains("leave out --host"));
    for days in [0, 826] {
        let order = Order::for_days(agent("pump-1"), vec![], days, now());
        assert!(matches!(order, Err(PkiError::Days(_))), "{days}");
    }
}
