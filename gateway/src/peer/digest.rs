//! What two gateways must have alike, as one number each: what they decide by, and what people did.

use ecmo_core::alarm::profile::Profile;
use ecmo_proto::topic::PREFIX;

use crate::config::Settings;
use crate::desk::Desk;

/// Digest of everything by which a gateway decides: contract, profile, wards and pumps that it watches, and the times that its
/// settings change. Not where it listens, where it writes, and how it is called.
#[must_use]
pub fn config_digest(settings: &Settings, in_force: &Profile) -> u64 {
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names.join(",")
    };
    let silence = in_force.silence;
    first_bytes(&[
        PREFIX,
        &format!("{:016x}", in_force.hash),
        &format!("{:?} {:?}", silence.frame, silence.frame_after_hint),
        &sorted(settings.wards.iter().map(ToString::to_string).collect()),
        &sorted(settings.pumps.iter().map(ToString::to_string).collect()),
    ])
}

/// The digest of what people did to alarms and pumps, and of what they said about treatments.
pub(super) fn with_treatments(actions: u64, desk: &Desk) -> u64 {
    let treatments = desk.treatments();
    let of_each = treatments.iter().map(|(address, standing)| {
        let record = &standing.record;
        // Not contexts: each gateway forgets one that ended in its own second.
        let said_at =
            record.changes.iter().map(|it| it.wall_ns).fold(record.case_wall_ns, i64::max);
        let said = format!("{} {} {said_at}", record.patient, record.version);
        first_bytes(&["treatment", &address.to_string(), &said])
    });
    of_each.fold(actions, u64::wrapping_add)
}

fn first_bytes(parts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_proto::topic::{Id, PumpAddress};
    use std::path::PathBuf;
    use std::time::Duration;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn digest(settings: &Settings) -> u64 {
        config_digest(settings, &settings.alarms.in_force())
    }

    #[test]
    fn what_decides_changes_the_digest_and_what_does_not_leaves_it() {
        let base = Settings { wards: vec![id("a"), id("b")], ..Settings::default() };
        let of = |change: fn(&mut Settings)| {
            let mut settings = base.clone();
            change(&mut settings);
            digest(&settings)
        };
        let own = digest(&base);
        for (what, alike) in [
            ("name", of(|it| it.name = id("west"))),
            ("port", of(|it| it.serve.displays_max = 7)),
            ("order of wards", of(|it| it.wards.reverse())),
            ("folder", of(|it| it.state_dir = Some(PathBuf::from("x")))),
            ("drill", of(|it| it.drill = Duration::ZERO)),
        ] {
            assert_eq!(alike, own, "{what}");
        }
        for (what, other) in [
            ("wards", of(|it| it.wards.truncate(1))),
            ("silence", of(|it| it.alarms.silence = Some(Duration::from_secs(2)))),
            ("pumps", of(|it| it.pumps = vec![PumpAddress { ward: id("a"), pump: id("p1") }])),
            (
                "profile",
                of(|it| {
                    let mut profile = Profile::clone(&it.alarms.profile);
                    profile.hash ^= 1;
                    it.alarms.profile = profile.into();
                }),
            ),
        ] {
            assert_ne!(other, own, "{what}");
        }
    }
}
